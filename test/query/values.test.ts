import { describe, expect, test } from 'vitest'
import { SeraiError } from '../../src/errors.ts'
import { compile } from '../../src/query/compile.ts'
import { readCriteria } from '../../src/query/criteria-reader.ts'
import { entryQuantities } from '../../src/query/quantities.ts'
import type { Query } from '../../src/query/tree.ts'

const quantities = entryQuantities()
const compiled = (json: unknown) => compile(readCriteria(json, quantities))

/** The query without the details of its quantities. */
function outline(query: Query): unknown {
  return JSON.parse(JSON.stringify(query, (key, value) => (key === 'quantity' ? value.name : value)))
}

const N = 'results.material.n_elements'
const WIDTH = 'results.method.simulation.dft.smearing_width'
const HILL = 'results.material.chemical_formula_hill'
const DAY = 86_400_000
const MAY_6 = Date.UTC(2024, 4, 6)

describe('a value becomes one of the quantity', () => {
  test.each<[string, string, unknown, unknown[] | undefined]>([
    ['text of an integer', N, '3', [3]],
    ['with blanks', N, ' 3 ', [3]],
    ['a fraction is no integer', N, 2.5, undefined],
    ['nor is what the field cannot hold', N, 3e9, undefined],
    ['text of a float', WIDTH, '1.5e-21', [1.5e-21]],
    ['text of a boolean', 'published', 'false', [false]],
    ['a number as keyword', 'entry_id', 12, ['12']],
    ['a boolean as keyword', 'entry_id', true, ['true']],
    ['a formula', HILL, 'TiSrO3', ['O3SrTi']],
    ['milliseconds', 'upload_create_time', MAY_6, [MAY_6]],
    ['a broken character', 'entry_id', '\ud800', ['\ufffd']]
  ])('%s', (_, name, value, values) => {
    const expected = values ? { kind: 'terms', quantity: name, values } : { kind: 'none' }
    expect(outline(compiled({ [name]: value }))).toEqual(expected)
  })

  test.each<[string, string, unknown]>([
    ['a word', N, 'abc'],
    ['a boolean', N, true],
    ['nothing', N, ''],
    ['too large a number', WIDTH, '1e999'],
    ['a number for a boolean', 'published', 1],
    ['yesterday', 'upload_create_time', 'yesterday'],
    ['a day that does not exist', 'upload_create_time', '2023-02-29'],
    ['a boolean for a date', 'upload_create_time', false]
  ])('%s is refused as the search engine does', (_, name, value) => {
    for (const json of [{ [name]: value }, { [`${name}:any`]: [value] }, { [name]: { none: [value] } }]) {
      expect(() => compiled(json)).toThrow(
        expect.objectContaining({
          code: 'SEARCH_REFUSED',
          status: 400,
          detail: expect.stringMatching(/^Elasticsearch could not process your query: /)
        })
      )
    }
    expect(() => compiled({ [name]: { gte: 'x' } })).toThrow(SeraiError)
  })

  test('a list that any of is looked for is one criterion, of texts and dates several', () => {
    expect(outline(compiled({ [`${HILL}:any`]: ['OH2', 'ClNa'] }))).toEqual({
      kind: 'terms',
      quantity: HILL,
      values: ['H2O', 'ClNa']
    })
    expect(outline(compiled({ 'comment:any': ['a b', 'c'] }))).toEqual({
      kind: 'or',
      of: [
        { kind: 'text', quantity: 'comment', mode: 'words', text: 'a b' },
        { kind: 'text', quantity: 'comment', mode: 'words', text: 'c' }
      ]
    })
    expect(outline(compiled({ [`${N}:any`]: [] }))).toEqual({ kind: 'terms', quantity: N, values: [] })
    expect(outline(compiled({ [`${N}:all`]: [] }))).toEqual({ kind: 'all' })
  })

  test('texts are looked for in the way of their quantity', () => {
    expect(outline(compiled({ 'entry_name.prefix': 'Si ex' }))).toMatchObject({ mode: 'phrase_prefix' })
    expect(outline(compiled({ text_search_contents: 'hydro' }))).toMatchObject({ mode: 'bool_prefix' })
    expect(outline(compiled({ 'mainfile.path': 'a/b' }))).toMatchObject({ kind: 'text', mode: 'words' })
  })

  test('objects have no value of their own', () => {
    expect(compiled({ 'search_quantities.segments': 'x' })).toMatchObject({
      kind: 'nested',
      query: { kind: 'none' }
    })
  })
})

describe('dates stand for all of their moments', () => {
  test.each<[string, unknown, unknown]>([
    ['a day', '2024-05-06', { gte: MAY_6, lte: MAY_6 + DAY - 1 }],
    ['a second', '2024-05-06T00:00:00', { gte: MAY_6, lte: MAY_6 + 999 }],
    ['after a day', { gt: '2024-05-06' }, { gt: MAY_6 + DAY - 1 }],
    ['from a day on', { gte: '2024-05-06' }, { gte: MAY_6 }],
    ['before a day', { lt: '2024-05-06' }, { lt: MAY_6 }],
    ['up to a day', { lte: '2024-05-06' }, { lte: MAY_6 + DAY - 1 }],
    ['with an offset', { lt: '2024-05-06T02:00:00+02:00' }, { lt: MAY_6 }],
    ['bounds of milliseconds', { lte: MAY_6 }, { lte: MAY_6 }]
  ])('%s', (_, value, bounds) => {
    const query = compiled({ upload_create_time: value })
    expect(outline(query)).toEqual({ kind: 'range', quantity: 'upload_create_time', bounds })
  })
})

describe('bounds beyond all numbers of a field', () => {
  test.each<[unknown, unknown]>([
    [{ lt: 1e30 }, { lte: 2 ** 31 - 1 }],
    [{ gte: 1e30 }, { gt: 2 ** 31 - 1 }],
    [{ gt: -1e30 }, { gte: -(2 ** 31 - 1) }],
    [{ lte: -1e30 }, { lt: -(2 ** 31 - 1) }],
    [
      { gt: 1.5, lt: '2.5' },
      { gt: 1.5, lt: 2.5 }
    ]
  ])('%j', (value, bounds) => {
    expect(outline(compiled({ [N]: value }))).toEqual({ kind: 'range', quantity: N, bounds })
  })
})

describe('nested queries', () => {
  const TOPOLOGY = 'results.material.topology'
  test('criteria stand in one node for each nested level on their way', () => {
    const path = `${TOPOLOGY}.elemental_composition`
    expect(outline(compiled({ [`${path}.element`]: 'H' }))).toEqual({
      kind: 'nested',
      path: TOPOLOGY,
      query: { kind: 'nested', path, query: { kind: 'terms', quantity: `${path}.element`, values: ['H'] } }
    })
  })

  test('`none` is inside of the nested query, `not` outside', () => {
    const label = `${TOPOLOGY}.label`
    expect(compiled({ [`${label}:none`]: ['a'] })).toMatchObject({ kind: 'nested', query: { kind: 'not' } })
    expect(compiled({ not: { [label]: 'a' } })).toMatchObject({ kind: 'not', of: { kind: 'nested' } })
  })
})
