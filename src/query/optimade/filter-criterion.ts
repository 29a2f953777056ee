/** The quantity `optimade_filter` of v1 queries (`optimade.md` §1). */
import { invalid, type SeraiError } from '../../errors.ts'
import type { CriterionValue } from '../criteria.ts'
import type { Query, Scalar } from '../tree.ts'
import type { CompiledFilter } from './compile-filter.ts'
import { FilterError } from './filter-error.ts'
import { allOf, not, oneOf } from './logic.ts'

/** Its name, which is no search quantity's. */
export const FILTER_NAME = 'optimade_filter'

/**
 * The query of one filter, or of a list: all, any or none of them.
 * @throws SeraiError INVALID (422) that says what is wrong with the filter
 */
export function filterQuery(
  value: Exclude<CriterionValue, { kind: 'range' }>,
  compile: (text: string) => CompiledFilter
): Query {
  const queryOf = (text: Scalar): Query => {
    try {
      return compile(String(text)).query
    } catch (error) {
      throw error instanceof FilterError ? refusal(error, String(text)) : error
    }
  }
  if (value.kind === 'is') return queryOf(value.value)
  const queries = value.values.map(queryOf)
  if (value.operator === 'all') return allOf(queries)
  return value.operator === 'any' ? oneOf(queries) : not(oneOf(queries))
}

function refusal({ fault, message }: FilterError, text: string): SeraiError {
  const kind = fault === 'syntax' ? 'Syntax' : 'Semantic'
  return invalid([FILTER_NAME], `Could not parse optimade filter: ${kind} error: ${message}`, {
    input: text.slice(0, 1000).toWellFormed()
  })
}
