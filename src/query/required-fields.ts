/** Which members of the entries come back: `required` of a metadata search (`search.md` §4). */
import { invalid } from '../errors.ts'
import type { SourceFilter } from '../search/entry-index.ts'
import { findQuantity, withoutSchema } from './custom-names.ts'
import { pathMatcher } from './path-patterns.ts'
import type { Quantities } from './quantities.ts'

/** Most patterns in one list, and most stars in one pattern. */
const MAX_PATTERNS = 1000
const MAX_STARS = 10

/** Patterns of the values that stand in `search_quantities` and are shown as `data` (§4). */
const DATA = /^data(?:[.*]|$)/
const SEARCH_QUANTITIES = /^search_quantities(?:[.*]|$)/

/** The lists of patterns; absent ones do not restrict. */
export interface FieldPatterns {
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
}

/** A checked `required`. */
export interface RequiredFields {
  /** The lists as answers repeat them. */
  readonly echo: FieldPatterns
  /** What to ask the index for. */
  readonly source: SourceFilter
  /** Whether a member that is added to the entry is wanted. */
  readonly allows: (path: string) => boolean
  /**
   * Whether the answer of the index must be filtered again, because it holds `search_quantities` that only `data` is
   * made from.
   */
  readonly filterAgain: boolean
}

/**
 * Checks the patterns.
 * @param given undefined and null: everything comes back
 * @param always quantities that always come back, beside `entry_id`: what is ordered by
 * @throws SeraiError INVALID (422)
 */
export function requiredFields(
  given:
    | { readonly include?: readonly string[] | null; readonly exclude?: readonly string[] | null }
    | null
    | undefined,
  always: readonly string[],
  quantities: Quantities
): RequiredFields {
  const kept = [...new Set([...always, 'entry_id'])]
  const include = given?.include ?? undefined
  const exclude = given?.exclude ?? undefined
  for (const patterns of [include, exclude]) check(patterns ?? [], quantities)

  const echo: FieldPatterns = {
    ...(include ? { include: [...include, ...kept.filter(name => !include.includes(name))] } : {}),
    ...(exclude ? { exclude: exclude.filter(pattern => !kept.includes(pattern)) } : {})
  }
  const included = echo.include?.map(withoutSchema)
  const excluded = echo.exclude?.map(withoutSchema) ?? []
  const asksData = included?.some(pattern => DATA.test(pattern)) ?? false
  const filterAgain = asksData || excluded.some(p => DATA.test(p) || SEARCH_QUANTITIES.test(p))
  const isIncluded = included ? pathMatcher(included.map(asBranch)) : () => true
  const isExcluded = pathMatcher(excluded.map(asBranch))
  const sourceExclude = excluded.filter(pattern => !SEARCH_QUANTITIES.test(pattern))
  return {
    echo,
    source: {
      ...(included ? { include: asksData ? [...included, 'search_quantities*'] : included } : {}),
      ...(sourceExclude.length > 0 ? { exclude: sourceExclude } : {})
    },
    allows: path => isIncluded(path) && (kept.includes(path) || !isExcluded(path)),
    filterAgain
  }
}

/** Of these two members a star at the end means all that is below, not other names that begin alike. */
function asBranch(pattern: string): string {
  return DATA.test(pattern) || SEARCH_QUANTITIES.test(pattern) ? pattern.replace(/\.?\*+$/, '') : pattern
}

function check(patterns: readonly string[], quantities: Quantities): void {
  const loc = ['required']
  if (patterns.length > MAX_PATTERNS) {
    throw invalid(loc, `There are too many patterns, ${patterns.length}; the limit is ${MAX_PATTERNS}`)
  }
  for (const pattern of patterns) {
    const stars = pattern.split('*').length - 1
    if (stars > MAX_STARS) throw invalid(loc, `${pattern.slice(0, 100)} has more than ${MAX_STARS} stars`)
    if (stars === 0) findQuantity(pattern, quantities, loc)
  }
}
