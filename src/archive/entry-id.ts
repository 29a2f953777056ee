/**
 * Ids of entries (`archive.md` §12.5).
 */
import { createHash } from 'node:crypto'

/**
 * The id of the entry that a mainfile gives: the first 28 characters of the URL-safe base64 of
 * SHA-512(upload id + mainfile + mainfile key).
 * @param mainfileKey tells child entries of one mainfile apart
 */
export function entryIdOf(uploadId: string, mainfile: string, mainfileKey = ''): string {
  return createHash('sha512')
    .update(uploadId + mainfile + mainfileKey)
    .digest('base64url')
    .slice(0, 28)
}
