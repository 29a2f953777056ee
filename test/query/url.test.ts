import { describe, expect, test } from 'vitest'
import { readCriteria } from '../../src/query/criteria-reader.ts'
import { echo } from '../../src/query/echo.ts'
import { entryQuantities } from '../../src/query/quantities.ts'
import { urlQuery } from '../../src/query/url.ts'

const quantities = entryQuantities()
const echoOf = (parameters: object) =>
  echo(readCriteria(urlQuery(parameters, quantities), quantities, ['query']))

const ELEMENTS = 'results.material.elements'
const N = 'results.material.n_elements'
const is = (name: string, value: unknown) => ({ name, value })

test.each<[string, object, unknown]>([
  ['one value', { entry_id: 'x' }, is('entry_id', { any: ['x'] })],
  ['several mean any', { entry_id: ['x', 'y'] }, is('entry_id', { any: ['x', 'y'] })],
  ['of elements all', { [ELEMENTS]: ['Ti', 'O'] }, is(ELEMENTS, { all: ['Ti', 'O'] })],
  ['by their short name', { elements: ['Ti', 'O'] }, is(ELEMENTS, { all: ['Ti', 'O'] })],
  ['both names together', { elements: 'Ti', [ELEMENTS]: 'O' }, is(ELEMENTS, { all: ['Ti', 'O'] })],
  ['unless any is asked for', { elements__any: ['Ti', 'O'] }, is(ELEMENTS, { any: ['Ti', 'O'] })],
  ['none of one', { [`${ELEMENTS}__none`]: 'O' }, is(ELEMENTS, { none: ['O'] })],
  ['commas do not separate', { elements: 'Ti,O' }, is(ELEMENTS, { all: ['Ti,O'] })],
  ['an integer', { [N]: '2' }, is(N, { any: [2] })],
  [
    'a float',
    { 'results.method.simulation.dft.smearing_width__gt': '1e-19' },
    expect.objectContaining({ value: { gt: 1e-19 } })
  ],
  ['two bounds', { [`${N}__gte`]: '2', [`${N}__lt`]: '4' }, is(N, { lt: 4, gte: 2 })],
  ['false', { with_embargo: 'false' }, is('with_embargo', { any: [false] })],
  ['1', { published: '1' }, is('published', { any: [true] })],
  [
    'a date is written out',
    { upload_create_time__gt: '2024-06-27' },
    is('upload_create_time', { gt: '2024-06-27T00:00:00' })
  ],
  ['an empty value', { upload_name: '' }, is('upload_name', { any: [''] })],
  ['no quantity', { mispelled: 'x', owner: 'public', page_size: '3', optimade_filter: 'x' }, { and: [] }],
  ['q', { q: [`${N}__gt__2`] }, is(N, { gt: 2 })],
  ['q twice', { q: ['elements__Ti', `${ELEMENTS}__O`] }, is(ELEMENTS, { all: ['Ti', 'O'] })],
  ['q after parameters', { q: ['elements__Ti'], elements: 'O' }, is(ELEMENTS, { all: ['O', 'Ti'] })],
  ['json_query', { json_query: `{"${ELEMENTS}:any": ["O"]}` }, is(ELEMENTS, { any: ['O'] })],
  ['json_query over a parameter', { json_query: `{"${N}:gt": 2}`, [N]: '5' }, is(N, { gt: 2 })],
  [
    'json_query beside parameters',
    { json_query: '{"or": [{"domain": "dft"}]}', [N]: '5' },
    { and: [is(N, { any: [5] }), { or: [is('domain', 'dft')] }] }
  ]
])('%s', (_, parameters, expected) => {
  expect(echoOf(parameters)).toEqual(expected)
})

describe('what cannot be is refused with the parameter', () => {
  test.each<[string, object, unknown[], string]>([
    ['an unknown operator', { entry_id__like: 'x' }, ['query', 'entry_id__like'], 'operator like is unknown'],
    [
      'two bounds of one kind',
      { [`${N}__gt`]: ['1', '2'] },
      ['query', `${N}__gt`],
      'operator gt does not support'
    ],
    [
      'none of two',
      { entry_id__none: ['a', 'b'] },
      ['query', 'entry_id__none'],
      'operator none does not support'
    ],
    ['no integer', { [N]: 'x' }, ['query', N], 'valid integer'],
    ['a fraction', { [N]: '2.5' }, ['query', N], 'valid integer'],
    [
      'no number',
      { 'results.method.simulation.dft.smearing_width': '' },
      ['query', 'results.method.simulation.dft.smearing_width'],
      'valid number'
    ],
    ['no boolean', { published: 'perhaps' }, ['query', 'published'], 'valid boolean'],
    ['no date', { upload_create_time__gt: 'soon' }, ['query', 'upload_create_time__gt'], 'ISO 8601'],
    ['q without a value', { q: ['domain'] }, ['query', 'q'], 'wrong format'],
    ['q of too many parts', { q: ['a__b__c__d'] }, ['query', 'q'], 'wrong format'],
    [
      'q of an unknown quantity',
      { q: ['missing__x'] },
      ['query', 'missing__x'],
      'missing is not a doc quantity'
    ],
    [
      'q with an unknown operator',
      { q: ['entry_id__like__x'] },
      ['query', 'entry_id__like'],
      'operator like is unknown'
    ],
    ['broken json_query', { json_query: '{"a": [}' }, ['json_query'], 'cannot parse json_query'],
    ['a list as json_query', { json_query: '[1]' }, ['json_query'], 'cannot parse json_query'],
    [
      'json_query of too many levels',
      { json_query: `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}` },
      ['json_query'],
      'cannot parse'
    ],
    ['json_query that is no query', { json_query: '{"domain:any": "x"}' }, ['query', 'any'], 'valid list'],
    [
      'two operators',
      { domain: 'a', domain__none: 'b' },
      ['query'],
      'A quantity can only appear once in a query'
    ]
  ])('%s', (_, parameters, loc, message) => {
    expect(() => echoOf(parameters)).toThrow(
      expect.objectContaining({
        status: 422,
        detail: [expect.objectContaining({ loc, msg: expect.stringContaining(message) })]
      })
    )
  })
})
