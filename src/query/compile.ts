/** From criteria to the query tree that engines understand (`search.md` §1.4, §1.7). */
import { invalid } from '../errors.ts'
import type { Criteria, Criterion } from './criteria.ts'
import type { Quantity } from './quantities.ts'
import { ALL, and, NONE, type Query } from './tree.ts'
import { anyOf, equal, range } from './values.ts'

/** Deepest tree; Elasticsearch refuses more than 30 levels, some of which are the owner rule's. */
export const MAX_DEPTH = 24

/** Most criteria in one query; a list that must hold all of its values has one for each. */
export const MAX_CLAUSES = 1000

/** Most values in all lists of one query. */
export const MAX_VALUES = 65_536

/** Most tests in all OPTIMADE filters of one query; each filter has limits of its own, among them its depth. */
export const MAX_FILTER_TESTS = 4096

/**
 * The query tree.
 * @param where the part of the request that holds the query, for errors
 * @throws SeraiError INVALID (422) when it is too large, SEARCH_REFUSED (400) when a value is none of its quantity
 */
export function compile(criteria: Criteria, where: readonly string[] = ['body', 'query']): Query {
  const filters = new Set<Query>()
  const query = tree(criteria, filters)
  checkSize(query, where, filters)
  return query
}

/** `filters` receives what OPTIMADE filters became. */
function tree(criteria: Criteria, filters: Set<Query>): Query {
  switch (criteria.kind) {
    case 'vacant':
      return ALL
    case 'and':
      return and(...criteria.of.map(part => tree(part, filters)))
    case 'or':
      return { kind: 'or', of: criteria.of.map(part => tree(part, filters)) }
    case 'not':
      return { kind: 'not', of: tree(criteria.of, filters) }
    case 'nested':
      return { kind: 'nested', path: criteria.path, query: tree(criteria.of, filters) }
    case 'filter':
      filters.add(criteria.query)
      return criteria.query
    case 'criterion':
      return leaf(criteria)
  }
}

function leaf({ quantity, value }: Criterion): Query {
  // Objects have no value of their own to compare.
  if (quantity.kind === 'none') return NONE
  switch (value.kind) {
    case 'is':
      return held(quantity, equal(quantity, value.value))
    case 'range':
      return held(quantity, range(quantity, value.bounds))
    case 'set':
      if (value.operator === 'all') return and(...value.values.map(v => held(quantity, equal(quantity, v))))
      return value.operator === 'any'
        ? held(quantity, anyOf(quantity, value.values))
        : { kind: 'not', of: held(quantity, anyOf(quantity, value.values)) }
  }
}

/** A value of a custom quantity stands in a nested object, for every criterion in one of its own (`search.md` §1.6). */
function held({ within, nestedPath }: Quantity, query: Query): Query {
  if (!within || nestedPath === undefined) return query
  return { kind: 'nested', path: nestedPath, query: { kind: 'and', of: [within, query] } }
}

function checkSize(query: Query, where: readonly string[], filters: ReadonlySet<Query>): void {
  let clauses = 0
  let values = 0
  let tests = 0
  const visit = (node: Query, depth: number) => {
    if (depth > MAX_DEPTH) {
      throw invalid(where, `The query is nested too deeply, more than ${MAX_DEPTH} levels`, {
        type: 'query_too_deep'
      })
    }
    if (filters.has(node)) tests += leaves(node)
    else if (node.kind === 'and' || node.kind === 'or') for (const part of node.of) visit(part, depth + 1)
    else if (node.kind === 'not') visit(node.of, depth + 1)
    else if (node.kind === 'nested') visit(node.query, depth + 1)
    else {
      clauses++
      if (node.kind === 'terms') values += node.values.length
    }
  }
  visit(query, 1)
  const limits = [
    [clauses, MAX_CLAUSES, 'criteria'],
    [values, MAX_VALUES, 'values'],
    [tests, MAX_FILTER_TESTS, 'tests in OPTIMADE filters']
  ] as const
  for (const [count, limit, what] of limits) {
    if (count <= limit) continue
    throw invalid(where, `The query has too many ${what}: ${count}, the limit is ${limit}`, {
      type: 'query_too_large'
    })
  }
}

/** Number of the plain criteria of a query. */
function leaves(query: Query): number {
  switch (query.kind) {
    case 'and':
    case 'or':
      return query.of.reduce((sum, part) => sum + leaves(part), 0)
    case 'not':
      return leaves(query.of)
    case 'nested':
      return leaves(query.query)
    default:
      return 1
  }
}
