/** Which uploads there are. */
import type { DocumentStore } from '../storage/documents.ts'

/** Uploads that are listed at once. */
const PAGE = 1000

/** Ids of all uploads, the oldest first; those that come meanwhile may be missing. */
export async function everyUploadId(documents: DocumentStore): Promise<Set<string>> {
  const ids = new Set<string>()
  // Uploads that go meanwhile move the others forward: then the list is read again.
  for (let before = -1; ids.size > before; ) {
    before = ids.size
    for (let offset = 0; ; offset += PAGE) {
      const page = { orderBy: 'upload_create_time', order: 'asc', offset, limit: PAGE } as const
      const { uploads } = await documents.listUploads({}, page)
      for (const { upload_id } of uploads) ids.add(upload_id)
      if (uploads.length < PAGE) break
    }
  }
  return ids
}
