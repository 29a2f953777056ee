/** Reads what `upload-file.ts` writes. */
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { extract, type Header } from 'tar-stream'
import { readContents } from '../archive/contents.ts'
import { unzstd } from '../files/zstd.ts'
import type { Upload } from '../storage/documents.ts'
import { Measured } from './measured.ts'
import type { CopiedArchive, CopiedEntry, CopiedFile, UploadSink } from './upload-copy.ts'
import { ARCHIVES, ENTRIES, MODIFIED, RAW, SHA256, UPLOAD, type WrittenFile } from './upload-file.ts'

/**
 * Gives an upload to a sink. That the file is as it was written is known before the last entry is given.
 * @throws Error naming the file when it is damaged or of another upload; whatever the sink throws
 */
export async function readUploadFile(
  path: string,
  uploadId: string,
  written: WrittenFile,
  sink: UploadSink
): Promise<void> {
  const measured = new Measured()
  const members = new Members(path, measured)
  const requireIntact = async () => {
    await members.end()
    if (measured.bytes !== written.size || measured.sha256() !== written.sha256) throw damaged(path)
  }
  try {
    if (await members.next(RAW)) {
      await members.bytes()
      await sink.files(rawFiles(members))
    }
    if (await members.next(ARCHIVES)) await sink.archives(archives(members))
    if (!(await members.next(UPLOAD))) throw damaged(path)
    const upload = JSON.parse((await members.bytes()).toString()) as Upload
    if (upload.upload_id !== uploadId) throw damaged(path)
    await sink.documents(upload, entries(members, requireIntact))
  } catch (error) {
    // Of an error of the file the sink has got some consequence only.
    await members.close()
    throw members.error ?? error
  }
  await members.close()
}

/** The error for a file of a backup that is not what was written. */
export function damaged(path: string): Error {
  return new Error(`${path} is damaged: it is not what the backup has written`)
}

async function* rawFiles(members: Members): AsyncGenerator<CopiedFile> {
  for (let header = await members.next(RAW); header; header = await members.next(RAW)) {
    yield {
      path: header.name.slice(RAW.length),
      size: header.size,
      sha256: header.pax?.[SHA256] ?? '',
      modified: new Date(Math.round(Number(header.pax?.[MODIFIED]) * 1000)),
      open: () => Readable.from(members.chunks())
    }
  }
}

async function* archives(members: Members): AsyncGenerator<CopiedArchive> {
  for (let header = await members.next(ARCHIVES); header; header = await members.next(ARCHIVES)) {
    const entryId = header.name.slice(ARCHIVES.length)
    const bytes = new Pieces(members.chunks())
    const contents = await bytes.take((await bytes.take(4)).readUInt32BE())
    const sizes = readContents(contents, entryId).blocks.map(block => block.bytes)
    yield { entryId, contents, sizes, blocks: blocks(bytes, sizes) }
  }
}

async function* blocks(bytes: Pieces, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (const size of sizes) yield await bytes.take(size)
  await bytes.end()
}

async function* entries(members: Members, requireIntact: () => Promise<void>): AsyncGenerator<CopiedEntry> {
  let lines: string[] = []
  while (await members.next(ENTRIES)) {
    for (const line of lines) yield JSON.parse(line) as CopiedEntry
    lines = (await members.bytes()).toString().split('\n').slice(0, -1)
  }
  await requireIntact()
  for (const line of lines) yield JSON.parse(line) as CopiedEntry
}

interface TarHeader extends Header {
  readonly pax?: Readonly<Record<string, string>> | null
}

type Member = AsyncIterable<Buffer> & { readonly header: TarHeader }

/** The members of the archive, one after the other; each is read to its end before the next one comes. */
class Members {
  readonly #path: string
  readonly #tar = extract()
  readonly #members: AsyncIterator<Member>
  readonly #feeding: Promise<void>
  /** What is wrong with the file, if it cannot be read. */
  error: Error | undefined
  /** Came, and is not taken yet. */
  #member: Member | undefined

  constructor(path: string, measured: Measured) {
    this.#path = path
    this.#members = this.#tar[Symbol.asyncIterator]() as unknown as AsyncIterator<Member>
    this.#feeding = pipeline(
      createReadStream(path),
      chunks => measured.through(chunks as AsyncIterable<Buffer>),
      chunks => unzstd(chunks as AsyncIterable<Buffer>),
      this.#tar
    )
    this.#feeding.catch((error: NodeJS.ErrnoException) => {
      // What ending it early gives.
      if (/PREMATURE_CLOSE|STREAM_DESTROYED/.test(error.code ?? '')) return
      this.error = error.syscall === undefined ? damaged(this.#path) : error
    })
  }

  /** The next member if its name begins so; else undefined, and it waits for the next call. */
  async next(beginning: string): Promise<TarHeader | undefined> {
    if (!this.#member) {
      const { done, value } = await this.#members.next()
      if (done) return undefined
      this.#member = value
    }
    return this.#member.header.name.startsWith(beginning) ? this.#member.header : undefined
  }

  /** The bytes of the member, which is taken by that. */
  async *chunks(): AsyncGenerator<Buffer> {
    const member = this.#member as Member
    this.#member = undefined
    yield* member
  }

  /** All bytes of the member, which is taken by that. */
  async bytes(): Promise<Buffer> {
    return Buffer.concat(await Array.fromAsync(this.chunks()))
  }

  /** Waits for the end of the file. @throws Error when something comes that is not known */
  async end(): Promise<void> {
    if (await this.next('')) throw damaged(this.#path)
    await this.#feeding.catch(error => {
      throw this.error ?? error
    })
  }

  /** Ends reading, wherever it is. */
  async close(): Promise<void> {
    this.#tar.destroy()
    await this.#feeding.catch(() => {})
  }
}

/** Takes bytes of a stream in pieces of known sizes. */
class Pieces {
  readonly #chunks: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** @throws Error when there are less */
  async take(size: number): Promise<Buffer> {
    const piece = Buffer.allocUnsafe(size)
    let filled = 0
    while (filled < size) {
      if (this.#rest.length === 0) {
        const { done, value } = await this.#chunks.next()
        if (done) throw new Error('an archive ends too early')
        this.#rest = value
      }
      const count = this.#rest.copy(piece, filled)
      filled += count
      this.#rest = this.#rest.subarray(count)
    }
    return piece
  }

  /** @throws Error when there are more */
  async end(): Promise<void> {
    if (this.#rest.length > 0 || !(await this.#chunks.next()).done) throw new Error('an archive is too long')
  }
}
