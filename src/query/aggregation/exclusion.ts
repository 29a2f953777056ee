/**
 * Which entries aggregations see when some of them leave out the criteria on their own quantity (`search.md` §5.8): such a
 * criterion matches everything, wherever it stands. The owner rule is never left out.
 */
import { compile } from '../compile.ts'
import type { Criteria } from '../criteria.ts'
import type { Quantity } from '../quantities.ts'
import { and, type Query } from '../tree.ts'

/** The queries of a search with aggregations; parts that are alike are the same objects. */
export interface ExcludingQueries {
  /** All criteria. */
  readonly all: Query
  /** All criteria but those on the quantity. */
  without(quantity: Quantity): Query
}

/**
 * @param owner the owner rule
 * @param where the part of the request that holds the query, for errors
 * @throws SeraiError as `compile`
 */
export function excludingQueries(
  criteria: Criteria,
  owner: Query,
  where?: readonly string[]
): ExcludingQueries {
  const parts = conjuncts(criteria).map(part => ({ part, query: compile(part, where) }))
  return {
    all: and(...parts.map(({ query }) => query), owner),
    without: quantity =>
      and(
        ...parts.map(({ part, query }) => {
          const rest = without(part, quantity.name)
          return rest === part ? query : compile(rest, where)
        }),
        owner
      )
  }
}

function conjuncts(criteria: Criteria): readonly Criteria[] {
  return criteria.kind === 'and' ? criteria.of.flatMap(conjuncts) : [criteria]
}

/** The criteria without those on a quantity; the same object when there are none. */
function without(criteria: Criteria, name: string): Criteria {
  switch (criteria.kind) {
    case 'criterion':
      return criteria.quantity.name === name ? { kind: 'vacant', name: 'and' } : criteria
    case 'not':
    case 'nested': {
      const of = without(criteria.of, name)
      return of === criteria.of ? criteria : { ...criteria, of }
    }
    case 'and':
    case 'or': {
      const of = criteria.of.map(part => without(part, name))
      return of.every((part, i) => part === criteria.of[i]) ? criteria : { ...criteria, of }
    }
    default:
      return criteria
  }
}
