/**
 * Filters a stored document on its way out, as Elasticsearch's source filter does: items of lists that are left empty
 * go, also those that were empty before; other empty objects and lists stay.
 */
import { pathMatcher } from '../../query/path-patterns.ts'
import type { SourceFilter } from '../entry-index.ts'

/** An empty object or list as the item of a list. */
const EMPTY_ITEM = /[[,](?:\{\}|\[\])/

/** JSON of what the filter leaves of a document given as JSON; what stays whole is not parsed. */
export function sourceText(text: string, filter: SourceFilter = {}): string {
  const whole = filter.include === undefined && (filter.exclude ?? []).length === 0
  if (whole && !EMPTY_ITEM.test(text)) return text
  return JSON.stringify(filterSource(JSON.parse(text), filter))
}

function filterSource(document: unknown, filter: SourceFilter): unknown {
  const isIncluded = filter.include ? pathMatcher(filter.include) : () => true
  const isExcluded = pathMatcher(filter.exclude ?? [])
  const prune = (value: unknown, path: string): unknown => {
    if (path !== '' && isExcluded(path)) return undefined
    if (Array.isArray(value)) {
      const items = value.map(item => prune(item, path)).filter(item => !isEmpty(item))
      return items.length > 0 || isIncluded(path) ? items : undefined
    }
    if (typeof value === 'object' && value !== null) {
      const members = Object.entries(value)
        .map(([name, member]) => [name, prune(member, path === '' ? name : `${path}.${name}`)] as const)
        .filter(([, member]) => member !== undefined)
      return members.length > 0 || path === '' || isIncluded(path) ? Object.fromEntries(members) : undefined
    }
    return isIncluded(path) ? value : undefined
  }
  return prune(document, '')
}

function isEmpty(item: unknown): boolean {
  return item === undefined || (typeof item === 'object' && item !== null && Object.keys(item).length === 0)
}
