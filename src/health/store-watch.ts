/**
 * Watches whether a store is there. While it is lost, calls to it fail at once instead of each waiting for its own time-out, and
 * it is asked again and again until it is back: nothing needs a restart.
 *
 * A store is lost when a connection to it broke and it does not answer either, or when it leaves two signs of life in a row
 * unanswered and nothing else came from it meanwhile. A slow store is not a lost one.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { failure } from '../errors.ts'
import type { Log } from '../log.ts'

/** Milliseconds between two looks at a store from which nothing was heard, and that it gets to answer. */
const LOOK_INTERVAL = 1000
const LOOK_LIMIT = 2000

/** Signs of life in a row that may come too late. */
const LATE_MAX = 2

/** Milliseconds that a store gets to answer after a connection to it broke. */
const SUSPICION_LIMIT = 1000

/** Milliseconds between two tries while it is lost, and that each may take: a connection that is made anew has time. */
const RETRY_INTERVAL = 500
const RETRY_LIMIT = 5000

/** Milliseconds for which the answer to {@link StoreWatch.check} is good: it may be asked for often. */
const CHECK_FRESH = 500

/** What a store keeps, as settings, errors and metrics name it. */
export type StoreName = 'documents' | 'accounts' | 'archives' | 'search' | 'files' | 'limits'

/** A store to be watched. */
export interface WatchedStore {
  /** Name of the software, for people: `MongoDB`. */
  readonly engine: string
  readonly holds: readonly StoreName[]
  /** Whether it can go away and come back by itself: it is another process. */
  readonly isRemote: boolean
  /** Whether requests can be answered without it. */
  readonly isOptional?: boolean
}

/** How a store was found. */
export interface StoreState {
  readonly state: 'up' | 'down'
  /** Milliseconds that its answer took. */
  readonly ms?: number
  /** When it was lost. */
  readonly since?: Date
}

/** How a look at a store ended: an answer after so many milliseconds, or why there is none. */
type Sign = { readonly ms: number } | { readonly isLate: boolean; readonly reason: string }

/** Asks a store for a sign of life; rejects when there is none within so many milliseconds. */
export type Ping = (limit: number) => Promise<unknown>

interface Loss {
  readonly since: Date
  /** Calls that failed because of it. */
  calls: number
}

/** Watches one store, or only tells how it is when it is asked ({@link StoreWatch.attach}). */
export class StoreWatch {
  readonly store: WatchedStore
  readonly #log: Log | undefined
  readonly #pings: Ping[] = []
  #isWatching = false
  #timer: NodeJS.Timeout | undefined
  #loss: Loss | undefined
  /** When something came from the store the last time, by `performance.now()`. */
  #heard = 0
  #late = 0
  #isSuspected = false
  #check: { readonly until: number; readonly state: Promise<StoreState> } | undefined
  /** Calls under way, by what makes them fail. */
  readonly #calls = new Set<(error: Error) => void>()

  constructor(store: WatchedStore, log?: Log) {
    this.store = store
    this.#log = log
  }

  /** Whether the store is there, as far as is known. */
  get isUp(): boolean {
    return this.#loss === undefined
  }

  /** The store is open now: it can be asked. One that is reached in several ways is there when it answers by all of them. */
  attach(ping: Ping): void {
    this.#pings.push(ping)
  }

  /** Starts to watch the store, which is attached; before, nothing is suspected. */
  begin(): void {
    this.#isWatching = true
    this.#heard = performance.now()
    if (this.store.isRemote) this.#later(LOOK_INTERVAL)
  }

  /** Stops watching. */
  close(): void {
    this.#isWatching = false
    clearTimeout(this.#timer)
  }

  /**
   * Calls the store.
   * @param name for the error
   * @throws SeraiError STORE_UNAVAILABLE at once when the store is lost, or gets lost meanwhile; what the call throws
   */
  run<T>(name: StoreName, call: () => Promise<T>): Promise<T> {
    if (this.#loss) {
      this.#loss.calls++
      return Promise.reject(failure('STORE_UNAVAILABLE', { store: name }))
    }
    return new Promise((resolve, reject) => {
      const lose = (cause: Error) =>
        reject(Object.assign(failure('STORE_UNAVAILABLE', { store: name }), { cause }))
      const called = call()
      this.#calls.add(lose)
      called.then(
        result => {
          this.#calls.delete(lose)
          this.#heard = performance.now()
          resolve(result)
        },
        error => {
          this.#calls.delete(lose)
          if ((error as { code?: unknown })?.code === 'STORE_UNAVAILABLE') this.suspect()
          reject(error)
        }
      )
    })
  }

  /** Tells that a connection to the store broke: it is looked at once. */
  suspect(): void {
    if (!this.#isWatching || this.#loss || this.#isSuspected) return
    this.#isSuspected = true
    void this.#look(SUSPICION_LIMIT).then(sign => {
      this.#isSuspected = false
      if ('reason' in sign) this.#lose(sign.reason)
    })
  }

