/**
 * Writes an upload as one file of a backup: a tar archive, packed with zstd, that `tar --zstd -tf` lists. In this order:
 *
 * ```
 * raw/                    of uploads with raw files
 * raw/<path>              each of them, with its SHA-256 as extended attribute; one that was damaged is missing
 * archives/<entry_id>     archives as they are stored: length of the table of contents (4 bytes), it, the blocks
 * upload.json             the upload document
 * entries/<n>.jsonl       {entry, definitionIds} of some entries each
 * ```
 */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { constants, createZstdCompress } from 'node:zlib'
import { type Header, type Pack, pack } from 'tar-stream'
import type { Upload } from '../storage/documents.ts'
import { Measured } from './measured.ts'
import type { CopiedArchive, CopiedEntry, CopiedFile, UploadSink } from './upload-copy.ts'

/** Names of the parts. */
export const RAW = 'raw/'
export const ARCHIVES = 'archives/'
export const UPLOAD = 'upload.json'
export const ENTRIES = 'entries/'

/** Names of what a raw file has beside its bytes, as tar programs know them. */
export const SHA256 = 'SCHILY.xattr.user.sha256'
export const MODIFIED = 'mtime'

/** Entries in one part. */
const LINES = 1000

/** Bytes that are given on together: headers are small. */
const JOINED = 128 * 1024

/** Much of it is packed already: archives as a rule, raw files often. */
const LEVEL = 1

/** Seconds since 1970 that every header can hold. */
const LATEST = 2 ** 31 - 1

/** A file of a backup, as its list has it. */
export interface WrittenFile {
  /** Bytes. */
  readonly size: number
  /** Hexadecimal. */
  readonly sha256: string
}

type NewMember = Partial<Header> & Pick<Header, 'name'>

/** The file on its way; complete when `documents` has resolved, and left to others to bring to the disk. */
export class UploadFile implements UploadSink {
  readonly #path: string
  readonly #pack: Pack = pack()
  readonly #measured = new Measured()
  readonly #writing: Promise<void>
  #written: WrittenFile | undefined

  /** @param path of a file that is not there yet; its folder is */
  constructor(path: string) {
    this.#path = path
    const params = { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 }
    this.#writing = pipeline(
      joined(this.#pack as AsyncIterable<Uint8Array>),
      createZstdCompress({ params }),
      chunks => this.#measured.through(chunks as AsyncIterable<Uint8Array>),
      createWriteStream(path, { flags: 'wx', mode: 0o600 })
    )
    // Whoever adds to it learns of the failure.
    this.#writing.catch(error => this.#pack.destroy(error))
  }

  /** What was written; undefined before it is complete. */
  get written(): WrittenFile | undefined {
    return this.#written
  }

  async files(files: AsyncIterable<CopiedFile>): Promise<void> {
    await this.#add({ name: RAW, type: 'directory', mode: 0o700 })
    for await (const file of files) {
      const time = file.modified.getTime() / 1000
      await this.#addStream(
        {
          name: RAW + file.path,
          size: file.size,
          mtime: new Date(Math.min(Math.max(time, 0), LATEST) * 1000),
          pax: { [MODIFIED]: time.toFixed(3), [SHA256]: file.sha256 }
        },
        file.open()
      )
    }
  }

  async archives(archives: AsyncIterable<CopiedArchive>): Promise<void> {
    for await (const { entryId, contents, sizes, blocks } of archives) {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(contents.byteLength)
      const size = sizes.reduce((sum, bytes) => sum + bytes, length.length + contents.byteLength)
      const parts = async function* () {
        yield length
        yield contents
        yield* blocks
      }
      await this.#addStream({ name: ARCHIVES + entryId, size }, parts())
    }
  }

  async documents(
    upload: Upload,
    entries: AsyncIterable<CopiedEntry> | Iterable<CopiedEntry>
  ): Promise<void> {
    await this.#add({ name: UPLOAD }, JSON.stringify(upload))
    let lines: string[] = []
    let part = 0
    const flush = async () => {
      await this.#add({ name: `${ENTRIES}${++part}.jsonl` }, lines.join(''))
      lines = []
    }
    for await (const entry of entries) {
      if (lines.push(`${JSON.stringify(entry)}\n`) >= LINES) await flush()
    }
    if (lines.length > 0) await flush()
    this.#pack.finalize()
    await this.#writing
    this.#written = { size: this.#measured.bytes, sha256: this.#measured.sha256() }
  }

  /** Removes what was written. */
  async discard(): Promise<void> {
    this.#pack.destroy()
    await this.#writing.catch(() => {})
    await rm(this.#path, { force: true })
  }

  async #add(header: NewMember, text = ''): Promise<void> {
    const added = new Promise<void>((resolve, reject) => {
      const end = (error?: Error | null) => (error ? reject(error) : resolve())
      const member = this.#pack.entry({ mode: 0o600, mtime: new Date(0), ...header }, text, end)
      member.on('error', toldByCallback)
    })
    await this.#named(added)
  }

  async #addStream(header: NewMember, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const ended = Promise.withResolvers<void>()
    // Waited for below, where it matters.
    ended.promise.catch(() => {})
    const end = (error?: Error | null) => (error ? ended.reject(error) : ended.resolve())
    const member = this.#pack.entry({ mode: 0o600, mtime: new Date(0), ...header }, end)
    member.on('error', toldByCallback)
    try {
      for await (const chunk of bytes) {
        if (!member.write(chunk)) await Promise.race([once(member, 'drain'), ended.promise])
      }
    } catch (error) {
      member.destroy(error as Error)
      throw error
    }
    member.end(null)
    await this.#named(ended.promise)
  }

  /** The error of the file, where there is one, says more than that of its part. */
  async #named(part: Promise<void>): Promise<void> {
    try {
      await part
    } catch (error) {
      this.#pack.destroy()
      await this.#writing
      throw error
    }
  }
}

/** An error that nobody listens to ends the process. */
function toldByCallback(): void {}

/** The same bytes in larger pieces. */
async function* joined(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of source) {
    waiting.push(chunk)
    bytes += chunk.length
    if (bytes < JOINED) continue
    yield waiting.length === 1 ? chunk : Buffer.concat(waiting, bytes)
    waiting = []
    bytes = 0
  }
  if (bytes > 0) yield Buffer.concat(waiting, bytes)
}
