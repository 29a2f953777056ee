import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/archive/definitions.ts'
import { packArchive } from '../../src/archive/pack.ts'
import { type ArchiveNode, MISSING, StoredArchive, wantAll } from '../../src/archive/stored-archive.ts'
import { arbitraryArchive } from './arbitrary-archives.ts'

function packed(archive: JsonObject) {
  const writer = packArchive(archive)
  const blocks = new Map([...writer.blocks].map(b => [b.number, b.bytes]))
  return { blocks, bytes: writer.contents() }
}

function open({ blocks, bytes }: ReturnType<typeof packed>) {
  const stored = new StoredArchive({ entryId: 'e1', uploadId: 'u1', generation: 'g', bytes })
  const supply = () => {
    let read = 0
    for (const n of [...stored.wanted]) {
      stored.supply(n, blocks.get(n))
      read += blocks.get(n)!.byteLength
    }
    return read
  }
  return { stored, supply }
}

function unpacked(archive: JsonObject): unknown {
  const { stored, supply } = open(packed(archive))
  if (stored.root.whole() === MISSING) supply()
  return stored.root.whole()
}

/** Text of a value: shows the order of keys too. */
const text = (value: unknown) => JSON.stringify(value)

describe('packing an archive', () => {
  test('loses nothing: values, nulls, order of keys', () => {
    fc.assert(
      fc.property(arbitraryArchive(), generated => {
        const source = text(generated)
        const value = JSON.parse(source) as JsonObject
        expect(text(unpacked(value)) === source).toBe(true)
      }),
      { numRuns: 60 }
    )
  }, 120_000)

  test.each([
    ['an empty archive', {}],
    ['only small sections', { a: 1, b: null, c: [], d: {} }],
    [
      'numbers at the borders',
      { n: [0, -1, 1e-320, 1.5, 2 ** 53, -(2 ** 31), 4294967296, 1e21, Number.MAX_VALUE] }
    ],
    ['a matrix of long rows', { m: [Array(20_000).fill(0.5), Array(20_000).fill(1)] }],
    [
      'very many small members',
      { m: Object.fromEntries(Array.from({ length: 40_000 }, (_, i) => [`k${i}`, i])) }
    ],
    ['a long text in a list', { m: [['x'.repeat(200_000)], null, { y: 'y'.repeat(300_000) }] }]
  ])('keeps %s', (_, archive) => {
    expect(text(unpacked(archive as JsonObject))).toBe(text(archive))
  })

  test('keeps what is nested hundreds of levels deep', () => {
    let deep: Record<string, unknown> = { end: 1 }
    for (let i = 0; i < 300; i++) deep = { [`k${i % 3}`]: i % 2 ? [deep] : deep }
    expect(text(unpacked({ deep }))).toBe(text({ deep }))
  })

  test('reads one item of a long list without the others', () => {
    const frames = Array.from({ length: 500 }, (_, i) => ({
      label: `frame ${i}`,
      positions: Array.from({ length: 300 }, (_, j) => [i + j / 7, j / 3, i / 11])
    }))
    const all = packed({ metadata: { entry_id: 'e1' }, run: [{ system: frames }] })
    const total = [...all.blocks.values()].reduce((sum, b) => sum + b.byteLength, 0)
    expect(all.bytes.byteLength).toBeLessThan(12_000)

    const { stored, supply } = open(all)
    let read = 0
    const load = <T>(get: () => T): Exclude<T, symbol> => {
      let value = get()
      for (let i = 0; (value as unknown) === MISSING && i < 5; i++) {
        read += supply()
        value = get()
      }
      return value as Exclude<T, symbol>
    }
    const run = load(() => stored.root.member('run')) as ArchiveNode
    const first = load(() => run.item(0)) as ArchiveNode
    const system = load(() => first.member('system')) as ArchiveNode
    expect(system.length()).toBe(500)
    const item = load(() => system.item(321)) as ArchiveNode
    expect(load(() => item.whole())).toEqual(frames[321])
    expect(read).toBeLessThan(total / 15)

    wantAll(stored, stored.root.place!)
    supply()
    expect(text(stored.root.whole())).toBe(text({ metadata: { entry_id: 'e1' }, run: [{ system: frames }] }))
  })

  test('reads labels without the arrays beside them', () => {
    const frames = Array.from({ length: 200 }, (_, i) => ({
      label: `frame ${i}`,
      positions: Array(900).fill(i / 7)
    }))
    const { stored, supply } = open(packed({ run: [{ system: frames }] }))
    let run = stored.root.member('run') as ArchiveNode
    const read = run.kind() === MISSING ? supply() : 0
    run = stored.root.member('run') as ArchiveNode
    const system = (run.item(0) as ArchiveNode).member('system') as ArchiveNode
    for (let i = 0; i < 200; i++) {
      expect(((system.item(i) as ArchiveNode).member('label') as ArchiveNode).rest() as string).toBe(
        `frame ${i}`
      )
    }
    expect(read).toBeLessThan(10_000)
  })

  test('tells which block is damaged', () => {
    const all = packed({ run: [{ text: 'x'.repeat(1000) }] })
    const broken = {
      ...all,
      blocks: new Map([...all.blocks].map(([n, b]) => [n, Uint8Array.from(b, x => x ^ 1)]))
    }
    const { stored, supply } = open(broken)
    stored.root.whole()
    expect(supply).toThrow('The archive of entry e1 is damaged: block 1 does not have its checksum.')
    stored.wanted.clear()
    expect(() => stored.supply(1, undefined)).toThrow('block 1')
    expect(() => open({ ...all, bytes: all.bytes.slice(0, -1) })).toThrow('block contents')
  })
})
