import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Caller } from '../../src/access/caller.ts'
import type { JsonObject } from '../../src/archive/definitions.ts'
import { entryIdOf } from '../../src/archive/entry-id.ts'
import { openReading } from './reading.ts'

/** Archive `A` of the examples in `archive.md` §2.7. */
const A = {
  run: [
    {
      program: 'P',
      system: [{ formula: 'H2' }, { formula: 'O2' }],
      calculation: [
        { name: 'c0', energies: [1, 2, 3], system_ref: '/run/0/system/0' },
        {
          name: 'c1',
          energies: [4, 5, 6],
          system_ref: '#/run/0/system/1',
          system_refs: ['/run/0/system/0', '/run/0/system/1']
        },
        { name: 'c2', energies: [], system_ref: '/run/0/system/7', e_ref: '/run/0/calculation/1/energies' }
      ]
    }
  ],
  workflow: [{ calc_ref: '/run/0/calculation/1' }],
  unknown: { x: 1 }
}

let reading: Awaited<ReturnType<typeof openReading>>

beforeAll(async () => {
  reading = await openReading()
  await reading.put('E1', A)
})

afterAll(() => reading.close())

/** The archive of an answer without an empty `m_ref_archives`, which is always there. */
async function read(entryId: string, required: unknown, caller?: Caller): Promise<JsonObject> {
  const { m_ref_archives, ...archive } = (await reading.read(entryId, required, caller)) as JsonObject
  expect(m_ref_archives).toBeTypeOf('object')
  return Object.keys(m_ref_archives as object).length > 0 ? { ...archive, m_ref_archives } : archive
}

let number = 0
/** Reads an archive that is stored just for this. */
async function readFrom(archive: JsonObject, required: unknown): Promise<JsonObject> {
  const id = `X${number++}`
  await reading.put(id, archive)
  return read(id, required)
}

const inPlace = (required: object) => ({ 'resolve-inplace': true, ...required })

describe('the worked examples', () => {
  const { unknown, ...known } = A
  const [run] = A.run
  const [c0, c1, c2] = run!.calculation
  const { system_ref, ...c2Rest } = c2!
  test.each<[string, unknown, JsonObject]>([
    ['everything', '*', A],
    [
      'everything resolved',
      'include-resolved',
      { ...known, run: [{ ...run, calculation: [c0, { ...c1, system_ref: '/run/0/system/1' }, c2Rest] }] }
    ],
    ['nothing', {}, {}],
    ['what is unknown', { unknown: '*', nope: '*' }, {}],
    [
      'the last item',
      { run: { 'calculation[-1]': { name: '*' } } },
      { run: [{ calculation: [{ name: 'c2' }] }] }
    ],
    [
      'an item of an array',
      { run: { 'calculation[0]': { 'energies[-1]': '*' } } },
      { run: [{ calculation: [{ energies: [3] }] }] }
    ],
    [
      'a reference as text',
      { workflow: { calc_ref: 'include' } },
      { workflow: [{ calc_ref: '/run/0/calculation/1' }] }
    ],
    [
      'targets at their places',
      { workflow: { calc_ref: { energies: '*', system_ref: { formula: '*' } } } },
      {
        run: [
          {
            system: [null, { formula: 'O2' }],
            calculation: [null, { energies: [4, 5, 6], system_ref: '/run/0/system/1' }]
          }
        ],
        workflow: [{ calc_ref: '/run/0/calculation/1' }]
      }
    ],
    [
      'targets in place',
      inPlace({ workflow: { calc_ref: { energies: '*', system_ref: { formula: '*' } } } }),
      { workflow: [{ calc_ref: { energies: [4, 5, 6], system_ref: { formula: 'O2' } } }] }
    ],
    [
      'a quantity in place',
      inPlace({ run: { 'calculation[2]': { e_ref: 'include-resolved' } } }),
      { run: [{ calculation: [{ e_ref: [4, 5, 6] }] }] }
    ],
    [
      'a reference to nothing',
      { run: { 'calculation[2]': { system_ref: { formula: '*' }, name: '*' } } },
      { run: [{ calculation: [{ name: 'c2' }] }] }
    ],
    [
      'a reference to nothing as text',
      { run: { 'calculation[2]': { system_ref: '*', name: '*' } } },
      { run: [{ calculation: [{ system_ref: '/run/0/system/7', name: 'c2' }] }] }
    ],
    [
      'one of several references',
      inPlace({ run: { 'calculation[1]': { 'system_refs[1]': { formula: '*' } } } }),
      { run: [{ calculation: [{ system_refs: [{ formula: 'O2' }] }] }] }
    ],
    [
      'a place that is asked for too hides the target (§4)',
      { run: { program: '*' }, workflow: { calc_ref: { energies: '*' } } },
      { run: [{ program: 'P' }], workflow: [{ calc_ref: '/run/0/calculation/1' }] }
    ]
  ])('%s', async (_, required, expected) => {
    expect(await read('E1', required)).toEqual(expected)
  })

  test('an index of something that is no list is refused', async () => {
    await expect(read('E1', { run: { 'program[0]': '*' } })).rejects.toThrow(
      'cannot use list key on none list program'
    )
  })

  test('of two keys for one list the later wins, if it gives something', async () => {
    const both = { run: { 'calculation[0]': { name: '*' }, 'calculation[1]': { energies: '*' } } }
    expect(await read('E1', both)).toEqual({ run: [{ calculation: [{ energies: [4, 5, 6] }] }] })
    const beyond = { run: { 'calculation[0]': { name: '*' }, 'calculation[9]': { energies: '*' } } }
    expect(await read('E1', beyond)).toEqual({ run: [{ calculation: [{ name: 'c0' }] }] })
  })

  test('a wildcard gives all known members but those excluded', async () => {
    const required = {
      run: { '*': '*', system: 'exclude', 'calculation[0]': { '*': '*', energies: 'exclude' } }
    }
    expect(await read('E1', required)).toEqual({
      run: [{ program: 'P', calculation: [{ name: 'c0', system_ref: '/run/0/system/0' }] }]
    })
    expect(await read('E1', { '*': { program: '*', calc_ref: '*' } })).toEqual({
      run: [{ program: 'P' }],
      workflow: [{ calc_ref: '/run/0/calculation/1' }]
    })
  })
})

