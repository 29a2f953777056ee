/** Counts of requests that the processes of one machine share without Redis: the port, the counts, and the store for the rate. */
import { LocalConcurrency, type Slot } from './concurrency.ts'
import { LocalRate } from './local-rate.ts'

/** A window of time and the requests of an address in it. */
export interface RateCount {
  readonly current: number
  /** Milliseconds until the window ends. */
  readonly ttl: number
}

/** Where several processes count together. */
export interface SharedCounts {
  /** Counts a request of an address. @param timeWindow length of a window in milliseconds */
  count(key: string, timeWindow: number): Promise<RateCount>
  /** Takes a slot of an address unless all are taken. @param limit slots that one address has */
  enter(key: string, limit: number): Promise<Slot | undefined>
}

/** The counts themselves, in the memory of the process that all others ask. */
export class CountsOfAll implements SharedCounts {
  readonly #rate = new LocalRate()
  readonly #slots = new LocalConcurrency()

  count(key: string, timeWindow: number): Promise<RateCount> {
    return new Promise((resolve, reject) =>
      this.#rate.incr(
        key,
        (error, result) => (result ? resolve(result) : reject(error ?? new Error('no count'))),
        timeWindow
      )
    )
  }

  async enter(key: string, limit: number): Promise<Slot | undefined> {
    return this.#slots.enter(key, limit)
  }
}

/** A store of `@fastify/rate-limit` that counts there. */
export function sharedRate(counts: SharedCounts): typeof LocalRate {
  return class extends LocalRate {
    override incr(key: string, tell: Parameters<LocalRate['incr']>[1], timeWindow = 1000): void {
      counts.count(key, timeWindow).then(
        result => tell(null, result),
        error => tell(error, undefined)
      )
    }
  }
}
