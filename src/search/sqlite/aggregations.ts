/**
 * Answers the aggregations of a request: finds the objects that each looks at, and has them counted. Made anew for every
 * request, so that what several aggregations look at is read once.
 */
import { type AggregationResult, requireBuckets } from '../aggregation.ts'
import type { WireAggregation, WireAggregations, WireOf } from './aggregation-wire.ts'
import { Columns } from './columns.ts'
import { Examples } from './examples.ts'
import type { IdOrder } from './id-order.ts'
import type { Matches } from './matches.ts'
import { Metrics } from './metrics.ts'
import { NumberBuckets } from './number-buckets.ts'
import type { RowSet } from './row-set.ts'
import type { StoredDocuments } from './stored-documents.ts'
import { TermBuckets } from './term-buckets.ts'
import { TermGroups } from './term-groups.ts'
import { TermPairs } from './term-pairs.ts'
import { scalarOf } from './term-value.ts'
import type { OrderField, WireQuery } from './wire.ts'

/** Conjuncts that are looked for among those of the other queries. */
const SHARED_CONJUNCTS = 64

/** Aggregations within one request. */
export class Aggregations {
  readonly #matches: Matches
  readonly #columns: Columns
  readonly #groups: TermGroups
  readonly #numbers: NumberBuckets
  readonly #terms: TermBuckets
  readonly #metrics: Metrics
  readonly #entries = new Map<WireQuery, RowSet>()
  /** Objects by entries, path and the condition on them. */
  readonly #objects = new Map<RowSet, Map<string, RowSet>>()

  /**
   * @param query of the request
   * @param entries what it matches
   */
  constructor(matches: Matches, ids: IdOrder, documents: StoredDocuments, query: WireQuery, entries: RowSet) {
    this.#matches = matches
    this.#entries.set(query, entries)
    this.#columns = new Columns(matches.tables)
    this.#groups = new TermGroups(matches, this.#columns, documents, ids)
    this.#metrics = new Metrics(this.#columns, this.#groups)
    this.#numbers = new NumberBuckets(this.#columns, this.#metrics)
    const examples = new Examples(this.#columns, documents, ids)
    const pairs = new TermPairs(matches.tables, this.#columns, this.#groups, ids)
    this.#terms = new TermBuckets(this.#columns, this.#groups, pairs, this.#metrics, examples)
  }

  /**
   * The results by name.
   * @throws Stopped; SeraiError SEARCH_REFUSED for too many buckets
   */
  answer(aggregations: WireAggregations): Record<string, AggregationResult> {
    const results: [string, AggregationResult][] = []
    let buckets = 0
    for (const [name, { query, aggregation }] of Object.entries(aggregations)) {
      const result = this.#result(aggregation, this.#matching(query))
      if ('buckets' in result) buckets += result.buckets.length
      requireBuckets(buckets)
      results.push([name, result])
    }
    return Object.fromEntries(results)
  }

  #result(aggregation: WireAggregation, entries: RowSet): AggregationResult {
    if (aggregation.kind === 'statistics')
      return { kind: 'statistics', metrics: this.#metrics.of(aggregation.metrics, entries) }
    const objects = this.#objectsOf(aggregation.quantity, entries)
    switch (aggregation.kind) {
      case 'terms':
        return { kind: 'terms', buckets: this.#terms.largest(aggregation, objects) }
      case 'terms_page':
        return { kind: 'terms_page', ...this.#terms.page(aggregation, objects) }
      case 'min_max':
        return this.#minMax(aggregation, objects)
      case 'percentiles':
        return this.#percentiles(aggregation, objects)
      default:
        return { kind: aggregation.kind, buckets: this.#numbers.of(aggregation, objects) }
    }
  }

  /** The entries that a query matches; parts that it shares with another query of the request are evaluated once. */
  #matching(query: WireQuery): RowSet {
    let rows = this.#entries.get(query)
    if (!rows) {
      rows =
        query.kind === 'and' && query.of.length > 0 && query.of.length <= SHARED_CONJUNCTS
          ? query.of.map(part => this.#matching(part)).reduce((a, b) => a.and(b))
          : this.#matches.of(query)
      this.#entries.set(query, rows)
    }
    return rows
  }

  #objectsOf({ nestedPath, within }: OrderField, entries: RowSet): RowSet {
    if (nestedPath === undefined) return entries
    let known = this.#objects.get(entries)
    if (!known) {
      known = new Map()
      this.#objects.set(entries, known)
    }
    const key = `${nestedPath} ${within ? JSON.stringify(within) : ''}`
    let objects = known.get(key)
    if (!objects) {
      const all = this.#columns.objectsIn(entries, nestedPath)
      objects = within ? all.and(this.#matches.within(nestedPath, within)) : all
      known.set(key, objects)
    }
    return objects
  }

  #minMax({ quantity }: WireOf<'min_max'>, objects: RowSet): AggregationResult {
    let min = Number.POSITIVE_INFINITY
    let max = Number.NEGATIVE_INFINITY
    this.#columns.each(quantity.name, objects, (_, value) => {
      if (value < min) min = value
      if (value > max) max = value
    })
    return min > max ? { kind: 'min_max', min: null, max: null } : { kind: 'min_max', min, max }
  }

  #percentiles({ quantity, percents, groupBy }: WireOf<'percentiles'>, objects: RowSet): AggregationResult {
    const groups = groupBy
      ? this.#groups.largest(groupBy.quantity, objects, groupBy.size).map(group => ({
          value: scalarOf(groupBy.quantity, group.term),
          rows: group.rows()
        }))
      : [{ rows: objects }]
    return {
      kind: 'percentiles',
      groups: groups.flatMap(({ rows, ...group }) => {
        const found: number[] = []
        this.#columns.each(quantity.name, rows, (_, value) => found.push(value))
        if (found.length === 0) return []
        const values = Float64Array.from(found).sort()
        return [{ ...group, count: values.length, percentiles: percents.map(p => percentile(values, p)) }]
      })
    }
  }
}

/** The value at the place of the percent among ascending values, between two of them linearly. */
function percentile(values: Float64Array, percent: number): number {
  const place = (percent / 100) * (values.length - 1)
  const below = values[Math.floor(place)] as number
  const above = values[Math.ceil(place)] as number
  return below + (above - below) * (place - Math.floor(place))
}
