/** A search with aggregations (`search.md` §5): the hits, and what is counted beside them. */
import {
  type Aggregations,
  aggregationAnswers,
  aggregationRequests,
  extentRequests,
  isExcluding
} from '../query/aggregation/aggregations.ts'
import { excludingQueries } from '../query/aggregation/exclusion.ts'
import type { Quantity } from '../query/quantities.ts'
import type { Query } from '../query/tree.ts'
import type { AggregationResult } from '../search/aggregation.ts'
import type { EntryIndex, SearchPage, SearchRequest } from '../search/entry-index.ts'
import type { EntrySearch } from './entry-search.ts'
import { presentDocument } from './present/entry.ts'

/** A page, and the member `aggregations` of the answer. */
export interface AggregatedPage {
  readonly page: SearchPage
  readonly answers: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/**
 * Searches with aggregations: one request to the index, after one for extents where an aggregation depends on them.
 * @param request the page to ask for; its `query` is that of the search
 * @throws SeraiError SEARCH_REFUSED (400) when there are too many buckets; as the index
 */
export async function aggregatedSearch(
  index: EntryIndex,
  search: Pick<EntrySearch, 'query' | 'criteria' | 'ownerRule'>,
  aggregations: Aggregations,
  request: SearchRequest
): Promise<AggregatedPage> {
  const { query, queryOf } = queries(search, aggregations)
  const first = extentRequests(aggregations, queryOf)
  const extents =
    Object.keys(first).length > 0
      ? await resultsOf(index, { query, order: 'asc', size: 0, aggregations: first, signal: request.signal })
      : {}
  const page = await index.search({
    ...request,
    query,
    aggregations: aggregationRequests(aggregations, queryOf, extents)
  })
  return { page, answers: aggregationAnswers(aggregations, presented(results(page)), extents) }
}

/** The query of the hits, and those of the aggregations: the same object where nothing is left out. */
function queries(
  { query, criteria, ownerRule }: Pick<EntrySearch, 'query' | 'criteria' | 'ownerRule'>,
  aggregations: Aggregations
): { query: Query; queryOf: (excluded: Quantity | undefined) => Query } {
  if (!isExcluding(aggregations)) return { query, queryOf: () => query }
  const { all, without } = excludingQueries(criteria, ownerRule)
  return { query: all, queryOf: excluded => (excluded ? without(excluded) : all) }
}

async function resultsOf(
  index: EntryIndex,
  { signal, ...request }: Omit<SearchRequest, 'signal'> & { signal: AbortSignal | undefined }
): Promise<Readonly<Record<string, AggregationResult>>> {
  return results(await index.search({ ...request, ...(signal ? { signal } : {}) }))
}

function results({ aggregations = {} }: SearchPage): Readonly<Record<string, AggregationResult>> {
  return aggregations
}

/** The results with what clients may see of example entries. */
function presented(
  results: Readonly<Record<string, AggregationResult>>
): Readonly<Record<string, AggregationResult>> {
  return Object.fromEntries(Object.entries(results).map(([name, result]) => [name, presentedResult(result)]))
}

function presentedResult(result: AggregationResult): AggregationResult {
  if (result.kind !== 'terms' && result.kind !== 'terms_page') return result
  const buckets = result.buckets.map(bucket =>
    bucket.examples ? { ...bucket, examples: bucket.examples.map(presentDocument) } : bucket
  )
  return { ...result, buckets }
}
