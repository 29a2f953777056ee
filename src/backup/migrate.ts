/**
 * Copies everything of one installation into another, empty one: between the storage profiles, or to another place. The one
 * it is copied from may be served meanwhile; what is written to it after its turn is not copied.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Services } from '../services.ts'
import { type CopyReport, copyEveryUpload, totals } from './every-upload.ts'
import { beginFilling, endFilling } from './filling.ts'
import type { FillProgress } from './restore.ts'
import { readSite } from './site.ts'
import { type CopiedUpload, copyStoredUpload, type UploadSource } from './stored-upload.ts'
import { UploadStore } from './upload-store.ts'

/** What is to be known beside the services. */
export interface MigrationOptions {
  /** Names the installation that is copied; a migration that was killed goes on when it is the same. */
  readonly origin: string
  /** Both have their raw files in the same folder: they stay as they are. */
  readonly sharedFiles: boolean
}

/** Stands for raw files that are not to be copied. */
const NO_FILES: UploadSource['files'] = {
  tree: async () => undefined,
  open: () => Promise.reject(new Error('there are no files'))
}

/**
 * Migrates. Killed in between, the target cannot be used until the same is run again, which goes on.
 * @throws Error when the target is not empty; SeraiError when a store fails
 */
export async function migrate(
  from: Services,
  to: Services,
  { origin, sharedFiles }: MigrationOptions,
  onProgress: (event: FillProgress) => void = () => {}
): Promise<CopyReport> {
  await beginFilling(to, origin)
  const { documents, archives } = from
  const source = { documents, archives, files: sharedFiles ? NO_FILES : from.files }
  const uploads = await copyEveryUpload(
    documents,
    async uploadId =>
      (await copiedBefore(uploadId, from, to)) ??
      (await copyStoredUpload(
        uploadId,
        source,
        async () => new UploadStore(uploadId, to),
        copy => copy.discard()
      )),
    event => onProgress({ step: 'copying', ...event })
  )
  const site = await readSite(from)
  const unindexed = await endFilling(to, site, ({ done, total, name }) =>
    onProgress({ step: 'indexing', done, total, name })
  )
  const problems = [...uploads.values()].flatMap(upload => upload.problems)
  return {
    ...totals([...uploads.values()]),
    users: site.users.length,
    problems: [...problems, ...unindexed]
  }
}

/** What an earlier run has copied of an upload, if it is complete and still the same. */
async function copiedBefore(
  uploadId: string,
  from: Services,
  to: Services
): Promise<CopiedUpload | undefined> {
  const there = await to.documents.upload(uploadId)
  if (there?.import_checksum === undefined) return undefined
  if (!isDeepStrictEqual(there, await from.documents.upload(uploadId))) return undefined
  const ids = (await to.documents.entriesOfUpload(uploadId)).map(entry => entry.entry_id)
  const archives = (await to.archives.contents(ids)).size
  const tree = await to.files.tree(uploadId)
  const files = tree ? [...tree.walk('')].length : 0
  return { entries: ids.length, archives, files, complete: true, problems: [] }
}
