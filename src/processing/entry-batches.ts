/** Writing of the entries of an upload: documents some together, index documents of these while further entries are read. */
import type { IndexDocument } from '../search/entry-index.ts'
import type { Services } from '../services.ts'
import type { Entry } from '../storage/documents.ts'

/** Entries whose documents are written together. */
export const BATCH = 200

/** Batches that the index may work on while further entries are read: it writes those that wait together. */
const INDEXING = 8

/** The entries of one upload on their way into the stores. */
export class EntryBatches {
  readonly #services: Pick<Services, 'documents' | 'index'>
  readonly #ready: (signal: AbortSignal) => Promise<void> | undefined
  readonly #stop = new AbortController()
  readonly #indexed: Promise<void>[] = []
  #batch: { readonly entry: Entry; readonly document: IndexDocument }[] = []
  #stored = 0

  /** @param ready what each batch that is stored waits for before it goes into the index, until the signal ends that */
  constructor(
    services: Pick<Services, 'documents' | 'index'>,
    ready: (signal: AbortSignal) => Promise<void> | undefined
  ) {
    this.#services = services
    this.#ready = ready
  }

  /** Number of entries that are stored. */
  get stored(): number {
    return this.#stored
  }

  /** @throws SeraiError when a store failed, with this entry or one before */
  async add(entry: Entry, document: IndexDocument): Promise<void> {
    this.#batch.push({ entry, document })
    if (this.#batch.length >= BATCH) await this.#flush()
  }

  /** Settles when everything is stored and found. @throws SeraiError when a store failed */
  async end(): Promise<void> {
    if (this.#batch.length > 0) await this.#flush()
    await Promise.all(this.#indexed)
  }

  /** Breaks off; nothing is written any more when it settles. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await Promise.allSettled(this.#indexed)
  }

  async #flush(): Promise<void> {
    const batch = this.#batch
    this.#batch = []
    await this.#services.documents.putEntries(batch.map(({ entry }) => entry))
    const put = this.#index(batch.map(({ document }) => document))
    // Whoever waits for it learns of its failure.
    put.catch(() => {})
    this.#indexed.push(put)
    this.#stored += batch.length
    if (this.#indexed.length > INDEXING) await this.#indexed.shift()
  }

  async #index(documents: readonly IndexDocument[]): Promise<void> {
    await this.#ready(this.#stop.signal)
    this.#stop.signal.throwIfAborted()
    await this.#services.index.put(documents)
  }
}
