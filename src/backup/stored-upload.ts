/**
 * An upload out of the stores, while others may write to it. It is looked at again after it was read: when it has changed
 * meanwhile, all of it is read anew.
 *
 * An upload document with a checksum tells of a complete upload, and every import changes it before and after anything
 * else (`processing/upload-import.ts`). Without one an import is under way or was interrupted, and everything else is compared too.
 */
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { crc32 } from 'node:zlib'
import { checksum } from '../archive/block.ts'
import { type BlockRow, readContents } from '../archive/contents.ts'
import type { RawFile, RawFileStore, RawTree } from '../files/raw-files.ts'
import type { Services } from '../services.ts'
import { type ArchiveContents, blockKey } from '../storage/archives.ts'
import type { Entry, Upload } from '../storage/documents.ts'
import type { CopiedArchive, CopiedEntry, CopiedFile, CopyProblem, UploadSink } from './upload-copy.ts'

/** The stores that uploads are read from. */
export interface UploadSource extends Pick<Services, 'documents' | 'archives'> {
  readonly files: Pick<RawFileStore, 'tree' | 'open'>
}

/** What was copied of an upload. */
export interface CopiedUpload {
  readonly entries: number
  readonly archives: number
  readonly files: number
  /** Whether it tells of a complete import. */
  readonly complete: boolean
  readonly problems: readonly CopyProblem[]
}

/** Times that an upload is read which others write at the same time, and milliseconds to wait, more each time. */
const TRIES = 8
const PAUSE = 250

/** Entries whose tables of contents are read at once. */
const ENTRIES = 100

/** Bytes of blocks that are read at once. */
const SLICE = 4 * 1024 * 1024

/**
 * Copies an upload into what `sinkFor` gives; asked again when it has to be read anew, and then `discard` takes away what
 * the sink before has got. What is damaged in the stores is left out and told.
 * @returns undefined when there is no such upload (any more)
 * @throws SeraiError STORE_UNAVAILABLE; whatever the sink throws
 */
export async function copyStoredUpload<Sink extends UploadSink>(
  uploadId: string,
  source: UploadSource,
  sinkFor: () => Promise<Sink>,
  discard: (sink: Sink) => Promise<void> = async () => {}
): Promise<CopiedUpload | undefined> {
  const damaged = new Map<string, string>()
  for (let tried = 1; ; ) {
    const reading = new UploadReading(uploadId, source, damaged)
    if (!(await reading.begin())) return undefined
    const sink = await sinkFor()
    try {
      return await reading.copyTo(sink, tried >= TRIES)
    } catch (error) {
      await discard(sink)
      if (reading.again === undefined) throw error
      // With what was found damaged it comes to an end by itself.
      if (reading.again === 'damaged') continue
      if (tried >= TRIES) {
        const problem = { uploadId, message: 'is left out: it changes all the time' }
        return { entries: 0, archives: 0, files: 0, complete: false, problems: [problem] }
      }
    }
    await delay(PAUSE * tried++)
  }
}

/** One try. */
class UploadReading {
  /** Set when it fails because the upload has to be read anew. */
  again: 'changed' | 'damaged' | undefined
  readonly #uploadId: string
  readonly #source: UploadSource
  /** What is wrong with archives and files that cannot be copied, kept over the tries. */
  readonly #damaged: Map<string, string>
  /** Generations of the archives that were copied, by entry id. */
  readonly #generations = new Map<string, string>()
  #upload: Upload | undefined
  #entries: Entry[] = []
  #tree: RawTree | undefined
  #files = 0

  constructor(uploadId: string, source: UploadSource, damaged: Map<string, string>) {
    this.#uploadId = uploadId
    this.#source = source
    this.#damaged = damaged
  }

