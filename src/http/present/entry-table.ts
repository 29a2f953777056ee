/**
 * Entries as a table. The columns follow from the request alone, so that a table of any length can be written while it is
 * read, and has a column for everything that was asked for, whatever the first entry has.
 */
import { withoutSchema } from '../../query/custom-names.ts'
import { pathMatcher } from '../../query/path-patterns.ts'
import type { Quantities } from '../../query/quantities.ts'
import type { FieldPatterns } from '../../query/required-fields.ts'

/** A column: its heading is the dot path of its values. */
export interface Column {
  readonly name: string
  readonly path: readonly string[]
}

/** Members that entries are given beside those of quantities. */
const ADDED = ['license', 'data']

/**
 * The columns of a table: one for each quantity that `include` names or has a pattern for; without `include` one for each
 * member that an entry may have at the top, objects as JSON. What `exclude` takes away whole has no column.
 */
export function columnsOf({ include, exclude = [] }: FieldPatterns, quantities: Quantities): Column[] {
  const isExcluded = pathMatcher(exclude.map(withoutSchema))
  const names = include ? include.flatMap(pattern => namesOf(pattern, quantities)) : topNames(quantities)
  return [...new Set(['entry_id', ...names])]
    .filter(name => name === 'entry_id' || !isExcluded(withoutSchema(name)))
    .map(name => ({ name, path: withoutSchema(name).split('.') }))
}

function topNames(quantities: Quantities): string[] {
  return [...quantities.list.map(q => q.source.split('.')[0] as string), ...ADDED]
}

/** The names that a pattern stands for; what is no searchable quantity is a column by itself, without the star at its end. */
function namesOf(pattern: string, quantities: Quantities): string[] {
  if (!pattern.includes('*')) return [pattern]
  const matches = pathMatcher([pattern])
  const names = quantities.list.filter(q => q.kind !== 'none' && matches(q.source)).map(q => q.source)
  const added = ADDED.filter(matches)
  if (names.length + added.length > 0) return [...names, ...added]
  return [pattern.replace(/\.?\*.*$/, '')].filter(Boolean)
}

/**
 * A cell: texts, numbers and booleans as they are, nothing where there is no value, lists and objects as JSON. Where the path
 * leads through a list there is a list with an item for each of its items.
 */
export function cellOf(entry: unknown, { path }: Column): string {
  const value = valueAt(entry, path)
  if (value === undefined || value === null) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  const [name, ...rest] = path
  if (name === undefined || value === null || value === undefined) return value
  if (Array.isArray(value)) {
    const items = value.map(item => valueAt(item, path) ?? null)
    return items.some(item => item !== null) ? items : undefined
  }
  return typeof value === 'object' ? valueAt((value as Record<string, unknown>)[name], rest) : undefined
}
