/**
 * Upload tokens: `base64url(user id) "." base64url(HMAC-SHA256)`, for command lines that send files (`auth.md` §2, §2.2).
 * They never expire and die with the API secret.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { failure } from '../errors.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** The upload token of a person; undefined for one whose id is no UUID. */
export function uploadToken(userId: string, secret: string): string | undefined {
  if (!UUID.test(userId)) return undefined
  const bytes = Buffer.from(userId.replaceAll('-', ''), 'hex')
  return `${bytes.toString('base64url')}.${digest(bytes, secret).toString('base64url')}`
}

/**
 * The user id of a valid upload token.
 * @throws SeraiError UPLOAD_TOKEN_INVALID (401)
 */
export function verifyUploadToken(token: string, secret: string): string {
  const [id, mac] = token.split('.').map(part => Buffer.from(part, 'base64url'))
  const expected = id?.length === 16 ? digest(id, secret) : undefined
  if (!id || !mac || !expected || mac.length !== expected.length || !timingSafeEqual(mac, expected)) {
    throw failure('UPLOAD_TOKEN_INVALID')
  }
  return id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

function digest(userId: Buffer, secret: string): Buffer {
  return createHmac('sha256', secret).update(userId).digest()
}
