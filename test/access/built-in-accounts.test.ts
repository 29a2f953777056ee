import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, SignJWT } from 'jose'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { BuiltInAccounts } from '../../src/access/built-in/built-in-accounts.ts'
import { SigningKeys } from '../../src/access/built-in/signing-keys.ts'
import { hashPassword } from '../../src/access/passwords.ts'
import type { AccountStore } from '../../src/storage/accounts.ts'
import type { DocumentStore } from '../../src/storage/documents.ts'
import { newPlace, type Place } from '../conformance/places.ts'

const LIFE = 600
const PASSWORD = 'a long enough password'

describe('keys of access tokens', () => {
  let place: Place
  let accounts: AccountStore
  let documents: DocumentStore

  beforeEach(async () => {
    place = await newPlace('embedded')
    accounts = await place.openAccounts()
    documents = await place.openDocuments()
    await documents.putUsers([
      { user_id: '1', username: 'ann', email: 'ann@example.org', first_name: 'Ann', last_name: 'Ng' }
    ])
    await accounts.putAccount({ user_id: '1', password: await hashPassword(PASSWORD) })
  })
  afterEach(async () => {
    vi.useRealTimers()
    await accounts.close()
    await documents.close()
    await place.drop()
  })

  const provider = (keys = new SigningKeys(accounts), issuer = 'https://serai.example') =>
    new BuiltInAccounts({ documents, accounts, keys, issuer, life: LIFE, demoUsers: false })

  const tokenOf = async (from: BuiltInAccounts) =>
    (await from.signIn('ann', PASSWORD, true))?.access_token as string

  test('verify for whoever has the published ones', async () => {
    const accountsOf = provider()
    const token = await tokenOf(accountsOf)
    const published = createLocalJWKSet(await accountsOf.publicKeys())
    const { payload } = await jwtVerify(token, published, { issuer: 'https://serai.example' })
    expect(payload).toMatchObject({
      sub: '1',
      preferred_username: 'ann',
      email: 'ann@example.org',
      given_name: 'Ann',
      family_name: 'Ng'
    })
    expect((payload.exp as number) - (payload.iat as number)).toBe(LIFE)
  })

  test('are published without what signs', async () => {
    const { keys } = await provider().publicKeys()
    expect(keys.map(key => Object.keys(key).sort())).toEqual([['alg', 'e', 'kid', 'kty', 'n', 'use']])
  })

  test('are made once and kept', async () => {
    const token = await tokenOf(provider())
    const other = await place.openAccounts()
    expect(await provider(new SigningKeys(other)).verify(token)).toMatchObject({
      userId: '1',
      person: { username: 'ann', email: 'ann@example.org', firstName: 'Ann', lastName: 'Ng' }
    })
    await other.close()
    expect((await accounts.signingKeys()).length).toBe(1)
  })

  test('can be rotated: the new one signs, the old one verifies until its last token has expired', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-03-01T12:00:00.000Z') })
    const keys = new SigningKeys(accounts)
    const before = await tokenOf(provider(keys))
    const rotated = await keys.rotate(LIFE)
    const after = await tokenOf(provider(keys))
    expect(decodeProtectedHeader(after).kid).toBe(rotated.kid)
    expect(decodeProtectedHeader(before).kid).not.toBe(rotated.kid)
    expect(await provider(keys).verify(before)).toMatchObject({ userId: '1' })
    expect((await keys.publicKeys()).keys.length).toBe(2)

    vi.setSystemTime(Date.parse(rotated.until as string) - 1)
    expect((await keys.publicKeys()).keys.length).toBe(2)
    vi.setSystemTime(Date.parse(rotated.until as string))
    expect(Date.parse(rotated.until as string)).toBeGreaterThan(Date.parse('2026-03-01T12:10:00.000Z'))
    expect((await keys.publicKeys()).keys.map(key => key.kid)).toEqual([rotated.kid])
    await expect(provider(keys).verify(before)).rejects.toMatchObject({ code: 'CREDENTIALS_INVALID' })
    await keys.rotate(LIFE)
    expect((await accounts.signingKeys()).length).toBe(2)
  })

  test('that another process made sign here within seconds, and verify at once', async () => {
    const here = new SigningKeys(accounts)
    await tokenOf(provider(here))
    const { kid } = await new SigningKeys(accounts).rotate(LIFE)
    const elsewhere = await tokenOf(provider(new SigningKeys(accounts)))
    const now = performance.now()
    const clock = vi.spyOn(performance, 'now')
    clock.mockImplementation(() => now + 300)
    expect((await here.signer()).kid).not.toBe(kid)
    expect(await provider(here).verify(elsewhere)).toMatchObject({ userId: '1' })
    expect((await here.signer()).kid).toBe(kid)
    const { kid: next } = await new SigningKeys(accounts).rotate(LIFE)
    clock.mockImplementation(() => now + 300 + 5001)
    expect((await here.signer()).kid).toBe(next)
    clock.mockRestore()
  })

  test('do not verify what is not theirs', async () => {
    const own = provider()
    const token = await tokenOf(own)
    const [head, payload, signature] = token.split('.') as [string, string, string]
    const { kid } = decodeProtectedHeader(token)
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
    const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const secret = new TextEncoder().encode((await accounts.signingKeys())[0]?.private_key)
    const confused = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid: kid as string })
      .sign(secret)
    const another = provider(new SigningKeys(accounts), 'https://another.example')
    for (const wrong of [
      `${head}.${encoded({ ...claims, sub: '2' })}.${signature}`,
      `${encoded({ alg: 'none', kid })}.${payload}.`,
      `${encoded({ alg: 'RS256' })}.${payload}.${signature}`,
      `${encoded({ alg: 'RS256', kid: 'none' })}.${payload}.${signature}`,
      confused,
      await tokenOf(another),
      '',
      'a.b.c'
    ]) {
      await expect(own.verify(wrong), wrong).rejects.toMatchObject({
        code: 'CREDENTIALS_INVALID',
        status: 401
      })
    }
  })

  test('do not verify tokens that have expired', async () => {
    const own = provider()
    const token = await tokenOf(own)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + (LIFE + 1) * 1000 })
    await expect(own.verify(token)).rejects.toMatchObject({ code: 'CREDENTIALS_INVALID' })
  })
})

