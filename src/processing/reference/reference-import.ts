/** Imports one upload of the reference: a directory of its file storage, or a bundle (`archive.md` §12, §13). */
import type { Services } from '../../services.ts'
import type { Dataset, DocumentStore } from '../../storage/documents.ts'
import { type DatasetRecord, datasetOf, type UploadRecord } from '../corpus-records.ts'
import { BadFile } from '../import-problem.ts'
import { type ImportProgress, type ImportReport, importUploads } from '../import-run.ts'
import type { ReferenceUpload } from './reference-upload.ts'

/**
 * Imports the upload. A file that cannot be used is reported, and the rest goes on.
 * @throws SeraiError when a store fails
 */
export async function importReferenceUpload(
  files: ReferenceUpload,
  services: Services,
  onProgress: (event: ImportProgress) => void
): Promise<ImportReport> {
  const { documents } = services
  try {
    const { record, datasets, problems } = await files.describe(documents)
    await requirePersons(record, documents, files.list)
    const ids = await importDatasets(datasets, record, documents, files.list)
    const entries = record.entries.map(entry => ({
      ...entry,
      datasets: (entry.datasets ?? []).map(id => ids.get(id) ?? id)
    }))
    return await importUploads(
      { uploads: [{ ...record, entries }], files, datasetsOf: new Map(), checksum: '', problems },
      services,
      onProgress
    )
  } catch (error) {
    if (!(error instanceof BadFile)) throw error
    const { file, message } = error
    return { imported: 0, skipped: 0, entries: 0, problems: [{ file, message }] }
  }
}

/**
 * Stores the datasets that are not there yet. One of the same name and person takes the place of another.
 * @returns ids that they have here, by their ids
 * @throws BadFile when one cannot be stored
 */
async function importDatasets(
  datasets: readonly DatasetRecord[],
  upload: UploadRecord,
  documents: DocumentStore,
  list: string
): Promise<ReadonlyMap<string, string>> {
  const persons = new Set((await documents.users(datasets.map(d => d.user_id))).map(u => u.user_id))
  const ids = new Map<string, string>()
  const added: DatasetRecord[] = []
  for (const [i, dataset] of datasets.entries()) {
    const refuse = (why: string) => {
      throw new BadFile(list, `${upload.upload_id}: datasets/${i} ${why}`)
    }
    if (!persons.has(dataset.user_id)) refuse(`is of ${dataset.user_id}, and there is no such person`)
    const known = await documents.dataset(dataset.dataset_id)
    if (known) {
      if (known.user_id !== dataset.user_id) refuse(`has the id of a dataset of ${known.user_id}`)
      continue
    }
    const same = await datasetNamed(dataset.dataset_name, dataset.user_id, documents)
    if (same?.doi)
      refuse(`has the name of ${same.dataset_id}, which has a DOI and can have no further entries`)
    if (same) ids.set(dataset.dataset_id, same.dataset_id)
    else added.push(dataset)
  }
  await documents.putDatasets(added.map(datasetOf))
  return ids
}

async function datasetNamed(
  datasetName: string,
  userId: string,
  documents: DocumentStore
): Promise<Dataset | undefined> {
  const page = { orderBy: 'dataset_create_time', order: 'asc', offset: 0, limit: 1 } as const
  const { datasets } = await documents.listDatasets({ name: datasetName, userIds: [userId] }, page)
  return datasets[0]
}

/** @throws BadFile that names all persons who are missing, so that they can be imported at once */
async function requirePersons(upload: UploadRecord, documents: DocumentStore, list: string): Promise<void> {
  const entryAuthors = upload.entries.flatMap(e => e.entry_coauthors ?? [])
  const { main_author, coauthors = [], reviewers = [] } = upload
  const named = [...new Set([main_author, ...coauthors, ...reviewers, ...entryAuthors])]
  const known = new Set((await documents.users(named)).map(u => u.user_id))
  const unknown = named.filter(id => !known.has(id))
  if (unknown.length === 0) return
  const persons = unknown.length === 1 ? 'a person who is' : 'persons who are'
  throw new BadFile(
    list,
    `${upload.upload_id}: names ${persons} not known: ${unknown.join(', ')}; import a folder with a users.json that has them first`
  )
}
