/**
 * Counts of requests in the memory of this process, as a store of `@fastify/rate-limit`. Its own one gives out the object that
 * it counts in: of requests that come together all would read the count of the last.
 */
import type { FastifyRateLimitStore } from '@fastify/rate-limit'
import { LRUCache } from 'lru-cache'

/** Addresses that are remembered. */
const ADDRESSES = 50_000

type Tell = Parameters<FastifyRateLimitStore['incr']>[1]

/** The store; a window begins with the first request after the one before has ended. */
export class LocalRate implements FastifyRateLimitStore {
  readonly #windows = new LRUCache<string, { count: number; end: number }>({ max: ADDRESSES })

  /** @param timeWindow length of a window in milliseconds */
  incr(key: string, tell: Tell, timeWindow = 1000): void {
    const now = Date.now()
    let window = this.#windows.get(key)
    // A clock that was set back does not make a window longer.
    if (!window || window.end <= now || window.end > now + timeWindow) {
      window = { count: 0, end: now + timeWindow }
      this.#windows.set(key, window)
    }
    window.count++
    tell(null, { current: window.count, ttl: window.end - now })
  }

  child(): LocalRate {
    return this
  }
}
