import { describe, expect, test } from 'vitest'
import { isAppToken, signAppToken, verifyAppToken } from '../../src/access/app-token.ts'
import { uploadToken, verifyUploadToken } from '../../src/access/upload-token.ts'

const SECRET = 'an-example-secret-of-32-characters!'
const USER = '00000000-0000-0000-0000-000000000001'

/** `auth.md` §2.2 */
const APP_TOKEN =
  'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VyIjoiMDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAxIiwiZXhwIjoxOTAwMDAwMDAwfQ.-bGNvWR10btniVexqCDT58NDUfBZuIuLdujinXvfMVA'
const UPLOAD_TOKEN = 'AAAAAAAAAAAAAAAAAAAAAQ.oHf0mgOBj3r67bNZaYJthRRoAS3UhO2-8WKRECDpv_g'

describe('app tokens', () => {
  test('are those of the reference, byte by byte', async () => {
    expect(await signAppToken(USER, 1_900_000_000, SECRET)).toBe(APP_TOKEN)
    expect(isAppToken(APP_TOKEN)).toBe(true)
    expect(await verifyAppToken(APP_TOKEN, SECRET)).toEqual({ userId: USER, expires: 1_900_000_000 })
  })

  test.each([
    ['another secret', APP_TOKEN, `${SECRET}?`, 'TOKEN_INVALID'],
    ['another signature', `${APP_TOKEN.slice(0, -4)}AAAA`, SECRET, 'TOKEN_INVALID'],
    ['no signature', `${APP_TOKEN.split('.').slice(0, 2).join('.')}.`, SECRET, 'TOKEN_INVALID'],
    [
      'an unsigned token',
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${APP_TOKEN.split('.')[1]}.`,
      SECRET,
      'TOKEN_INVALID'
    ],
    ['nothing', '', SECRET, 'TOKEN_INVALID']
  ])('are refused with %s', async (_name, token, secret, code) => {
    await expect(verifyAppToken(token, secret)).rejects.toMatchObject({ code, status: 401 })
  })

  test('are refused when they have expired', async () => {
    const token = await signAppToken(USER, Math.floor(Date.now() / 1000) - 1, SECRET)
    await expect(verifyAppToken(token, SECRET)).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' })
  })
})

describe('upload tokens', () => {
  test('are those of the reference, byte by byte', () => {
    expect(uploadToken(USER, SECRET)).toBe(UPLOAD_TOKEN)
    expect(verifyUploadToken(UPLOAD_TOKEN, SECRET)).toBe(USER)
  })

  test('are for persons whose id is a UUID', () => {
    expect(uploadToken('ann', SECRET)).toBeUndefined()
    const id = '7c9d4e18-2a3b-4f56-b1d7-0e8c5a6f2d03'
    expect(verifyUploadToken(uploadToken(id, SECRET) as string, SECRET)).toBe(id)
  })

  test.each([
    ['of another secret', UPLOAD_TOKEN, `${SECRET}?`],
    ['hashed as in 1.3', 'AAAAAAAAAAAAAAAAAAAAAQ.jLVUe8ju4ix6F0Vgba-K18VJXbw', SECRET],
    ['of somebody else', `AAAAAAAAAAAAAAAAAAAAAg.${UPLOAD_TOKEN.split('.')[1]}`, SECRET],
    ['without a hash', 'AAAAAAAAAAAAAAAAAAAAAQ', SECRET],
    ['with an empty hash', 'AAAAAAAAAAAAAAAAAAAAAQ.', SECRET],
    ['without anything', '', SECRET],
    ['of a short id', `AAAA.${UPLOAD_TOKEN.split('.')[1]}`, SECRET]
  ])('%s are refused', (_name, token, secret) => {
    expect(() => verifyUploadToken(token, secret)).toThrow('An invalid upload token was supplied.')
  })
})
