/** The normalised query that answers repeat (`search.md` §6). */
import { COMPARISONS, type Criteria, type CriterionValue } from './criteria.ts'
import { FILTER_NAME } from './optimade/filter-criterion.ts'

/** A query as JSON in its normalised form. */
export type Echo = Readonly<Record<string, unknown>>

/** The normalised form of a query. */
export function echo(criteria: Criteria): Echo {
  switch (criteria.kind) {
    case 'criterion':
      return { name: criteria.name, value: valueEcho(criteria.value) }
    case 'and':
    case 'or':
      return { [criteria.kind]: criteria.of.map(echo) }
    case 'not':
      return { not: echo(criteria.of) }
    case 'nested':
      return { prefix: criteria.path, query: echo(criteria.of) }
    case 'filter':
      return { name: FILTER_NAME, value: valueEcho(criteria.value) }
    case 'vacant':
      return { name: criteria.name, value: { all: [] } }
  }
}

function valueEcho(value: CriterionValue): unknown {
  switch (value.kind) {
    case 'is':
      return value.value
    case 'set':
      return { [value.operator]: value.values }
    case 'range':
      return Object.fromEntries(
        COMPARISONS.filter(c => value.bounds[c] !== undefined).map(c => [c, value.bounds[c]])
      )
  }
}
