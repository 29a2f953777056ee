/**
 * Aggregations -> Elasticsearch's language. Each is wrapped in what narrows its objects down: a filter where it sees fewer
 * entries than the request's query, the nested objects of its quantity, and which of those hold its values. The names in
 * the request are those of {@link PART}, whatever the caller calls things; `aggregation-results.ts` reads the answer.
 */
import type { estypes } from '@elastic/elasticsearch'
import type { Quantity } from '../../query/quantities.ts'
import { NONE, type Query } from '../../query/tree.ts'
import type { Aggregation, Examples, Include, Metric } from '../aggregation.ts'
import { nestedDsl, queryDsl, REGEXP_RESERVED } from './query-dsl.ts'
import { sourceOf } from './source-filter.ts'

type Dsl = estypes.AggregationsAggregationContainer
type Parts = Record<string, Dsl>

/** Names of the parts of an aggregation. */
export const PART = {
  /** What a wrapper holds. */
  inner: 'inner',
  entries: 'entries',
  examples: 'examples',
  distinct: 'distinct',
  min: 'min',
  max: 'max',
  percentiles: 'percentiles',
  count: 'count',
  value: 'value',
  order: 'order',
  /** The metric of this number. */
  metric: (index: number) => `metric${index}`
} as const

/** Counts of different values are exact up to this one, which is as far as Elasticsearch goes. */
const DISTINCT_EXACT = 40_000

/** Different values in all buckets that are kept exactly, eight bytes each. */
const DISTINCT_BUDGET = 4_000_000

/** Buckets of a histogram, about. */
const HISTOGRAM_BUCKETS = 300

/** Twenty times as many values have exact percentiles. */
const PERCENTILES_COMPRESSION = 1000

/**
 * The parts to ask for.
 * @param rest what the aggregation's query demands beside the query of the request
 */
export function aggregationDsl(aggregation: Aggregation, rest: Query | undefined): Dsl {
  const wrap = (outer: Dsl, inner: Dsl): Dsl => ({ ...outer, aggs: { [PART.inner]: inner } })
  const narrowed = narrowing(aggregation, rest)
  const filter = narrowed ? { filter: queryDsl(narrowed) } : undefined
  // Without a filter there would be nothing to hold the metrics and to count the entries.
  if (aggregation.kind === 'statistics') {
    return { filter: filter?.filter ?? { match_all: {} }, aggs: metricParts(aggregation.metrics, 1) }
  }
  const { nestedPath, within } = aggregation.quantity
  let dsl = core(aggregation)
  if (nestedPath !== undefined) {
    if (within) dsl = wrap({ filter: nestedDsl(nestedPath, within) }, dsl)
    dsl = wrap({ nested: { path: nestedPath } }, dsl)
  }
  return filter ? wrap(filter, dsl) : dsl
}

/** How many wrappers {@link aggregationDsl} puts around the aggregation. */
export function wrappers(aggregation: Aggregation, rest: Query | undefined): number {
  if (aggregation.kind === 'statistics') return 0
  const { nestedPath, within } = aggregation.quantity
  return (narrowing(aggregation, rest) ? 1 : 0) + (nestedPath === undefined ? 0 : within ? 2 : 1)
}

/** What the filter around an aggregation demands; undefined when there is none. */
function narrowing(aggregation: Aggregation, rest: Query | undefined): Query | undefined {
  // Elasticsearch takes a list of no booleans for all of them.
  const include = aggregation.kind === 'terms' ? aggregation.include : undefined
  return include?.kind === 'values' && include.values.length === 0 ? NONE : rest
}

