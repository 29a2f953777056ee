import { describe, expect, test } from 'vitest'
import { pathMatcher } from '../../src/query/path-patterns.ts'
import { entryQuantities } from '../../src/query/quantities.ts'
import { requiredFields } from '../../src/query/required-fields.ts'

const quantities = entryQuantities()

test.each<[string, Parameters<typeof requiredFields>[0], string[], object, object]>([
  ['nothing', undefined, ['entry_id'], {}, {}],
  ['null', null, ['entry_id'], {}, {}],
  ['an empty object', {}, ['entry_id'], {}, {}],
  [
    'the id is always there',
    { include: ['upload_id'] },
    ['entry_id'],
    { include: ['upload_id', 'entry_id'] },
    { include: ['upload_id', 'entry_id'] }
  ],
  ['also for nothing', { include: [] }, ['entry_id'], { include: ['entry_id'] }, { include: ['entry_id'] }],
  [
    'and what is ordered by',
    { include: ['upload_id'] },
    ['entry_name'],
    { include: ['upload_id', 'entry_name', 'entry_id'] },
    { include: ['upload_id', 'entry_name', 'entry_id'] }
  ],
  [
    'neither can be excluded',
    { exclude: ['entry_id', 'entry_name', 'results*'] },
    ['entry_name'],
    { exclude: ['results*'] },
    { exclude: ['results*'] }
  ],
  [
    'data is made from search quantities',
    { include: ['data.*'] },
    ['entry_id'],
    { include: ['data.*', 'entry_id'] },
    { include: ['data.*', 'entry_id', 'search_quantities*'] }
  ],
  [
    'which stay for it when excluded',
    { exclude: ['search_quantities*', 'files'] },
    ['entry_id'],
    { exclude: ['search_quantities*', 'files'] },
    { exclude: ['files'] }
  ]
])('%s', (_, given, always, echo, source) => {
  const required = requiredFields(given, always, quantities)
  expect(required.echo).toEqual(echo)
  expect(required.source).toEqual(source)
})

test('a custom quantity is a path without its schema', () => {
  const { echo, source, allows } = requiredFields({ include: ['data.a#entry_id:x.S#str'] }, [], quantities)
  expect(echo.include).toEqual(['data.a#entry_id:x.S#str', 'entry_id'])
  expect(source.include).toContain('data.a')
  expect([allows('data.a'), allows('data.b')]).toEqual([true, false])
})

describe('a name must be a quantity, a pattern need not', () => {
  test.each(['results.material', 'mispelled', 'license', 'upload_id,mainfile', ''])('%j', name => {
    for (const given of [{ include: [name] }, { exclude: [name] }]) {
      expect(() => requiredFields(given, [], quantities)).toThrow(
        expect.objectContaining({
          status: 422,
          detail: [expect.objectContaining({ loc: ['required'], msg: `${name} is not a doc quantity` })]
        })
      )
    }
    expect(() => requiredFields({ include: [`${name}*`] }, [], quantities)).not.toThrow()
  })

  test('a schema of an upload needs its type', () => {
    expect(() => requiredFields({ include: ['data.a#entry_id:x.S'] }, [], quantities)).toThrow(
      /Could not resolve/
    )
  })

  test('too many patterns or stars', () => {
    expect(() => requiredFields({ include: Array(1001).fill('files') }, [], quantities)).toThrow(
      /too many patterns/
    )
    expect(() => requiredFields({ exclude: ['*a'.repeat(11)] }, [], quantities)).toThrow(/more than 10 stars/)
  })
})

test.each([
  [
    'results.material*',
    ['results.material', 'results.material.elements', 'results.materials'],
    ['results.method']
  ],
  ['results.material.*', ['results.material.elements'], ['results.material', 'results.materials.x']],
  ['*.symmetry', ['a.symmetry', 'a.b.symmetry.number'], ['symmetry', 'a.symmetry_x']],
  ['authors', ['authors', 'authors.name'], ['authors2']],
  ['a.b(c)+', ['a.b(c)+'], ['a.bcc', 'axb(c)+']],
  ['*', ['', 'a', 'a.b'], []]
])('the pattern %s', (pattern, matched, others) => {
  const matches = pathMatcher([pattern])
  expect(matched.filter(path => !matches(path))).toEqual([])
  expect(others.filter(matches)).toEqual([])
})
