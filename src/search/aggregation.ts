/**
 * What an engine counts and measures over the entries that a query matches: the part of the port to search engines
 * (`entry-index.ts`) that answers `aggregations` (`search.md` §5). Requests are checked before they come here, and answers
 * are completed by `query/aggregation`: buckets without anything in them, fixed values, texts of dates.
 *
 * What is looked at are *objects*: entries, or for a quantity with a `nestedPath` the nested objects at that path that lie
 * in matching entries (and meet the quantity's `within`, if it has one). The query chooses entries, not nested objects. An
 * object without a value of the quantity is nowhere counted; one with several is counted in the bucket of each, once.
 *
 * Values are those of {@link Scalar}: text of keywords in full, numbers as they are stored (single precision in fields of
 * the kind `float`), booleans as such, dates as milliseconds since 1970. Text is ordered by code points, `false` comes
 * before `true`.
 */
import { failure } from '../errors.ts'
import type { Quantity } from '../query/quantities.ts'
import type { Query, Scalar } from '../query/tree.ts'
import type { SourceFilter } from './entry-index.ts'

/** Most buckets in the answer to one search; more are refused with SEARCH_REFUSED. */
export const MAX_BUCKETS = 65_536

/** Most example entries in one bucket. */
export const MAX_EXAMPLES = 100

/**
 * A number over the entries of a bucket or of the whole query: `entries` counts them, `cardinality` counts the different
 * values of a keyword (exact up to 40,000, near beyond), `sum` adds the values of a number. Without a value it is 0.
 * The quantities have no `nestedPath`.
 */
export type Metric =
  | { readonly name: string; readonly kind: 'entries' }
  | { readonly name: string; readonly kind: 'cardinality' | 'sum'; readonly quantity: Quantity }

/** Example entries of every bucket. */
export interface Examples {
  /** 1 to {@link MAX_EXAMPLES}. */
  readonly size: number
  /** Paths count from the document, also for nested quantities. */
  readonly source?: SourceFilter
}

/** What may be asked of every bucket; `metrics` never with a quantity that has a `nestedPath`. */
interface Buckets {
  readonly quantity: Quantity
  readonly metrics?: readonly Metric[]
}

/** Which values have buckets: those that contain the text (case counts, every character is itself), or these. */
export type Include =
  | { readonly kind: 'contains'; readonly text: string }
  | { readonly kind: 'values'; readonly values: readonly Scalar[] }

/**
 * The values of a keyword or boolean, those of most objects first, then in the order of the values.
 * `contains` comes with keywords only.
 */
export interface TermsAggregation extends Buckets {
  readonly kind: 'terms'
  /** 1 to {@link MAX_BUCKETS}. */
  readonly size: number
  readonly include?: Include
  readonly examples?: Examples
}

/**
 * The values of a keyword or boolean one page after the other, in the order of the values. With `orderBy` a bucket is a
 * pair of a value of that quantity and a value, ordered by both in this turn; objects lacking either are not counted.
 */
export interface TermsPageAggregation extends Buckets {
  readonly kind: 'terms_page'
  /** 1 to {@link MAX_BUCKETS}. */
  readonly size: number
  /** Of both. */
  readonly order: 'asc' | 'desc'
  /** One that entries could be sorted by, with the `nestedPath` and `within` of `quantity`. */
  readonly orderBy?: Quantity
  /** The bucket that the page comes after; `orderValue` exactly when there is an `orderBy`. It need not exist. */
  readonly after?: { readonly value: Scalar; readonly orderValue?: Scalar }
  readonly examples?: Examples
}

/** Numbers or dates in steps: bucket `value` holds what is at least `value` and below `value + interval`. */
export interface HistogramAggregation extends Buckets {
  readonly kind: 'histogram'
  /** Above 0; milliseconds for dates. Buckets begin at `floor((x - offset) / interval) * interval + offset`. */
  readonly interval: number
  readonly offset: number
}

/** Dates by months, quarters or years of the calendar (UTC); `value` is the first millisecond. */
export interface CalendarAggregation extends Buckets {
  readonly kind: 'calendar'
  readonly unit: 'month' | 'quarter' | 'year'
}

