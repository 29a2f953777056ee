/** What an aggregation gives, by looking at every object of every document: the measure for the engines. */
import type { Quantity } from '../../src/query/quantities.ts'
import type { Scalar } from '../../src/query/tree.ts'
import type {
  Aggregation,
  AggregationRequest,
  AggregationResult,
  Bucket,
  Include,
  Metric
} from '../../src/search/aggregation.ts'
import type { IndexDocument } from '../../src/search/entry-index.ts'
import { compareValues, matches, objectsOf, valuesAt } from './naive.ts'

/** An object with the document that it stands in. */
interface Place {
  readonly document: IndexDocument
  readonly object: unknown
}

/** Objects that have something in common. */
interface Group {
  readonly key: readonly Scalar[]
  readonly places: Place[]
}

/** The result, all but the examples of its buckets; {@link placesOf} tells what these may be. */
export function aggregated(
  { query, aggregation }: AggregationRequest,
  documents: readonly IndexDocument[]
): AggregationResult {
  const found = documents.filter(document => matches(query, document))
  switch (aggregation.kind) {
    case 'statistics':
      return { kind: 'statistics', metrics: metricsOf(aggregation.metrics, found) }
    case 'min_max': {
      const values = numbersOf(aggregation.quantity, placesIn(aggregation.quantity, found))
      return {
        kind: 'min_max',
        min: values.length > 0 ? Math.min(...values) : null,
        max: values.length > 0 ? Math.max(...values) : null
      }
    }
    case 'terms': {
      const buckets = groups(aggregation, found)
        .filter(({ key: [value] }) => isIncluded(aggregation.include, value as Scalar))
        .sort((a, b) => b.places.length - a.places.length || compareKeys(a.key, b.key))
        .slice(0, aggregation.size)
      return { kind: 'terms', buckets: buckets.map(group => termsBucket(aggregation, group)) }
    }
    case 'terms_page': {
      const { order, after, orderBy, size } = aggregation
      const sign = order === 'asc' ? 1 : -1
      const all = groups(aggregation, found)
      const buckets = all
        .filter(({ key }) => {
          if (!after) return true
          const place = orderBy ? [after.orderValue as Scalar, after.value] : [after.value]
          return sign * compareKeys(key, place) > 0
        })
        .sort((a, b) => sign * compareKeys(a.key, b.key))
        .slice(0, size)
      const places = placesIn(aggregation.quantity, found)
      return {
        kind: 'terms_page',
        buckets: buckets.map(group => ({
          ...termsBucket(aggregation, group),
          ...(orderBy ? { orderValue: group.key[0] as Scalar } : {})
        })),
        distinct: new Set(places.flatMap(({ object }) => valuesAt(aggregation.quantity, object))).size
      }
    }
    case 'histogram':
    case 'calendar':
    case 'ranges': {
      const buckets = groups(aggregation, found).sort((a, b) => compareKeys(a.key, b.key))
      return {
        kind: aggregation.kind,
        buckets: buckets.map(group => bucket(aggregation.metrics, group, group.key[0] as number))
      }
    }
    case 'percentiles': {
      const { quantity, groupBy, percents } = aggregation
      const all = groupBy
        ? grouped(placesIn(groupBy.quantity, found), o => keys([valuesAt(groupBy.quantity, o)]))
            .sort((a, b) => b.places.length - a.places.length || compareKeys(a.key, b.key))
            .slice(0, groupBy.size)
        : [{ key: [], places: placesIn(quantity, found) }]
      return {
        kind: 'percentiles',
        groups: all
          .map(({ key: [value], places }) => {
            const values = numbersOf(quantity, places).sort((a, b) => a - b)
            return {
              ...(value === undefined ? {} : { value }),
              count: values.length,
              percentiles: percents.map(p => percentile(values, p))
            }
          })
          .filter(({ count }) => count > 0)
      }
    }
  }
}

/** The objects that the examples of a bucket may be of. */
export function placesOf(
  { query, aggregation }: AggregationRequest,
  wanted: { readonly value: Scalar; readonly orderValue?: Scalar },
  documents: readonly IndexDocument[]
): Place[] {
  if (aggregation.kind !== 'terms' && aggregation.kind !== 'terms_page') return []
  const found = documents.filter(document => matches(query, document))
  const key = wanted.orderValue === undefined ? [wanted.value] : [wanted.orderValue, wanted.value]
  return groups(aggregation, found).find(group => compareKeys(group.key, key) === 0)?.places ?? []
}

