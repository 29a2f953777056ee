/** Buckets of keywords and booleans: the largest ones, or one page after the other. */
import type { TermsBucket, TermsPageBucket } from '../aggregation.ts'
import type { WireOf } from './aggregation-wire.ts'
import type { Columns } from './columns.ts'
import type { Examples } from './examples.ts'
import type { Metrics } from './metrics.ts'
import type { RowSet } from './row-set.ts'
import type { TermGroup, TermGroups } from './term-groups.ts'
import type { TermPairs } from './term-pairs.ts'
import { scalarOf, termText } from './term-value.ts'

/** Makes buckets within one request. */
export class TermBuckets {
  readonly #columns: Columns
  readonly #groups: TermGroups
  readonly #pairs: TermPairs
  readonly #metrics: Metrics
  readonly #examples: Examples

  constructor(columns: Columns, groups: TermGroups, pairs: TermPairs, metrics: Metrics, examples: Examples) {
    this.#columns = columns
    this.#groups = groups
    this.#pairs = pairs
    this.#metrics = metrics
    this.#examples = examples
  }

  /**
   * The buckets of most objects.
   * @throws Stopped
   */
  largest(aggregation: WireOf<'terms'>, objects: RowSet): TermsBucket[] {
    const { quantity, size, include } = aggregation
    return this.#groups
      .largest(quantity, objects, size, include)
      .map(group => this.#bucket(aggregation, group))
  }

  /**
   * A page of buckets.
   * @throws Stopped
   */
  page(aggregation: WireOf<'terms_page'>, objects: RowSet): { buckets: TermsPageBucket[]; distinct: number } {
    const { quantity, size, order, orderBy, after } = aggregation
    const distinct = this.#groups.distinct(quantity, objects)
    if (orderBy) {
      const pairs = this.#pairs.page({ ...aggregation, orderBy }, objects)
      return {
        buckets: pairs.map(pair => ({ ...this.#bucket(aggregation, pair), orderValue: pair.orderValue })),
        distinct
      }
    }
    const walk = { order, ...(after ? { after: termText(quantity, after.value) } : {}) }
    const groups = this.#groups.first(quantity, objects, walk, size)
    return { buckets: groups.map(group => this.#bucket(aggregation, group)), distinct }
  }

  #bucket(
    { quantity, metrics, examples }: WireOf<'terms' | 'terms_page'>,
    { term, objects, rows }: TermGroup
  ): TermsBucket {
    const path = quantity.nestedPath
    const needed = path !== undefined || metrics || examples ? rows() : undefined
    return {
      value: scalarOf(quantity, term),
      objects,
      entries: path === undefined ? objects : this.#columns.entryCount(needed as RowSet, path),
      ...(metrics ? { metrics: this.#metrics.of(metrics, needed as RowSet) } : {}),
      ...(examples ? { examples: this.#examples.of(needed as RowSet, path, examples) } : {})
    }
  }
}
