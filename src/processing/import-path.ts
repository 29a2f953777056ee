/** Imports whatever of the known layouts a path leads to. */
import type { Services } from '../services.ts'
import { CorpusFolder } from './corpus-folder.ts'
import { importCorpus } from './corpus-import.ts'
import { BadFile } from './import-problem.ts'
import type { ImportProgress, ImportReport } from './import-run.ts'
import { importReferenceUpload } from './reference/reference-import.ts'
import { ReferenceUpload } from './reference/reference-upload.ts'

/**
 * Imports a folder of uploads, an upload of the reference's file storage, or a bundle.
 * @throws UnknownLayout when it is none of them; SeraiError when a store fails
 */
export async function importPath(
  path: string,
  services: Services,
  onProgress: (event: ImportProgress) => void = () => {}
): Promise<ImportReport> {
  if (await CorpusFolder.isOne(path)) return importCorpus(path, services, onProgress)
  let upload: ReferenceUpload | undefined
  try {
    upload = await ReferenceUpload.open(path)
    if (upload) return await importReferenceUpload(upload, services, onProgress)
  } catch (error) {
    if (!(error instanceof BadFile)) throw error
    const { file, message } = error
    return { imported: 0, skipped: 0, entries: 0, problems: [{ file, message }] }
  } finally {
    await upload?.close()
  }
  return importCorpus(path, services, onProgress)
}
