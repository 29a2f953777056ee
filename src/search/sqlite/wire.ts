/** What the main thread and the workers say to each other: plain data, quantities as names of fields. */
import type { Quantity, SuggestionStyle } from '../../query/quantities.ts'
import type { Bounds, Query, Scalar, SubstringPlace, TextMode } from '../../query/tree.ts'
import type { AggregationResult } from '../aggregation.ts'
import {
  type Cursor,
  requireSortable,
  type SearchRequest,
  type SortValue,
  type SourceFilter,
  type SuggestRequest,
  type Versions
} from '../entry-index.ts'
import { type WireAggregations, wireAggregations } from './aggregation-wire.ts'
import { type FieldPlan, isKeptByRow } from './fields.ts'

/** A quantity as an engine needs it. */
export interface FieldName {
  readonly name: string
  readonly kind: Quantity['kind']
  readonly source: string
  readonly nestedPath?: string
  /** Whether its terms are kept by row too; see `Field`. */
  readonly byRow?: true
}

/** {@link Query} with fields in place of quantities. */
export type WireQuery =
  | { readonly kind: 'all' }
  | { readonly kind: 'none' }
  | { readonly kind: 'and'; readonly of: readonly WireQuery[] }
  | { readonly kind: 'or'; readonly of: readonly WireQuery[] }
  | { readonly kind: 'not'; readonly of: WireQuery }
  | { readonly kind: 'terms'; readonly field: FieldName; readonly values: readonly Scalar[] }
  | { readonly kind: 'range'; readonly field: FieldName; readonly bounds: Bounds }
  | { readonly kind: 'text'; readonly field: FieldName; readonly mode: TextMode; readonly text: string }
  | { readonly kind: 'exists'; readonly field: FieldName }
  | {
      readonly kind: 'substring'
      readonly field: FieldName
      readonly at: SubstringPlace
      readonly text: string
    }
  | { readonly kind: 'nested'; readonly path: string; readonly query: WireQuery }

/** What entries are sorted by, or what is counted. */
export interface OrderField extends FieldName {
  /** Of the nested objects, those whose values count; without it nested values do not count at all. */
  readonly within?: WireQuery
}

/** {@link SearchRequest} as it is sent. */
export interface WireSearch {
  readonly kind: 'search'
  readonly query: WireQuery
  readonly orderBy?: OrderField
  readonly order: 'asc' | 'desc'
  readonly size: number
  readonly offset: number
  readonly after?: Cursor
  readonly source?: SourceFilter
  readonly aggregations?: WireAggregations
}

/** {@link WantedSuggestions} as they are sent. */
export interface WireSuggestion {
  readonly field: FieldName
  readonly style: SuggestionStyle
  readonly size: number
}

/** {@link SuggestRequest} as it is sent. */
export interface WireSuggest {
  readonly kind: 'suggest'
  readonly query: WireQuery
  readonly input: string
  readonly wanted: readonly WireSuggestion[]
}

/** What a reading worker is asked. */
export type ReadRequest = WireSearch | WireSuggest | { readonly kind: 'count'; readonly query: WireQuery }

/** What the writing worker is asked; documents as JSON. */
export type WriteRequest =
  | { readonly kind: 'prepare' }
  /** `open`: the next request is of the same transaction, `put`, `replace` or `commit`. */
  | { readonly kind: 'put'; readonly texts: readonly string[]; readonly open?: boolean }
  | { readonly kind: 'commit' }
  | { readonly kind: 'remove'; readonly entryIds: readonly string[] }
  /** Gives the ids of documents that are not as they were; `open` as above. */
  | {
      readonly kind: 'replace'
      readonly texts: readonly string[]
      readonly versions: Versions
      readonly open?: boolean
    }

/** What a search gives: documents as JSON, which costs the main thread less than copied objects. */
export interface WirePage {
  readonly total: number
  readonly hits: readonly {
    readonly entryId: string
    readonly text: string
    readonly sortValue?: SortValue
  }[]
  readonly aggregations?: Readonly<Record<string, AggregationResult>>
}

/** How a worker is started. */
export interface WorkerSetup {
  readonly role: 'read' | 'write'
  readonly file: string
  readonly plan: FieldPlan
  /** One number: 1 asks the worker to stop what it does. */
  readonly stop: Int32Array
}

/** A request with its number; `close` ends the worker. */
export type WorkerMessage = { readonly id: number; readonly request: ReadRequest | WriteRequest } | 'close'

/** The answer to the request of that number. */
export type WorkerAnswer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { readonly message: string; readonly code?: string } }

function fieldName(quantity: Quantity): FieldName {
  const { field, kind, source, nestedPath } = quantity
  return {
    name: field,
    kind,
    source,
    ...(nestedPath ? { nestedPath } : {}),
    ...(isKeptByRow(quantity) ? { byRow: true } : {})
  }
}

/** A quantity with the nested objects that hold its values. */
export function orderField(quantity: Quantity): OrderField {
  const { within } = quantity
  return { ...fieldName(quantity), ...(within ? { within: wireQuery(within) } : {}) }
}

/** The query with fields in place of quantities. */
export function wireQuery(query: Query): WireQuery {
  switch (query.kind) {
    case 'all':
    case 'none':
      return query
    case 'and':
    case 'or':
      return { kind: query.kind, of: query.of.map(wireQuery) }
    case 'not':
      return { kind: 'not', of: wireQuery(query.of) }
    case 'nested':
      return { kind: 'nested', path: query.path, query: wireQuery(query.query) }
    default: {
      const { quantity, ...rest } = query
      return { ...rest, field: fieldName(quantity) } as WireQuery
    }
  }
}

/**
 * The request as it is sent.
 * @throws SeraiError SEARCH_REFUSED when it is to be sorted by words
 */
export function wireSearch(request: SearchRequest): WireSearch {
  const { query: given, orderBy, order, size, offset, after, source, aggregations } = request
  if (orderBy) requireSortable(orderBy)
  const query = wireQuery(given)
  return {
    kind: 'search',
    query,
    ...(aggregations ? { aggregations: wireAggregations(aggregations, given, query) } : {}),
    ...(orderBy ? { orderBy: orderField(orderBy) } : {}),
    order,
    size,
    offset: offset ?? 0,
    ...(after ? { after } : {}),
    ...(source ? { source } : {})
  }
}

/** The request as it is sent. */
export function wireSuggest({ query, input, wanted }: SuggestRequest): WireSuggest {
  return {
    kind: 'suggest',
    query: wireQuery(query),
    input,
    wanted: wanted.map(({ quantity, style, size }) => ({ field: fieldName(quantity), style, size }))
  }
}