  /** Whether there is such an upload. */
  async begin(): Promise<boolean> {
    const { documents, files } = this.#source
    this.#upload = await documents.upload(this.#uploadId)
    if (!this.#upload) return false
    // Entries before files: what a new version has no more leaves the documents before its files are replaced.
    this.#entries = await documents.entriesOfUpload(this.#uploadId)
    this.#tree = await files.tree(this.#uploadId)
    return true
  }

  /**
   * @param last takes an upload in the middle of an import too, as that would leave it when it was killed
   * @throws Error after `again` was set
   */
  async copyTo(sink: UploadSink, last: boolean): Promise<CopiedUpload> {
    if (this.#tree) await sink.files(this.#copiedFiles(this.#tree))
    if (this.#entries.length > 0) await sink.archives(this.#copiedArchives())
    if (this.again !== undefined) throw this.#startAgain(this.again)
    const ids = this.#entries.map(entry => entry.entry_id)
    const definitions = await this.#source.documents.definitionIds(ids)
    const settled = await this.#isSettled(last)
    const entries = settled ? this.#entries : await this.#wholeEntries()
    const { import_checksum, ...upload } = this.#upload as Upload
    const complete = settled && this.#damaged.size === 0 && import_checksum !== undefined
    await sink.documents(
      // Without checksum the next import does not take it for complete.
      complete ? { ...upload, import_checksum } : upload,
      entries.map((entry): CopiedEntry => {
        return { entry, definitionIds: definitions.get(entry.entry_id) ?? [] }
      })
    )
    const uploadId = this.#uploadId
    const problems: CopyProblem[] = [...this.#damaged].map(([part, message]) => ({ uploadId, part, message }))
    if (!settled) {
      problems.push({ uploadId, message: 'was being imported and is not complete: import it again' })
    }
    return {
      entries: entries.length,
      archives: this.#generations.size,
      files: this.#files,
      complete,
      problems
    }
  }

  /**
   * Whether everything still is as it was read.
   * @throws Error after `again` was set when it is not, unless only entries and archives came or went and it is the last try
   */
  async #isSettled(last: boolean): Promise<boolean> {
    const { documents, archives } = this.#source
    const upload = await documents.upload(this.#uploadId)
    // Its parts may be seen only by those who may see them under the document that they were read with.
    if (!isDeepStrictEqual(upload, this.#upload)) throw this.#startAgain('changed')
    if (upload?.import_checksum !== undefined) return true
    if (await this.#hasOtherFiles()) throw this.#startAgain('changed')
    let settled = isDeepStrictEqual(await documents.entriesOfUpload(this.#uploadId), this.#entries)
    const ids = this.#entries.map(entry => entry.entry_id).filter(id => !this.#damaged.has(archiveName(id)))
    for (let i = 0; i < ids.length && settled; i += ENTRIES) {
      const some = ids.slice(i, i + ENTRIES)
      const now = await archives.contents(some)
      settled = some.every(id => now.get(id)?.generation === this.#generations.get(id))
    }
    if (!settled && !last) throw this.#startAgain('changed')
    return settled
  }

  /** Of the entries that were read those that are not on their way out. */
  async #wholeEntries(): Promise<Entry[]> {
    const now = await this.#source.documents.entries(this.#entries.map(entry => entry.entry_id))
    const there = new Set(now.map(entry => entry.entry_id))
    return this.#entries.filter(
      ({ entry_id, mainfile }) =>
        there.has(entry_id) && (!this.#tree || this.#tree.node(mainfile)?.kind === 'file')
    )
  }

  #startAgain(again: 'changed' | 'damaged'): Error {
    this.again = again
    return new Error(`the upload ${this.#uploadId} has to be read again`)
  }

  async #hasOtherFiles(): Promise<boolean> {
    return !sameFiles(await this.#source.files.tree(this.#uploadId), this.#tree)
  }

  async *#copiedFiles(tree: RawTree): AsyncGenerator<CopiedFile> {
    for (const file of tree.walk('')) {
      if (this.#damaged.has(fileName(file))) continue
      const { path, size, sha256, modified } = file
      yield { path, size, sha256, modified, open: () => Readable.from(this.#bytesOf(file)) }
      this.#files++
    }
  }

  async *#bytesOf(file: RawFile): AsyncGenerator<Buffer> {
    let size = 0
    let crc = 0
    try {
      for await (const chunk of await this.#source.files.open(this.#uploadId, file.path)) {
        const bytes = chunk as Buffer
        size += bytes.length
        crc = crc32(bytes, crc)
        if (size > file.size) break
        yield bytes
      }
      if (size === file.size && crc === file.crc32) return
    } catch (error) {
      // Out of descriptors, the disk does not answer: not a matter of this file.
      const { code } = error as { code?: unknown }
      if (code !== 'FILE_DAMAGED' && code !== 'FILE_NOT_FOUND') throw error
    }
    if (await this.#hasOtherFiles()) throw this.#startAgain('changed')
    this.#damaged.set(fileName(file), 'is left out: it is damaged or missing')
    const failed = this.#startAgain('damaged')
    // Of the right length the others are gone through first: one more try is enough for all.
    if (size !== file.size) throw failed
  }

  async *#copiedArchives(): AsyncGenerator<CopiedArchive> {
    for (let i = 0; i < this.#entries.length; i += ENTRIES) {
      const ids = this.#entries.slice(i, i + ENTRIES).map(entry => entry.entry_id)
      const found = await this.#source.archives.contents(ids)
      for (const entryId of ids) {
        const stored = found.get(entryId)
        const archive = stored && (await this.#copiedArchive(stored))
        if (!archive) continue
        yield archive
        this.#generations.set(entryId, stored.generation)
      }
    }
  }

  /** @returns undefined when it is damaged */
  async #copiedArchive(stored: ArchiveContents): Promise<CopiedArchive | undefined> {
    const { entryId, bytes: contents } = stored
    if (this.#damaged.has(archiveName(entryId))) return undefined
    let rows: readonly BlockRow[]
    try {
      rows = readContents(contents, entryId).blocks
    } catch {
      this.#damaged.set(archiveName(entryId), 'is left out: its table of contents is damaged')
      return undefined
    }
    const first = await this.#slice(stored, rows, 0)
    if (!first) return undefined
    return { entryId, contents, sizes: rows.map(row => row.bytes), blocks: this.#blocks(stored, rows, first) }
  }

  async *#blocks(
    stored: ArchiveContents,
    rows: readonly BlockRow[],
    first: readonly Uint8Array[]
  ): AsyncGenerator<Uint8Array> {
    yield* first
    for (let from = first.length; from < rows.length; ) {
      const slice = await this.#slice(stored, rows, from)
      if (!slice) throw this.#startAgain('damaged')
      yield* slice
      from += slice.length
    }
  }

  /**
   * Some blocks from an index on.
   * @returns undefined when one of them is damaged
   */
  async #slice(
    { entryId, generation }: ArchiveContents,
    rows: readonly BlockRow[],
    from: number
  ): Promise<readonly Uint8Array[] | undefined> {
    const { archives } = this.#source
    const addresses = []
    for (let i = from, bytes = 0; i < rows.length && bytes < SLICE; i++) {
      bytes += (rows[i] as BlockRow).bytes
      addresses.push({ entryId, generation, number: i + 1 })
    }
    const found = addresses.length > 0 ? await archives.blocks(addresses) : new Map<string, Uint8Array>()
    const slice: Uint8Array[] = []
    for (const address of addresses) {
      const bytes = found.get(blockKey(address))
      const row = rows[address.number - 1] as BlockRow
      if (bytes?.byteLength === row.bytes && checksum(bytes) === row.checksum) slice.push(bytes)
      else {
        const now = (await archives.contents([entryId])).get(entryId)
        if (now?.generation !== generation) throw this.#startAgain('changed')
        this.#damaged.set(archiveName(entryId), `is left out: its block ${address.number} is damaged`)
        return undefined
      }
    }
    return slice
  }
}

function archiveName(entryId: string): string {
  return `archive of the entry ${entryId}`
}

function fileName({ path }: RawFile): string {
  return `file ${path}`
}

/** Whether two trees hold the same files; nothing equals nothing. */
function sameFiles(a: RawTree | undefined, b: RawTree | undefined): boolean {
  if (a === b) return true
  if (!a || !b) return false
  const listed = (tree: RawTree) => [...tree.walk('')].map(({ path, sha256 }) => `${sha256} ${path}`)
  return isDeepStrictEqual(listed(a), listed(b))
}
