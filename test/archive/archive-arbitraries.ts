/** Random archives that refer to each other. */
import fc from 'fast-check'
import { naiveEntryId } from './naive-required.ts'
import { SCHEMA } from './random-archive-definitions.ts'

// biome-ignore lint/suspicious/noExplicitAny: plain JSON of any shape
type Json = any

/** Mainfiles of the entries; the last stands in another upload, the one before it is not visible. */
export const FILES = ['first.json', 'runs/second.json', 'third.json', 'hidden.json', 'far.json'] as const
export const UPLOADS = ['U1', 'U1', 'U1', 'U2', 'U3'] as const
/** Their ids. */
export const IDS = FILES.map((file, i) => naiveEntryId(UPLOADS[i]!, file))

/** What references to other installations begin with. */
export const ELSEWHERE = 'https://elsewhere.org/api/v1'

/**
 * How references are written. In a world with circles they have the one form that answers have too: there it depends on
 * the way that led to a place whether its reference is repeated or rewritten.
 */
export interface World {
  /** References to places in entries after this one, or in all. */
  readonly foreign: (from: number, path: string) => fc.Arbitrary<string>
  /** Local references to a calculation from a calculation. */
  readonly circles: boolean
}

/** References to a path in an entry, in all forms; the first one is that of answers. */
export const FORMS = (to: number, path: string) => {
  const [id, upload, file] = [IDS[to]!, UPLOADS[to]!, FILES[to]!]
  return [
    `../uploads/${upload}/archive/${id}#${path}`,
    `../uploads/${upload}/archive/${id}#${path.slice(1)}`,
    `../upload/archive/${id}#${path}`,
    `/uploads/${upload}/archive/${id}#${path}`,
    `../uploads/${upload}/archive/mainfile/${file}#${path}`,
    `../uploads/${upload}/raw/${file}#${path}`,
    `/entries/${id}/archive#${path}`,
    `../entries/${id}/archive#${path}`,
    `${ELSEWHERE}/uploads/${upload}/archive/${id}#${path}`,
    `../uploads/${upload}/archive/nowhere#${path}`,
    `${id}#${path}`
  ]
}

/** No entry refers to one before it. */
export const ACYCLIC: World = {
  foreign: (from, path) =>
    from + 1 >= FILES.length
      ? fc.constant('/nowhere')
      : fc.integer({ min: from + 1, max: FILES.length - 1 }).chain(to => fc.constantFrom(...FORMS(to, path))),
  circles: false
}
/** Every entry refers to every other one. */
export const CIRCULAR: World = {
  foreign: (from, path) =>
    fc.constantFrom(...FILES.keys().filter(to => to !== from)).map(to => FORMS(to, path)[0]!),
  circles: true
}

/** Paths of systems, there or not. */
export const SYSTEMS = ['/run/0/system/0', '/run/0/system/1', '/run/0/system/2']
/** Paths of calculations. */
export const CALCULATIONS = ['/run/0/calculation/0', '/run/0/calculation/1', '/run/0/calculation/2']
const TEXTS = [
  '',
  'H2O',
  '#',
  'run/0/system/0',
  'a/b',
  '/',
  'πx',
  '/run/9/system/0',
  '/run/0/system/0/formula/x'
]
const word = fc.constantFrom(...TEXTS)
const number = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(x => x + 0)
)
const json = fc.jsonValue({ maxDepth: 2, noUnicodeString: false } as fc.JsonSharedConstraints)

/** Members that are there or not. */
function some<T extends Record<string, fc.Arbitrary<Json>>>(members: T): fc.Arbitrary<Json> {
  return fc.record(members, { requiredKeys: [] })
}

/** Lists of numbers, some so long that they become pieces of their own. */
const numbers = fc.oneof(
  { weight: 30, arbitrary: fc.array(number, { maxLength: 4 }) },
  { weight: 8, arbitrary: fc.nat({ max: 400 }).map(n => Array.from({ length: n }, (_, i) => i / 7)) },
  { weight: 1, arbitrary: fc.constant(Array.from({ length: 9000 }, (_, i) => i * 1.1)) }
)
const labels = fc.oneof(
  { weight: 9, arbitrary: fc.array(word, { maxLength: 3 }) },
  {
    weight: 1,
    arbitrary: fc.nat({ max: 99 }).map(n => Array.from({ length: n }, (_, i) => `label number ${i} of it`))
  }
)
const long = 'a calculation among many, '.repeat(9)

/** Archives of the entry of this number. */
export function archiveOf(from: number, world: World): fc.Arbitrary<Json> {
  const odd = { nobody_knows: json }
  const local = (paths: readonly string[]) =>
    fc
      .constantFrom(...paths)
      .chain(path => (world.circles ? fc.constant(path) : fc.constantFrom(path, `#${path}`, `${path}/`)))
  const toSystem = fc.oneof(local(SYSTEMS), world.foreign(from, SYSTEMS[1]!), fc.constant('/run/0/system/9'))
  const toCalculation = fc.oneof(
    local(CALCULATIONS),
    world.foreign(from, CALCULATIONS[0]!),
    world.foreign(from, CALCULATIONS[1]!),
    fc.constant('/nothing/here')
  )
  const onward = world.circles
    ? toCalculation
    : fc.oneof(world.foreign(from, CALCULATIONS[1]!), world.foreign(from, '/run/0/calculation/7'))
  const system = some({
    formula: word,
    positions: fc.array(fc.tuple(number, number, number), { maxLength: 3 }),
    parameters: json,
    ...odd
  })
  const calculation = some({
    name: word,
    energies: numbers,
    labels,
    value: number,
    author: fc.constant('/run/0/system/0'),
    system_ref: toSystem,
    system_refs: fc.array(toSystem, { maxLength: 3 }),
    loop: onward,
    e_ref: fc.constantFrom('/run/0/calculation/0/energies', '/run/0/calculation/1/value', '/run/0/x'),
    ...odd
  })
  const run = some({
    program: word,
    system: fc.array(fc.option(system), { maxLength: 3 }),
    calculation: fc.oneof(
      { weight: 40, arbitrary: fc.array(fc.option(calculation, { freq: 9 }), { maxLength: 4 }) },
      {
        weight: 1,
        arbitrary: calculation.map(({ energies: _, ...c }) =>
          Array.from({ length: 400 }, (_, i) => ({ ...c, name: `${long}${i}` }))
        )
      }
    ),
    ...odd
  })
  const members = {
    calc_ref: toCalculation,
    calc_refs: fc.array(toCalculation, { maxLength: 3 }),
    anything: fc.oneof(toCalculation, toSystem),
    ...odd
  }
  const special = some({
    m_def: fc.constantFrom(
      'test.SpecialWorkflow',
      `test.SpecialWorkflow@${'0'.repeat(40)}`,
      'no.such.Section'
    ),
    special: word,
    result_ref: toCalculation,
    step: some(members),
    ...members
  })
  return some({
    run: fc.array(run, { minLength: 1, maxLength: 2 }),
    workflow: fc.array(fc.option(some(members), { freq: 9 }), { maxLength: 3 }),
    workflow2: special,
    data: some({
      m_def: fc.constantFrom('#/definitions/section_definitions/0', '/section_definitions/0', 'nope'),
      note: word,
      of: toCalculation
    }),
    odd: some({
      a: toCalculation,
      b: fc.array(toSystem, { maxLength: 2 }),
      c: some({ d: number, e: word })
    }),
    definitions: fc.constant(SCHEMA),
    ...odd
  })
}
