import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/archive/definitions.ts'
import { messagePackParts } from '../../src/archive/formats/message-pack-parts.ts'
import { jsonParts } from '../../src/archive/json-parts.ts'
import { packArchive } from '../../src/archive/pack.ts'
import { type ArchiveParts, MAX_LEVELS } from '../../src/archive/parts.ts'
import { type ArchiveNode, MISSING, StoredArchive } from '../../src/archive/stored-archive.ts'
import { packStream } from '../../src/archive/stream-pack.ts'
import { arbitraryArchive } from './arbitrary-archives.ts'

/** Few bytes wait, so that small archives are opened down to their last containers. */
const SMALL = { whole: 64, waiting: 32 }

function* inChunks(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let i = 0; i < bytes.byteLength; i += size) yield bytes.subarray(i, i + size)
}

const json = (text: string, size = 50_000) => jsonParts(inChunks(Buffer.from(text), size), SMALL)
const messagePack = new Packr({ useRecords: false })

async function packed(parts: ArchiveParts) {
  const stream = packStream(parts)
  const blocks = new Map((await Array.fromAsync(stream.blocks)).map(b => [b.number, b.bytes]))
  return { blocks, bytes: stream.contents() }
}

type Packed = Awaited<ReturnType<typeof packed>>

function open({ blocks, bytes }: Packed) {
  const stored = new StoredArchive({ entryId: 'e1', uploadId: 'u1', generation: 'g', bytes })
  let read = 0
  /** Asks until nothing is missing. */
  const load = <T>(get: () => T): Exclude<T, symbol> => {
    for (;;) {
      const value = get()
      if ((value as unknown) !== MISSING) return value as Exclude<T, symbol>
      expect(stored.wanted.size).toBeGreaterThan(0)
      for (const n of [...stored.wanted]) {
        stored.supply(n, blocks.get(n))
        read += blocks.get(n)!.byteLength
      }
    }
  }
  return { stored, load, bytesRead: () => read }
}

function whole(archive: Packed): unknown {
  const { stored, load } = open(archive)
  return load(() => stored.root.whole())
}

/** Every value by itself, as the walk of `required` reads. */
function nodeByNode(archive: Packed): unknown {
  const { stored, load } = open(archive)
  const value = (node: ArchiveNode): unknown => {
    switch (load(() => node.kind())) {
      case 'list': {
        const length = load(() => node.length())
        return Array.from({ length }, (_, i) => value(load(() => node.item(i)) as ArchiveNode))
      }
      case 'map': {
        const map = Object.create(null) as Record<string, unknown>
        for (const key of load(() => node.keys())) map[key] = value(load(() => node.member(key))!)
        return map
      }
      default:
        return load(() => node.rest())
    }
  }
  return value(stored.root)
}

const text = (value: unknown) => JSON.stringify(value)

