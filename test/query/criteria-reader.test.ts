import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type DetailItem, SeraiError } from '../../src/errors.ts'
import { compile } from '../../src/query/compile.ts'
import { readCriteria } from '../../src/query/criteria-reader.ts'
import { echo } from '../../src/query/echo.ts'
import { entryQuantities } from '../../src/query/quantities.ts'

const quantities = entryQuantities()
const read = (json: unknown) => readCriteria(json, quantities)
const echoOf = (json: unknown) => echo(read(json))

/** The error of a query. */
function refusal(json: unknown): SeraiError {
  try {
    compile(read(json))
  } catch (error) {
    if (error instanceof SeraiError) return error
    throw error
  }
  throw new Error('the query was accepted')
}

const ELEMENTS = 'results.material.elements'
const N = 'results.material.n_elements'
const GAP = 'results.properties.electronic.band_gap'
const TOPOLOGY = 'results.material.topology'
const COMPOSITION = `${TOPOLOGY}.elemental_composition`

describe('what a query in JSON means is shown by its normalised form', () => {
  test.each<[string, unknown, unknown]>([
    ['nothing', undefined, { and: [] }],
    ['null', null, { and: [] }],
    ['no criteria', {}, { and: [] }],
    ['a value', { entry_id: 'x' }, { name: 'entry_id', value: 'x' }],
    ['a list is all of it', { [ELEMENTS]: ['O'] }, { name: ELEMENTS, value: { all: ['O'] } }],
    ['an operator behind the name', { [`${ELEMENTS}:any`]: [] }, { name: ELEMENTS, value: { any: [] } }],
    ['an operator as object', { [ELEMENTS]: { none: ['O'] } }, { name: ELEMENTS, value: { none: ['O'] } }],
    ['bounds in a fixed order', { [N]: { gt: 1, lte: 4 } }, { name: N, value: { lte: 4, gt: 1 } }],
    ['a bound of 0', { [`${N}:gte`]: 0 }, { name: N, value: { gte: 0 } }],
    ['two bounds make one range', { [`${N}:gt`]: 1, [`${N}:lt`]: 4 }, { name: N, value: { lt: 4, gt: 1 } }],
    [
      'an object and a suffix make one range',
      { [`${N}:lt`]: 4, [N]: { gt: 1 } },
      { name: N, value: { lt: 4, gt: 1 } }
    ],
    [
      'names with operators come last',
      { [`${ELEMENTS}:none`]: ['C'], domain: 'dft' },
      {
        and: [
          { name: 'domain', value: 'dft' },
          { name: ELEMENTS, value: { none: ['C'] } }
        ]
      }
    ],
    [
      'people are found by name',
      { authors: ['A', 'B'] },
      { name: 'authors.name', value: { all: ['A', 'B'] } }
    ],
    ['datasets too', { 'datasets:any': ['D'] }, { name: 'datasets.dataset_name', value: { any: ['D'] } }],
    ['or', { or: [{ domain: 'a' }] }, { or: [{ name: 'domain', value: 'a' }] }],
    ['not', { not: { domain: 'a' } }, { not: { name: 'domain', value: 'a' } }],
    ['an empty or', { or: [] }, { name: 'or', value: { all: [] } }],
    ['not of nothing', { not: {} }, { and: [] }],
    [
      'logic and names beside it are AND-ed',
      { or: [{ domain: 'a' }], domain: 'b' },
      { and: [{ or: [{ name: 'domain', value: 'a' }] }, { name: 'domain', value: 'b' }] }
    ],
    ['an empty group', { entry_id: {} }, { and: [] }],
    ['a group', { 'results.material': { n_elements: 1 } }, { and: [{ name: N, value: 1 }] }],
    [
      'bounds in a group stay apart',
      { 'results.material': { 'n_elements:gt': 1, 'n_elements:lt': 3 } },
      {
        and: [
          { name: N, value: { gt: 1 } },
          { name: N, value: { lt: 3 } }
        ]
      }
    ],
    ['a nested quantity', { [`${GAP}.value`]: 1 }, { prefix: GAP, query: { name: 'value', value: 1 } }],
    [
      'flat criteria of nested quantities stay apart',
      { [`${GAP}.value`]: 1, [`${GAP}.type`]: 'direct' },
      {
        and: [
          { prefix: GAP, query: { name: 'value', value: 1 } },
          { prefix: GAP, query: { name: 'type', value: 'direct' } }
        ]
      }
    ],
    [
      'a group of a nested object is met by one object',
      { [GAP]: { value: 1, type: 'direct' } },
      {
        prefix: GAP,
        query: {
          and: [
            { name: 'value', value: 1 },
            { name: 'type', value: 'direct' }
          ]
        }
      }
    ],
    [
      'a group above the nested object is flat',
      { 'results.material': { 'topology.label': 'a', 'topology.n_atoms': 1 } },
      {
        and: [
          { prefix: TOPOLOGY, query: { name: 'label', value: 'a' } },
          { prefix: TOPOLOGY, query: { name: 'n_atoms', value: 1 } }
        ]
      }
    ],
    [
      'a group below the nested object is met by one object',
      { [`${TOPOLOGY}.cell`]: { a: 1, b: 2 } },
      {
        prefix: TOPOLOGY,
        query: {
          and: [
            { name: 'cell.a', value: 1 },
            { name: 'cell.b', value: 2 }
          ]
        }
      }
    ],
    [
      'nested in nested',
      { [TOPOLOGY]: { label: 'a', elemental_composition: { element: 'H' } } },
      {
        prefix: TOPOLOGY,
        query: {
          and: [
            { name: 'label', value: 'a' },
            { prefix: COMPOSITION, query: { and: [{ name: 'element', value: 'H' }] } }
          ]
        }
      }
    ]
  ])('%s', (_, json, expected) => {
    expect(echoOf(json)).toEqual(expected)
  })

  test('the normalised form can be sent again and means the same', () => {
    fc.assert(
      fc.property(queries(), json => {
        const first = read(json)
        const second = read(echo(first))
        expect(compile(second)).toEqual(compile(first))
        // An `and` of nothing is echoed in a way of its own.
        if (!JSON.stringify(echo(first)).includes('"and":[]')) expect(echo(second)).toEqual(echo(first))
      })
    )
  })
})

