/**
 * Makes the index anew from documents and archives while searches and writes go on. First it is put into a new version of
 * itself, then each document is made from the stores and takes the place of the old one, unless somebody else has written
 * that meanwhile: then it is looked at again. A run that was killed is simply started anew.
 */
import { ALL } from '../query/tree.ts'
import { type IndexDocument, walk } from '../search/entry-index.ts'
import type { Services } from '../services.ts'
import type { DocumentStore, Upload } from '../storage/documents.ts'
import { EntryDocuments } from './entry-document.ts'
import { everyUploadId } from './upload-ids.ts'

/** What became of it. */
export interface ReindexReport {
  /** Entries whose documents were made. */
  readonly entries: number
  /** Documents of entries that there are no more. */
  readonly removed: number
  readonly problems: readonly { readonly entryId: string; readonly message: string }[]
}

/** How far it is. */
export interface ReindexProgress {
  readonly step: 'copying' | 'indexing'
  readonly done: number
  readonly total: number
  /** Id of the upload that is worked on. */
  readonly name: string
}

/** Entries whose documents are made together, of however many uploads. */
const BATCH = 100

/** Batches that the index may work on while further documents are made: it writes those that wait together. */
const WRITING = 8

/** Times that an entry is looked at which others write at the same time. */
const TRIES = 5

/** Entries that are looked up at once to see whether they are still there. */
const LOOKUP = 500

/**
 * Makes the index anew.
 * @throws SeraiError when a store fails
 */
export async function reindex(
  services: Services,
  onProgress: (event: ReindexProgress) => void = () => {}
): Promise<ReindexReport> {
  const { documents, index } = services
  await index.renew((done, total) => onProgress({ step: 'copying', done, total, name: '' }))
  const run = new Run(services, async entryIds => {
    // Before the stores are read: what is written after that counts more.
    const versions = await index.versions(entryIds)
    return made => index.replace(made, versions)
  })
  const unfinished: Upload[] = []
  const entries = await run.everyUpload(onProgress, upload => {
    if (upload.import_checksum === undefined) unfinished.push(upload)
  })
  // An import tells of an upload when all of its entries are there.
  for (const old of unfinished) {
    const upload = await documents.upload(old.upload_id)
    if (JSON.stringify(upload) !== JSON.stringify(old))
      await run.batches(entryIdsOf([old.upload_id], documents))
  }
  const removed = await removeUnknown(services)
  return run.report(entries, removed)
}

/**
 * Makes all documents where nobody else reads or writes.
 * @throws SeraiError when a store fails
 */
export async function indexAlone(
  services: Services,
  onProgress: (event: ReindexProgress) => void = () => {}
): Promise<ReindexReport> {
  const { index } = services
  const run = new Run(services, async () => async made => {
    await index.put(made)
    return []
  })
  const report = run.report(await run.everyUpload(onProgress), 0)
  const isComplete = (await index.count(ALL)) === report.entries
  return isComplete ? report : { ...report, removed: await removeUnknown(services) }
}

/** Writes documents; gives the ids of entries that others wrote meanwhile. */
type Write = (documents: readonly IndexDocument[]) => Promise<readonly string[]>

/** One run over entries: documents are made one batch after the other, while those before are written. */
class Run {
  readonly #services: Services
  readonly #making: EntryDocuments
  readonly #prepare: (entryIds: readonly string[]) => Promise<Write>
  /** By entry id. */
  readonly #problems = new Map<string, string>()

  /** @param prepare called with each batch before its entries are read */
  constructor(services: Services, prepare: (entryIds: readonly string[]) => Promise<Write>) {
    this.#services = services
    this.#making = new EntryDocuments(services)
    this.#prepare = prepare
  }

