/** What Elasticsearch answers to `aggregation-dsl.ts`, as results of the port. */
import type { Quantity } from '../../query/quantities.ts'
import type { Scalar } from '../../query/tree.ts'
import type { Aggregation, AggregationResult, Bucket, Metric, TermsPageBucket } from '../aggregation.ts'
import { withoutEmptyItems } from '../empty-items.ts'
import { PART } from './aggregation-dsl.ts'

/** A part of the answer: a wrapper, a bucket or a number; the members depend on what was asked. */
interface Part {
  readonly [name: string]: unknown
  readonly doc_count?: number
  readonly buckets?: readonly Part[]
  readonly key?: unknown
  readonly from?: number
  readonly value?: number | null
  readonly values?: readonly { readonly key: number; readonly value: number | null }[]
  readonly hits?: { readonly hits: readonly { readonly _source?: Record<string, unknown> }[] }
}

/**
 * The result of an aggregation.
 * @param wrappers how many wrappers are around it
 */
export function aggregationResult(
  aggregation: Aggregation,
  answer: unknown,
  wrappers: number
): AggregationResult {
  let part = answer as Part
  for (let i = 0; i < wrappers; i++) part = inside(part, PART.inner)
  switch (aggregation.kind) {
    case 'statistics':
      return { kind: 'statistics', metrics: metricsOf(part, aggregation.metrics) }
    case 'min_max':
      return {
        kind: 'min_max',
        min: numberOf(inside(part, PART.min)),
        max: numberOf(inside(part, PART.max))
      }
    case 'terms':
      return {
        kind: 'terms',
        buckets: bucketsOf(part).map(bucket => termsBucket(aggregation, bucket, bucket.key))
      }
    case 'terms_page':
      return {
        kind: 'terms_page',
        buckets: bucketsOf(inside(part, PART.inner)).map(bucket => {
          const key = bucket.key as Readonly<Record<string, unknown>>
          const { orderBy } = aggregation
          return {
            ...termsBucket(aggregation, bucket, key[PART.value]),
            ...(orderBy ? { orderValue: scalar(orderBy, key[PART.order]) } : {})
          }
        }),
        distinct: numberOf(inside(part, PART.distinct)) ?? 0
      }
    case 'histogram':
    case 'calendar':
      return {
        kind: aggregation.kind,
        buckets: bucketsOf(part).map(bucket => plainBucket(bucket, Number(bucket.key), aggregation.metrics))
      }
    case 'ranges':
      return {
        kind: 'ranges',
        buckets: bucketsOf(part)
          .filter(bucket => (bucket.doc_count ?? 0) > 0)
          .map(bucket => plainBucket(bucket, Number(bucket.from), aggregation.metrics))
      }
    case 'percentiles': {
      const { groupBy, percents } = aggregation
      const groups = groupBy ? bucketsOf(part) : [part]
      return {
        kind: 'percentiles',
        groups: groups
          .map(group => {
            const values = inside(group, PART.percentiles).values ?? []
            return {
              ...(groupBy ? { value: scalar(groupBy.quantity, group.key) } : {}),
              count: numberOf(inside(group, PART.count)) ?? 0,
              percentiles: percents.map(p => Number(values.find(({ key }) => key === p)?.value))
            }
          })
          .filter(({ count }) => count > 0)
      }
    }
  }
}

function inside(part: Part, name: string): Part {
  return (part[name] ?? {}) as Part
}

function bucketsOf(part: Part): readonly Part[] {
  return part.buckets ?? []
}

/** Infinite numbers are texts in the answer, missing ones null. */
function numberOf({ value }: Part): number | null {
  return value === null || value === undefined ? null : Number(value)
}

/** A key in the type of the quantity; those of booleans may be numbers. */
function scalar({ kind }: Quantity, key: unknown): Scalar {
  if (kind === 'keyword') return String(key)
  return kind === 'boolean' ? key === true || key === 1 : Number(key)
}

function metricsOf(part: Part, metrics: readonly Metric[]): Record<string, number> {
  return Object.fromEntries(
    metrics.map((metric, i) => [
      metric.name,
      metric.kind === 'entries' ? (part.doc_count ?? 0) : (numberOf(inside(part, PART.metric(i))) ?? 0)
    ])
  )
}

function plainBucket<Value extends Scalar>(
  part: Part,
  value: Value,
  metrics: readonly Metric[] | undefined
): Bucket<Value> {
  return {
    value,
    objects: part.doc_count ?? 0,
    ...(metrics ? { metrics: metricsOf(part, metrics) } : {})
  }
}

function termsBucket(
  { quantity, metrics, examples }: Extract<Aggregation, { kind: 'terms' | 'terms_page' }>,
  part: Part,
  key: unknown
): TermsPageBucket {
  const objects = part.doc_count ?? 0
  return {
    ...plainBucket(part, scalar(quantity, key), metrics),
    entries: quantity.nestedPath === undefined ? objects : (inside(part, PART.entries).doc_count ?? 0),
    ...(examples ? { examples: inside(part, PART.examples).hits?.hits.map(documentOf) ?? [] } : {})
  }
}

function documentOf({ _source }: { readonly _source?: Record<string, unknown> }): Record<string, unknown> {
  return withoutEmptyItems(_source ?? {}) as Record<string, unknown>
}
