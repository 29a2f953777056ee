/**
 * Paging by row numbers, as lists of uploads, datasets and groups have it (`uploads.md` §2.4).
 */
import { failure, invalid } from '../errors.ts'
import { pageUrl } from './request-url.ts'

/** The slice that is asked for. */
export interface RowPage {
  readonly page_size: number
  readonly order_by?: string
  readonly order: 'asc' | 'desc'
  /** Row number of the first row, from 0 on. */
  readonly start: number
}

/** Raw URL parameters. */
export interface RowPageParameters {
  readonly page_size?: number
  readonly order_by?: string
  readonly order?: 'asc' | 'desc'
  readonly page?: number
  readonly page_offset?: number
  readonly page_after_value?: string
}

/**
 * Checks the parameters.
 * @param orders what the list can be ordered by
 * @param byDefault what it is ordered by when nothing is asked; null: an order of its own, which the answer does not name
 * @throws SeraiError INVALID (422)
 */
export function rowPage(
  parameters: RowPageParameters,
  orders: readonly string[],
  byDefault: string | null = orders[0] ?? null
): RowPage {
  const { page_size = 10, order = 'asc', page, page_after_value } = parameters
  const order_by = parameters.order_by ?? byDefault ?? undefined
  // An offset of 0 says nothing and counts as absent.
  const page_offset = parameters.page_offset === 0 ? undefined : parameters.page_offset

  requireCountable({ page_size, page, page_offset })
  if (page_size < 0)
    throw invalid(['query', 'page_size'], 'page_size must be >= 0', {
      type: 'invalid_page_size',
      input: page_size
    })
  if (page !== undefined && page < 1) {
    throw invalid(['query', 'page'], 'Page has to be larger than 1', { type: 'bad_page', input: page })
  }
  if (page_offset !== undefined && page_offset < 0) {
    throw invalid(['query', 'page_offset'], 'Page offset has to be larger than 0', {
      type: 'bad_page_offset',
      input: page_offset
    })
  }
  if (orders.length > 0 && order_by !== undefined && !orders.includes(order_by)) {
    const names = orders.map(o => `'${o}'`).join(', ')
    throw invalid(['query', 'order_by'], `order_by is '${order_by}', must be one of (${names})`, {
      type: 'invalid_order_by',
      input: order_by
    })
  }
  const given = [page, page_offset, page_after_value].filter(v => v !== undefined && v !== '')
  if (given.length > 1) {
    throw invalid(['query'], 'Can only specify one of: page_offset, page, or page_after_value', {
      type: 'multiple_pagination_criteria'
    })
  }
  if (page_size === 0 && given.length > 0) {
    const name = page !== undefined ? 'page' : page_offset !== undefined ? 'page_offset' : 'page_after_value'
    throw invalid(['query'], `Cannot specify ${name} when page_size is set to 0`, {
      type: 'invalid_pagination'
    })
  }
  return {
    page_size,
    order,
    ...(order_by !== undefined ? { order_by } : {}),
    start: startRow(page_size, page, page_offset, page_after_value)
  }
}

/** @throws SeraiError INVALID (422) for numbers that are beyond counting */
function requireCountable(numbers: Readonly<Record<string, number | undefined>>): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (value === undefined || Number.isSafeInteger(value)) continue
    throw invalid(['query', name], `${name} is too large`, { input: String(value) })
  }
}

function startRow(size: number, page?: number, offset?: number, after?: string): number {
  // Beyond any list, and still a number that stores take.
  if (page !== undefined) return Math.min((page - 1) * size, Number.MAX_SAFE_INTEGER)
  if (offset !== undefined) return offset
  if (after === undefined || after === '') return 0
  if (!/^\d{1,15}$/.test(after)) {
    throw invalid(['query', 'page_after_value'], 'page_after_value must be the number of a row', {
      input: after
    })
  }
  return Number(after) + 1
}

/**
 * The `pagination` of the answer, with URLs.
 * @param url the request's absolute URL as received
 * @throws SeraiError PAGE_OUT_OF_RANGE (400) when the slice begins behind the last row
 */
export function rowPagination(page: RowPage, total: number, url: string): Record<string, unknown> {
  const { page_size, start } = page
  if (start > 0 && start >= total) throw failure('PAGE_OUT_OF_RANGE')
  const number = page_size > 0 ? Math.floor(start / page_size) + 1 : 1
  const more = page_size > 0 && start + page_size < total
  const nextAfter = String(start + page_size - 1)
  return {
    page_size,
    ...(page.order_by !== undefined ? { order_by: page.order_by } : {}),
    order: page.order,
    page: number,
    ...(number > 1 ? { page_after_value: String(start - 1) } : {}),
    total,
    ...(more ? { next_page_after_value: nextAfter } : {}),
    page_url: url,
    ...(page_size > 0 ? { first_page_url: pageUrl(url, {}) } : {}),
    ...(more ? { next_page_url: pageUrl(url, { page_after_value: nextAfter }) } : {}),
    ...(number > 1 ? { prev_page_url: pageUrl(url, { page: String(number - 1) }) } : {})
  }
}

/** The members of a pagination that {@link withNulls} shows in any case, in this order. */
const MEMBERS = [
  'page_size',
  'order_by',
  'order',
  'page_after_value',
  'page',
  'page_offset',
  'total',
  'next_page_after_value',
  'page_url',
  'next_page_url',
  'prev_page_url',
  'first_page_url'
]

/** A pagination with null for what it lacks, as the list of groups has it (`datasets-users-groups.md` §3.2). */
export function withNulls(pagination: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(MEMBERS.map(name => [name, pagination[name] ?? null]))
}
