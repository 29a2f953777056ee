/**
 * Makes the index anew from documents and archives while searches and writes go on. First it is put into a new version of
 * itself, then each document is made from the stores and takes the place of the old one, unless somebody else has written
 * that meanwhile: then it is looked at again. A run that was killed is simply started anew.
 */
import { ALL } from '../query/tree.ts'
import { type IndexDocument, walk } from '../search/entry-index.ts'
import type { Services } from '../services.ts'
import type { Upload } from '../storage/documents.ts'
import { storedEntryDocument, storedUpload } from './entry-document.ts'
import { ImportLinks } from './import-links.ts'
import { storedSchemas } from './stored-schemas.ts'
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

/** Entries that are worked on at once. */
const BATCH = 100

/** Writes that the index may work on while further documents are made. */
const WRITING = 8

/** Times that an entry is looked at which others write at the same time. */
const TRIES = 5

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
  const work = workOn(services)
  const uploads = await everyUploadId(documents)
  const counts = await documents.countEntries([...uploads])
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
  let entries = 0
  const unfinished: Upload[] = []
  for (const uploadId of uploads) {
    onProgress({ step: 'indexing', done: entries, total, name: uploadId })
    const upload = await documents.upload(uploadId)
    if (upload && upload.import_checksum === undefined) unfinished.push(upload)
    entries += await indexUpload(uploadId, work)
  }
  // An import tells of an upload when all of its entries are there.
  for (const old of unfinished) {
    const upload = await documents.upload(old.upload_id)
    if (JSON.stringify(upload) !== JSON.stringify(old)) await indexUpload(old.upload_id, work)
  }
  onProgress({ step: 'indexing', done: total, total, name: '' })
  const removed = await removeUnknown(services)
  const problems = [...work.problems].map(([entryId, message]) => ({ entryId, message }))
  return { entries: entries - problems.length, removed, problems }
}

interface Work {
  readonly services: Services
  readonly links: ImportLinks
  /** By entry id. */
  readonly problems: Map<string, string>
}

function workOn(services: Services): Work {
  const links = new ImportLinks(
    { archive: async () => undefined },
    [],
    services.documents,
    storedSchemas(services.archives)
  )
  return { services, links, problems: new Map() }
}

/**
 * Makes all documents where nobody else reads or writes, as quickly as an import does: many are written together, and further
 * ones are made meanwhile.
 * @throws SeraiError when a store fails
 */
export async function indexAlone(
  services: Services,
  onProgress: (event: ReindexProgress) => void = () => {}
): Promise<ReindexReport> {
  const { documents, index } = services
  const work = workOn(services)
  const uploads = await everyUploadId(documents)
  const counts = await documents.countEntries([...uploads])
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
  let waiting: IndexDocument[] = []
  const writing: Promise<void>[] = []
  const write = async () => {
    const put = index.put(waiting)
    // Whoever waits for it learns of its failure.
    put.catch(() => {})
    writing.push(put)
    waiting = []
    if (writing.length > WRITING) await writing.shift()
  }
  let entries = 0
  for (const uploadId of uploads) {
    onProgress({ step: 'indexing', done: entries, total, name: uploadId })
    const ids = (await documents.entriesOfUpload(uploadId)).map(entry => entry.entry_id)
    for (let from = 0; from < ids.length; from += BATCH) {
      waiting.push(...(await documentsOf(uploadId, ids.slice(from, from + BATCH), work)))
      if (waiting.length >= BATCH) await write()
    }
    entries += ids.length
  }
  if (waiting.length > 0) await write()
  await Promise.all(writing)
  onProgress({ step: 'indexing', done: total, total, name: '' })
  const problems = [...work.problems].map(([entryId, message]) => ({ entryId, message }))
  const found = await index.count(ALL)
  const removed = found === entries - problems.length ? 0 : await removeUnknown(services)
  return { entries: entries - problems.length, removed, problems }
}

/** @returns number of entries */
async function indexUpload(uploadId: string, work: Work): Promise<number> {
  const ids = (await work.services.documents.entriesOfUpload(uploadId)).map(entry => entry.entry_id)
  for (let from = 0; from < ids.length; from += BATCH) {
    let left: readonly string[] = ids.slice(from, from + BATCH)
    for (let i = 0; i < TRIES && left.length > 0; i++) left = await indexEntries(uploadId, left, work)
  }
  return ids.length
}

/** @returns ids of entries that others wrote meanwhile */
async function indexEntries(
  uploadId: string,
  entryIds: readonly string[],
  work: Work
): Promise<readonly string[]> {
  const { index } = work.services
  // Before the stores are read: what is written after that counts more.
  const versions = await index.versions(entryIds)
  return index.replace(await documentsOf(uploadId, entryIds, work), versions)
}

/** The documents of some entries of an upload; those that cannot be made are noted. */
async function documentsOf(
  uploadId: string,
  entryIds: readonly string[],
  { services, links, problems }: Work
): Promise<IndexDocument[]> {
  const { documents, archives } = services
  const upload = await documents.upload(uploadId)
  const entries = (await documents.entries(entryIds)).filter(entry => entry.upload_id === uploadId)
  if (!upload) return []
  const stored = await storedUpload(upload, entries, services)
  const contents = await archives.contents(entries.map(entry => entry.entry_id))
  const made: IndexDocument[] = []
  for (const entry of entries) {
    const { entry_id } = entry
    try {
      made.push(await storedEntryDocument(entry, stored, contents.get(entry_id), services, links))
      problems.delete(entry_id)
    } catch (error) {
      problems.set(entry_id, error instanceof Error ? error.message : String(error))
    }
  }
  return made
}

/** Removes documents whose entries are gone: an entry is stored before its document, and removed after it. */
async function removeUnknown({ index, documents }: Services): Promise<number> {
  let removed = 0
  const check = async (ids: readonly string[]) => {
    const known = new Set((await documents.entries(ids)).map(entry => entry.entry_id))
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
    if (ids.length < BATCH) continue
    await check(ids)
    ids = []
  }
  if (ids.length > 0) await check(ids)
  return removed
}
