/** Which part of a search's result comes back, and in which order (`search.md` §3). */
import { failure, invalid } from '../errors.ts'
import type { Cursor } from '../search/entry-index.ts'
import { decodeCursor } from './cursor.ts'
import { findQuantity } from './custom-names.ts'
import type { Quantities, Quantity } from './quantities.ts'

/** Entries that can be reached by `page` and `page_offset`, and that fit on one page. */
export const WINDOW = 10_000

const DEFAULT_PAGE_SIZE = 10
const ID = 'entry_id'

/** Orders that only Elasticsearch knows; here they are the order of `entry_id`. */
const ENGINE_ORDERS = ['_score', '_doc']

/** Other names of quantities in `order_by`. */
const ALIASES: ReadonlyMap<string, string> = new Map([['mainfile_path', 'mainfile']])

/** A checked pagination. */
export interface Pagination {
  /** The members as answers repeat them. */
  readonly echo: {
    readonly page_size: number
    readonly order_by: string
    readonly order: 'asc' | 'desc'
    readonly page?: number
    readonly page_offset?: number
    readonly page_after_value?: string
  }
  /** The full name of what is ordered by; `echo` shows that of a custom quantity without its type (§3). */
  readonly orderName: string
  /** Absent when the order is by `entry_id` alone. */
  readonly orderBy?: Quantity
  /** Entries to skip. */
  readonly offset?: number
  /** Where the page begins, when it was asked for by `page_after_value`. */
  readonly after?: Cursor
}

interface Members {
  readonly page_size?: unknown
  readonly order_by?: unknown
  readonly order?: unknown
  readonly page?: unknown
  readonly page_offset?: unknown
  readonly page_after_value?: unknown
}

/**
 * The pagination of a body; undefined and null are the defaults.
 * @param largest most entries that may be asked for at once
 * @throws SeraiError INVALID (422), SEARCH_REFUSED (400)
 */
export function bodyPagination(given: unknown, quantities: Quantities, largest = WINDOW): Pagination {
  const loc = ['body', 'pagination']
  if (given !== undefined && given !== null && (typeof given !== 'object' || Array.isArray(given))) {
    throw invalid(loc, 'Input should be a valid dictionary or object to extract fields from', {
      type: 'model_attributes_type',
      input: given
    })
  }
  return pagination(given ?? {}, loc, quantities, largest)
}

/**
 * The pagination of URL parameters.
 * @throws as {@link bodyPagination}
 */
export function urlPagination(parameters: object, quantities: Quantities): Pagination {
  return pagination(parameters, ['query'], quantities, WINDOW)
}

function pagination(
  given: Members,
  loc: readonly string[],
  quantities: Quantities,
  largest: number
): Pagination {
  const page_size = wholeNumber(given.page_size, [...loc, 'page_size']) ?? DEFAULT_PAGE_SIZE
  const order = given.order ?? 'asc'
  const page = wholeNumber(given.page, [...loc, 'page'])
  const page_offset = wholeNumber(given.page_offset, [...loc, 'page_offset'])
  const page_after_value = text(given.page_after_value, [...loc, 'page_after_value'])
  if (order !== 'asc' && order !== 'desc') {
    const expected = "'asc' or 'desc'"
    throw invalid([...loc, 'order'], `Input should be ${expected}`, {
      type: 'enum',
      input: order,
      ctx: { expected }
    })
  }
  checkNumbers(page_size, page, page_offset, loc)
  if (page_size > largest) {
    throw failure('SEARCH_REFUSED', {
      reason: `Result window is too large, from + size must be less than or equal to: [${largest}] but was [${page_size}].`
    })
  }
  const positions = Object.entries({ page, page_offset, page_after_value }).filter(
    ([, value]) => value !== undefined
  )
  if (positions.filter(([, value]) => value !== 0).length > 1) {
    throw invalid(loc, 'Can only specify one of: page_offset, page, or page_after_value', {
      type: 'multiple_pagination_criteria'
    })
  }
  const [position] = positions
  if (page_size === 0 && position) {
    throw invalid(loc, `Cannot specify ${position[0]} when page_size is set to 0`, {
      type: 'invalid_pagination'
    })
  }

  const { name, orderBy } = orderQuantity(text(given.order_by, [...loc, 'order_by']) ?? ID, quantities)
  const after = page_after_value === undefined ? undefined : decodeCursor(page_after_value, orderBy)
  const offset = page !== undefined ? (page - 1) * page_size : page_offset
  return {
    echo: {
      page_size,
      order_by: orderBy?.name ?? name,
      order,
      ...Object.fromEntries(positions)
    },
    orderName: name,
    ...(orderBy ? { orderBy } : {}),
    ...(offset ? { offset } : {}),
    ...(after ? { after } : {})
  }
}

