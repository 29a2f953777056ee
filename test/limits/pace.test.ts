import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { LocalRate } from '../../src/limits/local-rate.ts'
import { Pace } from '../../src/limits/pace.ts'

/** Requests that one address may send in a window, and its length in milliseconds. */
const LIMIT = 30
const WINDOW = 300

const NEVER = new AbortController().signal

/**
 * A client that always waits for its answers, with so many connections; tells how many of its requests were refused.
 * @param servers that count together, and get the requests in turn
 */
async function client(connections: number, requests: number, waits: (n: number) => boolean, servers = 1) {
  const rate = new LocalRate()
  const paces = Array.from({ length: servers }, () => new Pace())
  let underWay = 0
  const outcome = { refused: 0, milliseconds: 0 }
  let sent = 0
  const count = () =>
    new Promise<{ current: number; ttl: number }>(resolve =>
      rate.incr('a', (_error, result) => resolve(result as { current: number; ttl: number }), WINDOW)
    )
  const begin = performance.now()
  const connection = async () => {
    while (sent < requests) {
      const number = sent++
      const { current, ttl } = await count()
      if (current > LIMIT) {
        outcome.refused++
        continue
      }
      const turn = (paces[number % servers] as Pace).enter('a', LIMIT - current, ttl, ++underWay)
      if (waits(number)) await turn.wait(NEVER)
      await delay(number % 3)
      turn.end()
      underWay--
      // The answer is on its way, and the next request.
      await delay(number % 4)
    }
  }
  await Promise.all(Array.from({ length: connections }, connection))
  outcome.milliseconds = performance.now() - begin
  return outcome
}

describe('requests that can wait', () => {
  test.each([1, 2, 8, 10])('are never refused to a client that has %i under way', async connections => {
    const { refused, milliseconds } = await client(connections, 100, () => true)
    expect(refused).toBe(0)
    expect(milliseconds).toBeGreaterThan(3 * WINDOW)
  })

  test('are never refused where two servers count together', async () => {
    expect((await client(8, 100, () => true, 2)).refused).toBe(0)
  })

  test('are never refused where every other one cannot wait', async () => {
    expect((await client(1, 100, n => n % 2 === 0)).refused).toBe(0)
  })

  test('are not held back as long as there is room', async () => {
    const pace = new Pace()
    const begin = performance.now()
    for (let left = 29; left >= 3; left--) {
      const turn = pace.enter('a', left, 9000)
      await turn.wait(NEVER)
      turn.end()
    }
    expect(performance.now() - begin).toBeLessThan(2000)
  })

  test('go on at once when nobody waits for the answer', async () => {
    const gone = new AbortController()
    const turn = new Pace().enter('a', 0, 5000)
    const begin = performance.now()
    const waiting = turn.wait(gone.signal)
    gone.abort()
    await waiting
    turn.end()
    turn.end()
    expect(performance.now() - begin).toBeLessThan(2000)
  })

  test('do not wait for a window that is very long', async () => {
    const begin = performance.now()
    await new Pace().enter('a', 0, 3_600_000).wait(NEVER)
    expect(performance.now() - begin).toBeLessThan(2000)
  })
})

test('requests that cannot wait are refused as ever', async () => {
  expect((await client(1, 40, () => false)).refused).toBeGreaterThan(0)
})
