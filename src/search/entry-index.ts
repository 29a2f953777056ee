/**
 * The port to a search engine. Two adapters implement it (`elasticsearch/`, `sqlite/`); both give the same answers,
 * which `test/conformance` holds them to.
 */
import { failure } from '../errors.ts'
import type { Quantity, SuggestionStyle } from '../query/quantities.ts'
import type { Query } from '../query/tree.ts'
import type { AggregationRequest, AggregationResult } from './aggregation.ts'

/** An entry's document in the index (`search.md` §10); `entry_id` identifies it. */
export type IndexDocument = { readonly entry_id: string } & Readonly<Record<string, unknown>>

/**
 * The value an entry is sorted by, as it can stand in a cursor: text of keywords, numbers, booleans as 0 and 1,
 * dates in milliseconds; null where the entry has no value. Entries without a value come last in both directions.
 */
export type SortValue = string | number | null

/** Where a page continues: after the entry with this value and id. */
export interface Cursor {
  /** Absent when sorted by `entry_id` alone. */
  readonly value?: SortValue
  readonly entryId: string
}

/**
 * Which members of the document come back: dot paths with `*` as wildcard, as in Elasticsearch's source filter.
 * `include` absent = everything. `*__suggestion` never comes back.
 */
export interface SourceFilter {
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
}

/** One page of a search. */
export interface SearchRequest {
  readonly query: Query
  /** Sorted by this quantity, then by `entry_id`, both in `order`. A scalar quantity; default `entry_id`. */
  readonly orderBy?: Quantity
  readonly order: 'asc' | 'desc'
  /** Number of entries, 0 or more. */
  readonly size: number
  /** Entries to skip; not together with `after`. */
  readonly offset?: number
  readonly after?: Cursor
  readonly source?: SourceFilter
  /** What else is to be counted, by a name of the caller's choice; `size` may be 0 then. */
  readonly aggregations?: Readonly<Record<string, AggregationRequest>>
  /** Ends the search early, for a client that is gone. */
  readonly signal?: AbortSignal
}

/** One entry found. */
export interface Hit {
  readonly entryId: string
  /** The (filtered) document; where there is `text`, it is parsed when it is first looked at. */
  readonly document: Record<string, unknown>
  /** JSON of the document, of engines that have it as a text; without white space between its parts. */
  readonly text?: string
  /** Value it is sorted by; absent when sorted by `entry_id` alone. */
  readonly sortValue?: SortValue
}

/** What a search gives. `total` is exact, whatever its size, and does not depend on `after`. */
export interface SearchPage {
  readonly total: number
  readonly hits: readonly Hit[]
  /** By the names of the request; there when the request has aggregations, however few. */
  readonly aggregations?: Readonly<Record<string, AggregationResult>>
}

/** A quantity of which values are wanted. */
export interface WantedSuggestions {
  /** Of the kind `keyword`. */
  readonly quantity: Quantity
  readonly style: SuggestionStyle
  /** Number of values at most, 1 or more. */
  readonly size: number
}

/** Which values complete a typed text (`search.md` §9, `query/suggestion.ts`). */
export interface SuggestRequest {
  /** Only values of entries that match count. */
  readonly query: Query
  /** What was typed; no longer than SUGGESTION_INPUT_MAX. The empty text is completed by every value. */
  readonly input: string
  readonly wanted: readonly WantedSuggestions[]
  readonly signal?: AbortSignal
}

/** The states of documents by their ids: equal texts mean that nobody has written it meanwhile. */
export type Versions = ReadonlyMap<string, string>

/** The entries index. */
export interface EntryIndex {
  /** @throws SeraiError SEARCH_REFUSED, SEARCH_TIMEOUT, STORE_UNAVAILABLE; the signal's reason when that is given */
  search(request: SearchRequest): Promise<SearchPage>
  /** Number of entries that match. */
  count(query: Query, signal?: AbortSignal): Promise<number>
  /**
   * For each wanted quantity the values that complete the text: first those that begin with it, then those in which a part
   * does; each group in the order of UTF-8 bytes. Where very many entries match, an engine may look at some of them only.
   * @throws SeraiError as {@link search}
   */
  suggest(request: SuggestRequest): Promise<readonly (readonly string[])[]>
  /** Adds or replaces documents; they are found as soon as the promise resolves. */
  put(documents: readonly IndexDocument[]): Promise<void>
  /** Removes documents; unknown ids are no error. */
  remove(entryIds: readonly string[]): Promise<void>
  /** What state these documents are in; nothing for those that are not there. */
  versions(entryIds: readonly string[]): Promise<Versions>
  /**
   * Adds or replaces documents, each if it is as it was when `versions` told, or is still not there.
   * @returns ids of the others, which are left alone
   */
  replace(documents: readonly IndexDocument[], versions: Versions): Promise<readonly string[]>
  /**
   * Puts all documents into a new index, which is taken into use at once, while searches and writes of all processes go
   * on; nothing of what they write is lost. Of engines without versions of an index, indexes all documents anew.
   * @param onProgress told now and then how many documents are done
   */
  renew(onProgress?: (done: number, total: number) => void): Promise<void>
  /**
   * Asks for a sign of life.
   * @param limit milliseconds
   * @throws Error when the store does not answer within them, or cannot be used
   */
  ping(limit: number): Promise<void>
  /** Releases connections, workers and files. */
  close(): Promise<void>
}

/**
 * Refuses what entries cannot be sorted by; adapters call it.
 * @throws SeraiError SEARCH_REFUSED for a quantity that is kept as words
 */
export function requireSortable(quantity: Quantity): void {
  if (quantity.kind === 'text' || quantity.kind === 'path' || quantity.kind === 'none') {
    throw failure('SEARCH_REFUSED', { reason: `entries cannot be sorted by ${quantity.name}` })
  }
}

/**
 * Every matching entry, page by page, in the order of `orderBy` and `entry_id`. Each comes once, also while others are added
 * or removed; one whose value to order by changes meanwhile may be missed or come again.
 * Memory holds one page at a time; stop iterating to end it.
 */
export async function* walk(
  index: EntryIndex,
  request: Pick<SearchRequest, 'query' | 'orderBy' | 'order' | 'source' | 'signal'>,
  pageSize = 500
): AsyncGenerator<Hit> {
  let after: Cursor | undefined
  for (;;) {
    const page = await index.search({ ...request, size: pageSize, ...(after ? { after } : {}) })
    yield* page.hits
    const last = page.hits.at(-1)
    if (!last || page.hits.length < pageSize) return
    after = {
      entryId: last.entryId,
      ...(last.sortValue !== undefined ? { value: last.sortValue } : {})
    }
  }
}
