/**
 * Criteria: a query as it was asked (`search.md` §1.1 to §1.3). Names are checked, operators and lists are in one form, nested
 * paths are found; the values are still those of the request: `echo` repeats them, `compile` converts them.
 */
import type { Quantity } from './quantities.ts'
import type { Query, Scalar } from './tree.ts'

/** Bounds as given; echoed in this order. */
export const COMPARISONS = ['lt', 'lte', 'gt', 'gte'] as const

/** How the values of a list combine. */
export const SET_OPERATORS = ['all', 'any', 'none'] as const

/** A comparison. */
export type Comparison = (typeof COMPARISONS)[number]

/** A way to combine values. */
export type SetOperator = (typeof SET_OPERATORS)[number]

/** What a quantity is asked for: one value, several, or a range. */
export type CriterionValue =
  | { readonly kind: 'is'; readonly value: Scalar }
  | { readonly kind: 'set'; readonly operator: SetOperator; readonly values: readonly Scalar[] }
  | { readonly kind: 'range'; readonly bounds: Readonly<Partial<Record<Comparison, Scalar>>> }

/** One criterion. */
export interface Criterion {
  readonly kind: 'criterion'
  readonly quantity: Quantity
  /** As it is echoed: relative to the nested path that the criterion stands in; of custom quantities as it was given. */
  readonly name: string
  readonly value: CriterionValue
}

/**
 * A query that was read. `vacant` is an empty `and` or `or`, which matches everything and is echoed in a way of its
 * own (`search.md` §1.1 rule 6).
 */
export type Criteria =
  | Criterion
  | { readonly kind: 'and'; readonly of: readonly Criteria[] }
  | { readonly kind: 'or'; readonly of: readonly Criteria[] }
  | { readonly kind: 'not'; readonly of: Criteria }
  | { readonly kind: 'nested'; readonly path: string; readonly of: Criteria }
  | { readonly kind: 'vacant'; readonly name: string }
  /** OPTIMADE filters, with the query that they are. */
  | { readonly kind: 'filter'; readonly value: CriterionValue; readonly query: Query }

/** A name without the operator after its last colon (`search.md` §1.1 rule 3). */
export function splitOperator(key: string): { name: string; operator?: SetOperator | Comparison } {
  const colon = key.lastIndexOf(':')
  const operator = key.slice(colon + 1) as SetOperator | Comparison
  if (colon < 0 || !(isSetOperator(operator) || COMPARISONS.includes(operator as Comparison)))
    return { name: key }
  return { name: key.slice(0, colon), operator }
}

/** Whether it is one of {@link SET_OPERATORS}. */
export function isSetOperator(operator: string): operator is SetOperator {
  return SET_OPERATORS.includes(operator as SetOperator)
}