  /**
   * Indexes the entries of all uploads.
   * @param onUpload told of each upload before its entries are read
   * @returns number of entries
   */
  async everyUpload(
    onProgress: (event: ReindexProgress) => void,
    onUpload: (upload: Upload) => void = () => {}
  ): Promise<number> {
    const { documents } = this.#services
    const uploads = await everyUploadId(documents)
    const counts = await documents.countEntries([...uploads])
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
    let [name, done] = ['', 0]
    const entryIds = entryIdsOf(uploads, documents, async uploadId => {
      name = uploadId
      const upload = await documents.upload(uploadId)
      if (upload) onUpload(upload)
    })
    onProgress({ step: 'indexing', done, total, name })
    await this.batches(entryIds, count => {
      done += count
      onProgress({ step: 'indexing', done, total, name })
    })
    onProgress({ step: 'indexing', done: total, total, name: '' })
    return done
  }

  /**
   * Indexes entries; those that others write meanwhile are looked at again.
   * @param onDone told how many entries more have been handed to the index
   */
  async batches(
    entryIds: AsyncIterable<readonly string[]>,
    onDone: (count: number) => void = () => {}
  ): Promise<void> {
    let left = await this.#once(entryIds, onDone)
    for (let tried = 1; tried < TRIES && left.length > 0; tried++) {
      left = await this.#once(inBatches(left), () => {})
    }
  }

  /** @returns ids of entries that others wrote meanwhile */
  async #once(
    entryIds: AsyncIterable<readonly string[]>,
    onDone: (count: number) => void
  ): Promise<string[]> {
    const left: string[] = []
    const writing: Promise<void>[] = []
    for await (const some of entryIds) {
      const write = await this.#prepare(some)
      const { documents, problems } = await this.#making.of(some)
      for (const { entry_id } of documents) this.#problems.delete(entry_id)
      for (const [entryId, message] of problems) this.#problems.set(entryId, message)
      const written = write(documents).then(others => void left.push(...others))
      // Whoever waits for it learns of its failure.
      written.catch(() => {})
      writing.push(written)
      onDone(some.length)
      if (writing.length > WRITING) await writing.shift()
    }
    await Promise.all(writing)
    return left
  }

  report(entries: number, removed: number): ReindexReport {
    const problems = [...this.#problems].map(([entryId, message]) => ({ entryId, message }))
    return { entries: entries - problems.length, removed, problems }
  }
}

/** Ids of the entries of uploads, a batch at a time: many small uploads come together. */
async function* entryIdsOf(
  uploadIds: Iterable<string>,
  documents: DocumentStore,
  onUpload: (uploadId: string) => Promise<void> = async () => {}
): AsyncGenerator<readonly string[]> {
  let batch: string[] = []
  for (const uploadId of uploadIds) {
    await onUpload(uploadId)
    const ids = (await documents.entriesOfUpload(uploadId)).map(entry => entry.entry_id)
    for (const id of ids) {
      if (batch.push(id) < BATCH) continue
      yield batch
      batch = []
    }
  }
  if (batch.length > 0) yield batch
}

async function* inBatches(ids: readonly string[]): AsyncGenerator<readonly string[]> {
  for (let from = 0; from < ids.length; from += BATCH) yield ids.slice(from, from + BATCH)
}

/** Removes documents whose entries are gone: an entry is stored before its document, and removed after it. */
async function removeUnknown({ index, documents }: Services): Promise<number> {
  let removed = 0
  const check = async (ids: readonly string[]) => {
    const known = new Set((await documents.entryPlaces(ids)).map(entry => entry.entry_id))
    const unknown = ids.filter(id => !known.has(id))
    await index.remove(unknown)
    removed += unknown.length
  }
  let ids: string[] = []
  for await (const { entryId } of walk(index, {
    query: ALL,
    order: 'asc',
    source: { include: ['entry_id'] }
  })) {
    ids.push(entryId)
    if (ids.length < LOOKUP) continue
    await check(ids)
    ids = []
  }
  if (ids.length > 0) await check(ids)
  return removed
}
