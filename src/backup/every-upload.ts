/** Goes through all uploads of an installation that is written meanwhile. */
import { everyUploadId } from '../processing/upload-ids.ts'
import type { DocumentStore } from '../storage/documents.ts'
import { eachAtOnce } from './at-once.ts'
import type { CopiedUpload } from './stored-upload.ts'
import type { CopyProblem } from './upload-copy.ts'

/** How far it is, in entries. */
export interface CopyProgress {
  readonly done: number
  readonly total: number
  /** Id of the upload that was begun last. */
  readonly name: string
}

/** What was copied. */
export interface CopyReport {
  readonly uploads: number
  readonly entries: number
  readonly archives: number
  readonly files: number
  readonly users: number
  readonly problems: readonly CopyProblem[]
}

/**
 * Copies every upload. One that was being imported when its turn came is copied once more at the end, if the import is done by then.
 * @param copy replaces what it has copied of an upload before; gives undefined when there is no such upload any more
 * @returns what was copied, by upload id
 */
export async function copyEveryUpload(
  documents: DocumentStore,
  copy: (uploadId: string) => Promise<CopiedUpload | undefined>,
  onProgress: (event: CopyProgress) => void
): Promise<Map<string, CopiedUpload>> {
  const ids = await everyUploadId(documents)
  const counts = await documents.countEntries([...ids])
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
  const copied = new Map<string, CopiedUpload | undefined>()
  let done = 0
  await eachAtOnce(ids, async uploadId => {
    onProgress({ done, total, name: uploadId })
    copied.set(uploadId, await copy(uploadId))
    done += counts.get(uploadId) ?? 0
  })
  for (const uploadId of ids) {
    if (copied.get(uploadId)?.complete !== false) continue
    if ((await documents.upload(uploadId))?.import_checksum === undefined) continue
    copied.set(uploadId, await copy(uploadId))
  }
  onProgress({ done: total, total, name: '' })
  const uploads = new Map<string, CopiedUpload>()
  for (const uploadId of ids) {
    const upload = copied.get(uploadId)
    if (upload) uploads.set(uploadId, upload)
  }
  return uploads
}

/** The sums over uploads. */
export function totals(uploads: readonly Pick<CopiedUpload, 'entries' | 'archives' | 'files'>[]) {
  const sum = (of: 'entries' | 'archives' | 'files') => uploads.reduce((n, upload) => n + upload[of], 0)
  return {
    uploads: uploads.length,
    entries: sum('entries'),
    archives: sum('archives'),
    files: sum('files')
  }
}

/** A problem in one line. */
export function problemText({ uploadId, part, message }: CopyProblem): string {
  const of = uploadId === undefined ? [] : [`upload ${uploadId}`]
  return `${[...of, ...(part === undefined ? [] : [part])].join(', ')}: ${message}`
}