describe('signing in', () => {
  let place: Place
  let accounts: AccountStore
  let documents: DocumentStore

  beforeEach(async () => {
    place = await newPlace('embedded')
    accounts = await place.openAccounts()
    documents = await place.openDocuments()
  })
  afterEach(async () => {
    await accounts.close()
    await documents.close()
    await place.drop()
  })

  const person = (user_id: string, username: string, email?: string) => ({
    user_id,
    username,
    first_name: '',
    last_name: '',
    ...(email ? { email } : {})
  })
  const signsIn = async (
    name: string,
    password = PASSWORD,
    demoUsers: boolean | 'local' = false,
    local = true
  ) => {
    const keys = new SigningKeys(accounts)
    const own = new BuiltInAccounts({ documents, accounts, keys, issuer: 'serai', life: LIFE, demoUsers })
    const token = (await own.signIn(name, password, local))?.access_token
    return token === undefined ? undefined : (await own.verify(token)).userId
  }

  test('works by user name and by e-mail address', async () => {
    await documents.putUsers([person('1', 'ann', 'Ann@Example.org'), person('2', 'bob')])
    await accounts.putAccount({ user_id: '1', password: await hashPassword(PASSWORD) })
    expect(await signsIn('ann')).toBe('1')
    expect(await signsIn('ann@example.ORG')).toBe('1')
    expect(await signsIn('ann', 'another password')).toBeUndefined()
    expect(await signsIn('bob')).toBeUndefined()
    expect(await signsIn('nobody')).toBeUndefined()
  })

  test('is for nobody who is disabled or has no password', async () => {
    await documents.putUsers([person('1', 'ann'), person('2', 'bob')])
    await accounts.putAccount({ user_id: '1', password: await hashPassword(PASSWORD), disabled: true })
    await accounts.putAccount({ user_id: '2' })
    expect(await signsIn('ann')).toBeUndefined()
    expect(await signsIn('bob')).toBeUndefined()
  })

  test('never lets anybody in as somebody else of the same name', async () => {
    const password = await hashPassword(PASSWORD)
    await documents.putUsers([person('1', 'ann'), person('2', 'ann'), person('3', 'eve', 'ann')])
    await accounts.putAccount({ user_id: '2', password })
    await accounts.putAccount({ user_id: '3', password: await hashPassword('a password of eve') })
    expect(await signsIn('ann')).toBe('2')
    expect(await signsIn('ann', 'a password of eve')).toBeUndefined()
    await accounts.putAccount({ user_id: '1', password })
    expect(await signsIn('ann')).toBeUndefined()
  })

  test('with the password of the example data is for programs of this machine only, unless a setting says so', async () => {
    await documents.putUsers([person('1', 'ann')])
    await accounts.putAccount({ user_id: '1', password: await hashPassword(PASSWORD), demo: true })
    expect(await signsIn('ann', PASSWORD, false, true)).toBeUndefined()
    expect(await signsIn('ann', PASSWORD, 'local', true)).toBe('1')
    expect(await signsIn('ann', PASSWORD, 'local', false)).toBeUndefined()
    expect(await signsIn('ann', PASSWORD, true, false)).toBe('1')
  })
})
