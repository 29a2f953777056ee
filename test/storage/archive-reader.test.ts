import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/archive/definitions.ts'
import { corpusJson } from '../archive/corpus.ts'
import { openReading } from '../archive/reading.ts'

/** The largest archive of the example data: 80 frames of a molecular dynamics run, 5.6 MB of JSON. */
const LARGEST = 'nGEytEvOoF9sN3Jzj2ATwli72qjP'

let reading: Awaited<ReturnType<typeof openReading>>
/** With the built-in definitions alone. */
let real: Awaited<ReturnType<typeof openReading>>
let largest: { run: { system: object[]; calculation: JsonObject[] }[] } & JsonObject

beforeAll(async () => {
  reading = await openReading()
  real = await openReading([])
  largest = corpusJson(`uploads/0DmzAtEPg1Cmh_XM2Kr7JP/archive/${LARGEST}.json`)
  for (const { put } of [reading, real]) await put(LARGEST, largest)
})

afterAll(async () => {
  await reading.close()
  await real.close()
})

describe('a reading touches only what it needs', () => {
  /** Thousands of bytes that a reading of the largest archive has fetched. */
  const cost = async (required: unknown) => {
    const archive = (await real.read(LARGEST, required))!
    return { archive, kilobytes: real.costs.bytes / 1000 }
  }

  test('the metadata of a large archive cost some kilobytes', async () => {
    const { archive, kilobytes } = await cost({ metadata: '*' })
    expect(archive.metadata).toEqual(largest.metadata)
    expect(kilobytes).toBeLessThan(15)
  })

  test('one number of every frame costs no array', async () => {
    const { archive, kilobytes } = await cost({ run: { calculation: { energy: { total: '*' } } } })
    const calculations = largest.run[0]!.calculation.map(c => ({
      energy: { total: (c.energy as JsonObject).total }
    }))
    expect(archive.run).toEqual([{ calculation: calculations }])
    expect(kilobytes).toBeLessThan(60)
  })

  test('the last frame costs one block of each array', async () => {
    const { archive, kilobytes } = await cost({ run: { 'system[-1]': '*' } })
    expect(archive.run).toEqual([{ system: [largest.run[0]!.system.at(-1)] }])
    expect(kilobytes).toBeLessThan(300)
  })

  test('everything is everything', async () => {
    expect((await cost('*')).archive).toEqual(largest)
  })
})

describe('the number of round trips does not depend on how much is read', () => {
  const long = (n: number) => Array.from({ length: 5000 }, (_, i) => i / (n + 3))

  test('a page costs as many as one entry', async () => {
    const ids = Array.from({ length: 100 }, (_, i) => `page${i}`)
    for (const [i, id] of ids.entries()) {
      await reading.put(id, { run: [{ program: id, calculation: [{ energies: long(i) }, { name: 'c' }] }] })
    }
    const pages = await reading.readAll(ids, { run: { 'calculation[0]': { 'energies[0]': '*' } } })
    expect(pages).toHaveLength(100)
    expect(reading.costs).toMatchObject({ contents: 1, blocks: 1, uploads: 0 })
  })

  test('each level of references costs one for blocks, and two more where it leads to other entries', async () => {
    // Ten entries, each of which leads to three, three levels deep.
    const ids = Array.from({ length: 10 }, (_, i) => `start${i}`)
    for (const [i, id] of ids.entries()) {
      const calculation = [0, 1, 2].map(k => ({
        energies: long(k),
        loop: `../upload/archive/next${k}#/run/0/calculation/0`
      }))
      await reading.put(id, {
        wf: { ext: '#/run/0/calculation/1' },
        run: [{ calculation, program: String(i) }]
      })
    }
    for (let k = 0; k < 3; k++) {
      await reading.put(`next${k}`, {
        run: [
          {
            calculation: [{ energies: long(k), system_ref: '/run/0/system/0' }],
            system: [{ formula: `F${k}` }]
          }
        ]
      })
    }
    const required = { wf: { ext: { loop: { 'energies[-1]': '*', system_ref: { formula: '*' } } } } }
    const pages = await reading.readAll(ids, { ...required, 'resolve-inplace': true })
    expect(pages[7]).toMatchObject({
      wf: { ext: { loop: { energies: [4999 / 4], system_ref: { formula: 'F1' } } } }
    })
    expect(reading.costs.contents).toBe(2)
    expect(reading.costs.uploads).toBe(1)
    expect(reading.costs.blocks).toBeLessThanOrEqual(4)
  })
})

test('other work gets its turn while much is read', async () => {
  const ids = Array.from({ length: 10 }, (_, i) => `copy${i}`)
  for (const id of ids) await reading.put(id, largest)
  // Turns of the event loop, not time: a busy machine gives fewer of the latter.
  let turns = 0
  let reads = true
  const turn = () => {
    turns++
    if (reads) setImmediate(turn)
  }
  setImmediate(turn)
  // Often enough for a quick machine to need some turns.
  for (let round = 0; round < 4; round++) await reading.readAll(ids, { run: '*' })
  reads = false
  // Without pauses there would be none: all of it would be one turn.
  expect(turns).toBeGreaterThan(2)
})

test('a client that is gone ends the reading', async () => {
  await expect(reading.readAll([LARGEST], '*', undefined, AbortSignal.abort())).rejects.toThrow('abort')
})
