import { describe, expect, test } from 'vitest'
import { excludingQueries } from '../../../src/query/aggregation/exclusion.ts'
import { compile } from '../../../src/query/compile.ts'
import { readCriteria } from '../../../src/query/criteria-reader.ts'
import { entryQuantities, type Quantity } from '../../../src/query/quantities.ts'
import { and, type Query } from '../../../src/query/tree.ts'

const quantities = entryQuantities()
const Q = (name: string) => quantities.get(name) as Quantity
const criteria = (json: unknown) => readCriteria(json, quantities)
const query = (json: unknown): Query => compile(criteria(json))
const OWNER: Query = { kind: 'terms', quantity: Q('published'), values: [true] }

/** What is left of a query without the criteria on a quantity; the owner rule aside. */
function without(json: unknown, name: string): Query {
  const left = excludingQueries(criteria(json), OWNER).without(Q(name))
  if (left === OWNER) return and()
  expect(left).toMatchObject({ kind: 'and' })
  const parts = (left as Extract<Query, { kind: 'and' }>).of
  expect(parts.at(-1)).toBe(OWNER)
  return and(...parts.slice(0, -1))
}

const ALL = { kind: 'all' }

describe('criteria on a quantity are left out', () => {
  test('at the top', () => {
    expect(without({ domain: 'dft' }, 'domain')).toEqual(ALL)
    expect(without({ domain: 'dft', upload_id: 'u' }, 'domain')).toEqual(query({ upload_id: 'u' }))
    expect(
      without({ and: [{ domain: 'dft' }, { and: [{ domain: 'x' }, { upload_id: 'u' }] }] }, 'domain')
    ).toEqual(query({ upload_id: 'u' }))
  })

  test('whatever they demand', () => {
    expect(without({ 'domain:none': ['dft'] }, 'domain')).toEqual(ALL)
    expect(without({ 'domain:all': ['dft', 'x'] }, 'domain')).toEqual(ALL)
    expect(without({ 'n_quantities:gte': 3 }, 'n_quantities')).toEqual(ALL)
  })

  test('in logic they match everything', () => {
    expect(without({ or: [{ domain: 'dft' }, { upload_id: 'u' }] }, 'domain')).toEqual({
      kind: 'or',
      of: [ALL, query({ upload_id: 'u' })]
    })
    expect(without({ not: { domain: 'dft' } }, 'domain')).toEqual({ kind: 'not', of: ALL })
  })

  test('inside of nested objects the object has to be there', () => {
    const path = 'results.material.topology'
    expect(without({ [path]: { label: 'x', n_atoms: 2 } }, `${path}.label`)).toEqual(
      query({ [path]: { n_atoms: 2 } })
    )
    expect(without({ [`${path}.label`]: 'x' }, `${path}.label`)).toEqual({ kind: 'nested', path, query: ALL })
  })

  test('but not those of other quantities, filters or the owner', () => {
    expect(without({ upload_id: 'u' }, 'domain')).toEqual(query({ upload_id: 'u' }))
    const filter = { optimade_filter: 'elements HAS "Si"' }
    expect(without(filter, 'optimade.elements')).toEqual(query(filter))
    expect(excludingQueries(criteria({ published: true }), OWNER).without(Q('published'))).toBe(OWNER)
  })
})

test('what is left is the same objects, so that engines look for it once', () => {
  const { all, without } = excludingQueries(criteria({ domain: 'dft', upload_id: 'u' }), OWNER)
  const [domain, upload, owner] = (all as Extract<Query, { kind: 'and' }>).of
  const left = without(Q('domain')) as Extract<Query, { kind: 'and' }>
  expect(left.of).toHaveLength(2)
  expect(left.of[0]).toBe(upload)
  expect(left.of[1]).toBe(owner)
  expect((without(Q('upload_id')) as Extract<Query, { kind: 'and' }>).of[0]).toBe(domain)
})
