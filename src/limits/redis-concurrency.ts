/**
 * Requests under way of all servers that share a Redis. Every slot is a lease with an end, which its server puts off as long
 * as the request goes on: the slots of a server that dies are free again after {@link LEASE}.
 */
import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { ConcurrencyCounter, Slot } from './concurrency.ts'

/** Milliseconds that a lease lasts when nobody puts off its end. */
const LEASE = 30_000

/** Leases of one client are a set ordered by their ends. By the clock of Redis, so that those of servers may differ. */
const NOW = `local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)`

/** Gives how many are taken with this one, or -1. */
const ENTER = `${NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local taken = redis.call('ZCARD', KEYS[1])
if taken >= tonumber(ARGV[2]) then return -1 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return taken + 1`

/** Puts off the end of a lease that is still there. */
const RENEW = `${NOW}
redis.call('ZADD', KEYS[1], 'XX', now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])`

/** Counts in Redis. */
export class RedisConcurrency implements ConcurrencyCounter {
  readonly #redis: Redis
  readonly #prefix: string
  /** Keys of the leases that this process holds, by their names. */
  readonly #held = new Map<string, string>()
  readonly #renewal: NodeJS.Timeout

  /** @param prefix what its keys in Redis begin with */
  constructor(redis: Redis, prefix: string) {
    this.#redis = redis
    this.#prefix = prefix
    this.#renewal = setInterval(() => void this.#renew(), LEASE / 3).unref()
  }

  /** @throws Error when Redis does not answer */
  async enter(key: string, limit: number): Promise<Slot | undefined> {
    const name = randomUUID()
    const set = this.#prefix + key
    const taken = (await this.#redis.eval(ENTER, 1, set, name, limit, LEASE)) as number
    if (taken < 0) return undefined
    this.#held.set(name, set)
    return {
      left: limit - taken,
      release: () => {
        if (!this.#held.delete(name)) return
        // A lease that cannot be given back ends by itself.
        this.#redis.zrem(set, name).catch(() => {})
      }
    }
  }

  async #renew(): Promise<void> {
    for (const [name, set] of this.#held) {
      await this.#redis.eval(RENEW, 1, set, name, LEASE).catch(() => {})
      // It was given back meanwhile.
      if (!this.#held.has(name)) this.#redis.zrem(set, name).catch(() => {})
    }
  }

  /** Gives back what this process holds. */
  close(): void {
    clearInterval(this.#renewal)
    for (const [name, set] of this.#held) this.#redis.zrem(set, name).catch(() => {})
    this.#held.clear()
  }
}
