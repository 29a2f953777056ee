/** How many requests of one client are under way: the port, and the counter of one process. */

/** Counts what is under way, by the key of a client. */
export interface ConcurrencyCounter {
  /**
   * Takes a slot of the client unless all are taken.
   * @param limit slots that one client has
   */
  enter(key: string, limit: number): Promise<Slot | undefined> | Slot | undefined
}

/** A slot that is taken. */
export interface Slot {
  /** How many of the client's slots are left. */
  readonly left: number
  /** Gives it back; the second time does nothing. */
  release(): void
}

/** Counts in the memory of this process. */
export class LocalConcurrency implements ConcurrencyCounter {
  readonly #taken = new Map<string, number>()

  enter(key: string, limit: number): Slot | undefined {
    const taken = (this.#taken.get(key) ?? 0) + 1
    if (taken > limit) return undefined
    this.#taken.set(key, taken)
    let held = true
    return {
      left: limit - taken,
      release: () => {
        if (!held) return
        held = false
        const left = (this.#taken.get(key) ?? 1) - 1
        if (left > 0) this.#taken.set(key, left)
        else this.#taken.delete(key)
      }
    }
  }
}
