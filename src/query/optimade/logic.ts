/**
 * Three-valued logic over queries (`optimade.md` §4.5): a test of a property that an entry does not know is neither true
 * nor false, and so is its negation. Negations are pushed down to the tests, so that queries stay flat.
 */
import type { Quantities, Quantity } from '../quantities.ts'
import { ALL, NONE, type Query } from '../tree.ts'

/** A test as queries: the entries for which it is true, and those for which it is true or false. */
export interface Condition {
  readonly holds: Query
  readonly known: Query
}

/** True for no entry, nor false: the property is known to none. */
export const UNKNOWN: Condition = { holds: NONE, known: NONE }

/** The entries for which the condition, or its negation, is true. */
export function decided({ holds, known }: Condition, negated: boolean): Query {
  return negated ? allOf([known, not(holds)]) : holds
}

/** All of the queries; those in a group of the same kind become members of this one. */
export function allOf(queries: readonly Query[]): Query {
  const of = queries.flatMap(q => (q.kind === 'and' ? q.of : q.kind === 'all' ? [] : [q]))
  if (of.some(q => q.kind === 'none')) return NONE
  return of.length === 0 ? ALL : of.length === 1 ? (of[0] as Query) : { kind: 'and', of }
}

/** One of the queries; those in a group of the same kind become members of this one. */
export function oneOf(queries: readonly Query[]): Query {
  const of = queries.flatMap(q => (q.kind === 'or' ? q.of : q.kind === 'none' ? [] : [q]))
  if (of.some(q => q.kind === 'all')) return ALL
  return of.length === 0 ? NONE : of.length === 1 ? (of[0] as Query) : { kind: 'or', of }
}

/** The other entries. */
export function not(query: Query): Query {
  if (query.kind === 'all') return NONE
  if (query.kind === 'none') return ALL
  return query.kind === 'not' ? query.of : { kind: 'not', of: query }
}

/** The quantity has a value. */
export function exists(quantity: Quantity, quantities: Quantities): Query {
  return within(quantity, { kind: 'exists', quantity }, quantities)
}

/** A query over a quantity, put into the nested objects in which the quantity stands. */
export function within({ source }: Quantity, query: Query, quantities: Quantities): Query {
  return quantities
    .nestedAbove(source)
    .reduceRight<Query>((inner, path) => ({ kind: 'nested', path, query: inner }), query)
}
