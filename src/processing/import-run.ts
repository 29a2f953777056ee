/**
 * One upload after the other into the stores. The same again changes nothing; an interrupted import is taken up again.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { PENDING_WAIT } from '../access/pending-uploads.ts'
import type { Services } from '../services.ts'
import type { UploadRecord } from './corpus-records.ts'
import { ImportLinks } from './import-links.ts'
import { BadFile, type ImportProblem } from './import-problem.ts'
import { storedSchemas } from './stored-schemas.ts'
import type { UploadFiles } from './upload-files.ts'
import { importUpload } from './upload-import.ts'
import { planUpload } from './upload-plan.ts'

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

/** What uploads are imported from. */
export interface ImportSource {
  readonly uploads: readonly UploadRecord[]
  readonly files: UploadFiles
  /** Ids of the datasets that list an entry, by entry id, beside those that entries name themselves. */
  readonly datasetsOf: ReadonlyMap<string, readonly string[]>
  /** Checksum of what all the uploads are made with: section definitions that come with them. */
  readonly checksum: string
  /** What is wrong already. */
  readonly problems: readonly ImportProblem[]
}

/**
 * Imports uploads. A file that cannot be used is reported, and the rest goes on.
 * @throws SeraiError when a store fails
 */
export async function importUploads(
  { uploads, files, problems: known, ...shared }: ImportSource,
  services: Services,
  onProgress: (event: ImportProgress) => void
): Promise<ImportReport> {
  const problems: ImportProblem[] = [...known]
  const context = { files, documents: services.documents, ...shared }
  const links = new ImportLinks(files, uploads, services.documents, storedSchemas(services.archives))
  const total = uploads.reduce((sum, upload) => sum + upload.entries.length, 0)
  let begun = 0
  let hiddenUntil = 0
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
        const result = await importUpload(plan, { files, services, links, onEntry })
        problems.push(...result.problems)
        entries += result.entries
        imported++
        if (result.wasHidden) hiddenUntil = performance.now() + PENDING_WAIT
      }
    } catch (error) {
      if (!(error instanceof BadFile)) throw error
      problems.push({ file: error.file, message: error.message })
    }
    begun = end
    onProgress({ done: end, total, name })
  }
  // Whoever has waited for the import finds everything, whichever server answers.
  await delay(Math.max(0, hiddenUntil - performance.now()))
  return { imported, skipped, entries, problems }
}
