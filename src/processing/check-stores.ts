/**
 * Checks everything that is stored: archives block by block, raw files against the checksums they were stored with, and
 * that documents, index and archives tell the same of every entry. Nothing is changed.
 */
import { createHash } from 'node:crypto'
import { hasEmbargo, isPublished, viewerGroupsOf, viewersOf } from '../access/upload-access.ts'
import type { RawFile } from '../files/raw-files.ts'
import type { Quantity } from '../query/quantities.ts'
import { ALL, type Query } from '../query/tree.ts'
import { walk } from '../search/entry-index.ts'
import type { Services } from '../services.ts'
import type { Entry, Upload } from '../storage/documents.ts'
import { checkArchive } from './check-archive.ts'

/** Uploads whose documents are read at once, and entries whose tables of contents are. */
const UPLOADS = 100
const ENTRIES = 100

/** Members of index documents that are held against the other stores. */
const INDEXED = [
  'entry_id',
  'upload_id',
  'mainfile',
  'parser_name',
  'published',
  'with_embargo',
  'viewers',
  'viewer_groups'
]

/** Something that is wrong. */
export interface StoreProblem {
  readonly uploadId?: string | undefined
  readonly entryId?: string | undefined
  /** What is wrong there: `archive, block 3`, `file x`, `index`. */
  readonly part: string
  readonly message: string
}

/** How far a check is. */
export interface CheckProgress {
  /** Entries that are done, of all. */
  readonly done: number
  readonly total: number
  /** What is being looked at. */
  readonly name: string
}

/** What was looked at. */
export interface CheckReport {
  readonly uploads: number
  readonly entries: number
  readonly archives: number
  readonly files: number
  readonly problems: number
}

/**
 * Checks the stores; problems are told as they are found.
 * @throws SeraiError STORE_UNAVAILABLE when a store cannot be asked
 */
export async function checkStores(
  services: Services,
  onProblem: (problem: StoreProblem) => void,
  onProgress: (event: CheckProgress) => void = () => {}
): Promise<CheckReport> {
  return new StoreCheck(services, onProblem, onProgress).run()
}

type IndexedEntry = Readonly<Record<string, unknown>>

class StoreCheck {
  readonly #services: Services
  readonly #onProblem: (problem: StoreProblem) => void
  readonly #onProgress: (event: CheckProgress) => void
  readonly #report = { uploads: 0, entries: 0, archives: 0, files: 0, problems: 0 }
  #total = 0
  #indexed = 0

  constructor(
    services: Services,
    onProblem: (problem: StoreProblem) => void,
    onProgress: (event: CheckProgress) => void
  ) {
    this.#services = services
    this.#onProblem = onProblem
    this.#onProgress = onProgress
  }

  async run(): Promise<CheckReport> {
    this.#total = await this.#services.index.count(ALL)
    for await (const upload of this.#uploads()) {
      this.#report.uploads++
      await this.#checkUpload(upload)
    }
    await this.#checkStrangers()
    return this.#report
  }

