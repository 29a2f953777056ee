/** An upload as clients see it (`uploads.md` §1.1). */
import { hasEmbargo, isPublished, viewerGroupsOf, viewersOf, writersOf } from '../../access/upload-access.ts'
import type { Upload } from '../../storage/documents.ts'

const RUNNING = new Set(['PENDING', 'RUNNING', 'WAITING_FOR_RESULT'])

/** Whether a process with this status is running or waiting to (`uploads.md` §3). */
export function isRunning(processStatus: string): boolean {
  return RUNNING.has(processStatus)
}

/**
 * The upload's JSON; absent members are left out.
 * @param entries number of its entries
 */
export function presentUpload(upload: Upload, entries: number) {
  const { current_process, last_status_message, complete_time, upload_name, description, publish_time } =
    upload
  return {
    process_running: isRunning(upload.process_status),
    ...(current_process !== undefined ? { current_process } : {}),
    process_status: upload.process_status,
    ...(last_status_message !== undefined ? { last_status_message } : {}),
    errors: [...upload.errors],
    warnings: [...upload.warnings],
    ...(complete_time !== undefined ? { complete_time } : {}),
    upload_id: upload.upload_id,
    ...(upload_name !== undefined ? { upload_name } : {}),
    ...(description !== undefined ? { description } : {}),
    upload_create_time: upload.upload_create_time,
    main_author: upload.main_author,
    coauthors: [...upload.coauthors],
    coauthor_groups: [...upload.coauthor_groups],
    reviewers: [...upload.reviewers],
    reviewer_groups: [...upload.reviewer_groups],
    writers: writersOf(upload),
    writer_groups: [...upload.coauthor_groups],
    viewers: viewersOf(upload),
    viewer_groups: viewerGroupsOf(upload),
    published: isPublished(upload),
    published_to: [],
    ...(publish_time !== undefined ? { publish_time } : {}),
    with_embargo: hasEmbargo(upload),
    embargo_length: upload.embargo_length,
    license: upload.license,
    entries
  }
}
