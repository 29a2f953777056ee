import { describe, expect, test } from 'vitest'
import { presentEntry } from '../../../src/http/present/entry.ts'
import { entryQuantities } from '../../../src/query/quantities.ts'
import { type FieldPatterns, requiredFields } from '../../../src/query/required-fields.ts'

const quantities = entryQuantities()
const present = (document: Record<string, unknown>, required?: FieldPatterns) =>
  presentEntry({ entryId: 'x', document }, requiredFields(required, [], quantities))

const SEARCH_QUANTITIES = [
  { id: 'data.name#S', path_archive: 'data.name', str_value: 'a' },
  { id: 'data.on#S', path_archive: 'data.on', bool_value: false },
  { id: 'data.steps.t#S', path_archive: 'data.steps.0.t', int_value: 0 },
  { id: 'data.steps.t#S', path_archive: 'data.steps.2.t', float_value: 1.5 }
]
const DATA = { name: 'a', on: false, steps: [{ t: 0 }, {}, { t: 1.5 }] }

describe('what is added', () => {
  test('id and licence, as far as they are wanted', () => {
    expect(present({ upload_id: 'u' })).toEqual({ upload_id: 'u', entry_id: 'x', license: 'CC BY 4.0' })
    expect(present({ license: 'CC0' }).license).toBe('CC0')
    expect(present({}, { include: ['upload_id'] })).toEqual({ entry_id: 'x' })
    expect(present({}, { include: ['licen*'] })).toEqual({ entry_id: 'x', license: 'CC BY 4.0' })
    expect(present({}, { exclude: ['l*'] })).toEqual({ entry_id: 'x' })
    expect(present({}, { exclude: ['entry*', 'l*'] })).toEqual({ entry_id: 'x' })
  })

  test('the data of custom schemas, put together from their searchable values', () => {
    expect(present({ search_quantities: SEARCH_QUANTITIES }).data).toEqual(DATA)
    expect(present({ search_quantities: SEARCH_QUANTITIES[0] }).data).toEqual({ name: 'a' })
    expect(present({ search_quantities: [] })).not.toHaveProperty('data')
  })

  test('values that contradict each other or lie elsewhere do no harm', () => {
    const search_quantities = [
      { path_archive: 'data.a', str_value: 'x' },
      { path_archive: 'data.a.b', str_value: 'y' },
      { path_archive: 'data.__proto__.polluted', str_value: 'z' },
      { path_archive: 'data.list.999999999999', int_value: 1 },
      { path_archive: 'upload_id', str_value: 'stolen' },
      { path_archive: 'data.nothing' },
      { str_value: 'no path' }
    ]
    const entry = present({ search_quantities })
    expect(entry.data).toMatchObject({ a: 'x', list: { 999999999999: 1 } })
    expect(entry).not.toHaveProperty('upload_id')
    expect({}).not.toHaveProperty('polluted')
  })
})

describe('what is taken away', () => {
  test('e-mail addresses of persons', () => {
    const person = { user_id: 'u', name: 'A B', email: 'a@b.org' }
    const entry = present({ main_author: person, authors: [person], writers: [person], viewers: [person] })
    expect(JSON.stringify(entry)).not.toContain('a@b.org')
    expect(entry.authors).toEqual([{ user_id: 'u', name: 'A B' }])
  })

  test('annotations of datasets', () => {
    const datasets = [{ dataset_id: 'd', m_annotations: { mongo: [] } }]
    expect(present({ datasets }).datasets).toEqual([{ dataset_id: 'd' }])
  })
})

describe('patterns of data and search quantities', () => {
  const document = {
    files: ['f'],
    references: [],
    datasets: [{ doi: '1' }],
    search_quantities: SEARCH_QUANTITIES
  }
  const keys = (required: FieldPatterns) => Object.keys(present(document, required)).sort()

  test('data alone', () => {
    expect(keys({ include: ['data.*'] })).toEqual(['data', 'entry_id'])
    expect(keys({ include: ['data*'] })).toEqual(['data', 'entry_id'])
    expect(present(document, { include: ['data.steps.t*'] }).data).toEqual({ steps: [{ t: 0 }, { t: 1.5 }] })
    expect(present(document, { include: ['data.na*'] })).toEqual({ entry_id: 'x' })
  })

  test('data and its sources', () => {
    expect(keys({ include: ['data*', 'search_quantities*'] })).toEqual([
      'data',
      'entry_id',
      'search_quantities'
    ])
  })

  test('without data', () => {
    const entry = present(document, { exclude: ['data*'] })
    expect(entry).not.toHaveProperty('data')
    expect(entry.search_quantities).toEqual(SEARCH_QUANTITIES)
  })

  test('without its sources', () => {
    const entry = present(document, { exclude: ['search_quantities*'] })
    expect(entry).not.toHaveProperty('search_quantities')
    expect(entry.data).toMatchObject({ name: 'a' })
    expect(entry).toHaveProperty('files')
  })

  test('without one member of its sources', () => {
    const entry = present(document, { exclude: ['search_quantities.str_value'] })
    expect(JSON.stringify(entry.search_quantities)).not.toContain('str_value')
    expect(entry.data).toMatchObject({ name: 'a' })
  })
})
