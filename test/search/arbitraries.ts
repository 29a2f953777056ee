/** Random small documents and queries over a handful of quantities of every kind, for both engines. */
import fc from 'fast-check'
import type { Quantities, Quantity } from '../../src/query/quantities.ts'
import type { Query, SubstringPlace, TextMode } from '../../src/query/tree.ts'
import type { IndexDocument } from '../../src/search/entry-index.ts'

export const KEYWORDS = ['a', 'B', 'b c', 'Å', 'ä/b', '', 'Ti', 'O', '\u{1f600}', '\uffee']
const TEXTS = [
  'novák',
  'Novak',
  'silicon band',
  'band gap silicon',
  'band',
  'gap of bands',
  'a/b',
  '-',
  'x_y 2.5 über'
]
const PATHS = ['a/b/c.xml', 'b/A', '/c.xml', 'a']
/** Parts of keywords and paths, and characters that mean something in patterns of engines. */
const SUBSTRINGS = [
  ...KEYWORDS.filter(text => text !== ''),
  'b',
  ' ',
  '/',
  '.xml',
  '*',
  '?',
  '\\',
  '%',
  '_',
  'c.'
]
/** Custom schemas: the sections that stand as `data`, with what they are based on. */
const SCHEMAS: Readonly<Record<string, readonly string[]>> = {
  'entry_id:e.Base': [],
  'entry_id:e.Sample': ['entry_id:e.Base'],
  'my.package.Other': ['entry_id:e.Base', 'my.package.Root']
}
const CUSTOM_PATHS = ['data.x', 'data.steps.x', 'data.steps.y']
const RATIOS = [0, 0.1, 1 / 3, 0.33333334, 0.5, 2 / 3, 1]
const NUMBERS = [-3, 0, 1, 2, 2.5, 7, 1e9]
const WHOLE = [-3, 0, 1, 2, 7, 300]
const DATES = [
  '2024-01-01T00:00:00.000Z',
  '2024-01-01T00:00:00.001+00:00',
  '1969-12-31T23:59:59Z',
  '2025-06-30T12:00:00+02:00'
]

/** An absent member, one value, or (where lists are usual) several. */
const maybe = <T>(values: readonly T[]) => fc.option(fc.constantFrom(...values), { nil: undefined })
const some = <T>(values: readonly T[]) =>
  fc.option(fc.oneof(fc.array(fc.constantFrom(...values), { maxLength: 3 }), fc.constantFrom(...values)), {
    nil: undefined
  })

const composition = fc.record({ element: maybe(KEYWORDS), mass_fraction: maybe(NUMBERS) })

const system = fc.record({
  label: maybe(KEYWORDS),
  elements: some(KEYWORDS),
  n_atoms: maybe(WHOLE),
  mass_fraction: maybe(NUMBERS),
  chemical_formula_reduced_fragments: some(TEXTS),
  elemental_composition: fc.option(fc.array(composition, { maxLength: 3 }), { nil: undefined })
})

const ratio = fc.record({ elements: maybe(KEYWORDS), elements_ratios: maybe(RATIOS) })

/** A value of a custom schema; old documents tell the name alone. */
const searchQuantity = fc
  .record({
    schema: fc.constantFrom(...Object.keys(SCHEMAS)),
    path: fc.constantFrom(...CUSTOM_PATHS),
    segmented: fc.boolean(),
    value: fc.oneof(
      fc.record({ str_value: fc.constantFrom(...KEYWORDS, ...TEXTS) }),
      fc.record({ int_value: fc.constantFrom(...WHOLE) }),
      fc.record({ float_value: fc.constantFrom(...NUMBERS) }),
      fc.record({ bool_value: fc.boolean() }),
      fc.record({ datetime_value: fc.constantFrom(...DATES) })
    )
  })
  .map(({ schema, path, segmented, value }) => ({
    id: `${path}#${schema}`,
    ...(segmented ? { segments: segmentsOf(schema, path) } : {}),
    ...value
  }))

function segmentsOf(schema: string, path: string): object {
  const definitions = (i: number) =>
    i === 0 ? [schema, ...(SCHEMAS[schema] as string[])] : ['my.package.Step']
  return Object.fromEntries(
    path.split('.').map((name, i) => [String(i + 1), { path: name, definitions: definitions(i) }])
  )
}

