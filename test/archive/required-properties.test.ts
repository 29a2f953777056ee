/**
 * Random archives, random `required`: what the reader of blocks gives is what the naive reader gives. SERAI_TEST_RUNS
 * sets the number of cases.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SeraiError } from '../../src/errors.ts'
import {
  ACYCLIC,
  archiveOf,
  CALCULATIONS,
  CIRCULAR,
  ELSEWHERE,
  FILES,
  FORMS,
  IDS,
  SYSTEMS,
  UPLOADS,
  type World
} from './archive-arbitraries.ts'
import { type NaiveDefinitions, type NaiveEntry, NaiveError, naiveRead } from './naive-required.ts'
import { DEFINITIONS, MINE, PACKAGES } from './random-archive-definitions.ts'
import { openReading } from './reading.ts'
import { refused, requests } from './required-arbitraries.ts'

const RUNS = Number(process.env.SERAI_TEST_RUNS ?? 300)

// biome-ignore lint/suspicious/noExplicitAny: plain JSON of any shape
type Json = any

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
    const own = entries
      .filter(e => e.archive.definitions)
      .flatMap(e => ['#/definitions', ''].map(at => [`${e.entryId}${at}/section_definitions/0`, MINE]))
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

  test('what is cut on one way is there for another', async () => {
    const loop = (i: number, n: number) => ({ loop: FORMS(i, CALCULATIONS[n]!)[0] })
    const archives = FILES.map((): Json => ({}))
    // By way of `odd` the circle closes at the calculation 0 of this archive; by way of `step` it passes it as that of another one.
    archives[0] = {
      run: [{ calculation: [loop(2, 0), loop(4, 0)] }],
      workflow2: { m_def: 'test.SpecialWorkflow', step: { calc_ref: CALCULATIONS[1] } },
      odd: { a: CALCULATIONS[0] }
    }
    archives[2] = { run: [{ calculation: [loop(4, 1)] }] }
    archives[4] = { run: [{ calculation: [loop(2, 0), loop(0, 0)] }] }
    const asked = { workflow2: { step: { calc_ref: 'include-resolved' } }, odd: 'include-resolved' }
    await holds(archives, asked, false)
    const read = (await reading.read(IDS[0]!, asked)) as Json
    expect(Object.keys(read.m_ref_archives)).toHaveLength(3)
  })
})
