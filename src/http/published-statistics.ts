/**
 * How much is published, as `GET /info` tells it (`datasets-users-groups.md` §4). Counted from the stores when somebody asks
 * and the last count is old; nobody waits long for it, and it takes a small part of the time only. What is not published
 * is not counted: its number is nobody's business.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { hasEmbargo } from '../access/upload-access.ts'
import { metric } from '../query/aggregation/metrics.ts'
import type { Quantity } from '../query/quantities.ts'
import type { Query } from '../query/tree.ts'
import type { Services } from '../services.ts'

/** The statistics that a search counts. */
const METRICS = ['n_entries', 'n_uploads', 'n_quantities', 'n_calculations', 'n_materials'] as const

/** Milliseconds for which a count is good; one that took long is good for so many times as long as it took. */
const GOOD_FOR = 10_000
const GOOD_FOR_TIMES = 100

/** Uploads that are looked at together. */
const TOGETHER = 500

/** What was counted. */
export interface Statistics {
  /** By name; `public_data_size` in bytes: the files of uploads without embargo. */
  readonly statistics: Readonly<Record<string, number>>
  readonly collect_time: string
}

type Stores = Pick<Services, 'index' | 'quantities' | 'documents' | 'files'>

/** Counts what is published. */
export class PublishedStatistics {
  readonly #stores: Stores
  readonly #end = new AbortController()
  #last: Statistics | undefined
  /** When the last count ceases to be good, on the clock of `performance`. */
  #goodUntil = 0
  #running: Promise<void> | undefined

  constructor(stores: Stores) {
    this.#stores = stores
  }

  /**
   * The last count, however old if a new one takes long or fails; undefined when there is none yet.
   * @param patience milliseconds for which a new count is waited for
   */
  async current(patience: number): Promise<Statistics | undefined> {
    if (performance.now() >= this.#goodUntil) {
      this.#running ??= this.#collect().finally(() => {
        this.#running = undefined
      })
      await Promise.race([this.#running, delay(patience, undefined, { ref: false })])
    }
    return this.#last
  }

  /** Ends a count that is going on. */
  async stop(): Promise<void> {
    this.#end.abort()
    await this.#running
  }

  async #collect(): Promise<void> {
    const begun = performance.now()
    try {
      const counts = await this.#counts()
      const public_data_size = await this.#publicDataSize()
      this.#last = { statistics: { ...counts, public_data_size }, collect_time: new Date().toISOString() }
    } catch {
      // A store that does not answer is told by the routes that need it; here the last count stands.
    }
    const now = performance.now()
    this.#goodUntil = now + Math.max(GOOD_FOR, (now - begun) * GOOD_FOR_TIMES)
  }

  async #counts(): Promise<Record<string, number>> {
    const { index, quantities } = this.#stores
    const query: Query = {
      kind: 'terms',
      quantity: quantities.get('published') as Quantity,
      values: [true]
    }
    const metrics = METRICS.map(name => metric(name, quantities))
    const { aggregations } = await index.search({
      query,
      order: 'asc',
      size: 0,
      aggregations: { counts: { query, aggregation: { kind: 'statistics', metrics } } },
      signal: this.#end.signal
    })
    const counts = aggregations?.counts
    return counts?.kind === 'statistics' ? { ...counts.metrics } : {}
  }

  async #publicDataSize(): Promise<number> {
    const { documents, files } = this.#stores
    let size = 0
    for (let offset = 0; ; offset += TOGETHER) {
      const { uploads } = await documents.listUploads(
        { published: true },
        { orderBy: 'upload_create_time', order: 'asc', offset, limit: TOGETHER }
      )
      for (const upload of uploads) {
        this.#end.signal.throwIfAborted()
        if (hasEmbargo(upload)) continue
        for await (const file of files.walk(upload.upload_id, '')) size += file.size
      }
      if (uploads.length < TOGETHER) return size
    }
  }
}