describe('what is no section', () => {
  const data: JsonObject = {
    run: [
      {
        system: [{ formula: 'H2', parameters: { a: { b: [1, { c: null }] } } }, null],
        calculation: [{ value: 1.5, energies: [1, 2], labels: ['a', '/b'], name: 'plain' }]
      }
    ]
  }

  test.each([['include-resolved'], [{ x: '*' }]])(
    'numbers and JSON are given as they are: %j',
    async value => {
      const required = {
        run: { system: { parameters: value }, calculation: { value, energies: value, name: value } }
      }
      expect(await readFrom(data, required)).toEqual({
        run: [
          {
            system: [{ parameters: { a: { b: [1, { c: null }] } } }, null],
            calculation: [{ value: 1.5, energies: [1, 2], name: 'plain' }]
          }
        ]
      })
    }
  )

  test('a list of texts of which one looks like a path to nothing is left out, but only when followed', async () => {
    expect(await readFrom(data, { run: { calculation: { labels: { x: '*' } } } })).toEqual({
      run: [{ calculation: [{}] }]
    })
    expect(await readFrom(data, { run: 'include-resolved' })).toEqual(data)
  })

  test.each([[5], [null], [true], [['*']]])(
    '%j as a value is refused where there is something',
    async value => {
      await expect(read('E1', { run: { program: value } })).rejects.toMatchObject({
        status: 422,
        detail: [{ loc: ['program'], msg: 'invalid required value' }]
      })
      expect(await read('E1', { nope: value, data: value })).toEqual({})
    }
  )
})

