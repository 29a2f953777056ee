/**
 * Imports a folder of uploads (`fixtures/README.md`): people, groups, datasets and section definitions first, then one
 * upload after the other. The same again changes nothing; an interrupted import is taken up again. Uploads that the
 * folder no longer has stay.
 */
import type { Services } from '../services.ts'
import { CorpusFolder } from './corpus-folder.ts'
import { ImportLinks } from './import-links.ts'
import { BadFile, type ImportProblem } from './import-problem.ts'
import { importShared } from './shared-import.ts'
import { storedSchemas } from './stored-schemas.ts'
import { importUpload } from './upload-import.ts'
import { type PlanContext, planUpload } from './upload-plan.ts'

/** How far an import is. */
export interface ImportProgress {
  /** Entries that are done, of all. */
  readonly done: number
  readonly total: number
  /** Upload that is being worked on. */
  readonly name: string
}

/** What an import did. */
export interface ImportReport {
  /** Number of uploads that were imported. */
  readonly imported: number
  /** Number of uploads that were there already, unchanged. */
  readonly skipped: number
  /** Number of entries in the imported uploads. */
  readonly entries: number
  readonly problems: readonly ImportProblem[]
}

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
  const { records: uploads, problems: bad } = await folder.uploads()
  const problems: ImportProblem[] = [...shared.problems, ...bad]
  const context: PlanContext = { files: folder, documents: services.documents, ...shared }
  const links = new ImportLinks(folder, uploads, services.documents, storedSchemas(services.archives))
  const total = uploads.reduce((sum, upload) => sum + upload.entries.length, 0)
  let begun = 0
  let imported = 0
  let skipped = 0
  let entries = 0
  for (const record of uploads) {
    const end = begun + record.entries.length
    const name = record.upload_name ?? record.upload_id
    onProgress({ done: begun, total, name })
    try {
      const plan = await planUpload(record, context)
      const stored = await services.documents.upload(record.upload_id)
      if (plan.problems.length === 0 && stored?.import_checksum === plan.checksum) skipped++
      else {
        let done = begun
        const onEntry = () => onProgress({ done: done++, total, name })
        const result = await importUpload(plan, { files: folder, services, links, onEntry })
        problems.push(...result.problems)
        entries += result.entries
        imported++
      }
    } catch (error) {
      if (!(error instanceof BadFile)) throw error
      problems.push({ file: error.file, message: error.message })
    }
    begun = end
    onProgress({ done: end, total, name })
  }
  return { imported, skipped, entries, problems }
}
