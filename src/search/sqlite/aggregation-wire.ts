/** Aggregations as the main thread sends them to a worker: plain data, quantities as names of fields. */
import type { Quantity } from '../../query/quantities.ts'
import type { Query } from '../../query/tree.ts'
import type { Aggregation, AggregationRequest, Metric } from '../aggregation.ts'
import { type OrderField, orderField, type WireQuery, wireQuery } from './wire.ts'

/** The same with fields in place of quantities. */
type Wired<T> = T extends Quantity
  ? OrderField
  : T extends readonly (infer Item)[]
    ? readonly Wired<Item>[]
    : T extends object
      ? { [Member in keyof T]: Wired<T[Member]> }
      : T

/** {@link Aggregation} as it is sent. */
export type WireAggregation = Wired<Aggregation>
export type WireMetric = Wired<Metric>

/** An aggregation of this kind as it is sent. */
export type WireOf<Kind extends Aggregation['kind']> = Extract<WireAggregation, { readonly kind: Kind }>

/** {@link AggregationRequest}s by name; equal queries are one object, which they stay on the way to the worker. */
export type WireAggregations = Readonly<
  Record<string, { readonly query: WireQuery; readonly aggregation: WireAggregation }>
>

/**
 * The aggregations of a request.
 * @param query of the request
 * @param wired the same as it is sent
 */
export function wireAggregations(
  aggregations: Readonly<Record<string, AggregationRequest>>,
  query: Query,
  wired: WireQuery
): WireAggregations {
  const known = new Map<Query, WireQuery>([[query, wired]])
  if (query.kind === 'and' && wired.kind === 'and') {
    for (const [i, part] of query.of.entries()) known.set(part, wired.of[i] as WireQuery)
  }
  const once = (given: Query): WireQuery => {
    let result = known.get(given)
    if (!result) {
      result = given.kind === 'and' ? { kind: 'and', of: given.of.map(once) } : wireQuery(given)
      known.set(given, result)
    }
    return result
  }
  return Object.fromEntries(
    Object.entries(aggregations).map(([name, request]) => [
      name,
      { query: once(request.query), aggregation: wireAggregation(request.aggregation) }
    ])
  )
}

function wireAggregation(aggregation: Aggregation): WireAggregation {
  switch (aggregation.kind) {
    case 'statistics':
      return { ...aggregation, metrics: aggregation.metrics.map(wireMetric) }
    case 'min_max':
      return { ...aggregation, quantity: orderField(aggregation.quantity) }
    case 'percentiles': {
      const { groupBy, ...rest } = aggregation
      return {
        ...rest,
        quantity: orderField(rest.quantity),
        ...(groupBy ? { groupBy: { ...groupBy, quantity: orderField(groupBy.quantity) } } : {})
      }
    }
    default: {
      const { quantity, metrics, ...rest } = aggregation
      return {
        ...rest,
        ...('orderBy' in rest && rest.orderBy ? { orderBy: orderField(rest.orderBy) } : {}),
        quantity: orderField(quantity),
        ...(metrics ? { metrics: metrics.map(wireMetric) } : {})
      } as WireAggregation
    }
  }
}

function wireMetric(metric: Metric): WireMetric {
  return metric.kind === 'entries' ? metric : { ...metric, quantity: orderField(metric.quantity) }
}
