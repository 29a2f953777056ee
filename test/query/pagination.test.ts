import { describe, expect, test } from 'vitest'
import { bodyPagination, urlPagination } from '../../src/query/pagination.ts'
import { entryQuantities } from '../../src/query/quantities.ts'

const quantities = entryQuantities()
const DEFAULTS = { page_size: 10, order_by: 'entry_id', order: 'asc' }

test.each<[string, unknown, object]>([
  ['nothing', undefined, { echo: DEFAULTS }],
  ['null', null, { echo: DEFAULTS }],
  [
    'members that are null',
    { order_by: null, page: null, page_offset: null, page_after_value: null },
    { echo: DEFAULTS }
  ],
  [
    'numbers as text',
    { page_size: '2', page: '3' },
    { echo: { ...DEFAULTS, page_size: 2, page: 3 }, offset: 4 }
  ],
  ['a whole number with a point', { page_size: '2.0' }, { echo: { ...DEFAULTS, page_size: 2 } }],
  ['the first page', { page: 1 }, { echo: { ...DEFAULTS, page: 1 } }],
  ['an offset', { page_offset: 3 }, { echo: { ...DEFAULTS, page_offset: 3 }, offset: 3 }],
  ['an offset of 0 is repeated', { page_offset: 0 }, { echo: { ...DEFAULTS, page_offset: 0 } }],
  ['the last offset', { page_offset: 9989 }, { echo: { ...DEFAULTS, page_offset: 9989 }, offset: 9989 }],
  [
    'the last page',
    { page: 9999, page_size: 1 },
    { echo: { ...DEFAULTS, page_size: 1, page: 9999 }, offset: 9998 }
  ],
  ['the largest page', { page_size: 10_000 }, { echo: { ...DEFAULTS, page_size: 10_000 } }],
  [
    'a place',
    { page_after_value: 'x' },
    { echo: { ...DEFAULTS, page_after_value: 'x' }, after: { entryId: 'x' } }
  ],
  [
    'an empty place is none',
    { page_after_value: '', page: 2 },
    { echo: { ...DEFAULTS, page: 2 }, offset: 10 }
  ],
  ['unknown members', { only: 'x' }, { echo: DEFAULTS }],
  ['the order of the engine', { order_by: '_score' }, { echo: { ...DEFAULTS, order_by: '_score' } }]
])('%s', (_, given, expected) => {
  const { orderName, ...pagination } = bodyPagination(given, quantities)
  expect(pagination).toEqual(expected)
  expect(orderName).toBe(pagination.echo.order_by)
  if (given !== null && given !== undefined)
    expect(urlPagination(given, quantities)).toEqual({ orderName, ...pagination })
})

describe('what entries are ordered by', () => {
  test('a quantity with one value', () => {
    const { echo, orderBy, after } = bodyPagination(
      { order_by: 'entry_name', order: 'desc', page_after_value: 'a:b:id' },
      quantities
    )
    expect(echo).toMatchObject({ order_by: 'entry_name', order: 'desc', page_after_value: 'a:b:id' })
    expect(orderBy).toBe(quantities.get('entry_name'))
    expect(after).toEqual({ value: 'a:b', entryId: 'id' })
  })

  test('an old name is repeated as the new one', () => {
    const { echo, orderBy } = bodyPagination({ order_by: 'mainfile_path' }, quantities)
    expect([echo.order_by, orderBy?.name]).toEqual(['mainfile', 'mainfile'])
  })

  test.each([
    ['mispelled', 'mispelled is not a doc quantity'],
    ['results.material', 'results.material is not a doc quantity'],
    ['results.material.elements', 'the order_by quantity must be a scalar'],
    [
      'results.properties.electronic.band_gap.value',
      'results.properties.electronic.band_gap.value cannot be'
    ],
    ['comment', 'comment cannot be ordered by'],
    ['mainfile.path', 'mainfile.path cannot be ordered by'],
    ['main_author', 'main_author cannot be ordered by'],
    ['data.name#entry_id:x.S', 'Could not resolve the data type for quantity data.name#entry_id:x.S']
  ])('not %s', (order_by, message) => {
    expect(() => bodyPagination({ order_by }, quantities)).toThrow(
      expect.objectContaining({
        status: 422,
        detail: [
          expect.objectContaining({ loc: ['pagination', 'order_by'], msg: expect.stringContaining(message) })
        ]
      })
    )
  })
})

test.each<[string, unknown, string, string[]]>([
  ['no object', [], 'model_attributes_type', []],
  ['a fraction', { page_size: 2.5 }, 'int_from_float', ['page_size']],
  ['a word', { page_size: 'x' }, 'int_parsing', ['page_size']],
  ['a boolean', { page_size: true }, 'int_type', ['page_size']],
  ['a negative size', { page_size: -1 }, 'invalid_page_size', ['page_size']],
  ['page 0', { page: 0 }, 'bad_page', ['page']],
  ['a page too far', { page: 1000 }, 'bad_page', ['page']],
  ['a negative offset', { page_offset: -1 }, 'bad_page_offset', ['page_offset']],
  ['an offset too far', { page_offset: 9990 }, 'bad_page_offset', ['page_offset']],
  ['a page and an offset', { page: 1, page_offset: 1 }, 'multiple_pagination_criteria', []],
  ['a page and a place', { page: 1, page_after_value: 'a' }, 'multiple_pagination_criteria', []],
  ['a page of no entries', { page_size: 0, page: 1 }, 'invalid_pagination', []],
  ['an offset of 0 on a page of no entries', { page_size: 0, page_offset: 0 }, 'invalid_pagination', []],
  ['a place on a page of no entries', { page_size: 0, page_after_value: 'a' }, 'invalid_pagination', []],
  ['an unknown order', { order: 'up' }, 'enum', ['order']],
  ['a list to order by', { order_by: ['entry_id'] }, 'string_type', ['order_by']],
  ['a number as place', { page_after_value: 5 }, 'string_type', ['page_after_value']]
])('%s is refused', (_, given, type, loc) => {
  const detail = (where: string[]) => [expect.objectContaining({ type, loc: [...where, ...loc] })]
  const error = (where: string[]) => expect.objectContaining({ status: 422, detail: detail(where) })
  expect(() => bodyPagination(given, quantities)).toThrow(error(['body', 'pagination']))
  if (!Array.isArray(given))
    expect(() => urlPagination(given as object, quantities)).toThrow(error(['query']))
})

test('a page of more than the window is refused as the search engine does', () => {
  expect(() => bodyPagination({ page_size: 10_001 }, quantities)).toThrow(
    expect.objectContaining({ status: 400, detail: expect.stringContaining('Result window is too large') })
  )
})