/** All but the wrappers. More than one part is held by an outer filter of its own. */
function core(aggregation: Exclude<Aggregation, { kind: 'statistics' }>): Dsl {
  const { field } = aggregation.quantity
  switch (aggregation.kind) {
    case 'terms':
      return {
        terms: {
          field,
          size: aggregation.size,
          // One shard has few; where there are more, each gives enough for counts that are exact in all likelihood.
          shard_size: Math.max(aggregation.size, Math.min(10 * aggregation.size + 1000, 65_536)),
          order: [{ _count: 'desc' }, { _key: 'asc' }],
          ...(aggregation.include ? { include: include(aggregation.include) } : {})
        },
        aggs: bucketParts(aggregation, aggregation.size)
      }
    case 'terms_page': {
      const { orderBy, order, after, size } = aggregation
      return group({
        [PART.inner]: {
          composite: {
            size,
            sources: [
              ...(orderBy ? [{ [PART.order]: { terms: { field: orderBy.field, order } } }] : []),
              { [PART.value]: { terms: { field, order } } }
            ],
            ...(after
              ? {
                  after: { ...(orderBy ? { [PART.order]: after.orderValue } : {}), [PART.value]: after.value }
                }
              : {})
          } as estypes.AggregationsCompositeAggregation,
          aggs: bucketParts(aggregation, size)
        },
        [PART.distinct]: { cardinality: { field, precision_threshold: DISTINCT_EXACT } }
      })
    }
    case 'histogram':
      return {
        histogram: { field, interval: aggregation.interval, offset: aggregation.offset, min_doc_count: 1 },
        aggs: metricParts(aggregation.metrics, HISTOGRAM_BUCKETS)
      }
    case 'calendar':
      return {
        date_histogram: { field, calendar_interval: aggregation.unit, min_doc_count: 1 },
        aggs: metricParts(aggregation.metrics, HISTOGRAM_BUCKETS)
      }
    case 'ranges': {
      const { edges } = aggregation
      return {
        range: { field, ranges: edges.slice(1).map((to, i) => ({ from: edges[i] as number, to })) },
        aggs: metricParts(aggregation.metrics, edges.length)
      }
    }
    case 'min_max':
      return group({ [PART.min]: { min: { field } }, [PART.max]: { max: { field } } })
    case 'percentiles': {
      const parts: Parts = {
        [PART.percentiles]: {
          percentiles: {
            field,
            percents: [...new Set(aggregation.percents)],
            keyed: false,
            tdigest: { compression: PERCENTILES_COMPRESSION }
          }
        },
        [PART.count]: { value_count: { field } }
      }
      const { groupBy } = aggregation
      if (!groupBy) return group(parts)
      return {
        terms: {
          field: groupBy.quantity.field,
          size: groupBy.size,
          order: [{ _count: 'desc' }, { _key: 'asc' }]
        },
        aggs: parts
      }
    }
  }
}

function group(aggs: Parts): Dsl {
  return { filter: { match_all: {} }, aggs }
}

function include(which: Include): estypes.AggregationsTermsInclude {
  if (which.kind === 'contains') return `.*${which.text.toWellFormed().replace(REGEXP_RESERVED, '\\$&')}.*`
  return which.values.map(value => String(value).toWellFormed())
}

function bucketParts(
  aggregation: {
    readonly quantity: Quantity
    readonly metrics?: readonly Metric[]
    readonly examples?: Examples
  },
  buckets: number
): Parts {
  const { quantity, metrics, examples } = aggregation
  const nested = quantity.nestedPath !== undefined
  return {
    ...metricParts(metrics, buckets),
    ...(nested ? { [PART.entries]: { reverse_nested: {} } } : {}),
    ...(examples
      ? {
          [PART.examples]: {
            top_hits: {
              size: examples.size,
              _source: sourceOf(examples.source),
              // Nested objects cannot be sorted by a value of their entry.
              sort: nested ? ['_doc'] : [{ entry_id: { order: 'asc' } }]
            }
          }
        }
      : {})
  }
}

function metricParts(metrics: readonly Metric[] | undefined, buckets: number): Parts {
  const precision_threshold = Math.min(DISTINCT_EXACT, Math.max(100, Math.floor(DISTINCT_BUDGET / buckets)))
  const parts: Parts = {}
  for (const [i, metric] of (metrics ?? []).entries()) {
    if (metric.kind === 'sum') parts[PART.metric(i)] = { sum: { field: metric.quantity.field } }
    else if (metric.kind === 'cardinality') {
      parts[PART.metric(i)] = { cardinality: { field: metric.quantity.field, precision_threshold } }
    }
  }
  return parts
}
