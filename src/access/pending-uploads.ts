/**
 * Which uploads are being put together. An import of a new upload writes its entries into the index batch by batch; until
 * the upload has its document, nobody finds any of them. Every process that answers searches asks for the list again and
 * again, so that an import only has to wait until no process uses a list from before its upload was on it
 * ({@link PENDING_WAIT}): no process knows of another.
 */
import type { Quantity } from '../query/quantities.ts'
import type { Query } from '../query/tree.ts'
import type { DocumentStore } from '../storage/documents.ts'

/** Milliseconds after which the list is asked for anew, by the next search; nobody waits for that. */
const REFRESHED_AFTER = 1000

/** Milliseconds for which it is good: an answer that is read from the index later needs a newer one. */
const GOOD_FOR = 2000

/**
 * Milliseconds after which no search gives anything of an upload that was added to the list, and every search everything
 * of one that has got its document; with some more for clocks that do not go alike.
 */
export const PENDING_WAIT = GOOD_FOR + 250

/** The uploads at one moment. */
export interface PendingList {
  /** When it was asked for, on the clock of `performance`: it knows what was so then. */
  readonly asked: number
  readonly uploadIds: readonly string[]
  /** What entries must meet to be found; absent where everything may be found. */
  readonly others?: Query
}

/** The list as it is known to this process. */
export class PendingUploads {
  readonly #documents: Pick<DocumentStore, 'pendingUploads'>
  /** `upload_id` */
  readonly #quantity: Quantity
  #known: PendingList | undefined
  #asking: Promise<PendingList> | undefined

  constructor(documents: Pick<DocumentStore, 'pendingUploads'>, quantity: Quantity) {
    this.#documents = documents
    this.#quantity = quantity
  }

  /**
   * A list that is good now; a promise only where the store is to be asked before. While the store fails, what is known
   * counts on: imports need the same store.
   * @throws SeraiError STORE_UNAVAILABLE when nothing is known yet
   */
  current(): PendingList | Promise<PendingList> {
    const now = performance.now()
    const known = this.#known
    if (!known || known.asked < now - GOOD_FOR) return this.#askedSince(now - GOOD_FOR)
    // With something known it does not fail.
    if (known.asked < now - REFRESHED_AFTER) void this.#ask()
    return known
  }

  async #askedSince(time: number): Promise<PendingList> {
    for (;;) {
      const list = await this.#ask()
      if (list.asked >= time) return list
    }
  }

  /** Whoever asks meanwhile gets the same answer. */
  #ask(): Promise<PendingList> {
    this.#asking ??= this.#fetch().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  async #fetch(): Promise<PendingList> {
    const asked = performance.now()
    try {
      this.#known = this.#listOf(asked, await this.#documents.pendingUploads())
    } catch (error) {
      if (!this.#known) throw error
      this.#known = { ...this.#known, asked }
    }
    return this.#known
  }

  #listOf(asked: number, uploadIds: readonly string[]): PendingList {
    if (uploadIds.length === 0) return { asked, uploadIds }
    const terms: Query = { kind: 'terms', quantity: this.#quantity, values: uploadIds }
    return { asked, uploadIds, others: { kind: 'not', of: terms } }
  }
}
