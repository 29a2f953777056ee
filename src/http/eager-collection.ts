/** How soon Node collects garbage while long answers are made. */
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Percent by which the objects that last may grow in number before Node looks which are still needed; 0: Node decides. */
const GROWTH = 60
const AS_NODE_DECIDES = 0

/** Bytes of new objects and buffers before those of them that are not needed any more are given up. */
const STEP = 4 * 1024 * 1024

/** Collects garbage. @param options what kind, as `gc` of V8 takes it */
export type Collect = (options: {
  readonly type: 'minor' | 'major'
  readonly flavor?: 'last-resort'
  readonly execution?: 'sync'
}) => void

/** The function that collects garbage, which Node does not show by itself. */
export function garbageCollector(): Collect {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as Collect
}

/**
 * Lets Node collect garbage sooner while long answers are under way: what they throw away would fill three times the memory that
 * is in use. All other requests are quicker without it, so it ends with the last of them. One for each process.
 */
export class EagerCollection {
  #collect: Collect | undefined
  #answers = 0
  /** Bytes after the last collection. */
  #kept = Number.POSITIVE_INFINITY

  /** The parts of an answer; between two of them, where there is enough, garbage is collected, which takes about a millisecond. */
  async *during<Part>(parts: AsyncIterable<Part>): AsyncGenerator<Part> {
    this.#collect ??= garbageCollector()
    if (this.#answers++ === 0) setFlagsFromString(`--heap-growing-percent=${GROWTH}`)
    try {
      for await (const part of parts) {
        yield part
        this.#next()
      }
    } finally {
      if (--this.#answers === 0) setFlagsFromString(`--heap-growing-percent=${AS_NODE_DECIDES}`)
    }
  }

  #next(): void {
    const now = inUse()
    // Node collects by itself, too.
    this.#kept = Math.min(this.#kept, now)
    if (now - this.#kept < STEP) return
    this.#collect?.({ type: 'minor' })
    this.#kept = inUse()
  }
}

/** Bytes of objects and buffers. */
function inUse(): number {
  const { used_heap_size, external_memory } = getHeapStatistics()
  return used_heap_size + external_memory
}
