/**
 * Filters stored documents on their way out, as Elasticsearch's source filter does: items of lists that are left empty
 * go, also those that were empty before; other empty objects and lists stay.
 */
import { pathMatcher } from '../../query/path-patterns.ts'
import { isEmpty, mayHaveEmptyItems, setMember, withoutEmptyItems } from '../empty-items.ts'
import type { SourceFilter } from '../entry-index.ts'
import { KEY_FIELD } from './fields.ts'

/** What becomes of the values at a path; the same for all documents. */
interface Place {
  readonly isIncluded: boolean
  /** Nothing at or below it stays. */
  readonly isDropped: boolean
  /** Everything at and below it stays. */
  readonly isWhole: boolean
  readonly members: Map<string, Place>
}

/** Whether nothing but the id is wanted, for which no document need be read. */
export function isIdOnly({ include, exclude = [] }: SourceFilter = {}): boolean {
  return Boolean(include?.length && include.every(name => name === KEY_FIELD)) && exclude.length === 0
}

/** Gives the JSON of what the filter leaves of a document given as JSON; what stays whole is not parsed. */
export function sourceFilter({ include, exclude = [] }: SourceFilter = {}): (text: string) => string {
  const whole = include === undefined && exclude.length === 0
  const isIncluded = include ? pathMatcher(include) : () => true
  const isExcluded = pathMatcher(exclude)
  const placeAt = (path: string): Place => {
    const included = isIncluded(path)
    return {
      isIncluded: included,
      isDropped: isExcluded(path) || (!included && !mayMatchBelow(include ?? [], path)),
      isWhole: included && !mayMatchBelow(exclude, path),
      members: new Map()
    }
  }
  const prune = (value: unknown, path: string, place: Place): unknown => {
    if (Array.isArray(value)) {
      const items = value.map(item => prune(item, path, place)).filter(item => !isEmpty(item))
      return items.length > 0 || place.isIncluded ? items : undefined
    }
    if (typeof value !== 'object' || value === null) return place.isIncluded ? value : undefined
    if (place.isWhole) return withoutEmptyItems(value)
    const result: Record<string, unknown> = {}
    let any = false
    for (const name of Object.keys(value)) {
      const inner = path === '' ? name : `${path}.${name}`
      let member = place.members.get(name)
      if (!member) {
        member = placeAt(inner)
        place.members.set(name, member)
      }
      if (member.isDropped) continue
      const left = prune((value as Record<string, unknown>)[name], inner, member)
      if (left === undefined) continue
      setMember(result, name, left)
      any = true
    }
    return any || path === '' || place.isIncluded ? result : undefined
  }
  const root: Place = { isIncluded: true, isDropped: false, isWhole: whole, members: new Map() }
  return text =>
    whole && !mayHaveEmptyItems(text) ? text : JSON.stringify(prune(JSON.parse(text), '', root))
}

/** Whether one of the patterns may match something below the path. */
function mayMatchBelow(patterns: readonly string[], path: string): boolean {
  const above = `${path}.`
  return patterns.some(pattern => {
    const star = pattern.indexOf('*')
    if (star < 0) return pattern.startsWith(above)
    const literal = pattern.slice(0, star)
    return literal.startsWith(above) || above.startsWith(literal)
  })
}