describe('packing an archive in parts', () => {
  test('gives an archive that reads as the one packed in memory', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryArchive(), fc.integer({ min: 500, max: 90_000 }), async (generated, size) => {
        const source = text(generated)
        const archive = JSON.parse(source) as JsonObject
        const inMemory = packArchive(archive)
        const blocks = new Map([...inMemory.blocks].map(b => [b.number, b.bytes]))
        expect(text(whole({ blocks, bytes: inMemory.contents() })) === source).toBe(true)
        const streamed = await packed(json(source, size))
        expect(text(whole(streamed)) === source).toBe(true)
        expect(text(nodeByNode(streamed)) === source).toBe(true)
      }),
      { numRuns: 25 }
    )
  }, 240_000)

  test('gives the same from MessagePack', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryArchive(), fc.integer({ min: 500, max: 90_000 }), async (generated, size) => {
        const source = text(generated)
        // The library that the test writes with knows no such key.
        fc.pre(!source.includes('__proto__'))
        const bytes = messagePack.pack(JSON.parse(source))
        const streamed = await packed(messagePackParts(inChunks(bytes, size), SMALL))
        expect(text(whole(streamed)) === source).toBe(true)
      }),
      { numRuns: 25 }
    )
  }, 240_000)

  test.each([1, 2, 3, 7])('takes bytes as they come, %i at a time', async size => {
    const source = text({
      'a "\\ key': ['\\"', '\u{1f600}é', { b: [[], {}, [1, [2, 3]], null, true, -1.5e-7] }, 'x'.repeat(100)],
      list: [[[[['deep', 1]]]], 2, { c: { d: { e: 'f'.repeat(70) } }, g: 1 }],
      end: false
    })
    const spaced = source.replaceAll(',', ' ,\n').replaceAll('[', '[ ').replaceAll(']', '\t]')
    for (const given of [source, ` ${spaced}\r\n`]) {
      expect(whole(await packed(json(given, size)))).toEqual(JSON.parse(given))
    }
    const bytes = messagePack.pack(JSON.parse(source))
    expect(whole(await packed(messagePackParts(inChunks(bytes, size), SMALL)))).toEqual(JSON.parse(source))
  })

  test('keeps the table of contents and what is read for one item small', async () => {
    const row = (i: number) =>
      Array.from({ length: 150 }, (_, j) => [0, 1, 2].map(k => Math.sin(i + j * 7 + k)))
    const frame = (i: number) => ({ label: `frame ${i}`, positions: row(i), forces: row(-i) })
    function* frames() {
      yield Buffer.from('{"metadata":{"entry_id":"e1"},"run":[{"program":"p","system":[')
      for (let i = 0; i < 4000; i++) yield Buffer.from((i > 0 ? ',' : '') + text(frame(i)))
      yield Buffer.from(']}]}')
    }
    const streamed = await packed(jsonParts(frames(), { whole: 1e6, waiting: 1e5 }))
    const total = [...streamed.blocks.values()].reduce((sum, b) => sum + b.byteLength, 0)
    expect(total).toBeGreaterThan(5e6)
    expect(streamed.bytes.byteLength).toBeLessThan(20_000)

    const { stored, load, bytesRead } = open(streamed)
    const run = load(() => stored.root.member('run'))!
    const system = load(() => load(() => run.item(0)).member('system'))!
    const item = load(() => system.item(3210))
    expect(load(() => item.whole())).toEqual(frame(3210))
    expect(bytesRead()).toBeLessThan(250_000)
    // Labels do not bring the arrays beside them.
    for (let i = 0; i < 4000; i++) {
      const label = load(() => load(() => system.item(i)).member('label'))!
      expect(label.rest()).toBe(`frame ${i}`)
    }
    expect(bytesRead()).toBeLessThan(500_000)
  })

  test('follows no more levels than it can, and says so', async () => {
    const deep = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`
    const message = `is nested more than ${MAX_LEVELS} levels deep`
    const nested = JSON.parse(deep(MAX_LEVELS)) as JsonObject
    expect(text(whole(await packed(json(deep(MAX_LEVELS)))))).toBe(deep(MAX_LEVELS))
    const maps = `${'{"a":'.repeat(MAX_LEVELS)}1${'}'.repeat(MAX_LEVELS)}`
    expect(text(whole(await packed(json(maps))))).toBe(maps)
    expect(text(nodeByNode(await packed(json(maps))))).toBe(maps)
    await expect(packed(json(deep(MAX_LEVELS + 1)))).rejects.toThrow(message)
    await expect(packed(json(deep(100_000)))).rejects.toThrow(message)
    expect(() => packArchive({ nested })).toThrow(message)
    const bytes = messagePack.pack({ nested })
    await expect(packed(messagePackParts([bytes]))).rejects.toThrow(message)
  })

  test.each([
    ['', 'it ends too early'],
    ['{"a":[1,2', 'it ends too early'],
    ['{"a":1}}', 'more text at byte 7'],
    ['{"a":[1}', 'unexpected } at byte 7'],
    ['[]', 'must hold a JSON object'],
    ['"a"', 'must hold a JSON object'],
    ['{"a":[,1]}', 'is not valid JSON'],
    ['{"a":[1,,1]}', 'is not valid JSON'],
    ['{"a":[1,]}', 'is not valid JSON'],
    ['{"a":1,}', 'is not valid JSON'],
    ['{,"a":1}', 'is not valid JSON'],
    ['{"a" 1}', 'is not valid JSON'],
    ['{a:1}', 'is not valid JSON'],
    ['{"a":[1] [2]}', 'is not valid JSON'],
    ['{"a":{"b":1} "c":2}', 'is not valid JSON'],
    ['{"a":x[1]}', 'is not valid JSON'],
    ['{[1]}', 'is not valid JSON'],
    ['{"a":["\\x"]}', 'is not valid JSON']
  ])('refuses %s, however it is cut', async (source, message) => {
    const long = JSON.stringify('x'.repeat(50))
    // With something long before, in and behind, other parts of it are opened.
    const sources = [
      source,
      source.replace('[', `[${long},`),
      source.replace('{', `{"z":[${long},[${long}]],`),
      source.replace(/([\]}])(?=[^\]}]*$)/, `,${source.startsWith('[') ? '' : '"z":'}[${long},${long}]$1`)
    ].filter(given => !given.startsWith('{"z":[') || source !== '{,"a":1}')
    for (const given of sources) {
      if (isJson(given)) continue
      for (const size of [1, 5, 1000]) {
        await expect(packed(json(given, size)), given).rejects.toThrow(/is not valid JSON|must hold/)
      }
    }
    await expect(packed(json(source))).rejects.toThrow(message)
  })

  test('refuses MessagePack that is cut off, goes on, or holds what JSON has not', async () => {
    const bytes = messagePack.pack({ a: [1, 'x'.repeat(100), { b: Array(100).fill(1) }] })
    const run = (given: Uint8Array) => packed(messagePackParts(inChunks(given, 10), SMALL))
    for (let end = 0; end < bytes.byteLength; end += 7) {
      await expect(run(bytes.subarray(0, end))).rejects.toThrow('is damaged: it ends too early')
    }
    await expect(run(Buffer.concat([bytes, Buffer.from([0])]))).rejects.toThrow('more follows than it says')
    await expect(run(messagePack.pack({ a: Buffer.from('bytes') }))).rejects.toThrow('MessagePack type c4')
    await expect(run(messagePack.pack({ a: new Date() }))).rejects.toThrow('MessagePack type d7')
    await expect(run(Buffer.from([0x81, 0x91, 0x01, 0x02]))).rejects.toThrow('a key is a list or a map')
    await expect(run(messagePack.pack([1]))).rejects.toThrow('it is no map')
    await expect(run(messagePack.pack(1))).rejects.toThrow('it is no map')
  })

  test('refuses a key that comes twice in what is cut', async () => {
    const long = text('x'.repeat(60))
    const source = `{"a":{"b":${long},"c":[${long}],"b":${long},"d":[${long},${long}]}}`
    await expect(packed(json(source, 10))).rejects.toThrow('has a section with the key b twice')
  })

  test('keeps numbers of 64 bits and keys like __proto__ as JSON would', async () => {
    const bytes = Buffer.concat([
      Buffer.from([0x82, 0xa9]),
      Buffer.from('__proto__'),
      Buffer.from([0xcf, 0, 0, 0, 1, 0, 0, 0, 0, 0xa1]),
      Buffer.from('n'),
      Buffer.from([0xd3, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])
    ])
    expect(text(whole(await packed(messagePackParts([bytes]))))).toBe(
      `{"__proto__":${2 ** 32},"n":${-(2 ** 32)}}`
    )
  })
})

function isJson(source: string): boolean {
  try {
    JSON.parse(source)
    return source.trimStart().startsWith('{')
  } catch {
    return false
  }
}
