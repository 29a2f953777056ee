/** Random `required` for the archives of `archive-arbitraries.ts`. */
import fc from 'fast-check'

// biome-ignore lint/suspicious/noExplicitAny: plain JSON of any shape
type Json = any

/** What `required` can say of the members of a section. */
const MEMBERS: Readonly<Record<string, readonly (readonly [string, string?])[]>> = {
  EntryArchive: [
    ['run', 'Run'],
    ['workflow', 'Workflow'],
    ['workflow2', 'SpecialWorkflow'],
    ['data', 'Data'],
    ['odd', 'Odd'],
    ['definitions'],
    ['nobody_knows']
  ],
  Run: [['system', 'System'], ['calculation', 'Calculation'], ['program'], ['nope']],
  System: [['formula'], ['positions'], ['parameters'], ['nobody_knows']],
  Calculation: [
    ['name'],
    ['energies'],
    ['labels'],
    ['value'],
    ['author'],
    ['system_ref', 'System'],
    ['system_refs', 'System'],
    ['loop', 'Calculation'],
    ['e_ref', 'System']
  ],
  Workflow: [
    ['calc_ref', 'Calculation'],
    ['calc_refs', 'Calculation'],
    ['anything', 'Calculation']
  ],
  SpecialWorkflow: [
    ['calc_ref', 'Calculation'],
    ['result_ref', 'Calculation'],
    ['step', 'Workflow'],
    ['special'],
    ['anything', 'System']
  ],
  Data: [['note'], ['of', 'Calculation']],
  Odd: [
    ['a', 'Calculation'],
    ['b', 'System'],
    ['c', 'System']
  ]
}
const LISTS = new Set([
  'run',
  'workflow',
  'system',
  'calculation',
  'energies',
  'labels',
  'positions',
  'system_refs',
  'calc_refs'
])

const REFERENCES = new Set([
  'calc_ref',
  'calc_refs',
  'anything',
  'system_ref',
  'system_refs',
  'loop',
  'e_ref',
  'result_ref',
  'of',
  'a',
  'b'
])

const bound = fc.oneof(fc.constant(''), fc.integer({ min: -5, max: 5 }).map(String))
const index = fc.oneof(
  fc.constant(''),
  fc.integer({ min: -5, max: 5 }).map(i => `[${i}]`),
  fc.tuple(bound, bound).map(([a, b]) => `[${a}:${b}]`),
  fc.constant('[]')
)
const directive = fc.constantFrom('*', 'include', 'include-resolved')

/** What `required` says of a section. @param objects whether references may be followed with objects, not only with directives */
function requiredOf(name: string, depth: number, objects = true): fc.Arbitrary<Json> {
  const members = MEMBERS[name]!.map(([property, inside]) => {
    const value =
      !objects && REFERENCES.has(property)
        ? directive
        : inside && depth > 0
          ? fc.oneof(
              { weight: 1, arbitrary: directive },
              { weight: 3, arbitrary: requiredOf(inside, depth - 1, objects) }
            )
          : fc.oneof({ weight: 5, arbitrary: directive }, { weight: 1, arbitrary: fc.constant({}) })
    const key = LISTS.has(property) ? index.map(i => property + i) : fc.constantFrom(property, ` ${property}`)
    return fc.tuple(
      key,
      fc.oneof({ weight: 9, arbitrary: value }, { weight: 1, arbitrary: fc.constant('exclude') })
    )
  })
  const wildcard = fc.tuple(
    fc.constant('*'),
    fc.oneof(directive, depth > 0 && objects ? requiredOf('Calculation', 0) : directive)
  )
  return fc
    .tuple(
      fc.tuple(...members.map(member => fc.option(member, { nil: undefined }))),
      fc.option(wildcard, { nil: undefined, freq: 5 })
    )
    .map(([keys, others]) => Object.fromEntries([...keys, others].filter(pair => pair !== undefined)))
}

/** Requests that are answered. @param objects whether references may be followed with objects */
export const requests = (objects: boolean) =>
  fc.oneof(
    { weight: 1, arbitrary: directive },
    {
      weight: 8,
      arbitrary: fc
        .tuple(requiredOf('EntryArchive', 4, objects), fc.constantFrom(undefined, true, false))
        .map(([tree, inPlace]) => (inPlace === undefined ? tree : { 'resolve-inplace': inPlace, ...tree }))
    }
  )

/** Requests that are refused, somewhere or at once. */
export const refused = fc.oneof(
  requiredOf('EntryArchive', 2).map(tree => ({ ...tree, 'a.b': '*' })),
  requiredOf('EntryArchive', 2).map(tree => ({ ...tree, run: { ...tree.run, 'system[?]': '*' } })),
  requiredOf('EntryArchive', 2).map(tree => ({ run: 'all', ...tree })),
  fc.constantFrom<Json>(
    { run: { 'program[0]': '*' } },
    { 'workflow2[0]': '*' },
    { workflow2: 5 },
    { run: { calculation: null } },
    { unknown: 5 },
    { run: { '*': 'exclude' } },
    { workflow: { calc_ref: { 'value[0:1]': '*' } } }
  )
)
