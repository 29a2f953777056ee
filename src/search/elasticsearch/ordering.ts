/**
 * Sorting and cursors in Elasticsearch's terms. Numbers, booleans and dates are sorted as doubles: what Elasticsearch
 * would put in place of a missing whole number, 2^63 - 1, is none in JavaScript.
 */
import type { estypes } from '@elastic/elasticsearch'
import type { Quantity } from '../../query/quantities.ts'
import { type Cursor, requireSortable, type SortValue } from '../entry-index.ts'
import { nestedDsl } from './query-dsl.ts'

const KEY = 'entry_id'

/** Stands for a missing number; its sign puts it last. */
const MISSING = Number.MAX_VALUE

/** Whether `entry_id` alone decides: what stands in nested objects is no value of the entry, custom quantities aside. */
function byIdAlone(orderBy: Quantity | undefined): boolean {
  return !orderBy || orderBy.name === KEY || (orderBy.nestedPath !== undefined && !orderBy.within)
}

/**
 * The sort of a request: by the quantity, missing values last, then by id.
 * @throws SeraiError SEARCH_REFUSED when it is to be sorted by words
 */
export function sortOf(orderBy: Quantity | undefined, order: 'asc' | 'desc'): estypes.SortCombinations[] {
  const byId = { [KEY]: { order } }
  if (orderBy) requireSortable(orderBy)
  if (!orderBy || byIdAlone(orderBy)) return [byId]
  const place = { order, ...nestedOf(orderBy) }
  if (orderBy.kind === 'keyword') return [{ [orderBy.field]: { ...place, missing: '_last' } }, byId]
  const missing = order === 'asc' ? MISSING : -MISSING
  return [{ [orderBy.field]: { ...place, missing, numeric_type: 'double' } }, byId]
}

/** The nested objects that hold the values; of several values the first in the order counts, as everywhere. */
function nestedOf({ nestedPath: path, within }: Quantity): Pick<estypes.FieldSort, 'nested'> {
  return path !== undefined && within ? { nested: { path, filter: nestedDsl(path, within) } } : {}
}

/** The sort values after which the page begins. */
export function afterOf(
  { value = null, entryId }: Cursor,
  orderBy: Quantity | undefined,
  order: 'asc' | 'desc'
): estypes.SortResults {
  if (!orderBy || byIdAlone(orderBy)) return [entryId]
  if (orderBy.kind === 'keyword') return [value === null ? null : String(value), entryId]
  return [value ?? (order === 'asc' ? MISSING : -MISSING), entryId]
}

/** The value that an entry is sorted by; undefined when sorted by id alone. */
export function sortValueOf(sort: estypes.SortResults, orderBy: Quantity | undefined): SortValue | undefined {
  if (!orderBy || orderBy.name === KEY) return undefined
  if (byIdAlone(orderBy)) return null
  const [value] = sort
  if (typeof value === 'number') return Math.abs(value) === MISSING ? null : value
  return typeof value === 'string' ? value : null
}
