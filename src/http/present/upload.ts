/** An upload as clients see it (`uploads.md` §1.1). */
import { hasEmbargo, isPublished, viewerGroupsOf, viewersOf, writersOf } from '../../access/upload-access.ts'
import type { Upload } from '../../storage/documents.ts'

const RUNNING = new Set(['PENDING', 'RUNNING', 'WAITING_FOR_RESULT'])

/**
 * The upload's JSON; absent members are left out.
 * @param entries number of its entries
 */
export function presentUpload(upload: Upload, entries: number): Record<string, unknown> {
  const {
    import_checksum: _,
    external_db: __,
    errors,
    warnings,
    publish_time,
    embargo_length,
    license,
    ...rest
  } = upload
  return {
    process_running: RUNNING.has(upload.process_status),
    ...rest,
    errors,
    warnings,
    writers: writersOf(upload),
    writer_groups: upload.coauthor_groups,
    viewers: viewersOf(upload),
    viewer_groups: viewerGroupsOf(upload),
    published: isPublished(upload),
    published_to: [],
    ...(publish_time !== undefined ? { publish_time } : {}),
    with_embargo: hasEmbargo(upload),
    embargo_length,
    license,
    entries
  }
}