  /**
   * How the store is now. A store that is lost is not asked: that goes on anyway.
   * @param limit milliseconds that it gets to answer
   */
  check(limit: number): Promise<StoreState> {
    if (this.#loss) return Promise.resolve({ state: 'down', since: this.#loss.since })
    const now = performance.now()
    if (!this.#check || this.#check.until < now) {
      this.#check = { until: now + CHECK_FRESH, state: this.#look(limit).then(stateOf) }
    }
    return this.#check.state
  }

  #later(milliseconds: number): void {
    if (!this.#isWatching) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#goOn(), milliseconds).unref()
  }

  /** The next look: whether the store is still there, or there again. */
  async #goOn(): Promise<void> {
    const begun = performance.now()
    if (!this.#loss && begun - this.#heard < LOOK_INTERVAL) return this.#later(LOOK_INTERVAL)
    const sign = await this.#look(this.#loss ? RETRY_LIMIT : LOOK_LIMIT)
    if (!this.#isWatching) return
    if ('ms' in sign || this.#heard > begun) {
      this.#late = 0
      if (this.#loss && 'ms' in sign) this.#find(this.#loss)
    } else if (!this.#loss) {
      this.#late++
      if (!sign.isLate || this.#late >= LATE_MAX) this.#lose(sign.reason)
    }
    if (this.#loss) this.#later(RETRY_INTERVAL)
    else if (this.store.isRemote) this.#later(this.#late > 0 ? 0 : LOOK_INTERVAL)
  }

  #lose(reason: string): void {
    if (this.#loss || !this.#isWatching) return
    const { engine, holds } = this.store
    this.#loss = { since: new Date(), calls: this.#calls.size }
    this.#late = 0
    this.#log?.error({ store: engine, reason }, `${engine} is lost (${holds.join(', ')}): ${reason}`)
    const cause = new Error(`${engine} is lost: ${reason}`)
    for (const lose of this.#calls) lose(cause)
    this.#calls.clear()
    this.#check = undefined
    this.#later(RETRY_INTERVAL)
  }

  #find({ since, calls }: Loss): void {
    const { engine } = this.store
    this.#loss = undefined
    this.#check = undefined
    const seconds = Math.round((Date.now() - since.getTime()) / 100) / 10
    this.#log?.info(
      { store: engine, seconds, calls },
      `${engine} is back after ${seconds} s; ${calls} calls to it failed meanwhile`
    )
  }

  async #look(limit: number): Promise<Sign> {
    const begun = performance.now()
    let sign: Sign | undefined
    let timer: NodeJS.Timeout | undefined
    const asked = Promise.all(this.#pings.map(ping => ping(limit))).then(
      () => {
        this.#heard = performance.now()
        sign = { ms: this.#heard - begun }
      },
      error => {
        sign = { isLate: isLate(error), reason: reasonOf(error) }
      }
    )
    await Promise.race([
      asked,
      new Promise(resolve => {
        timer = setTimeout(resolve, limit)
      })
    ])
    clearTimeout(timer)
    // Where this process was late itself, the answer may have come and not been read yet.
    if (!sign) await nextTurn()
    return sign ?? { isLate: true, reason: `it did not answer within ${limit} ms` }
  }
}

function stateOf(sign: Sign): StoreState {
  return 'ms' in sign ? { state: 'up', ms: Math.round(sign.ms * 10) / 10 } : { state: 'down' }
}

/** Whether the store did not refuse, but took too long. */
function isLate(error: unknown): boolean {
  return error instanceof Error && (/timeout/i.test(error.name) || isLate(error.cause))
}

/** Why a store does not answer, in one line: the innermost cause says it best. */
function reasonOf(error: unknown): string {
  let inner = error
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause
  const { message = '', code } = inner as NodeJS.ErrnoException
  return (message || String(code ?? error)).split('\n')[0] as string
}
