import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeCursor, encodeCursor } from '../../src/query/cursor.ts'
import { entryQuantities, type Quantity } from '../../src/query/quantities.ts'

const quantity = (name: string) => entryQuantities().get(name) as Quantity

const KEYWORD = quantity('entry_name')
const INTEGER = quantity('results.material.n_elements')
const FLOAT = quantity('results.method.simulation.dft.smearing_width')
const DATE = quantity('upload_create_time')
const BOOLEAN = quantity('with_embargo')

const ids = fc.string({ minLength: 1 }).filter(id => !id.includes(':'))

/** That the place of an entry is found again. */
function expectKept(
  orderBy: Quantity | undefined,
  entryId: string,
  value: string | number | null | undefined
) {
  const hit = { entryId, ...(value === undefined ? {} : { sortValue: value }) }
  const cursor = { entryId, ...(value === undefined ? {} : { value }) }
  expect(decodeCursor(encodeCursor(hit, orderBy), orderBy)).toEqual(cursor)
}

test('every place is found again, whatever the text of its value', () => {
  const texts = fc.oneof(
    fc.string(),
    fc.constantFrom('None', '~None', '~~None', '', ':', 'a:b', 'None:x', '~')
  )
  const numbers = fc.double({ noDefaultInfinity: true, noNaN: true }).map(n => n + 0)
  fc.assert(fc.property(ids, texts, (id, text) => expectKept(KEYWORD, id, text)))
  fc.assert(fc.property(ids, numbers, (id, n) => expectKept(FLOAT, id, n)))
  fc.assert(fc.property(ids, fc.integer({ min: -1e15, max: 1e15 }), (id, n) => expectKept(INTEGER, id, n)))
  fc.assert(fc.property(ids, fc.integer({ min: 10_000, max: 1e14 }), (id, n) => expectKept(DATE, id, n)))
  fc.assert(fc.property(ids, fc.constantFrom(0, 1), (id, n) => expectKept(BOOLEAN, id, n)))
})

test('so is that of an entry without a value', () => {
  for (const orderBy of [KEYWORD, INTEGER, FLOAT, DATE, BOOLEAN]) expectKept(orderBy, 'x', null)
  expect(encodeCursor({ entryId: 'x', sortValue: null }, KEYWORD)).toBe('None:x')
})

test('ordered by id the place is the id', () => {
  fc.assert(fc.property(fc.string(), id => expectKept(undefined, id, undefined)))
})

test('the form is that of the reference', () => {
  expect(encodeCursor({ entryId: 'id', sortValue: 'Si: exciting' }, KEYWORD)).toBe('Si: exciting:id')
  expect(encodeCursor({ entryId: 'id', sortValue: 2.0529560560374273e-10 }, FLOAT)).toBe(
    '2.0529560560374273e-10:id'
  )
  expect(decodeCursor('2024-01-01:id', DATE)).toEqual({ value: Date.UTC(2024, 0, 1), entryId: 'id' })
  expect(decodeCursor('false:id', BOOLEAN)).toEqual({ value: 0, entryId: 'id' })
})

test.each<[string, Quantity]>([
  ['no colon', KEYWORD],
  ['x:id', INTEGER],
  [':id', INTEGER],
  ['Infinity:id', FLOAT],
  ['soon:id', DATE],
  ['2:id', BOOLEAN],
  ['constructor:id', BOOLEAN]
])('%s is no place in the order by its quantity', (text, orderBy) => {
  expect(() => decodeCursor(text, orderBy)).toThrow(
    expect.objectContaining({ code: 'SEARCH_REFUSED', status: 400 })
  )
})
