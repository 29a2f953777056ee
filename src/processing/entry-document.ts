/** Index documents of stored entries, made anew from what the stores hold of them. */
import type { JsonObject } from '../archive/definitions.ts'
import { storedParts } from '../archive/stored-parts.ts'
import type { RawTree } from '../files/raw-files.ts'
import { directoryOf } from '../files/raw-path.ts'
import type { IndexDocument } from '../search/entry-index.ts'
import type { Services } from '../services.ts'
import { type ArchiveContents, blockKey } from '../storage/archives.ts'
import type { Dataset, Entry, Upload, User } from '../storage/documents.ts'
import { ArchiveOutline } from './archive-outline.ts'
import type { ImportLinks } from './import-links.ts'
import { indexDocument } from './index-document.ts'

/** An upload with what the documents of its entries need beside them. */
export interface StoredUpload {
  readonly upload: Upload
  readonly persons: ReadonlyMap<string, User>
  readonly datasets: ReadonlyMap<string, Dataset>
  readonly tree: RawTree | undefined
}

type StoredServices = Pick<Services, 'documents' | 'archives' | 'files' | 'definitions' | 'quantities'>

/** Reads what the entries of an upload have in common. */
export async function storedUpload(
  upload: Upload,
  entries: readonly Entry[],
  { documents, files }: StoredServices
): Promise<StoredUpload> {
  const ids = [upload.main_author, ...upload.coauthors, ...upload.reviewers]
  const users = await documents.users([...new Set([...ids, ...entries.flatMap(e => e.entry_coauthors)])])
  const datasets = await documents.datasets([...new Set(entries.flatMap(e => e.datasets))])
  return {
    upload,
    persons: new Map(users.map(user => [user.user_id, user])),
    datasets: new Map(datasets.map(dataset => [dataset.dataset_id, dataset])),
    tree: await files.tree(upload.upload_id)
  }
}

/**
 * The index document of an entry, as an import of the same makes it.
 * @param contents of its archive, if it has one
 * @throws SeraiError ARCHIVE_DAMAGED
 */
export async function storedEntryDocument(
  entry: Entry,
  { upload, persons, datasets, tree }: StoredUpload,
  contents: ArchiveContents | undefined,
  services: StoredServices,
  links: ImportLinks
): Promise<IndexDocument> {
  const archive = contents && (await outlineOf(contents, services))
  const { schemas, mainfileOf } = await links.of(archive ?? {}, upload.upload_id)
  const definitions = archive?.definitions as JsonObject | undefined
  const scope = services.definitions.scope(
    { entryId: entry.entry_id, uploadId: upload.upload_id, ...(definitions ? { definitions } : {}) },
    schemas
  )
  const beside = (tree?.list(directoryOf(entry.mainfile)) ?? [])
    .filter(node => node.kind === 'file' && node.path !== entry.mainfile)
    .map(node => node.path)
  return indexDocument({
    entry,
    upload,
    ...(archive ? { archive } : {}),
    persons,
    datasets,
    definitions: scope,
    quantities: services.quantities,
    files: [entry.mainfile, ...beside.sort()],
    mainfileOf
  })
}

/** What indexing needs of a stored archive. */
async function outlineOf(
  contents: ArchiveContents,
  { archives }: Pick<Services, 'archives'>
): Promise<JsonObject> {
  const { entryId, generation } = contents
  const outline = new ArchiveOutline()
  const parts = storedParts(contents, async numbers => {
    const blocks = await archives.blocks(numbers.map(number => ({ entryId, generation, number })))
    return new Map(
      numbers.flatMap(number => {
        const bytes = blocks.get(blockKey({ entryId, number }))
        return bytes ? [[number, bytes] as const] : []
      })
    )
  })
  for await (const _ of outline.watch(parts));
  return outline.archive
}
