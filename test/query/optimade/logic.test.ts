/**
 * Random filters over random structures: what the compiled query finds is held against the filter's own meaning, worked
 * out value by value in three-valued logic.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { filterCompiler, QUERY_DIALECT } from '../../../src/query/optimade/compile-filter.ts'
import type { Filter, Member, Operator, Value } from '../../../src/query/optimade/filter.ts'
import { parseFilter } from '../../../src/query/optimade/parse-filter.ts'
import { entryQuantities } from '../../../src/query/quantities.ts'
import type { IndexDocument } from '../../../src/search/entry-index.ts'
import { compareValues, matches } from '../../search/naive.ts'

/** true, false, or undefined: not known. */
type Truth = boolean | undefined

/** What an entry knows; lists belong together position by position. */
interface Structure {
  elements: string[]
  elements_ratios: number[]
  structure_features: string[]
  nelements: number
  chemical_formula_hill?: string
  nsites?: number
}

const ELEMENTS = ['B', 'C', 'Co', 'O', 'Si']
const FEATURES = ['assemblies', 'disorder']

const structure: fc.Arbitrary<Structure | undefined> = fc.option(
  fc
    .record({
      elements: fc.subarray(ELEMENTS, { minLength: 1 }),
      structure_features: fc.subarray(FEATURES),
      chemical_formula_hill: fc.option(fc.constantFrom('CO', 'Co2', 'B', 'C*'), { nil: undefined }),
      nsites: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined })
    })
    .chain(known =>
      fc
        .array(fc.constantFrom(0.25, 0.5, 0.75, 1), {
          minLength: known.elements.length,
          maxLength: known.elements.length
        })
        .map(ratios => ({ ...known, elements_ratios: ratios, nelements: known.elements.length }) as Structure)
    ),
  { nil: undefined, freq: 5 }
)

function documentOf(known: Structure | undefined): IndexDocument {
  if (!known) return { entry_id: 'x' }
  const { elements_ratios: ratios, ...optimade } = known
  const pairs = known.elements.map((elements, i) => ({ elements, elements_ratios: ratios[i] }))
  return { entry_id: 'x', optimade: { ...optimade, elements_ratios: pairs } }
}

const order = fc.constantFrom('=', '!=', '<', '<=', '>', '>=')
const some = <T>(values: readonly T[]) => fc.constantFrom(...values)
const quoted = some([...ELEMENTS, 'D', '']).map(text => `"${text}"`)
const members = (member: fc.Arbitrary<string>) =>
  fc.array(member, { minLength: 1, maxLength: 3 }).map(m => m.join(', '))
const ratio = fc.tuple(order, some(['0.5', '.75', '1'])).map(parts => parts.join(''))
const pair = fc.tuple(quoted, ratio).map(parts => parts.join(':'))
const condition = fc.oneof(
  quoted,
  fc
    .tuple(some(['=', '<', '<=', '>', '>=', 'STARTS', 'ENDS WITH', 'CONTAINS']), quoted)
    .map(parts => parts.join(' '))
)

const tests: fc.Arbitrary<string> = fc.oneof(
  fc.tuple(some(['nelements', 'nsites']), order, some(['1', '2', '2.5', '3'])).map(parts => parts.join(' ')),
  fc.tuple(some(['1', '2']), order, some(['nelements', 'nsites'])).map(parts => parts.join(' ')),
  fc
    .tuple(
      some(['=', '!=', '<', '>=', 'CONTAINS', 'STARTS', 'ENDS']),
      some(['"C"', '"O"', '"Co2"', '"*"', '""'])
    )
    .map(parts => `chemical_formula_hill ${parts.join(' ')}`),
  fc
    .tuple(some(['', 'ALL', 'ANY']), condition, members(condition))
    .map(([quantifier, one, several]) =>
      quantifier === '' ? `elements HAS ${one}` : `elements HAS ${quantifier} ${several}`
    ),
  members(quoted).map(list => `elements HAS ONLY ${list}`),
  fc
    .tuple(some(['ALL', 'ANY', 'ONLY']), members(some(['"disorder"', '"assemblies"'])))
    .map(([quantifier, list]) => `structure_features HAS ${quantifier} ${list}`),
  fc
    .tuple(some(['ALL', 'ANY']), members(pair))
    .map(([q, list]) => `elements:elements_ratios HAS ${q} ${list}`),
  fc.tuple(order, some(['1', '2'])).map(parts => `elements LENGTH ${parts.join('')}`),
  fc
    .tuple(
      some(['nsites', 'elements', 'structure_features', 'elements_ratios', 'chemical_formula_hill', '_mp_x']),
      some(['IS KNOWN', 'IS UNKNOWN'])
    )
    .map(parts => parts.join(' ')),
  fc
    .tuple(some(['_mp_x', '_zzz_y']), some(['= 1', '!= 1', 'HAS "x"', 'LENGTH 1', 'CONTAINS "x"']))
    .map(p => p.join(' '))
)

