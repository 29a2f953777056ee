/**
 * `page_after_value`: the place of the last entry of a page (`search.md` §3, D13). Ordered by `entry_id` it is the id,
 * otherwise `<value>:<entry_id>`. A missing value is the word `None`; a real text that reads like it gets a `~`.
 */
import { failure } from '../errors.ts'
import type { Cursor, Hit, SortValue } from '../search/entry-index.ts'
import { timeSpan } from './dates.ts'
import type { Quantity } from './quantities.ts'

const MISSING = 'None'

/** The text of the place of an entry; `orderBy` is undefined when the order is by `entry_id`. */
export function encodeCursor(hit: Pick<Hit, 'entryId' | 'sortValue'>, orderBy: Quantity | undefined): string {
  if (!orderBy) return hit.entryId
  const value = hit.sortValue ?? null
  if (value === null) return `${MISSING}:${hit.entryId}`
  return `${/^~*None$/.test(String(value)) ? '~' : ''}${value}:${hit.entryId}`
}

/**
 * The place that a text stands for.
 * @throws SeraiError SEARCH_REFUSED (400) when it is none of this order
 */
export function decodeCursor(text: string, orderBy: Quantity | undefined): Cursor {
  if (!orderBy) return { entryId: text }
  const colon = text.lastIndexOf(':')
  if (colon < 0) {
    throw failure('SEARCH_REFUSED', { reason: 'search_after has 1 value(s) but sort has 2.' })
  }
  return { value: sortValue(text.slice(0, colon), orderBy), entryId: text.slice(colon + 1) }
}

function sortValue(text: string, orderBy: Quantity): SortValue {
  if (text === MISSING) return null
  switch (orderBy.kind) {
    case 'boolean':
      if (text === '1' || text === 'true') return 1
      if (text === '0' || text === 'false') return 0
      throw refused(text, orderBy)
    case 'date': {
      const span = timeSpan(text)
      if (!span) throw refused(text, orderBy)
      return span.first
    }
    case 'keyword':
      return /^~+None$/.test(text) ? text.slice(1) : text
    default: {
      const value = text.trim() === '' ? Number.NaN : Number(text)
      if (!Number.isFinite(value)) throw refused(text, orderBy)
      return value
    }
  }
}

function refused(text: string, { name }: Quantity) {
  return failure('SEARCH_REFUSED', {
    reason: `Failed to parse search_after value for field [${name}]: [${text.slice(0, 100)}]`
  })
}
