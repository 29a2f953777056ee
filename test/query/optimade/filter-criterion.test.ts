/** `optimade_filter` in the query language of v1 (`optimade.md` §1). */
import { describe, expect, test } from 'vitest'
import { SeraiError } from '../../../src/errors.ts'
import { compile } from '../../../src/query/compile.ts'
import { readCriteria } from '../../../src/query/criteria-reader.ts'
import { echo } from '../../../src/query/echo.ts'
import { entryQuantities } from '../../../src/query/quantities.ts'
import { matches } from '../../search/naive.ts'
import { STRUCTURES } from './structures.ts'

const quantities = entryQuantities()

function found(json: unknown): string {
  const query = compile(readCriteria(json, quantities))
  return STRUCTURES.filter(document => matches(query, document))
    .map(document => document.entry_id)
    .join(' ')
}

function refusal(json: unknown): { loc: readonly unknown[]; msg: string } {
  try {
    compile(readCriteria(json, quantities))
  } catch (error) {
    if (!(error instanceof SeraiError) || typeof error.detail === 'string') throw error
    expect(error.status).toBe(422)
    expect(error.detail).toHaveLength(1)
    return error.detail[0] as { loc: readonly unknown[]; msg: string }
  }
  throw new Error(`${JSON.stringify(json)} was compiled`)
}

describe('where it may stand', () => {
  test.each([
    ['alone', { optimade_filter: 'nelements = 2' }, 's1'],
    ['beside other names', { optimade_filter: 'nelements < 3', 'results.material.elements': 'O' }, 's1'],
    ['in and', { and: [{ optimade_filter: 'nelements < 3' }, { published: true }] }, 's1 s2 s4'],
    ['in or', { or: [{ optimade_filter: 'nelements = 2' }, { entry_id: 's6' }] }, 's1 s6'],
    [
      'in not, which is no NOT of the filter',
      { not: { optimade_filter: 'nelements = 2' } },
      's2 s3 s4 s5 s6'
    ],
    ['a list: all', { optimade_filter: ['nelements < 3', 'elements HAS "C"'] }, 's4'],
    ['all', { 'optimade_filter:all': ['nelements < 3', 'elements HAS "C"'] }, 's4'],
    ['any', { 'optimade_filter:any': ['nelements = 2', 'elements HAS "C"'] }, 's1 s3 s4'],
    ['none', { 'optimade_filter:none': ['nelements = 2', 'elements HAS "C"'] }, 's2 s5 s6'],
    ['as a set', { optimade_filter: { any: ['nelements = 2', 'elements HAS "C"'] } }, 's1 s3 s4'],
    ['as its echo', { name: 'optimade_filter', value: 'nelements = 2' }, 's1'],
    ['twice', { optimade_filter: 'nelements < 3', 'optimade_filter:none': ['nsites = 2'] }, 's1'],
    ['blank', { optimade_filter: ' ' }, 's1 s2 s3 s4 s5 s6'],
    ['no filters: all', { optimade_filter: [] }, 's1 s2 s3 s4 s5 s6'],
    ['no filters: any', { 'optimade_filter:any': [] }, '']
  ])('%s', (_, json, ids) => {
    expect(found(json)).toBe(ids)
  })

  test.each([
    ['a comparison', { 'optimade_filter:gt': 'nelements = 2' }, 'optimade_filter'],
    ['a range', { optimade_filter: { lte: 'nelements = 2' } }, 'optimade_filter'],
    ['below another name', { results: { optimade_filter: 'nelements = 2' } }, 'results.optimade_filter'],
    ['with names below it', { optimade_filter: { nelements: 2 } }, 'optimade_filter.nelements'],
    ['with null', { optimade_filter: null }, 'optimade_filter'],
    ['with null in a list', { optimade_filter: [null] }, 'body.query.all.0'],
    ['a number', { optimade_filter: 5 }, 'optimade_filter'],
    ['true', { optimade_filter: true }, 'optimade_filter']
  ])('not %s', (_, json, loc) => {
    expect(refusal(json).loc.join('.')).toBe(loc)
  })
})

test('answers repeat it as it came', () => {
  const echoed = (json: unknown) => echo(readCriteria(json, quantities))
  expect(echoed({ optimade_filter: ' nelements=2 ' })).toEqual({
    name: 'optimade_filter',
    value: ' nelements=2 '
  })
  expect(echoed({ domain: 'dft', 'optimade_filter:none': ['nsites = 1'] })).toEqual({
    and: [
      { name: 'domain', value: 'dft' },
      { name: 'optimade_filter', value: { none: ['nsites = 1'] } }
    ]
  })
})

describe('errors', () => {
  test('say what is wrong with the text', () => {
    const { loc, msg } = refusal({ and: [{ optimade_filter: 'elements HAS ONY "H"' }] })
    expect(loc).toEqual(['optimade_filter'])
    expect(msg).toMatch(
      /^Could not parse optimade filter: Syntax error: unexpected ONY at line 1, column 14; expected ALL/
    )
    expect(msg).toMatch(/\n\nelements HAS ONY "H"\n {13}\^$/)
  })

  test('say what is wrong with a name or value', () => {
    const { loc, msg } = refusal({ optimade_filter: ['nsites = 1', 'nsites = 1 AND doesnotexist = 1'] })
    expect(loc).toEqual(['optimade_filter'])
    expect(msg).toBe(
      'Could not parse optimade filter: Semantic error: doesnotexist is not a known property (line 1, column 16)'
    )
  })

  test('bound all filters of a query together', () => {
    const filter = Array.from({ length: 1000 }, (_, i) => `nsites > ${i}`).join(' OR ')
    expect(found({ optimade_filter: Array(4).fill(filter) })).toBe('s1 s2 s3 s4 s5')
    expect(refusal({ optimade_filter: Array(5).fill(filter) }).msg).toContain(
      'too many tests in OPTIMADE filters: 5000'
    )
  })
})