const { filters } = fc.letrec<{ filters: string }>(tie => ({
  filters: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    tests,
    tests,
    tie('filters').map(inner => `NOT (${inner})`),
    fc.tuple(tie('filters'), tie('filters')).map(parts => `(${parts.join(') OR (')})`),
    fc.tuple(tie('filters'), tie('filters')).map(parts => `(${parts.join(') AND (')})`)
  )
}))

function truthOf(filter: Filter, known: Structure | undefined): Truth {
  switch (filter.kind) {
    case 'not':
      return negation(truthOf(filter.of, known))
    case 'and':
      return conjunction(filter.of.map(part => truthOf(part, known)))
    case 'or':
      return negation(conjunction(filter.of.map(part => negation(truthOf(part, known)))))
    case 'known':
      return (knownValue(filter.property.path, known) !== undefined) === filter.known
    case 'compare': {
      const value = knownValue(filter.property.path, known)
      return value === undefined ? undefined : compares(value, filter.operator, filter.value)
    }
    case 'length': {
      const list = knownValue(filter.property.path, known)
      return list === undefined
        ? undefined
        : compares((list as unknown[]).length, filter.operator, filter.count)
    }
    case 'has':
      return hasTruth(filter, known)
    default:
      throw new Error(filter.kind)
  }
}

function hasTruth(test: Extract<Filter, { kind: 'has' }>, known: Structure | undefined): Truth {
  const lists = test.properties.map(name => knownValue(name.path, known) as (string | number)[] | undefined)
  const [first] = lists
  if (!first || lists.includes(undefined)) return undefined
  const meets = (tuple: readonly Member[], at: number) =>
    tuple.every(({ operator, value }, i) => compares(lists[i]?.[at], operator, value))
  const positions = [...first.keys()]
  if (test.quantifier === 'ONLY') return positions.every(at => test.tuples.some(tuple => meets(tuple, at)))
  const found = test.tuples.map(tuple => positions.some(at => meets(tuple, at)))
  return test.quantifier === 'ALL' ? !found.includes(false) : found.includes(true)
}

function negation(truth: Truth): Truth {
  return truth === undefined ? undefined : !truth
}

function conjunction(parts: Truth[]): Truth {
  if (parts.includes(false)) return false
  return parts.includes(undefined) ? undefined : true
}

function knownValue(path: readonly string[], known: Structure | undefined): unknown {
  return known?.[path[0] as keyof Structure]
}

function compares(own: unknown, operator: Operator, value: Value): boolean {
  const other = value.type === 'number' ? Number(value.text) : value.type === 'string' ? value.value : ''
  if (operator === 'CONTAINS') return String(own).includes(String(other))
  if (operator === 'STARTS') return String(own).startsWith(String(other))
  if (operator === 'ENDS') return String(own).endsWith(String(other))
  const sign = Math.sign(compareValues(own as string | number, other))
  return { '=': [0], '!=': [-1, 1], '<': [-1], '<=': [-1, 0], '>': [1], '>=': [0, 1] }[operator].includes(
    sign
  )
}

test('a filter finds exactly the entries for which it is true', () => {
  const quantities = entryQuantities()
  const compile = filterCompiler(quantities, QUERY_DIALECT)
  const counts = { true: 0, false: 0, undefined: 0 }
  fc.assert(
    fc.property(filters, fc.array(structure, { minLength: 5, maxLength: 5 }), (text, structures) => {
      const filter = parseFilter(text, QUERY_DIALECT) as Filter
      const [query, negated] = [compile(text).query, compile(`NOT (${text})`).query]
      for (const known of structures) {
        const truth = truthOf(filter, known)
        counts[`${truth}`]++
        const document = documentOf(known)
        expect([matches(query, document), matches(negated, document)]).toEqual([
          truth === true,
          truth === false
        ])
      }
    }),
    { numRuns: 2000 }
  )
  expect(Math.min(counts.true, counts.false, counts.undefined)).toBeGreaterThan(500)
})