describe('what is not a query is refused with its place', () => {
  test.each<[string, unknown, string]>([
    ['an unknown quantity', { mispelled: 1 }, 'mispelled is not a doc quantity'],
    ['below a known one', { 'results.material': { nope: 1 } }, 'results.material.nope is not a doc quantity'],
    ['a section', { 'results.material': 'x' }, 'results.material is not a doc quantity'],
    ['a nested object with an operator', { [`${GAP}:any`]: [1] }, `${GAP} is not a doc quantity`],
    ['an unknown operator', { 'entry_id:foo': 'x' }, 'entry_id:foo is not a doc quantity'],
    ['names of URLs', { q: 'domain__dft' }, 'q is not a doc quantity'],
    ['a logical word with an object', { or: { domain: 'x' } }, 'or.domain is not a doc quantity'],
    ['any without a list', { [`${ELEMENTS}:any`]: 'O' }, 'Input should be a valid list'],
    ['any without a list, as object', { [ELEMENTS]: { any: 'O' } }, `${ELEMENTS}.any is not a doc quantity`],
    ['two operators', { [ELEMENTS]: { any: ['O'], none: [] } }, `${ELEMENTS}.any is not a doc quantity`],
    ['null', { [ELEMENTS]: null }, 'Input should be a number'],
    ['null in a list', { [ELEMENTS]: ['O', null] }, 'Input should be a number'],
    ['a list in a list', { [ELEMENTS]: [['O']] }, 'Input should be a number'],
    ['an object in a list', { [ELEMENTS]: [{ a: 1 }] }, 'Input should be a number'],
    ['null in a group', { 'results.material': { elements: null } }, 'Input should be a number'],
    ['a list as bound', { [`${N}:gt`]: [1] }, 'Input should be a number'],
    ['a boolean as bound', { [N]: { gt: true } }, 'Input should be a number'],
    ['null as bound', { [N]: { gt: null } }, 'Input should be a number'],
    ['two lower bounds', { [N]: { gt: 1, gte: 2 } }, 'Only one of gt and gte can be given'],
    [
      'two lower bounds by suffix',
      { [`${N}:gt`]: 1, [`${N}:gte`]: 2 },
      'Only one of gt and gte can be given'
    ],
    [
      'the same bound twice',
      { [N]: { gt: 1 }, [`${N}:gt`]: 2 },
      'A quantity can only appear once in a query'
    ],
    [
      'a value and an operator',
      { domain: 'a', 'domain:any': ['b'] },
      'A quantity can only appear once in a query'
    ],
    ['operands that are no queries', { and: ['x'] }, 'Input should be a valid dictionary'],
    ['a list for not', { not: [{ domain: 'x' }] }, 'Input should be a valid dictionary'],
    [
      'no type of a custom quantity',
      { 'data.a#entry_id:x.S': 1 },
      'Could not resolve the data type for quantity'
    ],
    ['an unknown schema', { 'data.a#my.Schema': 1 }, 'data.a#my.Schema is not a doc quantity'],
    [
      'no chemical formula',
      { 'results.material.chemical_formula_hill': 'Xy(3' },
      'Xy(3 is not a chemical formula'
    ]
  ])('%s', (_, json, message) => {
    const error = refusal(json)
    expect(error.status).toBe(422)
    const [item] = error.detail as readonly DetailItem[]
    expect(item?.msg).toContain(message)
    expect(item?.loc.every(part => typeof part !== 'object')).toBe(true)
  })

  test('queries of too many levels, criteria or values', () => {
    const deep = (levels: number, wrap: (inner: unknown) => unknown) =>
      Array.from({ length: levels }).reduce<unknown>(wrap, { domain: 'x' })
    expect(() => compile(read(deep(20, not => ({ not }))))).not.toThrow()
    expect(refusal(deep(30, not => ({ not })))).toMatchObject({ status: 422 })
    expect(refusal(deep(5000, inner => ({ and: [inner, inner] })))).toMatchObject({ status: 422 })
    expect(refusal(deep(5000, results => ({ results })))).toMatchObject({ status: 422 })

    const values = (n: number) => Array.from({ length: n }, (_, i) => `v${i}`)
    expect(() => compile(read({ 'domain:any': values(65_536) }))).not.toThrow()
    expect(refusal({ 'domain:any': values(65_537) })).toMatchObject({ status: 422 })
    expect(refusal({ domain: values(1001) })).toMatchObject({ status: 422 })
  })

  test('any JSON is either a query or refused', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), queries()), json => {
        try {
          compile(read(json))
        } catch (error) {
          expect(error).toBeInstanceOf(SeraiError)
          expect((error as SeraiError).status).toBeLessThan(500)
        }
      })
    )
  })
})

