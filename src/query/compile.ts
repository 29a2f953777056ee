/** From criteria to the query tree that engines understand (`search.md` §1.4, §1.7). */
import { invalid } from '../errors.ts'
import type { Criteria, Criterion } from './criteria.ts'
import { ALL, and, NONE, type Query } from './tree.ts'
import { anyOf, equal, range } from './values.ts'

/** Deepest tree; Elasticsearch refuses more than 30 levels, some of which are the owner rule's. */
export const MAX_DEPTH = 24

/** Most criteria in one query; a list that must hold all of its values has one for each. */
export const MAX_CLAUSES = 1000

/** Most values in all lists of one query. */
export const MAX_VALUES = 65_536

/**
 * The query tree.
 * @param where the part of the request that holds the query, for errors
 * @throws SeraiError INVALID (422) when it is too large, SEARCH_REFUSED (400) when a value is none of its quantity
 */
export function compile(criteria: Criteria, where: readonly string[] = ['body', 'query']): Query {
  const query = tree(criteria)
  checkSize(query, where)
  return query
}

function tree(criteria: Criteria): Query {
  switch (criteria.kind) {
    case 'vacant':
      return ALL
    case 'and':
      return and(...criteria.of.map(tree))
    case 'or':
      return { kind: 'or', of: criteria.of.map(tree) }
    case 'not':
      return { kind: 'not', of: tree(criteria.of) }
    case 'nested':
      return { kind: 'nested', path: criteria.path, query: tree(criteria.of) }
    case 'criterion':
      return leaf(criteria)
  }
}

function leaf({ quantity, value }: Criterion): Query {
  // Objects have no value of their own to compare.
  if (quantity.kind === 'none') return NONE
  switch (value.kind) {
    case 'is':
      return equal(quantity, value.value)
    case 'range':
      return range(quantity, value.bounds)
    case 'set':
      if (value.operator === 'all') return and(...value.values.map(v => equal(quantity, v)))
      return value.operator === 'any'
        ? anyOf(quantity, value.values)
        : { kind: 'not', of: anyOf(quantity, value.values) }
  }
}

function checkSize(query: Query, where: readonly string[]): void {
  let clauses = 0
  let values = 0
  const visit = (node: Query, depth: number) => {
    if (depth > MAX_DEPTH) {
      throw invalid(where, `The query is nested too deeply, more than ${MAX_DEPTH} levels`, {
        type: 'query_too_deep'
      })
    }
    if (node.kind === 'and' || node.kind === 'or') for (const part of node.of) visit(part, depth + 1)
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
    [values, MAX_VALUES, 'values']
  ] as const
  for (const [count, limit, what] of limits) {
    if (count <= limit) continue
    throw invalid(where, `The query has too many ${what}: ${count}, the limit is ${limit}`, {
      type: 'query_too_large'
    })
  }
}
