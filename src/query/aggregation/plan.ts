/** What becomes of one aggregation of a request: what to ask an engine, and how to answer. */
import type { Aggregation, AggregationResult, ResultOf } from '../../search/aggregation.ts'
import type { Quantity } from '../quantities.ts'

/** Least and greatest value; null without values. */
export interface Extent {
  readonly min: number
  readonly max: number
}

/** A checked aggregation. */
export interface AggregationPlan {
  /** Its type in requests and answers, such as `auto_date_histogram`. */
  readonly type: string
  /** Set for `exclude_from_search`: criteria on this quantity do not count for the aggregation (`search.md` §5.8). */
  readonly excluded?: Quantity
  /** What has to be known beforehand: the extent of this quantity's values. */
  readonly extentOf?: Quantity
  /** Whether it is one page of values, which does not go together with excluded criteria. */
  readonly isPage?: boolean
  /** What to ask; undefined when the extent (given when `extentOf` is set) answers it. */
  request(extent: Extent | undefined): Aggregation | undefined
  /**
   * The members of the answer: the request with its defaults, and `data`.
   * @param result undefined when there was no request
   * @throws SeraiError SEARCH_REFUSED (400) when there are too many buckets
   */
  answer(result: AggregationResult | undefined, extent: Extent | undefined): Readonly<Record<string, unknown>>
}

/**
 * The result as the one that belongs to a request of the kind.
 * @throws Error when it is another's
 */
export function resultOf<Kind extends Aggregation['kind']>(
  result: AggregationResult | undefined,
  kind: Kind
): ResultOf<Kind> {
  if (result?.kind !== kind) throw new Error(`a result of ${kind} was expected, not ${result?.kind}`)
  return result as ResultOf<Kind>
}