function placesIn(quantity: Quantity, documents: readonly IndexDocument[]): Place[] {
  return documents.flatMap(document => objectsOf(quantity, document).map(object => ({ document, object })))
}

/** Groups by the buckets that the values of an object lie in. */
function groups(
  aggregation: Extract<Aggregation, { kind: 'terms' | 'terms_page' | 'histogram' | 'calendar' | 'ranges' }>,
  documents: readonly IndexDocument[]
): Group[] {
  const { quantity } = aggregation
  return grouped(placesIn(quantity, documents), object => {
    const values = valuesAt(quantity, object)
    switch (aggregation.kind) {
      case 'terms':
        return keys([values])
      case 'terms_page':
        return keys(aggregation.orderBy ? [valuesAt(aggregation.orderBy, object), values] : [values])
      case 'histogram': {
        const { interval, offset } = aggregation
        return keys([values.map(v => Math.floor((Number(v) - offset) / interval) * interval + offset)])
      }
      case 'calendar':
        return keys([values.map(v => startOf(aggregation.unit, new Date(Number(v))))])
      case 'ranges': {
        const { edges } = aggregation
        return keys([
          values.flatMap(v =>
            edges.slice(0, -1).filter((edge, i) => Number(v) >= edge && Number(v) < (edges[i + 1] as number))
          )
        ])
      }
    }
  })
}

/** Every combination of one value of each. */
function keys(values: readonly (readonly Scalar[])[]): Scalar[][] {
  return values.reduce<Scalar[][]>((all, own) => all.flatMap(key => own.map(value => [...key, value])), [[]])
}

function grouped(places: readonly Place[], keysOf: (object: unknown) => readonly Scalar[][]): Group[] {
  const found = new Map<string, Group>()
  for (const place of places) {
    for (const [id, key] of new Map(keysOf(place.object).map(key => [JSON.stringify(key), key]))) {
      const group = found.get(id)
      if (group) group.places.push(place)
      else found.set(id, { key, places: [place] })
    }
  }
  return [...found.values()]
}

function startOf(unit: 'month' | 'quarter' | 'year', date: Date): number {
  const month = unit === 'year' ? 0 : date.getUTCMonth()
  return Date.UTC(date.getUTCFullYear(), unit === 'quarter' ? month - (month % 3) : month)
}

function isIncluded(include: Include | undefined, value: Scalar): boolean {
  if (!include) return true
  return include.kind === 'contains' ? String(value).includes(include.text) : include.values.includes(value)
}

function compareKeys(a: readonly Scalar[], b: readonly Scalar[]): number {
  const plain = (value: Scalar) => (typeof value === 'boolean' ? Number(value) : value)
  for (const [i, value] of a.entries()) {
    const order = compareValues(plain(value), plain(b[i] as Scalar))
    if (order !== 0) return order
  }
  return 0
}

function numbersOf(quantity: Quantity, places: readonly Place[]): number[] {
  return places.flatMap(({ object }) => valuesAt(quantity, object)).map(Number)
}

function percentile(values: readonly number[], percent: number): number {
  const place = (percent / 100) * (values.length - 1)
  const [low, high] = [values[Math.floor(place)] as number, values[Math.ceil(place)] as number]
  return low + (high - low) * (place - Math.floor(place))
}

function metricsOf(metrics: readonly Metric[], documents: readonly IndexDocument[]): Record<string, number> {
  return Object.fromEntries(
    metrics.map(metric => {
      if (metric.kind === 'entries') return [metric.name, documents.length]
      const values = documents.flatMap(document => valuesAt(metric.quantity, document))
      if (metric.kind === 'cardinality') return [metric.name, new Set(values).size]
      return [metric.name, values.reduce<number>((sum, value) => sum + Number(value), 0)]
    })
  )
}

function bucket<Value extends Scalar>(
  metrics: readonly Metric[] | undefined,
  { places }: Group,
  value: Value
): Bucket<Value> {
  return {
    value,
    objects: places.length,
    ...(metrics
      ? {
          metrics: metricsOf(
            metrics,
            places.map(({ document }) => document)
          )
        }
      : {})
  }
}

function termsBucket({ metrics }: { readonly metrics?: readonly Metric[] }, group: Group) {
  return {
    ...bucket(metrics, group, group.key.at(-1) as Scalar),
    entries: new Set(group.places.map(({ document }) => document.entry_id)).size
  }
}