/** Dates between neighbouring edges: bucket `edges[i]` holds what is at least that and below `edges[i + 1]`. */
export interface RangesAggregation extends Buckets {
  readonly kind: 'ranges'
  /** Rising, two to {@link MAX_BUCKETS}. */
  readonly edges: readonly number[]
}

/** The least and the greatest value of a number or date. */
export interface MinMaxAggregation {
  readonly kind: 'min_max'
  readonly quantity: Quantity
}

/** Metrics over all matching entries. */
export interface StatisticsAggregation {
  readonly kind: 'statistics'
  readonly metrics: readonly Metric[]
}

/**
 * Percentiles of a number or date: with the n values in order, p lies at the place `p / 100 * (n - 1)`, between two values
 * linearly. Exact up to 10,000 values, near beyond. Several values of one object all count.
 */
export interface PercentilesAggregation {
  readonly kind: 'percentiles'
  readonly quantity: Quantity
  /** Each 0 to 100. */
  readonly percents: readonly number[]
  /** One group for each value of a keyword or boolean of the same objects; the groups of most objects, as in terms. */
  readonly groupBy?: { readonly quantity: Quantity; readonly size: number }
}

/** What is asked. */
export type Aggregation =
  | TermsAggregation
  | TermsPageAggregation
  | HistogramAggregation
  | CalendarAggregation
  | RangesAggregation
  | MinMaxAggregation
  | StatisticsAggregation
  | PercentilesAggregation

/** An aggregation with the entries that it sees; these may be others than the hits (`exclude_from_search`, §5.8). */
export interface AggregationRequest {
  readonly query: Query
  readonly aggregation: Aggregation
}

/** Objects that have something in common; buckets always hold at least one. */
export interface Bucket<Value extends Scalar = Scalar> {
  /** The value, or where the bucket begins. */
  readonly value: Value
  /** Number of objects. */
  readonly objects: number
  /** By name; there when metrics were asked. */
  readonly metrics?: Readonly<Record<string, number>>
}

/** A bucket of one value. */
export interface TermsBucket extends Bucket {
  /** Number of entries, the same as `objects` unless these are nested. */
  readonly entries: number
  /**
   * There when asked: documents of entries of the bucket in the order of `entry_id`, or nested objects of it, any.
   * `*__suggestion` never comes back.
   */
  readonly examples?: readonly Readonly<Record<string, unknown>>[]
}

/** A bucket of a page of values. */
export interface TermsPageBucket extends TermsBucket {
  /** There when there is an `orderBy`. */
  readonly orderValue?: Scalar
}

/** The percentiles of a group. */
export interface PercentilesGroup {
  /** Undefined: not grouped. */
  readonly value?: Scalar
  /** Number of values, at least 1. */
  readonly count: number
  /** In the order of the percents. */
  readonly percentiles: readonly number[]
}

/** Buckets in rising order. */
interface HistogramResult<Kind extends string> {
  readonly kind: Kind
  readonly buckets: readonly Bucket<number>[]
}

/** What is answered, each `kind` to its own. */
export type AggregationResult =
  | { readonly kind: 'terms'; readonly buckets: readonly TermsBucket[] }
  | {
      readonly kind: 'terms_page'
      readonly buckets: readonly TermsPageBucket[]
      /** Number of different values on all pages (exact up to 40,000, near beyond). */
      readonly distinct: number
    }
  | HistogramResult<'histogram'>
  | HistogramResult<'calendar'>
  | HistogramResult<'ranges'>
  /** Both null without a value. */
  | { readonly kind: 'min_max'; readonly min: number | null; readonly max: number | null }
  | { readonly kind: 'statistics'; readonly metrics: Readonly<Record<string, number>> }
  /** In the order of terms; groups without values of the quantity are left out. */
  | { readonly kind: 'percentiles'; readonly groups: readonly PercentilesGroup[] }

/** The result that belongs to an aggregation of this kind. */
export type ResultOf<Kind extends Aggregation['kind']> = Extract<AggregationResult, { readonly kind: Kind }>

/**
 * Refuses an answer of too many buckets; adapters call it.
 * @throws SeraiError SEARCH_REFUSED
 */
export function requireBuckets(count: number): void {
  if (count <= MAX_BUCKETS) return
  throw failure('SEARCH_REFUSED', { reason: `the aggregations have more than ${MAX_BUCKETS} buckets` })
}
