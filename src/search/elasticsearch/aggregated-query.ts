/** The query of a search together with its aggregations: what to ask for, and what the answer tells. */
import type { estypes } from '@elastic/elasticsearch'
import type { Query } from '../../query/tree.ts'
import type { AggregationRequest, AggregationResult } from '../aggregation.ts'
import { aggregationDsl, wrappers } from './aggregation-dsl.ts'
import { aggregationResult } from './aggregation-results.ts'
import { sharedQuery } from './conjuncts.ts'
import { queryDsl } from './query-dsl.ts'

/** Members of a request, and how its answer is read. */
export interface AggregatedQuery {
  readonly body: Pick<estypes.SearchRequest, 'query' | 'post_filter' | 'aggs'>
  results(answer: Readonly<Record<string, unknown>> | undefined): Record<string, AggregationResult>
}

/**
 * The request's query is what hits and aggregations have in common; what only the hits demand filters them afterwards.
 * @param query that of the hits
 */
export function aggregatedQuery(
  query: Query,
  aggregations: Readonly<Record<string, AggregationRequest>>
): AggregatedQuery {
  const wanted = Object.entries(aggregations)
  const { shared, rests } = sharedQuery([query, ...wanted.map(([, request]) => request.query)])
  const [hitsRest, ...others] = rests
  return {
    body: {
      query: queryDsl(shared),
      ...(hitsRest ? { post_filter: queryDsl(hitsRest) } : {}),
      // Numbers for names: the names are the caller's, and some would mean something in Elasticsearch.
      aggs: Object.fromEntries(
        wanted.map(([, { aggregation }], i) => [i, aggregationDsl(aggregation, others[i])])
      )
    },
    results: answer =>
      Object.fromEntries(
        wanted.map(([name, { aggregation }], i) => [
          name,
          aggregationResult(aggregation, answer?.[i], wrappers(aggregation, others[i]))
        ])
      )
  }
}