/** Random queries that are well formed. */
function queries(): fc.Arbitrary<Record<string, unknown>> {
  const word = fc.constantFrom('a', 'O', 'dft', '')
  const number = fc.constantFrom(0, 1, 2.5, -3)
  const leaf = (names: readonly string[], value: fc.Arbitrary<unknown>) =>
    fc.oneof(
      fc.tuple(fc.constantFrom(...names), value),
      fc.tuple(
        fc.constantFrom(...names.flatMap(n => [n, `${n}:all`, `${n}:any`, `${n}:none`])),
        fc.array(value, { maxLength: 3 })
      ),
      fc.tuple(
        fc.constantFrom(...names),
        fc.constantFrom('gt', 'gte', 'lt', 'lte').chain(op => value.map(v => ({ [op]: v })))
      )
    )
  const leaves = fc.oneof(
    leaf(['domain', ELEMENTS, 'authors', `${TOPOLOGY}.label`, `${COMPOSITION}.element`], word),
    leaf([N, `${GAP}.value`], number)
  )
  const group = fc.oneof(
    leaf(['label'], word).map(([name, value]) => [TOPOLOGY, { [name]: value }] as const),
    leaf(['element'], word).map(
      ([name, value]) => [TOPOLOGY, { elemental_composition: { [name]: value } }] as const
    )
  )
  return fc.letrec<{ query: Record<string, unknown> }>(tie => ({
    query: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'query' },
      leaves.map(([name, value]) => ({ [name]: value })),
      group.map(([name, value]) => ({ [name]: value })),
      fc.array(tie('query'), { maxLength: 3 }).map(and => ({ and })),
      fc.array(tie('query'), { maxLength: 3 }).map(or => ({ or })),
      tie('query').map(not => ({ not })),
      fc.tuple(leaves, tie('query')).map(([[name, value], not]) => ({ [name]: value, not }))
    )
  })).query
}
