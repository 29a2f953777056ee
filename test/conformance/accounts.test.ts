import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AccountStore, PersonalToken, SigningKey } from '../../src/storage/accounts.ts'
import { profiles } from '../app.ts'
import { newPlace, type Place } from './places.ts'

const key = (kid: string, created_at: string): SigningKey => ({
  kid,
  private_key: '{"kty":"RSA"}',
  created_at
})

const token = (id: string, extra: Partial<PersonalToken> = {}): PersonalToken => ({
  id,
  user_id: 'ann',
  name: 'ci',
  scopes: ['entries:read'],
  description: null,
  digest: `digest of ${id}`,
  revoked: false,
  created_at: '2026-01-01T00:00:00.000Z',
  expired_at: null,
  last_used_at: null,
  ...extra
})

describe.each(profiles())('accounts store on %s', profile => {
  let place: Place
  let store: AccountStore

  beforeEach(async () => {
    place = await newPlace(profile)
    store = await place.openAccounts()
  })
  afterEach(async () => {
    await store.close()
    await place.drop()
  })

  test('keeps accounts, the last one of an id', async () => {
    expect(await store.account('ann')).toBeUndefined()
    await store.putAccount({ user_id: 'ann', password: 'hash', demo: true })
    await store.putAccount({ user_id: 'bob', disabled: true })
    await store.putAccount({ user_id: 'ann', password: 'other', signed_out_at: '2026-01-01T00:00:00.000Z' })
    expect(await store.account('ann')).toEqual({
      user_id: 'ann',
      password: 'other',
      signed_out_at: '2026-01-01T00:00:00.000Z'
    })
    expect((await store.accounts()).map(a => a.user_id).sort()).toEqual(['ann', 'bob'])
  })

  test('gives keys newest first, and to who opens the store anew', async () => {
    await store.putSigningKey(key('b', '2026-01-02T00:00:00.000Z'))
    await store.putSigningKey(key('c', '2026-01-03T00:00:00.000Z'))
    await store.putSigningKey(key('a', '2026-01-01T00:00:00.000Z'))
    await store.putSigningKey({
      ...key('b', '2026-01-02T00:00:00.000Z'),
      verify_until: '2026-02-01T00:00:00.000Z'
    })
    const other = await place.openAccounts()
    expect(await other.signingKeys()).toEqual([
      key('c', '2026-01-03T00:00:00.000Z'),
      { ...key('b', '2026-01-02T00:00:00.000Z'), verify_until: '2026-02-01T00:00:00.000Z' },
      key('a', '2026-01-01T00:00:00.000Z')
    ])
    await other.removeSigningKey('b')
    await other.removeSigningKey('none')
    await other.close()
    expect((await store.signingKeys()).map(k => k.kid)).toEqual(['c', 'a'])
  })

  test('finds personal tokens by digest and person', async () => {
    await store.addPersonalToken(token('1'))
    await store.addPersonalToken(token('2', { expired_at: '2026-02-01T00:00:00.000Z' }))
    await store.addPersonalToken(token('3', { user_id: 'bob' }))
    expect(await store.personalToken('digest of 2')).toEqual(
      token('2', { expired_at: '2026-02-01T00:00:00.000Z' })
    )
    expect(await store.personalToken('digest of 4')).toBeUndefined()
    expect((await store.personalTokensOf('ann')).map(t => t.id).sort()).toEqual(['1', '2'])
    expect((await store.everyPersonalToken()).map(t => t.id).sort()).toEqual(['1', '2', '3'])
    await store.removePersonalTokens(['1', '9'])
    expect((await store.personalTokensOf('ann')).map(t => t.id)).toEqual(['2'])
  })

  test('revokes a personal token once', async () => {
    await store.addPersonalToken(token('1'))
    const revoked = await Promise.all([1, 2, 3].map(() => store.revokePersonalToken('1')))
    expect(revoked.filter(Boolean)).toEqual([true])
    expect(await store.revokePersonalToken('none')).toBe(false)
    await store.usePersonalToken('1', '2026-01-05T00:00:00.000Z')
    expect(await store.personalToken('digest of 1')).toEqual(
      token('1', { revoked: true, last_used_at: '2026-01-05T00:00:00.000Z' })
    )
  })

  test('counts failed sign-ins, none is lost when many fail at once', async () => {
    const at = (minute: number) => `2026-01-01T00:${String(minute).padStart(2, '0')}:00.000Z`
    expect(await store.countFailedSignIn('account ann', at(1), at(0))).toBeUndefined()
    expect(await store.countFailedSignIn('account ann', at(2), at(0))).toEqual({ count: 1, last: at(1) })
    await Promise.all(Array.from({ length: 10 }, () => store.countFailedSignIn('account ann', at(3), at(0))))
    expect(await store.failedSignIns('account ann')).toEqual({ count: 12, last: at(3) })
    expect(await store.failedSignIns('address ::')).toBeUndefined()
    expect(await store.countFailedSignIn('account ann', at(30), at(20))).toBeUndefined()
    await store.forgetFailedSignIns('account ann')
    expect(await store.failedSignIns('account ann')).toBeUndefined()
  })
})
