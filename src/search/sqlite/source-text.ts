/** Filters a stored document on its way out. */
import type { SourceFilter } from '../entry-index.ts'

/** JSON of what the filter leaves of a document given as JSON; without a filter nothing is parsed. */
export function sourceText(text: string, filter: SourceFilter | undefined): string {
  if (!filter || (filter.include === undefined && (filter.exclude ?? []).length === 0)) return text
  return JSON.stringify(filterSource(JSON.parse(text), filter))
}

function filterSource(document: unknown, filter: SourceFilter): unknown {
  const compile = (patterns: readonly string[] = []) =>
    patterns.map(
      p =>
        new RegExp(
          `^${p
            .split('*')
            .map(s => s.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
            .join('.*')}(?:\\..*)?$`
        )
    )
  const include = filter.include ? compile(filter.include) : [/^/]
  const exclude = compile(filter.exclude)
  const prune = (value: unknown, path: string): unknown => {
    if (path !== '' && exclude.some(p => p.test(path))) return undefined
    if (Array.isArray(value)) {
      const items = value.map(item => prune(item, path)).filter(item => item !== undefined)
      return items.length > 0 || include.some(p => p.test(path)) ? items : undefined
    }
    if (typeof value === 'object' && value !== null) {
      const members = Object.entries(value)
        .map(([name, member]) => [name, prune(member, path === '' ? name : `${path}.${name}`)] as const)
        .filter(([, member]) => member !== undefined)
      return members.length > 0 || path === '' || include.some(p => p.test(path))
        ? Object.fromEntries(members)
        : undefined
    }
    return include.some(p => p.test(path)) ? value : undefined
  }
  return prune(document, '')
}