/** A document with this id. */
function documentOf(entryId: string): fc.Arbitrary<IndexDocument> {
  return fc
    .record({
      domain: maybe(KEYWORDS),
      mainfile: maybe(PATHS),
      files: some(PATHS),
      comment: maybe(TEXTS),
      entry_name: maybe(TEXTS),
      text_search_contents: some(TEXTS),
      // Several values of what is called scalar.
      authors: fc.option(fc.array(fc.record({ name: maybe(KEYWORDS) }), { maxLength: 3 }), {
        nil: undefined
      }),
      published: maybe([true, false]),
      n_quantities: maybe(WHOLE),
      upload_create_time: maybe(DATES),
      search_quantities: fc.option(fc.array(searchQuantity, { maxLength: 5 }), { nil: undefined }),
      optimade: fc.option(
        fc.record({
          elements: some(KEYWORDS),
          nelements: maybe(WHOLE),
          elements_ratios: fc.option(fc.array(ratio, { maxLength: 3 }), { nil: undefined })
        }),
        { nil: undefined }
      ),
      results: fc.option(
        fc.record({
          material: fc.record({
            elements: some(KEYWORDS),
            n_elements: maybe(WHOLE),
            topology: fc.option(fc.oneof(fc.array(system, { maxLength: 3 }), system), { nil: undefined })
          }),
          method: fc.option(
            fc.record({ simulation: fc.record({ dft: fc.record({ smearing_width: maybe(NUMBERS) }) }) }),
            { nil: undefined }
          )
        }),
        { nil: undefined }
      )
    })
    .map(document => JSON.parse(JSON.stringify({ ...document, entry_id: entryId })))
}

/** Documents with ids of their own. */
export function documents(): fc.Arbitrary<IndexDocument[]> {
  const ids = ['_b', '-a', '0', 'A', 'a', 'a1', 'b', 'B', 'z', 'zz', 'Zz', '10']
  return fc.subarray(ids).chain(chosen => fc.tuple(...chosen.map(documentOf)))
}

const TOPOLOGY = 'results.material.topology'
const COMPOSITION = `${TOPOLOGY}.elemental_composition`

const RATIO = 'optimade.elements_ratios'

const VALUES = 'search_quantities'

/** Custom quantities as requests name them; those of packages need definitions. */
const CUSTOM = Object.keys(SCHEMAS)
  .filter(schema => schema.startsWith('entry_id:'))
  .flatMap(schema => CUSTOM_PATHS.map(path => `${path}#${schema}`))
  .flatMap(name => ['str', 'int', 'float', 'bool', 'datetime'].map(type => `${name}#${type}`))

const NAMES: Record<string, readonly string[]> = {
  '': [
    'entry_id',
    'domain',
    'mainfile',
    'mainfile.path',
    'files',
    'files.path',
    'comment',
    'entry_name',
    'entry_name.prefix',
    'text_search_contents',
    'published',
    'n_quantities',
    'upload_create_time',
    'optimade.elements',
    'results.material.elements',
    'results.material.n_elements',
    'results.method.simulation.dft.smearing_width'
  ],
  [TOPOLOGY]: [
    `${TOPOLOGY}.label`,
    `${TOPOLOGY}.elements`,
    `${TOPOLOGY}.n_atoms`,
    `${TOPOLOGY}.mass_fraction`,
    `${TOPOLOGY}.chemical_formula_reduced_fragments`
  ],
  [COMPOSITION]: [`${COMPOSITION}.element`, `${COMPOSITION}.mass_fraction`],
  [RATIO]: [`${RATIO}.elements`, `${RATIO}.elements_ratios`],
  [VALUES]: ['id', 'str_value', 'str_value.keyword', 'int_value', 'float_value', 'datetime_value'].map(
    member => `${VALUES}.${member}`
  )
}

/** Nested paths directly below a path. */
const INNER: Record<string, readonly string[]> = { '': [TOPOLOGY, RATIO, VALUES], [TOPOLOGY]: [COMPOSITION] }

function quantityOf(quantities: Quantities, name: string): Quantity {
  return (quantities.get(name) ?? quantities.hidden.find(q => q.name === name)) as Quantity
}

/** What the documents can be sorted by; undefined: by id alone. */
export function sortQuantity(quantities: Quantities): fc.Arbitrary<Quantity | undefined> {
  const names = [
    'domain',
    'mainfile',
    'published',
    'n_quantities',
    'upload_create_time',
    'authors.name',
    'results.material.n_elements'
  ]
  return fc.oneof(
    {
      weight: 2,
      arbitrary: fc.constantFrom(undefined, ...names.map(name => quantities.get(name) as Quantity))
    },
    { weight: 1, arbitrary: customQuantity(quantities) }
  )
}

