/**
 * Random archives, random `required`: what the reader of blocks gives is what the naive reader gives. SERAI_TEST_RUNS
 * sets the number of cases.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/archive/definitions.ts'
import { SeraiError } from '../../src/errors.ts'
import {
  type NaiveDefinitions,
  type NaiveEntry,
  NaiveError,
  naiveEntryId,
  naiveRead
} from './naive-required.ts'
import { openReading } from './reading.ts'

const RUNS = Number(process.env.SERAI_TEST_RUNS ?? 300)

// biome-ignore lint/suspicious/noExplicitAny: plain JSON of any shape
type Json = any

const quantity = (name: string, type: unknown, shape: string[] = []) => ({ name, type, shape })
const kind = (type_kind: string, type_data: string) => ({ type_kind, type_data })
const text = kind('python', 'str')
const floats = kind('numpy', 'float64')
const to = (section: string) => kind('reference', `test.${section}`)
const sub = (name: string, section: string, repeats = false) => ({ name, sub_section: section, repeats })

/** The definitions as the reader gets them. */
const PACKAGES: JsonObject[] = [
  {
    name: 'test',
    section_definitions: [
      { name: 'Anything' },
      {
        name: 'System',
        quantities: [
          quantity('formula', text),
          quantity('positions', floats, ['*', '3']),
          quantity('parameters', kind('custom', 'nomad.metainfo.data_type.JSON'))
        ]
      },
      {
        name: 'Calculation',
        quantities: [
          quantity('name', text),
          quantity('energies', floats, ['*']),
          quantity('labels', text, ['*']),
          quantity('value', floats),
          quantity('author', kind('User', 'User')),
          quantity('system_ref', to('System')),
          quantity('system_refs', to('System'), ['*']),
          quantity('loop', to('Calculation')),
          quantity('e_ref', kind('quantity_reference', 'test.Calculation'))
        ]
      },
      {
        name: 'Run',
        quantities: [quantity('program', text)],
        sub_sections: [sub('system', 'test.System', true), sub('calculation', 'test.Calculation', true)]
      },
      {
        name: 'Workflow',
        quantities: [
          quantity('calc_ref', to('Calculation')),
          quantity('calc_refs', to('Calculation'), ['*']),
          quantity('anything', to('Anything'))
        ]
      },
      {
        name: 'SpecialWorkflow',
        base_sections: ['test.Workflow'],
        quantities: [quantity('special', text), quantity('result_ref', to('Calculation'))],
        sub_sections: [sub('step', 'test.Workflow')]
      }
    ]
  },
  {
    name: 'nomad.datamodel.datamodel',
    section_definitions: [
      {
        name: 'EntryArchive',
        sub_sections: [
          sub('run', 'test.Run', true),
          sub('workflow', 'test.Workflow', true),
          sub('workflow2', 'test.Workflow'),
          sub('data', 'test.Anything'),
          sub('odd', 'test.Nowhere'),
          sub('definitions', 'nomad.metainfo.metainfo.Package')
        ]
      }
    ]
  }
]

/** The schema in the archive of every entry. */
const SCHEMA = {
  name: 'mine',
  section_definitions: [
    { name: 'Mine', quantities: [quantity('note', text), quantity('of', to('Calculation'))] }
  ]
}

/** The definitions as the naive reader gets them. */
const plain = { kind: 'plain' } as const
const section = (name: string) => ({ kind: 'section', section: name }) as const
const reference = (name: string) => ({ kind: 'reference', section: name }) as const
const workflow = {
  calc_ref: reference('test.Calculation'),
  calc_refs: reference('test.Calculation'),
  anything: reference('test.Anything')
}
const DEFINITIONS: NaiveDefinitions = {
  EntryArchive: {
    run: section('test.Run'),
    workflow: section('test.Workflow'),
    workflow2: section('test.Workflow'),
    data: section('test.Anything'),
    odd: section('test.Nowhere'),
    definitions: { kind: 'package' }
  },
  'test.Anything': {},
  'test.System': { formula: plain, positions: plain, parameters: { kind: 'json' } },
  'test.Calculation': {
    name: plain,
    energies: plain,
    labels: plain,
    value: plain,
    author: { kind: 'person' },
    system_ref: reference('test.System'),
    system_refs: reference('test.System'),
    loop: reference('test.Calculation'),
    e_ref: { kind: 'quantity reference' }
  },
  'test.Run': { program: plain, system: section('test.System'), calculation: section('test.Calculation') },
  'test.Workflow': workflow,
  'test.SpecialWorkflow': {
    ...workflow,
    special: plain,
    result_ref: reference('test.Calculation'),
    step: section('test.Workflow')
  }
}

