/**
 * What several queries have in common, so that Elasticsearch looks for it once: aggregations that see other entries than
 * the hits (`search.md` §5.8) differ from them in a few criteria only.
 */
import { and, type Query } from '../../query/tree.ts'

/** The queries as one that all of them demand, and what each demands beside it; undefined where that is nothing. */
export interface SharedQuery {
  readonly shared: Query
  readonly rests: readonly (Query | undefined)[]
}

/** Separates the parts of conjunctions that are the same objects in all queries from the others. */
export function sharedQuery(queries: readonly Query[]): SharedQuery {
  const parts = new Map([...new Set(queries)].map(query => [query, new Set(conjuncts(query))]))
  const [first = new Set<Query>(), ...others] = parts.values()
  const shared = new Set([...first].filter(part => others.every(other => other.has(part))))
  const rests = new Map([...parts].map(([query, own]) => [query, [...own].filter(part => !shared.has(part))]))
  return {
    shared: and(...shared),
    rests: queries.map(query => {
      const rest = rests.get(query) ?? []
      return rest.length > 0 ? and(...rest) : undefined
    })
  }
}

function conjuncts(query: Query): Query[] {
  return query.kind === 'and' ? query.of.flatMap(conjuncts) : [query]
}