function customQuantity(quantities: Quantities): fc.Arbitrary<Quantity> {
  return fc.constantFrom(...CUSTOM).map(name => quantities.custom(name) as Quantity)
}

/** A criterion of a custom quantity. */
function custom(quantities: Quantities): fc.Arbitrary<Query> {
  return customQuantity(quantities).chain(quantity =>
    leaf(quantity).map<Query>(query => ({
      kind: 'nested',
      path: VALUES,
      query: { kind: 'and', of: [quantity.within as Query, query] }
    }))
  )
}

function valuesFor(quantity: Quantity): readonly (string | number | boolean)[] {
  if (quantity.name === 'entry_id') return ['a', 'A', 'zz', 'none']
  if (quantity.name === `${VALUES}.id`) {
    return Object.keys(SCHEMAS).flatMap(schema => CUSTOM_PATHS.map(path => `${path}#${schema}`))
  }
  switch (quantity.kind) {
    case 'boolean':
      return [true, false]
    case 'date':
      return DATES.map(d => Date.parse(d))
    case 'integer':
    case 'long':
    case 'double':
      return NUMBERS
    case 'float':
      return RATIOS
    default:
      return [...KEYWORDS, ...PATHS]
  }
}

function leaf(quantity: Quantity): fc.Arbitrary<Query> {
  const exists = fc.constant<Query>({ kind: 'exists', quantity })
  if (quantity.kind === 'text' || quantity.kind === 'path') {
    const mode = fc.constantFrom<TextMode>('words', 'phrase_prefix', 'bool_prefix')
    const text =
      quantity.kind === 'path'
        ? fc.constantFrom(...PATHS, 'b/c', 'c')
        : fc.constantFrom(...TEXTS, 'si', 'band ga', 'gap b', 'NOVÁK')
    return fc.oneof(
      exists,
      fc.record({
        kind: fc.constant('text' as const),
        quantity: fc.constant(quantity),
        mode: quantity.kind === 'path' ? fc.constant<TextMode>('words') : mode,
        text
      })
    )
  }
  const value = fc.constantFrom(...valuesFor(quantity))
  const terms = fc.array(value, { maxLength: 3 }).map<Query>(values => ({ kind: 'terms', quantity, values }))
  if (quantity.kind === 'boolean') return fc.oneof(exists, terms)
  const range = fc
    .tuple(fc.constantFrom('gt', 'gte', 'lt', 'lte'), value, fc.constantFrom('gt', 'gte', 'lt', 'lte'), value)
    .map<Query>(([a, v, b, w]) => ({ kind: 'range', quantity, bounds: { [a]: v, [b]: w } }))
  if (quantity.kind !== 'keyword') return fc.oneof(exists, terms, range)
  const substring = fc.record({
    kind: fc.constant('substring' as const),
    quantity: fc.constant(quantity),
    at: fc.constantFrom<SubstringPlace>('start', 'end', 'anywhere'),
    text: fc.constantFrom(...SUBSTRINGS)
  })
  return fc.oneof(exists, terms, range, substring)
}

/** Queries for objects of a path ('' = entries), nested ones included. */
export function queries(quantities: Quantities, path = '', depth = 3): fc.Arbitrary<Query> {
  const leaves = fc.oneof(
    {
      weight: 12,
      arbitrary: fc.constantFrom(...(NAMES[path] ?? [])).chain(name => leaf(quantityOf(quantities, name)))
    },
    { weight: 1, arbitrary: fc.constantFrom<Query>({ kind: 'all' }, { kind: 'none' }) },
    ...(path === '' ? [{ weight: 3, arbitrary: custom(quantities) }] : [])
  )
  const inner = INNER[path] ?? []
  if (depth === 0) return leaves
  const below = fc.constant(undefined).chain(() => queries(quantities, path, depth - 1))
  const several = fc.array(below, { maxLength: 3 })
  return fc.oneof(
    { weight: 3, arbitrary: leaves },
    { weight: 2, arbitrary: several.map<Query>(of => ({ kind: 'and', of })) },
    { weight: 2, arbitrary: several.map<Query>(of => ({ kind: 'or', of })) },
    { weight: 1, arbitrary: below.map<Query>(of => ({ kind: 'not', of })) },
    ...(inner.length > 0
      ? [
          {
            weight: 3,
            arbitrary: fc
              .constantFrom(...inner)
              .chain(at =>
                queries(quantities, at, depth - 1).map<Query>(query => ({ kind: 'nested', path: at, query }))
              )
          }
        ]
      : [])
  )
}
