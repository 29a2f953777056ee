/** What all aggregations with buckets have in common: their quantity, metrics, and how buckets are answered (`search.md` §5). */
import { invalid } from '../../errors.ts'
import type { Bucket, Metric } from '../../search/aggregation.ts'
import { findQuantity } from '../custom-names.ts'
import type { IndexKind, Quantities, Quantity } from '../quantities.ts'
import type { Members } from './members.ts'
import { readMetrics } from './metrics.ts'

/** One aggregation of a request. */
export interface Given {
  readonly name: string
  readonly members: Members
  readonly quantities: Quantities
}

/** The common members. */
export interface Common {
  readonly quantity: Quantity
  readonly isExcluded: boolean
  /** The quantity when its criteria do not count. */
  readonly excluded: { excluded?: Quantity }
  /** As answers repeat them. */
  readonly echo: { readonly quantity: string; readonly exclude_from_search: boolean }
}

/** A bucket as it is answered. */
export type BucketAnswer = Readonly<Record<string, unknown>>

/**
 * Quantity and `exclude_from_search`.
 * @param kinds what the quantity may be
 * @param refusal the error for other ones
 * @throws SeraiError INVALID (422)
 */
export function readCommon(
  given: Given,
  kinds: readonly IndexKind[],
  refusal: { readonly loc: readonly string[]; readonly msg: (name: string) => string }
): Common {
  const name = given.members.requiredText('quantity')
  const isExcluded = given.members.boolean('exclude_from_search', false)
  const quantity = findQuantity(name, given.quantities, ['aggregation', 'quantity'])
  if (!kinds.includes(quantity.kind)) throw invalid(refusal.loc, refusal.msg(quantity.name))
  return {
    quantity,
    isExcluded,
    excluded: isExcluded ? { excluded: quantity } : {},
    echo: { quantity: quantity.name, exclude_from_search: isExcluded }
  }
}

/** Kinds of quantities that can be counted by value. */
export const COUNTABLE: readonly IndexKind[] = ['keyword', 'boolean']

/** Kinds of quantities that have an order of magnitude. */
export const MEASURABLE: readonly IndexKind[] = ['integer', 'long', 'float', 'double', 'date']

/** The metrics of buckets. */
export class BucketMetrics {
  /** As they are repeated. */
  readonly echo: readonly string[]
  /** What to ask the engine for: nothing in nested objects, which have none of the values (§5.6). */
  readonly asked: { metrics?: readonly Metric[] }
  /** Those of a bucket without entries, and of every bucket of nested objects. */
  readonly #zeros: Readonly<Record<string, number>>

  constructor({ members, quantities }: Given, quantity: Quantity) {
    const { names, metrics } = readMetrics(members, quantities)
    this.echo = names
    this.asked = names.length > 0 && quantity.nestedPath === undefined ? { metrics } : {}
    this.#zeros = Object.fromEntries(names.map(name => [name, 0]))
  }

  /** The member `metrics` of a bucket; nothing when none were asked for. */
  of(bucket: Pick<Bucket, 'metrics'> | undefined): { metrics?: Readonly<Record<string, number>> } {
    return this.echo.length > 0 ? { metrics: bucket?.metrics ?? this.#zeros } : {}
  }

  /** A bucket of a histogram, which counts objects only. */
  bucket(value: unknown, bucket: Bucket | undefined): BucketAnswer {
    const count = bucket?.objects ?? 0
    return { count, nested_count: count, ...this.of(bucket), value }
  }
}