describe('names that JavaScript reserves are names like others', () => {
  const odd = JSON.parse(`{
    "definitions": {"section_definitions": [{"name": "Odd", "quantities": [
      {"name": "__proto__", "type": "JSON"}, {"name": "constructor", "type": "str"}]}]},
    "data": {"m_def": "#/definitions/section_definitions/0", "__proto__": {"x": 1}, "constructor": "c"},
    "wf": {"ext": "#/data/__proto__/x"}
  }`) as JsonObject
  const data = JSON.stringify({ data: odd.data })

  test('copied whole, picked, by wildcard, resolved, and as places of targets', async () => {
    await reading.put('odd', odd)
    expect(JSON.stringify(await read('odd', '*'))).toBe(JSON.stringify(odd))
    for (const required of ['*', { '*': '*' }, 'include-resolved', { constructor: '*', '*': { a: '*' } }]) {
      expect(JSON.stringify(await read('odd', { data: required }))).toBe(data)
    }
    expect(
      await read('odd', { data: { constructor: '*', toString: '*', hasOwnProperty: { x: '*' } } })
    ).toEqual({
      data: { m_def: '#/definitions/section_definitions/0', constructor: 'c' }
    })
    const placed = await read('odd', { wf: { ext: 'include-resolved' } })
    expect(JSON.stringify(placed)).toBe('{"data":{"__proto__":{"x":1}},"wf":{"ext":"/data/__proto__/x"}}')
    expect(({} as JsonObject).x).toBeUndefined()
  })
})

describe('references to other entries', () => {
  const E2 = {
    run: [{ system: [{ formula: 'X2' }], calculation: [{ name: 'x0', system_ref: '/run/0/system/0' }] }]
  }
  const ask = { workflow2: { ext: { name: '*', system_ref: { formula: '*' } } } }

  beforeAll(async () => {
    await reading.put('E2', E2)
    await reading.put('own', { workflow2: { ext: '../upload/archive/E2#/run/0/calculation/0' } })
  })

  test('the target stands in m_ref_archives at its own place', async () => {
    expect(await reading.read('own', ask)).toEqual({
      workflow2: { ext: '../uploads/U1/archive/E2#/run/0/calculation/0' },
      m_ref_archives: {
        '../uploads/U1/archive/E2': { ...E2, m_def: 'nomad.datamodel.EntryArchive' }
      }
    })
  })

  test('or in place', async () => {
    expect(await reading.read('own', inPlace(ask))).toEqual({
      workflow2: { ext: { name: 'x0', system_ref: { formula: 'X2' } } },
      m_ref_archives: {}
    })
  })

  test.each([
    ['by mainfile', '../upload/archive/mainfile/a/b.out', entryIdOf('U1', 'a/b.out')],
    ['by raw file, whose name then stands for the entry', '../upload/raw/a/b.out', 'a/b.out'],
    ['by entry alone', `../entries/${entryIdOf('U1', 'a/b.out')}/archive`, entryIdOf('U1', 'a/b.out')]
  ])('%s', async (_, url, name) => {
    await reading.put(entryIdOf('U1', 'a/b.out'), E2)
    const archive = await readFrom(
      { wf: { ext: `${url}#/run/0/calculation/0` } },
      { wf: { ext: { name: '*' } } }
    )
    expect(archive).toEqual({
      wf: { ext: `../uploads/U1/archive/${name}#/run/0/calculation/0` },
      m_ref_archives: {
        [`../uploads/U1/archive/${name}`]: {
          run: [{ calculation: [{ name: 'x0' }] }],
          m_def: 'nomad.datamodel.EntryArchive'
        }
      }
    })
  })

  test.each([
    ['an unknown entry', '../upload/archive/nope#/run/0'],
    ['another installation', 'https://example.org/api/v1/uploads/U1/archive/E2#/run/0'],
    ['a text', 'E2#/run/0']
  ])('%s keeps the text', async (_, text) => {
    expect(await readFrom({ wf: { ext: text } }, { wf: { ext: { name: '*' } } })).toEqual({
      wf: { ext: text }
    })
    expect(await readFrom({ wf: { ext: text } }, { wf: 'include-resolved' })).toEqual({ wf: { ext: text } })
  })

  test('another installation cannot be resolved in place', async () => {
    const text = 'https://example.org/api/v1/uploads/U1/archive/E2#/run/0'
    await expect(readFrom({ wf: { ext: text } }, inPlace({ wf: { ext: { name: '*' } } }))).rejects.toThrow(
      `resolvable reference to remote archive not implemented: ${text}`
    )
  })

  test('a path to nothing leaves the property out, a list with one such item too', async () => {
    expect(
      await readFrom({ wf: { ext: '../upload/archive/E2#/run/5' } }, { wf: { ext: { name: '*' } } })
    ).toEqual({
      wf: {}
    })
    const refs = [
      '../upload/archive/E2#/run/0/system/0',
      '../upload/archive/E2#/run/0/system/9',
      '/run/0/system/0'
    ]
    const archive = await readFrom(
      { run: [{ system: [{ formula: 'H' }], calculation: [{ name: 'c', system_refs: refs }] }] },
      { run: { calculation: { name: '*', system_refs: { formula: '*' } } } }
    )
    // What the items before it lead to stays.
    expect(archive).toEqual({
      run: [{ calculation: [{ name: 'c' }] }],
      m_ref_archives: {
        '../uploads/U1/archive/E2': {
          run: [{ system: [{ formula: 'X2' }] }],
          m_def: 'nomad.datamodel.EntryArchive'
        }
      }
    })
  })

  test('what the caller may not see does not exist', async () => {
    await reading.putUpload({ upload_id: 'U2', main_author: 'ada', reviewers: ['grace'], embargo_length: 12 })
    await reading.put('secret', E2, 'U2')
    const text = '../uploads/U1/archive/secret#/run/0/calculation/0'
    await reading.put('curious', { wf: { ext: text } })
    const name = { wf: { ext: { name: '*' } } }
    expect(await read('curious', name)).toEqual({ wf: { ext: text } })
    const grace = { user: { user_id: 'grace' }, groupIds: ['all'], isAdmin: false } as unknown as Caller
    expect(await read('curious', inPlace(name), grace)).toEqual({ wf: { ext: { name: 'x0' } } })
    // No bypass for the administrator (spec README, decision 11).
    const admin = { user: { user_id: 'root' }, groupIds: ['all'], isAdmin: true } as unknown as Caller
    expect(await read('curious', inPlace(name), admin)).toEqual({ wf: { ext: text } })
  })

  test('a reference to sections in general is resolved by the definition of its target', async () => {
    const wf = { anything: '../upload/archive/E2#/run/0/calculation/0' }
    expect(await readFrom({ wf }, inPlace({ wf: { anything: { name: '*', nope: '*' } } }))).toEqual({
      wf: { anything: { name: 'x0' } }
    })
  })
})

