/** An entry as a part of its upload, as clients see it (`uploads.md` §1.2). */
import type { Entry } from '../../storage/documents.ts'
import { isRunning } from './upload.ts'

/**
 * The entry's JSON; absent members are left out.
 * @param metadata its index document as clients see it, if they may
 */
export function presentUploadEntry(entry: Entry, metadata: object | undefined) {
  const { current_process, last_status_message, complete_time, mainfile_key } = entry
  return {
    process_running: isRunning(entry.process_status),
    ...(current_process !== undefined ? { current_process } : {}),
    process_status: entry.process_status,
    ...(last_status_message !== undefined ? { last_status_message } : {}),
    errors: [...entry.errors],
    warnings: [...entry.warnings],
    ...(complete_time !== undefined ? { complete_time } : {}),
    entry_id: entry.entry_id,
    entry_create_time: entry.entry_create_time,
    mainfile: entry.mainfile,
    ...(mainfile_key !== undefined ? { mainfile_key } : {}),
    upload_id: entry.upload_id,
    parser_name: entry.parser_name,
    ...(metadata ? { entry_metadata: metadata } : {})
  }
}