/**
 * What entries are ordered by (spec README, decision 16); no quantity when it is `entry_id`.
 * @throws SeraiError INVALID (422)
 */
function orderQuantity(given: string, quantities: Quantities): { name: string; orderBy?: Quantity } {
  const loc = ['pagination', 'order_by']
  const name = ALIASES.get(given) ?? given
  if (name === ID || ENGINE_ORDERS.includes(name)) return { name }
  const orderBy = findQuantity(name, quantities, loc)
  // The nested objects of a custom quantity are those of its values alone.
  if (orderBy.within) return { name, orderBy }
  if (orderBy.many) throw invalid(loc, 'the order_by quantity must be a scalar', { input: name })
  if (orderBy.nestedPath) {
    throw invalid(loc, `${name} cannot be ordered by: it is inside of a nested object`, { input: name })
  }
  if (orderBy.kind === 'text' || orderBy.kind === 'path' || orderBy.kind === 'none') {
    throw invalid(
      loc,
      `${name} cannot be ordered by: it is ${orderBy.kind === 'none' ? 'an object' : 'a text'}`,
      {
        input: name
      }
    )
  }
  return { name, orderBy }
}

function checkNumbers(
  size: number,
  page: number | undefined,
  offset: number | undefined,
  loc: readonly string[]
): void {
  const bad = (member: string, type: string, msg: string, input: number) =>
    invalid([...loc, member], msg, { type, input })
  if (size < 0) throw bad('page_size', 'invalid_page_size', 'page_size must be >= 0', size)
  if (page !== undefined) {
    if (page <= 0) throw bad('page', 'bad_page', 'Page has to be larger than 1', page)
    if (page * size >= WINDOW) {
      throw bad('page', 'bad_page', 'Pagination by `page` is limited to 10.000 entries.', page)
    }
  }
  if (offset !== undefined) {
    const type = 'bad_page_offset'
    if (offset < 0) throw bad('page_offset', type, 'Page offset has to be larger than 0', offset)
    if (offset + size >= WINDOW) {
      const msg = 'Page offset plus page size has to be smaller than 10,000'
      throw bad('page_offset', type, msg, offset)
    }
  }
}

/** A whole number, also as text; undefined and null are absent. */
function wholeNumber(value: unknown, loc: readonly string[]): number | undefined {
  if (value === undefined || value === null) return undefined
  const number =
    typeof value === 'number'
      ? value
      : typeof value === 'string' && /^\s*[+-]?\d{1,15}(?:\.0*)?\s*$/.test(value)
        ? Number(value)
        : Number.NaN
  if (Number.isSafeInteger(number)) return number + 0
  if (typeof value === 'number') {
    throw invalid(loc, 'Input should be a valid integer, got a number with a fractional part', {
      type: 'int_from_float',
      input: value
    })
  }
  throw typeof value === 'string'
    ? invalid(loc, 'Input should be a valid integer, unable to parse string as an integer', {
        type: 'int_parsing',
        input: value.slice(0, 100)
      })
    : invalid(loc, 'Input should be a valid integer', { type: 'int_type' })
}

/** A text; undefined, null and the empty text are absent. */
function text(value: unknown, loc: readonly string[]): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'string') return value
  throw invalid(loc, 'Input should be a valid string', { type: 'string_type' })
}