/** Mainfiles of the entries; the last stands in another upload, the one before it is not visible. */
const FILES = ['first.json', 'runs/second.json', 'third.json', 'hidden.json', 'far.json'] as const
const UPLOADS = ['U1', 'U1', 'U1', 'U2', 'U3'] as const
const IDS = FILES.map((file, i) => naiveEntryId(UPLOADS[i]!, file))

/** What references to other installations begin with. */
const ELSEWHERE = 'https://elsewhere.org/api/v1'

/**
 * How references are written. In a world with circles they have the one form that answers have too: there it depends on
 * the way that led to a place whether its reference is repeated or rewritten.
 */
interface World {
  /** References to places in entries after this one, or in all. */
  readonly foreign: (from: number, path: string) => fc.Arbitrary<string>
  /** Local references to a calculation from a calculation. */
  readonly circles: boolean
}

const FORMS = (to: number, path: string) => {
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

const ACYCLIC: World = {
  foreign: (from, path) =>
    from + 1 >= FILES.length
      ? fc.constant('/nowhere')
      : fc.integer({ min: from + 1, max: FILES.length - 1 }).chain(to => fc.constantFrom(...FORMS(to, path))),
  circles: false
}
const CIRCULAR: World = {
  foreign: (from, path) =>
    fc.constantFrom(...FILES.keys().filter(to => to !== from)).map(to => FORMS(to, path)[0]!),
  circles: true
}

const SYSTEMS = ['/run/0/system/0', '/run/0/system/1', '/run/0/system/2']
const CALCULATIONS = ['/run/0/calculation/0', '/run/0/calculation/1', '/run/0/calculation/2']
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

function archiveOf(from: number, world: World): fc.Arbitrary<Json> {
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

/** @param objects whether references may be followed with objects, not only with directives */
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

const requests = (objects: boolean) =>
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
const refused = fc.oneof(
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

/** What of a value another one has too: items that the other one leaves open, and members that it lacks, are left out. */
function common(value: Json, other: Json): Json {
  if (Array.isArray(value) && Array.isArray(other) && value.length >= other.length) {
    return other.map((item, i) => (item === null ? null : common(value[i], item)))
  }
  if (typeof value !== 'object' || typeof other !== 'object' || value === null || other === null) return value
  if (Array.isArray(value) || Array.isArray(other)) return value
  return Object.fromEntries(
    Object.keys(other)
      .filter(key => key in value)
      .map(key => [key, common(value[key], other[key])])
  )
}

describe('reading blocks gives what reading plain JSON gives', () => {
  let reading: Awaited<ReturnType<typeof openReading>>

  beforeAll(async () => {
    reading = await openReading(PACKAGES)
    await reading.putUpload({ upload_id: 'U2', embargo_length: 12 })
    await reading.putUpload({ upload_id: 'U3' })
  })

  afterAll(() => reading.close())

  /** Definitions with those in the archives that have the schema. */
  function definitionsOf(entries: readonly NaiveEntry[]): NaiveDefinitions {
    const mine = { note: plain, of: reference('test.Calculation') }
    const own = entries
      .filter(e => e.archive.definitions)
      .flatMap(e => ['#/definitions', ''].map(at => [`${e.entryId}${at}/section_definitions/0`, mine]))
    return { ...DEFINITIONS, ...Object.fromEntries(own) }
  }

  async function holds(archives: readonly Json[], asked: Json, exact = true): Promise<void> {
    // In place they are refused, unless one before them in their list leads nowhere: that depends on what is looked at first.
    const near = asked['resolve-inplace'] === true ? ELSEWHERE : '\u0000'
    const entries = archives.map((archive, i) => ({
      entryId: IDS[i]!,
      uploadId: UPLOADS[i]!,
      mainfile: FILES[i]!,
      visible: UPLOADS[i] !== 'U2',
      archive: JSON.parse(JSON.stringify(archive).replaceAll(near, ''))
    }))
    for (const { entryId, uploadId, archive } of entries) await reading.put(entryId, archive, uploadId)
    let want: Json
    try {
      want = naiveRead(asked, IDS[0]!, entries, definitionsOf(entries))
    } catch (error) {
      if (!(error instanceof NaiveError)) throw error
      await expect(reading.read(IDS[0]!, asked)).rejects.toMatchObject({ status: error.status })
      return
    }
    const got = await reading.read(IDS[0]!, asked).catch(error => {
      if (error instanceof SeraiError) return error.message
      throw error
    })
    const expected = JSON.parse(JSON.stringify(want))
    expect(exact ? got : common(got, expected)).toEqual(expected)
  }

  const worldOf = (world: World) => fc.tuple(...FILES.map((_, i) => archiveOf(i, world)))

  test('with references of every form', { timeout: 3_600_000 }, async () => {
    const property = fc.asyncProperty(worldOf(ACYCLIC), requests(true), (archives, asked) =>
      holds(archives, asked)
    )
    await fc.assert(property, { numRuns: RUNS })
  })

  // The naive reader reads a target anew for every way that leads to it, and each way ends where its own circle closes. The
  // reader of blocks reads it once, so that circles do not multiply; what one way leaves out another one may bring.
  test('with circles of references', { timeout: 3_600_000 }, async () => {
    const property = fc.asyncProperty(worldOf(CIRCULAR), requests(false), (archives, asked) =>
      holds(archives, asked, asked['resolve-inplace'] === true)
    )
    await fc.assert(property, { numRuns: RUNS })
  })

  test('and refuses the same', { timeout: 3_600_000 }, async () => {
    const property = fc.asyncProperty(worldOf(ACYCLIC), refused, (archives, asked) => holds(archives, asked))
    await fc.assert(property, { numRuns: Math.ceil(RUNS / 5) })
  })

  test.each<[string, readonly Json[], Json]>([
    [
      'a place that is reached again through what is shown anyway',
      [
        {
          run: [{ calculation: [null, null, { loop: FORMS(1, CALCULATIONS[1]!)[0] }] }, {}],
          workflow2: {
            m_def: 'test.SpecialWorkflow',
            result_ref: FORMS(1, CALCULATIONS[0]!)[0],
            step: { calc_ref: CALCULATIONS[2] }
          }
        },
        { run: [{ calculation: [{ energies: [] }, { e_ref: '/run/0/calculation/0/energies' }] }] }
      ],
      {
        run: 'include-resolved',
        workflow2: { result_ref: { 'energies[:0]': {} }, step: 'include-resolved' }
      }
    ],
    [
      'what stands in a list after something that is known to lead nowhere',
      [
        {
          run: [{ calculation: [{ system_refs: [SYSTEMS[0], FORMS(1, SYSTEMS[1]!)[0]] }] }],
          workflow: [{ anything: CALCULATIONS[0] }]
        },
        { run: [{ system: [null, {}] }] }
      ],
      { '*': 'include-resolved' }
    ],
    [
      'a reference to a foreign entry before a list that leads to the same',
      [
        {
          workflow: [{ calc_ref: FORMS(2, CALCULATIONS[0]!)[0], calc_refs: [FORMS(2, CALCULATIONS[0]!)[0]] }]
        },
        {},
        { run: [{ calculation: [{ e_ref: '/run/0/calculation/0/energies' }] }] }
      ],
      { 'workflow[:0]': { calc_refs: {}, '*': { e_ref: '*' } } }
    ]
  ])('%s', async (_, archives, asked) => {
    await holds(
      FILES.map((_, i) => archives[i] ?? {}),
      asked
    )
  })
})
