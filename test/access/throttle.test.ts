import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { SignInThrottle } from '../../src/access/throttle.ts'
import type { AccountStore } from '../../src/storage/accounts.ts'
import { newPlace, type Place } from '../conformance/places.ts'

const START = Date.parse('2026-03-01T12:00:00.000Z')

describe('failed sign-ins', () => {
  let place: Place
  let accounts: AccountStore
  let throttle: SignInThrottle
  let tried: number

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: START })
    place = await newPlace('embedded')
    accounts = await place.openAccounts()
    throttle = new SignInThrottle(accounts)
    tried = 0
  })
  afterEach(async () => {
    vi.useRealTimers()
    await accounts.close()
    await place.drop()
  })

  /** What came of an attempt: `right`, `wrong`, or the seconds to wait. */
  const attempt = (username: string, right: boolean, address = '192.0.2.1') =>
    throttle
      .attempt(username, address, async () => {
        tried++
        return right ? 'token' : undefined
      })
      .then(
        token => (token === undefined ? 'wrong' : 'right'),
        (error: { status: number; headers: Record<string, string> }) =>
          `${error.status} ${error.headers['retry-after']}`
      )
  const wait = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000)

  test('of an account make it wait, twice as long each time, and no attempt is made meanwhile', async () => {
    for (let i = 0; i < 5; i++) expect(await attempt('ann', false)).toBe('wrong')
    expect(await attempt('ann', true)).toBe('429 2')
    expect(tried).toBe(5)
    wait(1)
    expect(await attempt('ann', true)).toBe('429 1')
    wait(1)
    expect(await attempt('ann', false)).toBe('wrong')
    expect(await attempt('ann', true)).toBe('429 4')
    wait(4)
    expect(await attempt('ann', false)).toBe('wrong')
    expect(await attempt('ann', true)).toBe('429 8')
  })

  test('are counted for the account from wherever they come, however its name is written', async () => {
    for (let i = 0; i < 5; i++) await attempt(i % 2 ? 'Ann ' : 'ann', false, `192.0.2.${i}`)
    expect(await attempt('ANN', true, '198.51.100.1')).toBe('429 2')
    expect(await attempt('bob', true)).toBe('right')
  })

  test('are forgotten when the right password comes, and after a quarter of an hour', async () => {
    for (let i = 0; i < 4; i++) await attempt('ann', false)
    expect(await attempt('ann', true)).toBe('right')
    for (let i = 0; i < 5; i++) expect(await attempt('ann', false)).toBe('wrong')
    expect(await attempt('ann', true)).toBe('429 2')
    wait(15 * 60 + 1)
    for (let i = 0; i < 5; i++) expect(await attempt('ann', false)).toBe('wrong')
    expect(await attempt('ann', true)).toBe('429 2')
  })

  test('never make anybody wait for more than five minutes', async () => {
    for (let i = 0; i < 40; i++) {
      await accounts.countFailedSignIn('address 192.0.2.9', new Date().toISOString(), '2026')
    }
    expect(await attempt('zoe', true, '192.0.2.9')).toBe('429 300')
    wait(300)
    expect(await attempt('zoe', true, '192.0.2.9')).toBe('right')
  })

  test('of an address make it wait, whatever the accounts are; other networks go on', async () => {
    for (let i = 0; i < 20; i++) await attempt(`user ${i}`, false, `2001:db8::${i}`)
    expect(await attempt('ann', true, '2001:db8::ffff')).toBe('429 2')
    expect(await attempt('ann', true, '2001:db8:0:1::1')).toBe('right')
  })

  test('are known to other processes and after a restart', async () => {
    for (let i = 0; i < 5; i++) await attempt('ann', false)
    const other = await place.openAccounts()
    await expect(
      new SignInThrottle(other).attempt('ann', '198.51.100.1', async () => 'token')
    ).rejects.toMatchObject({ code: 'SIGN_IN_THROTTLED' })
    await other.close()
  })

  test('that are made at once do not get around the count', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, () => attempt('ann', false)))
    expect(all.filter(result => result === 'wrong').length).toBe(5)
    expect(tried).toBe(5)
  })

  test('of others do not hinder many that are right at once', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, () => attempt('ann', true)))
    expect(new Set(all)).toEqual(new Set(['right']))
  })

  test('are not what a provider that does not answer makes', async () => {
    for (let i = 0; i < 10; i++) {
      await expect(
        throttle.attempt('ann', '192.0.2.1', async () => {
          throw new Error('away')
        })
      ).rejects.toThrow('away')
    }
    expect(await attempt('ann', true)).toBe('right')
  })
})