  async *#uploads(): AsyncGenerator<Upload> {
    const page = { orderBy: 'upload_create_time', order: 'asc', limit: UPLOADS } as const
    for (let offset = 0; ; offset += UPLOADS) {
      const { uploads } = await this.#services.documents.listUploads({}, { ...page, offset })
      yield* uploads
      if (uploads.length < UPLOADS) return
    }
  }

  #tell(problem: StoreProblem): void {
    this.#report.problems++
    this.#onProblem(problem)
  }

  async #checkUpload(upload: Upload): Promise<void> {
    const { upload_id: uploadId } = upload
    const entries = await this.#services.documents.entriesOfUpload(uploadId)
    const indexed = await this.#indexedOf(uploadId)
    for (const entry of entries) this.#checkIndexed(upload, entry, indexed.get(entry.entry_id))
    const known = new Set(entries.map(e => e.entry_id))
    for (const entryId of indexed.keys()) {
      if (known.has(entryId)) continue
      this.#tell({
        uploadId,
        entryId,
        part: 'index',
        message: 'has the entry, which the documents do not know'
      })
    }
    for (let i = 0; i < entries.length; i += ENTRIES) {
      await this.#checkArchives(entries.slice(i, i + ENTRIES), upload)
    }
    await this.#checkFiles(upload, entries)
  }

  async #indexedOf(uploadId: string): Promise<Map<string, IndexedEntry>> {
    const { index, quantities } = this.#services
    const quantity = quantities.get('upload_id') as Quantity
    const query: Query = { kind: 'terms', quantity, values: [uploadId] }
    const found = new Map<string, IndexedEntry>()
    for await (const hit of walk(index, { query, order: 'asc', source: { include: INDEXED } })) {
      found.set(hit.entryId, hit.document)
    }
    this.#indexed += found.size
    return found
  }

  #checkIndexed(upload: Upload, entry: Entry, indexed: IndexedEntry | undefined): void {
    const at = { uploadId: upload.upload_id, entryId: entry.entry_id, part: 'index' }
    if (!indexed) {
      this.#tell({ ...at, message: 'does not have the entry: it cannot be found' })
      return
    }
    const expected: IndexedEntry = {
      mainfile: entry.mainfile,
      parser_name: entry.parser_name,
      published: isPublished(upload),
      with_embargo: hasEmbargo(upload)
    }
    for (const [name, value] of Object.entries(expected)) {
      if (indexed[name] === value) continue
      this.#tell({
        ...at,
        message: `says ${name} is ${text(indexed[name])}, the documents say ${text(value)}`
      })
    }
    const viewers = ((indexed.viewers ?? []) as { user_id?: unknown }[]).map(viewer => viewer.user_id)
    this.#compareSets(at, 'viewers', viewers, viewersOf(upload))
    this.#compareSets(at, 'viewer_groups', (indexed.viewer_groups ?? []) as unknown[], viewerGroupsOf(upload))
  }

  #compareSets(
    at: Omit<StoreProblem, 'message'>,
    name: string,
    indexed: readonly unknown[],
    stored: readonly string[]
  ): void {
    const [a, b] = [[...new Set(indexed)].sort(), [...new Set(stored)].sort()]
    if (text(a) === text(b)) return
    this.#tell({ ...at, message: `says ${name} are ${text(a)}, the documents say ${text(b)}` })
  }

  async #checkArchives(entries: readonly Entry[], upload: Upload): Promise<void> {
    const contents = await this.#services.archives.contents(entries.map(e => e.entry_id))
    for (const entry of entries) {
      const { entry_id: entryId, upload_id: uploadId } = entry
      const name = upload.upload_name ?? uploadId
      this.#onProgress({ done: this.#report.entries++, total: this.#total, name })
      const stored = contents.get(entryId)
      if (!stored) {
        if (entry.process_status !== 'SUCCESS') continue
        this.#tell({
          uploadId,
          entryId,
          part: 'archive',
          message: 'is missing, though the entry was processed'
        })
        continue
      }
      this.#report.archives++
      for (const { part, message } of await checkArchive(this.#services, entry, stored)) {
        this.#tell({ uploadId, entryId, part: part ? `archive, ${part}` : 'archive', message })
      }
    }
  }

  async #checkFiles({ upload_id: uploadId }: Upload, entries: readonly Entry[]): Promise<void> {
    const { files } = this.#services
    try {
      for await (const file of files.walk(uploadId, '')) {
        this.#report.files++
        const message = await this.#wrongFile(uploadId, file)
        if (message) this.#tell({ uploadId, part: `file ${file.path}`, message })
      }
      for (const { entry_id: entryId, mainfile } of entries) {
        if ((await files.node(uploadId, mainfile))?.kind === 'file') continue
        this.#tell({ uploadId, entryId, part: `file ${mainfile}`, message: 'is missing: it is the mainfile' })
      }
    } catch (error) {
      this.#tell({ uploadId, part: 'raw files', message: (error as Error).message })
    }
  }

  async #wrongFile(uploadId: string, file: RawFile): Promise<string | undefined> {
    const hash = createHash('sha256')
    let size = 0
    try {
      for await (const chunk of await this.#services.files.open(uploadId, file.path)) {
        hash.update(chunk)
        size += (chunk as Buffer).byteLength
      }
    } catch (error) {
      return `cannot be read: ${(error as Error).message}`
    }
    if (size !== file.size) return `has ${size} bytes instead of ${file.size}`
    return hash.digest('hex') === file.sha256 ? undefined : 'does not have its checksum'
  }

  /** What stands in the index or among the archives and belongs to no upload. */
  async #checkStrangers(): Promise<void> {
    const { index, archives, documents } = this.#services
    for (const uploadId of await documents.pendingUploads()) {
      const message = 'has not ended: its entries are found by nobody until it is imported again'
      this.#tell({ uploadId, part: 'import', message })
    }
    if ((await index.count(ALL)) !== this.#indexed) {
      const source = { include: ['entry_id', 'upload_id'] }
      for await (const { entryId, document } of walk(index, { query: ALL, order: 'asc', source })) {
        const uploadId = String(document.upload_id)
        if (await documents.upload(uploadId)) continue
        this.#tell({
          uploadId,
          entryId,
          part: 'index',
          message: 'has an entry of an upload that is not there'
        })
      }
    }
    for await (const ids of archives.entryIds()) {
      const known = new Set((await documents.entries(ids)).map(e => e.entry_id))
      for (const entryId of ids) {
        if (!known.has(entryId))
          this.#tell({ entryId, part: 'archive', message: 'is there, but its entry is not' })
      }
    }
  }
}

function text(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value)
}
