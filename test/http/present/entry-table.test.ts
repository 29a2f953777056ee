import { describe, expect, test } from 'vitest'
import { cellOf, columnsOf } from '../../../src/http/present/entry-table.ts'
import { entryQuantities } from '../../../src/query/quantities.ts'

const quantities = entryQuantities()
const names = (patterns: Parameters<typeof columnsOf>[0]) => columnsOf(patterns, quantities).map(c => c.name)

describe('columns', () => {
  test('are the included quantities, in the order in which they are named', () => {
    expect(names({ include: ['mainfile', 'results.material.n_elements', 'mainfile'] })).toEqual([
      'entry_id',
      'mainfile',
      'results.material.n_elements'
    ])
  })

  test('a pattern stands for every quantity that it matches', () => {
    const columns = names({ include: ['results.material.symmetry*', 'main_author.*'] })
    expect(columns).toContain('results.material.symmetry.crystal_system')
    expect(columns.filter(name => name.startsWith('main_author'))).toEqual([
      'main_author.name',
      'main_author.user_id'
    ])
    expect(
      columns.filter(name => !/^(entry_id|results\.material\.symmetry\.|main_author\.)/.test(name))
    ).toEqual([])
    expect(names({ include: ['data.*'] })).toEqual(['entry_id', 'data'])
    expect(names({ include: ['licen*'] })).toEqual(['entry_id', 'license'])
  })

  test('without include there is one for everything that an entry may have at the top', () => {
    const columns = names({})
    for (const name of ['entry_id', 'results', 'main_author', 'datasets', 'license', 'data', 'published'])
      expect(columns).toContain(name)
    expect(columns.filter(name => name.includes('.') || name.includes('__suggestion'))).toEqual([])
    expect(new Set(columns).size).toBe(columns.length)
  })

  test('what is excluded whole has none', () => {
    expect(names({ exclude: ['results*', 'files'] })).not.toContain('results')
    expect(names({ exclude: ['results*', 'files'] })).not.toContain('files')
    expect(names({ exclude: ['results.material'] })).toContain('results')
    expect(names({ include: ['mainfile', 'upload_name'], exclude: ['mainfile'] })).toEqual([
      'entry_id',
      'upload_name'
    ])
  })

  test('custom quantities are found by their path', () => {
    const name = 'data.steps.temperature#my.schema.Process'
    const [, column] = columnsOf({ include: [name] }, quantities)
    expect(column).toEqual({ name, path: ['data', 'steps', 'temperature'] })
  })
})

describe('cells', () => {
  const cell = (entry: unknown, path: string) => cellOf(entry, { name: path, path: path.split('.') })

  test('plain values are as they are', () => {
    expect(cell({ a: 'x, "y"' }, 'a')).toBe('x, "y"')
    expect(cell({ a: -1.5e-19 }, 'a')).toBe('-1.5e-19')
    expect(cell({ a: false }, 'a')).toBe('false')
    expect(cell({ a: '=1+1' }, 'a')).toBe('=1+1')
    expect(cell({ a: { b: 'c' } }, 'a.b')).toBe('c')
  })

  test('what is not there is empty', () => {
    expect(cell({}, 'a')).toBe('')
    expect(cell({ a: null }, 'a')).toBe('')
    expect(cell({ a: 'text' }, 'a.b')).toBe('')
    expect(cell({ a: [{}, {}] }, 'a.b')).toBe('')
  })

  test('lists and objects are JSON, with an item for each item on the way', () => {
    expect(cell({ a: ['Ti', 'O'] }, 'a')).toBe('["Ti","O"]')
    expect(cell({ a: { b: 1 } }, 'a')).toBe('{"b":1}')
    expect(cell({ a: [{ b: 1 }, {}, { b: [2, 3] }] }, 'a.b')).toBe('[1,null,[2,3]]')
  })
})
