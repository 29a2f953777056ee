import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { failure } from '../../src/errors.ts'
import { StoreWatch } from '../../src/health/store-watch.ts'
import { logLines } from '../log-lines.ts'

const HANGS = () => new Promise<never>(() => {})
const ANSWERS = async () => {}
const BREAKS = async () => {
  throw new Error('wrapped', { cause: new Error('connection refused') })
}

/** A store that answers as the test says, and its watch. */
function begun(isRemote = true) {
  const { log, lines } = logLines()
  const watch = new StoreWatch({ engine: 'Engine', holds: ['search'], isRemote }, log)
  const store: { ping: () => Promise<void> } = { ping: ANSWERS }
  watch.attach(() => store.ping())
  watch.begin()
  return { watch, store, lines }
}

describe.concurrent('a watched store', () => {
  test('that does not answer any more is lost at once when a connection to it breaks', async ({ expect }) => {
    const { watch, store, lines } = begun()
    store.ping = BREAKS
    const waiting = watch.run('search', HANGS).catch(error => error)
    watch.suspect()
    expect(await waiting).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      status: 503,
      message: 'The search store cannot be reached at the moment. Please try again later.'
    })
    expect(watch.isUp).toBe(false)
    let isAsked = false
    const refused = watch.run('search', async () => {
      isAsked = true
    })
    await expect(refused).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(isAsked).toBe(false)
    expect(await watch.check(100)).toEqual({ state: 'down', since: expect.any(Date) })

    store.ping = ANSWERS
    await expect.poll(() => watch.isUp, { timeout: 3000 }).toBe(true)
    expect(await watch.run('search', async () => 7)).toBe(7)
    expect(lines.map(({ msg }) => msg)).toEqual([
      'Engine is lost (search): connection refused',
      expect.stringMatching(/^Engine is back after [\d.]+ s; 2 calls to it failed meanwhile$/)
    ])
  })

  test('is suspected by a call that cannot reach it, and by no other failure', async ({ expect }) => {
    const { watch, store } = begun()
    store.ping = BREAKS
    await expect(watch.run('search', async () => Promise.reject(new Error('a fault')))).rejects.toThrow(
      'a fault'
    )
    await delay(20)
    expect(watch.isUp).toBe(true)
    await expect(
      watch.run('search', async () => Promise.reject(failure('STORE_UNAVAILABLE', { store: 'search' })))
    ).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await expect.poll(() => watch.isUp).toBe(false)
  })

  test('that answers is not lost because one connection broke', async () => {
    const { watch, lines } = begun()
    watch.suspect()
    await delay(20)
    expect(watch.isUp).toBe(true)
    expect(lines).toEqual([])
  })

  test('that hangs is lost after some seconds, with all calls that wait for it', async () => {
    const { watch, store, lines } = begun()
    store.ping = HANGS
    const begin = performance.now()
    await expect(watch.run('search', HANGS)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(performance.now() - begin).toBeGreaterThan(3500)
    expect(performance.now() - begin).toBeLessThan(9000)
    expect(lines.map(({ msg }) => msg)).toEqual(['Engine is lost (search): it did not answer within 2000 ms'])
  }, 15_000)

  test('that is slow, but answers calls, is not lost', async () => {
    const { watch, store } = begun()
    store.ping = HANGS
    const end = performance.now() + 7000
    while (performance.now() < end) {
      await watch.run('search', () => delay(300))
    }
    expect(watch.isUp).toBe(true)
  }, 15_000)

  test('is asked once by many who look at the same time', async () => {
    const { watch, store } = begun(false)
    let asked = 0
    store.ping = async () => {
      asked++
      await delay(20)
    }
    const states = await Promise.all(Array.from({ length: 10 }, () => watch.check(1000)))
    for (const state of states) expect(state).toEqual({ state: 'up', ms: expect.any(Number) })
    expect(asked).toBe(1)
  })

  test('that is looked at gets so much time, and no more', async () => {
    const { watch, store } = begun(false)
    store.ping = HANGS
    const begin = performance.now()
    expect(await watch.check(100)).toEqual({ state: 'down' })
    expect(performance.now() - begin).toBeLessThan(2000)
    expect(watch.isUp).toBe(true)
  })
})
