/** Numbers of objects by term. */

/** Most terms that are counted in an array, four bytes each. */
const ARRAY_MAX = 2 ** 24

/** Counts; a term without any has 0. */
export class TermCounts {
  readonly #low: number
  readonly #array: Uint32Array | undefined
  readonly #map = new Map<number, number>()
  #size = 0

  /** With bounds that are not equal, terms are between them. */
  constructor(low: number, high: number) {
    this.#low = low
    if (high > low && high - low < ARRAY_MAX) this.#array = new Uint32Array(high - low + 1)
  }

  /** Number of terms that have a count. */
  get size(): number {
    return this.#size
  }

  add(term: number, count: number): void {
    const before = this.get(term)
    if (before === 0) this.#size++
    if (this.#array) this.#array[term - this.#low] = before + count
    else this.#map.set(term, before + count)
  }

  get(term: number): number {
    return (this.#array ? this.#array[term - this.#low] : this.#map.get(term)) ?? 0
  }

  /** All counts above 0. */
  all(): Iterable<number> {
    return this.#array ? this.#array.filter(count => count > 0) : this.#map.values()
  }
}
