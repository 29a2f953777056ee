/** Digests of files, for who asks for them (RFC 9530). */
import type { IncomingHttpHeaders } from 'node:http'
import { parseDictionary, serializeDictionary } from 'structured-headers'

/**
 * The headers with the SHA-256 of a file that the request wants (`Want-Repr-Digest`, `Want-Content-Digest`).
 * @param sha256 of the whole file, in hexadecimal
 * @param isWhole whether the answer is the whole file, so that its digest is the same
 */
export function digestHeaders(
  headers: IncomingHttpHeaders,
  sha256: string,
  isWhole: boolean
): Record<string, string> {
  const bytes = Uint8Array.from(Buffer.from(sha256, 'hex')).buffer
  const digest = serializeDictionary({ 'sha-256': bytes })
  return {
    ...(isWanted(headers['want-repr-digest']) ? { 'repr-digest': digest } : {}),
    ...(isWhole && isWanted(headers['want-content-digest']) ? { 'content-digest': digest } : {})
  }
}

/** Whether SHA-256 is among what the client takes: weights from 1 to 10, 0 is what it does not take. */
function isWanted(header: string | string[] | undefined): boolean {
  if (header === undefined) return false
  try {
    const weight = parseDictionary([header].flat().join(', ')).get('sha-256')?.[0]
    return typeof weight === 'number' && weight >= 1 && weight <= 10
  } catch {
    // A preference that cannot be understood is none.
    return false
  }
}