describe('cycles end', () => {
  const calculation = (loop: string) => ({ run: [{ calculation: [{ loop }] }] })

  test('over other entries: the text stays where the cycle closes', async () => {
    await reading.put('C2', calculation('../entries/C3/archive#/run/0/calculation/0'))
    await reading.put('C3', calculation('../entries/C2/archive#/run/0/calculation/0'))
    const archive = await readFrom(
      { wf: { ext: '../upload/archive/C2#/run/0/calculation/0' } },
      { wf: 'include-resolved' }
    )
    const m_def = 'nomad.datamodel.EntryArchive'
    expect(archive).toEqual({
      wf: { ext: '../uploads/U1/archive/C2#/run/0/calculation/0' },
      m_ref_archives: {
        '../uploads/U1/archive/C2': {
          ...calculation('../uploads/U1/archive/C3#/run/0/calculation/0'),
          m_def
        },
        '../uploads/U1/archive/C3': { ...calculation('../entries/C2/archive#/run/0/calculation/0'), m_def }
      }
    })
    const nested = await readFrom(
      { wf: { ext: '../upload/archive/C2#/run/0/calculation/0' } },
      inPlace({ wf: 'include-resolved' })
    )
    expect(nested).toEqual({ wf: { ext: { loop: { loop: '../entries/C2/archive#/run/0/calculation/0' } } } })
  })

  test('inside one entry, in place and at their places', async () => {
    const archive = {
      run: [{ calculation: [{ loop: '#/run/0/calculation/1' }, { loop: '#/run/0/calculation/0' }] }]
    }
    expect(await readFrom(archive, inPlace({ run: { 'calculation[0]': 'include-resolved' } }))).toEqual({
      run: [{ calculation: [{ loop: { loop: { loop: '#/run/0/calculation/1' } } }] }]
    })
    expect(await readFrom(archive, 'include-resolved')).toEqual({
      run: [{ calculation: [{ loop: '/run/0/calculation/1' }, { loop: '/run/0/calculation/0' }] }]
    })
  })

  test('what would grow without bound is refused', async () => {
    // Every calculation leads twice to the next: 2^40 values in place.
    const system = Array.from({ length: 40 }, (_, i) => ({
      m_def: 'test.Calculation',
      loop: `#/run/0/calculation/${i + 1}`,
      system_ref: `#/run/0/calculation/${i + 1}`
    }))
    await expect(
      readFrom({ run: [{ calculation: system }] }, inPlace({ run: { 'calculation[0]': 'include-resolved' } }))
    ).rejects.toMatchObject({ status: 422 })
  })

  test('a chain of references through hundreds of sections is followed to a limit', async () => {
    const calculation = Array.from({ length: 400 }, (_, i) => ({
      name: `c${i}`,
      loop: `#/run/0/calculation/${i + 1}`
    }))
    const archive = await readFrom(
      { run: [{ calculation }] },
      { run: { 'calculation[0]': 'include-resolved' } }
    )
    expect(archive).toEqual({ run: [{ calculation: [{ name: 'c0', loop: '/run/0/calculation/1' }] }] })
  })
})

