/**
 * Imports a folder of uploads (`fixtures/README.md`): people, groups, datasets and section definitions first, then one
 * upload after the other. Uploads that the folder no longer has stay.
 */
import type { Services } from '../services.ts'
import { CorpusFolder } from './corpus-folder.ts'
import { type ImportProgress, type ImportReport, importUploads } from './import-run.ts'
import { importShared } from './shared-import.ts'

/**
 * Imports the folder. A file that cannot be used is reported, and the rest goes on.
 * @throws UnknownLayout when it is no folder of uploads; SeraiError when a store fails
 */
export async function importCorpus(
  path: string,
  services: Services,
  onProgress: (event: ImportProgress) => void = () => {}
): Promise<ImportReport> {
  const folder = await CorpusFolder.open(path)
  const shared = await importShared(folder, services)
  const { records: uploads, problems } = await folder.uploads()
  return importUploads(
    { uploads, files: folder, ...shared, problems: [...shared.problems, ...problems] },
    services,
    onProgress
  )
}
