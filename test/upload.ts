/** An upload as the stores hold it, for tests. */
import type { Upload } from '../src/storage/documents.ts'

/** An upload of one person that is not published. @param extra members that matter to the test, in place of these */
export function testUpload(upload_id: string, extra: Partial<Upload> = {}): Upload {
  return {
    upload_id,
    upload_create_time: '2024-01-01T00:00:00.000Z',
    main_author: 'ann',
    coauthors: [],
    coauthor_groups: [],
    reviewers: [],
    reviewer_groups: [],
    embargo_length: 0,
    license: 'CC BY 4.0',
    process_status: 'SUCCESS',
    errors: [],
    warnings: [],
    ...extra
  }
}

/** One that everybody may read. */
export function publishedUpload(upload_id: string): Upload {
  return testUpload(upload_id, { publish_time: '2024-01-02T00:00:00.000Z' })
}
