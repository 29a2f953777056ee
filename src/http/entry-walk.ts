/** The whole result of a search, page by page, for answers that are streamed. */
import { encodeCursor } from '../query/cursor.ts'
import type { Pagination } from '../query/pagination.ts'
import type { RequiredFields } from '../query/required-fields.ts'
import type { Query } from '../query/tree.ts'
import type { EntryIndex, Hit } from '../search/entry-index.ts'
import { PresentedEntry } from './entry-text.ts'

/** Entries of the first page; the others follow the size of the entries. */
const FIRST_PAGE = 100

/** Entries of a page. */
const PAGE_MIN = 10
const PAGE_MAX = 500

/** Characters of JSON of a page, about. */
const PAGE_UNITS = 2 * 1024 * 1024

/** Entries of a page that are measured. */
const SAMPLE = 8

/** What is walked. */
export interface WalkRequest {
  readonly query: Query
  readonly pagination: Pagination
  readonly required: RequiredFields
  /** Number of entries at most; absent: all. */
  readonly limit?: number | undefined
  /** Entries of a page at most. */
  readonly pageSize?: number | undefined
  readonly signal: AbortSignal
}

/**
 * A walk over the entries of a search. Its pages follow each other by the place of the last entry, so each entry comes at most
 * once while others are added or removed; one whose value to order by changes meanwhile may move to where the walk has been,
 * or comes again. Ordered by `entry_id` nothing moves.
 */
export class EntryWalk {
  readonly #index: EntryIndex
  readonly #request: WalkRequest
  #total = 0
  #count = 0
  #last: Hit | undefined

  constructor(index: EntryIndex, request: WalkRequest) {
    this.#index = index
    this.#request = request
  }

  /** Number of matching entries when the walk began; 0 before. */
  get total(): number {
    return this.#total
  }

  /**
   * The entries as clients see them, a page at a time; the first page comes even if it is empty.
   * @throws SeraiError as `EntryIndex.search`
   */
  async *pages(): AsyncGenerator<PresentedEntry[]> {
    const { query, pagination, required, limit = Number.POSITIVE_INFINITY, pageSize, signal } = this.#request
    const { orderBy, offset, after: start, echo } = pagination
    const largest = Math.min(PAGE_MAX, pageSize ?? PAGE_MAX)
    let size = Math.min(FIRST_PAGE, largest)
    for (;;) {
      const wanted = Math.min(size, limit - this.#count)
      const after = this.#last ? placeOf(this.#last) : start
      const { total, hits } = await this.#index.search({
        query,
        order: echo.order,
        size: wanted,
        source: required.source,
        signal,
        ...(orderBy ? { orderBy } : {}),
        ...(after ? { after } : offset ? { offset } : {})
      })
      if (this.#count === 0) this.#total = total
      const entries = hits.map(hit => new PresentedEntry(hit, required))
      yield entries
      this.#count += hits.length
      this.#last = hits.at(-1) ?? this.#last
      if (hits.length < wanted || this.#count >= limit) return
      size = Math.min(largest, Math.max(PAGE_MIN, Math.round(PAGE_UNITS / averageUnits(entries))))
    }
  }

  /** The pagination as the last line tells it: where to go on, if the walk ended before the last entry. */
  pagination(): object {
    const { pagination, limit } = this.#request
    const { page_size: _, ...echo } = pagination.echo
    const more = limit !== undefined && this.#count >= limit && this.#total > this.#count
    return {
      ...(limit === undefined ? {} : { page_size: limit }),
      ...echo,
      total: this.#total,
      ...(more ? this.next() : {})
    }
  }

  /** Where a walk goes on that was ended after the last page. */
  next(): { next_page_after_value?: string } {
    return this.#last
      ? { next_page_after_value: encodeCursor(this.#last, this.#request.pagination.orderBy) }
      : {}
  }
}

function placeOf({ entryId, sortValue }: Hit) {
  return { entryId, ...(sortValue === undefined ? {} : { value: sortValue }) }
}

/** Characters of JSON of an entry, from a sample. */
function averageUnits(entries: readonly PresentedEntry[]): number {
  const step = Math.ceil(entries.length / SAMPLE)
  const sample = entries.filter((_, i) => i % step === 0)
  const units = sample.reduce((sum, entry) => sum + entry.text.length, 0)
  return Math.max(1, units / Math.max(1, sample.length))
}
