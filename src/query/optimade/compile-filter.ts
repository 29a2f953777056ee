/**
 * OPTIMADE filters to query trees (`optimade.md`). The same compiler serves `optimade_filter` in v1 queries and the
 * OPTIMADE endpoints; what differs is the dialect.
 */
import type { Quantities } from '../quantities.ts'
import { ALL, type Query } from '../tree.ts'
import { FaultAt, FilterError, place } from './filter-error.ts'
import { parseFilter } from './parse-filter.ts'
import { filterProperties } from './properties.ts'
import { TestCompiler } from './test-compiler.ts'

/** What a filter may look like. */
export interface FilterDialect {
  /** Strings may stand between single quotes too (spec README, decision 20). */
  readonly singleQuotes: boolean
  /** Provider properties may be named without their prefix (`optimade.md` §1.2). */
  readonly bareNames: boolean
}

/** `optimade_filter` in v1 queries. */
export const QUERY_DIALECT: FilterDialect = { singleQuotes: true, bareNames: true }

/** `filter` of the OPTIMADE endpoints. */
export const ENDPOINT_DIALECT: FilterDialect = { singleQuotes: false, bareNames: false }

/** A compiled filter. */
export interface CompiledFilter {
  readonly query: Query
  /** Names with the prefix of no known provider, as written: matching nothing, they deserve a warning. */
  readonly foreignNames: readonly string[]
}

/**
 * Gives the compiler of filters over these quantities. Blank filters match everything.
 * The compiler throws {@link FilterError}.
 */
export function filterCompiler(
  quantities: Quantities,
  dialect: FilterDialect
): (text: string) => CompiledFilter {
  const properties = filterProperties(quantities, dialect)
  return text => {
    const filter = parseFilter(text, dialect)
    if (!filter) return { query: ALL, foreignNames: [] }
    const compiler = new TestCompiler(quantities, properties)
    try {
      return { query: compiler.compile(filter, false), foreignNames: [...compiler.foreignNames] }
    } catch (error) {
      if (!(error instanceof FaultAt)) throw error
      throw new FilterError(error.fault, `${error.message} (${place(text, error.at)})`)
    }
  }
}
