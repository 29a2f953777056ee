/** Puts a watch, and a clock for metrics, between the callers of a store and the store: around every method of its port. */
import { SeraiError } from '../errors.ts'
import type { StoreName, StoreWatch } from './store-watch.ts'

/** How a call to a store ended. */
export type Outcome = 'ok' | 'unavailable' | 'timeout' | 'aborted' | 'failed'

/** Told of every call that has ended. @param seconds from the call to its result */
export type CallObserver = (store: StoreName, operation: string, outcome: Outcome, seconds: number) => void

/** What gives no promise, and what the watch itself uses. */
const AS_THEY_ARE: ReadonlySet<string> = new Set(['reader', 'ping', 'close'])

/** Of the methods that give their results bit by bit. */
const AsyncGeneratorFunction = async function* () {}.constructor

/**
 * The same store, watched.
 * @param observe absent: calls are not timed
 */
export function watchedStore<T extends object>(
  store: T,
  name: StoreName,
  watch: StoreWatch,
  observe?: CallObserver
): T {
  const watched: Record<string, unknown> = {}
  for (const [operation, method] of methodsOf(store)) {
    if (AS_THEY_ARE.has(operation) || method instanceof AsyncGeneratorFunction) {
      watched[operation] = method.bind(store)
    } else if (!observe) {
      watched[operation] = (...values: unknown[]) => watch.run(name, () => method.apply(store, values))
    } else {
      watched[operation] = (...values: unknown[]) => {
        const begun = performance.now()
        const end = (outcome: Outcome) =>
          observe(name, operation, outcome, (performance.now() - begun) / 1000)
        const result = watch.run(name, () => method.apply(store, values))
        result.then(
          () => end('ok'),
          error => end(outcomeOf(error))
        )
        return result
      }
    }
  }
  return watched as T
}

type Method = (...values: unknown[]) => Promise<unknown>

function methodsOf(store: object): [name: string, method: Method][] {
  const prototype = Object.getPrototypeOf(store) as object
  return Object.entries(Object.getOwnPropertyDescriptors(prototype)).flatMap(([name, { value }]) =>
    typeof value === 'function' && name !== 'constructor' ? [[name, value as Method]] : []
  )
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof SeraiError) {
    if (error.code === 'STORE_UNAVAILABLE') return 'unavailable'
    if (error.code === 'SEARCH_TIMEOUT') return 'timeout'
  }
  return (error as Error)?.name === 'AbortError' ? 'aborted' : 'failed'
}
