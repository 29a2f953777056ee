/** Pages of values: `pagination` of a terms aggregation (`search.md` §5.1). */
import { invalid } from '../../errors.ts'
import { MAX_BUCKETS, type TermsPageAggregation, type TermsPageBucket } from '../../search/aggregation.ts'
import { findQuantity } from '../custom-names.ts'
import { timeSpan } from '../dates.ts'
import type { Quantities, Quantity } from '../quantities.ts'
import type { Scalar } from '../tree.ts'
import type { Members } from './members.ts'
import { requireTogether } from './together.ts'

const DEFAULT_PAGE_SIZE = 10

/** Stands for the order of the values themselves, which is the default (D17). */
const BY_VALUE = 'value'

/** A checked pagination. */
export interface TermsPage {
  readonly echo: Readonly<Record<string, unknown>>
  readonly asked: Pick<TermsPageAggregation, 'size' | 'order' | 'orderBy' | 'after'>
}

/**
 * @param name the aggregation's
 * @throws SeraiError INVALID (422)
 */
export function readTermsPage(
  members: Members,
  quantity: Quantity,
  name: string,
  quantities: Quantities
): TermsPage {
  const size = members.whole('page_size') ?? DEFAULT_PAGE_SIZE
  if (members.whole('page') !== undefined) {
    const msg = 'Pagination by `page` is not possible for aggregations, use `page_after_value`'
    throw members.error('page', 'invalid_page', msg)
  }
  if (size <= 0) {
    const msg = '0 or smaller page sizes are not allowed for aggregations.'
    throw members.error('page_size', 'invalid_page_size', msg)
  }
  if (size > MAX_BUCKETS) {
    const msg = `Input should be less than or equal to ${MAX_BUCKETS}`
    throw members.error('page_size', 'less_than_equal', msg, { le: MAX_BUCKETS })
  }
  const order = members.text('order') ?? 'asc'
  if (order !== 'asc' && order !== 'desc') {
    const expected = "'asc' or 'desc'"
    throw members.error('order', 'enum', `Input should be ${expected}`, { expected })
  }
  const orderName = members.text('order_by') || BY_VALUE
  const orderBy = orderName === BY_VALUE ? undefined : orderQuantity(orderName, quantity, quantities)
  const after = members.text('page_after_value') || undefined
  return {
    echo: {
      page_size: size,
      ...(orderBy ? { order_by: orderBy.name } : {}),
      order,
      ...(after === undefined ? {} : { page_after_value: after })
    },
    asked: {
      size,
      order,
      ...(orderBy ? { orderBy } : {}),
      ...(after === undefined ? {} : { after: decodeAfter(after, quantity, orderBy, name) })
    }
  }
}

/** @throws SeraiError INVALID (422) */
function orderQuantity(orderName: string, quantity: Quantity, quantities: Quantities): Quantity {
  const loc = ['aggregation', 'pagination', 'order_by']
  const orderBy = findQuantity(orderName, quantities, loc)
  if (orderBy.many) {
    throw invalid(loc, 'the order_by quantity must be a scalar', { input: orderBy.name })
  }
  if (orderBy.kind === 'text' || orderBy.kind === 'path' || orderBy.kind === 'none') {
    const what = orderBy.kind === 'none' ? 'an object' : 'a text'
    throw invalid(loc, `${orderBy.name} cannot be ordered by: it is ${what}`, { input: orderBy.name })
  }
  requireTogether(orderBy, quantity, loc)
  return orderBy
}

/**
 * Where the next page begins: the value, or `<value of the order>:<value>`. The last colon separates, so those in the
 * second part are written as in URLs.
 */
export function encodeAfter({ value, orderValue }: TermsPageBucket): string {
  if (orderValue === undefined) return String(value)
  return `${orderValue}:${String(value).replace(/[%:]/g, encodeURIComponent)}`
}

/** @throws SeraiError INVALID (422) when the text is no such place */
function decodeAfter(
  text: string,
  quantity: Quantity,
  orderBy: Quantity | undefined,
  name: string
): NonNullable<TermsPage['asked']['after']> {
  const colon = orderBy ? text.lastIndexOf(':') : -1
  const last = text.slice(colon + 1)
  const value = scalar(orderBy ? last.replace(/%(?:25|3A)/gi, decodeURIComponent) : last, quantity)
  const orderValue = orderBy && colon >= 0 ? scalar(text.slice(0, colon), orderBy) : undefined
  if (value === undefined || (orderBy && orderValue === undefined)) {
    throw invalid(
      ['aggregations', name, 'terms', 'pagination', 'page_after_value'],
      'The pager_after_value has not the right format.',
      { input: text.slice(0, 200) }
    )
  }
  return { value, ...(orderValue === undefined ? {} : { orderValue }) }
}

/** A text as a value of the quantity; undefined when it is none. */
function scalar(text: string, { kind }: Quantity): Scalar | undefined {
  switch (kind) {
    case 'keyword':
      return text.toWellFormed()
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined
    case 'date':
      return timeSpan(text)?.first
    default: {
      const n = text.trim() === '' ? Number.NaN : Number(text)
      if (!Number.isFinite(n)) return undefined
      // Elasticsearch takes whole numbers only where it holds such.
      return kind === 'integer' || kind === 'long' ? whole(n, kind) : n
    }
  }
}

const LARGEST = { integer: 2 ** 31 - 1, long: 2 ** 63 - 1024 }

function whole(n: number, kind: 'integer' | 'long'): number | undefined {
  return Number.isInteger(n) && Math.abs(n) <= LARGEST[kind] ? n : undefined
}
