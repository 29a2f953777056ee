/** Buckets of keywords and booleans: the largest ones, or one page after the other. */
import type { Scalar } from '../../query/tree.ts'
import type { TermsBucket, TermsPageBucket } from '../aggregation.ts'
import type { WireOf } from './aggregation-wire.ts'
import type { Columns } from './columns.ts'
import type { Examples } from './examples.ts'
import { isNumeric } from './fields.ts'
import type { Metrics } from './metrics.ts'
import type { RowSet } from './row-set.ts'
import type { TermGroup, TermGroups } from './term-groups.ts'
import type { TermPairs } from './term-pairs.ts'
import type { FieldName } from './wire.ts'

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

/** A term as the value that it stands for. */
export function scalarOf({ kind }: FieldName, term: string): Scalar {
  return kind === 'boolean' ? term === '1' : term
}

/** A value of a keyword or boolean as a term. */
export function termText({ kind }: FieldName, value: Scalar): string {
  if (kind === 'boolean')
    return value === true || value === 1 || value === '1' || value === 'true' ? '1' : '0'
  return String(value).toWellFormed()
}

/** A value that something is ordered by, as numbers and terms are compared. */
export function orderKey(field: FieldName, value: Scalar): string | number {
  return isNumeric(field.kind) ? Number(value) : termText(field, value)
}