describe('definitions', () => {
  const definitions = {
    name: 'mine',
    section_definitions: [
      {
        name: 'Sample',
        base_sections: ['nomad.datamodel.data.EntryData'],
        quantities: [
          { name: 'label', type: { type_kind: 'python', type_data: 'str' } },
          {
            name: 'partner',
            type: { type_kind: 'reference', type_data: '#/definitions/section_definitions/0' }
          }
        ]
      },
      {
        name: 'Better',
        base_sections: ['#/definitions/section_definitions/0'],
        quantities: [{ name: 'more', type: 'str' }]
      }
    ]
  }
  const sample = (m_def: string, extra: object = {}) => ({
    data: {
      m_def,
      m_def_id: 'f'.repeat(40),
      label: 'a',
      more: 'm',
      partner: '#/data/label',
      other: 1,
      ...extra
    }
  })

  test('of the same archive: known members are kept, m_def is shown, m_def_id is not', async () => {
    const m_def = '#/definitions/section_definitions/0'
    expect(await readFrom({ definitions, ...sample(m_def) }, inPlace({ data: 'include-resolved' }))).toEqual({
      data: { m_def, label: 'a', partner: 'a' }
    })
  })

  test.each([
    ['URL by entry', (id: string) => `../upload/archive/${id}#/definitions/section_definitions/1`],
    ['name by entry', (id: string) => `entry_id:${id}.Better`]
  ])('of another entry, inherited ones too: %s', async (_, name) => {
    await reading.put('schema', { definitions })
    const m_def = name('schema')
    expect(await readFrom(sample(m_def), { data: 'include-resolved' })).toEqual({
      data: { m_def, label: 'a', more: 'm', partner: '/data/label' }
    })
    expect(await readFrom(sample(m_def), { data: { label: '*', other: '*' } })).toEqual({
      data: { m_def, label: 'a' }
    })
  })

  test('in a chain of schemas', async () => {
    await reading.put('base', { definitions })
    await reading.put('derived', {
      definitions: {
        name: 'derived',
        section_definitions: [
          { name: 'Derived', base_sections: ['../upload/archive/base#/definitions/section_definitions/0'] }
        ]
      }
    })
    const m_def = '../upload/archive/derived#/definitions/section_definitions/0'
    expect(await readFrom(sample(m_def), { data: { label: '*', more: '*' } })).toEqual({
      data: { m_def, label: 'a' }
    })
  })

  test.each([
    ['nowhere.To.Be.Found'],
    ['#/definitions/section_definitions/7'],
    ['../upload/archive/nope#/definitions/section_definitions/0']
  ])('what cannot be found never fails: %s', async m_def => {
    const archive = sample(m_def, { partner: '/nowhere', list: ['/x', '#/data/label'] })
    // The definition of the parent is EntryData, which knows none of these.
    expect(await readFrom(archive, { data: { label: '*' } })).toEqual({ data: { m_def } })
    expect(await readFrom(archive, { data: '*' })).toEqual(archive)
    expect((await readFrom(archive, 'include-resolved')).data).toEqual({ m_def })
  })
})
