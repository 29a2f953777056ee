import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Entry, fromBuffer, fromRandomAccessReader, RandomAccessReader, type ZipFile } from 'yauzl'
import { type LayoutMember, ZipLayout } from '../../src/files/zip-layout.ts'
import { unzip } from './unzip.ts'

const TIME = new Date('2026-03-04T05:06:09Z')

interface Member extends LayoutMember {
  readonly content: Buffer
}

function member(name: string, content: string | Buffer, modified = TIME): Member {
  const bytes = Buffer.from(content as string)
  return { name, content: bytes, size: bytes.length, crc32: crc32(bytes), modified }
}

/** Some bytes of the zip of these members. */
function stretch(members: readonly Member[], start: number, end: number): Buffer {
  const pieces = [...new ZipLayout(members).pieces(start, end)]
  return Buffer.concat(
    pieces.map(piece =>
      piece.kind === 'bytes'
        ? piece.bytes
        : (members[piece.index] as Member).content.subarray(piece.start, piece.end)
    )
  )
}

function zip(members: readonly Member[]): Buffer {
  return stretch(members, 0, new ZipLayout(members).size)
}

/** A zip of zeros that is only there where it is looked at, in blocks. */
class Virtual extends RandomAccessReader {
  readonly #layout: ZipLayout
  #block: { readonly start: number; readonly bytes: Buffer } | undefined

  constructor(layout: ZipLayout) {
    super()
    this.#layout = layout
  }

  override _readStreamForRange(start: number, end: number): Readable {
    const bytes: Buffer[] = []
    for (let at = start; at < end; ) {
      const block = this.#blockAt(at)
      const part = block.bytes.subarray(at - block.start, end - block.start)
      bytes.push(part)
      at += part.length
    }
    return Readable.from(bytes)
  }

  #blockAt(byte: number) {
    const start = byte - (byte % 2 ** 20)
    if (this.#block?.start === start) return this.#block
    const end = Math.min(start + 2 ** 20, this.#layout.size)
    const pieces = [...this.#layout.pieces(start, end)]
    const bytes = Buffer.concat(
      pieces.map(p => (p.kind === 'bytes' ? p.bytes : Buffer.alloc(p.end - p.start)))
    )
    this.#block = { start, bytes }
    return this.#block
  }
}

async function open(zipped: ZipLayout | Buffer): Promise<{ file: ZipFile; entries: Entry[] }> {
  const options = { lazyEntries: true, autoClose: false }
  const file = await new Promise<ZipFile>((resolve, reject) => {
    const opened = (error: Error | null, file?: ZipFile) => (error ? reject(error) : resolve(file as ZipFile))
    if (Buffer.isBuffer(zipped)) fromBuffer(zipped, options, opened)
    else fromRandomAccessReader(new Virtual(zipped), zipped.size, options, opened)
  })
  const entries: Entry[] = []
  await new Promise<void>((resolve, reject) => {
    file.on('error', reject).on('end', resolve)
    file.on('entry', (entry: Entry) => {
      entries.push(entry)
      file.readEntry()
    })
    file.readEntry()
  })
  return { file, entries }
}

/** The bytes of an entry, which are found by its local header. */
async function contentOf(file: ZipFile, entry: Entry): Promise<Buffer> {
  const stream = await new Promise<Readable>((resolve, reject) =>
    file.openReadStream(entry, (error, opened) => (error ? reject(error) : resolve(opened as Readable)))
  )
  return buffer(stream)
}

describe('the layout of a zip', () => {
  it('is a zip with names of any script, contents and times', async () => {
    const members = [
      member('a.txt', 'content of a'),
      member('dir/Übung №1.txt', 'ü'),
      member('測試/🧪.txt', ''),
      member('last', Buffer.alloc(70_000, 'x'))
    ]
    const read = await unzip(zip(members))
    expect(read.map(({ name, content, stored, modified }) => [name, content, stored, modified])).toEqual(
      members.map(({ name, content }) => [name, content, true, TIME])
    )
  })

  it('of nothing is an empty zip', async () => {
    expect(zip([]).length).toBe(22)
    expect(await unzip(zip([]))).toEqual([])
  })

  it('keeps times within what the format holds', async () => {
    const times = ['1969-07-20T00:00:00Z', '1980-01-01T00:00:00Z', '2038-01-19T03:14:07Z']
    const read = await unzip(zip(times.map(time => member(time.replaceAll(':', '-'), 'x', new Date(time)))))
    expect(read.map(m => m.modified.toISOString().replace('.000', ''))).toEqual(times)
    // Beyond the seconds of 32 bits there is the DOS time alone.
    const later = await unzip(zip([member('a', 'x', new Date('2090-05-06T07:08:10Z'))]))
    expect(later[0]?.modified).toEqual(new Date('2090-05-06T07:08:10Z'))
    const never = await unzip(zip([member('a', 'x', new Date(Number.NaN))]))
    expect(never[0]?.modified).toEqual(new Date('1980-01-01T00:00:00Z'))
  })

  it('refuses names that are too long', () => {
    expect(() => new ZipLayout([member('x'.repeat(65_536), '')])).toThrow(RangeError)
  })

  it('gives the same bytes in stretches as in one piece', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
    const members = fc.array(
      fc.tuple(name, fc.uint8Array({ maxLength: 40 }), fc.date({ min: new Date(0), max: TIME })),
      { maxLength: 8 }
    )
    fc.assert(
      fc.property(members, fc.array(fc.nat(), { maxLength: 6 }), (list, cuts) => {
        const all = list.map(([n, bytes, time]) => member(n, Buffer.from(bytes), time))
        const whole = zip(all)
        expect(whole.length).toBe(new ZipLayout(all).size)
        const points = [0, ...cuts.map(cut => cut % (whole.length + 1)), whole.length].sort((a, b) => a - b)
        const parts = points.slice(1).map((end, i) => stretch(all, points[i] as number, end))
        expect(Buffer.concat(parts).equals(whole)).toBe(true)
      })
    )
  })

  it('gives every single byte by itself', () => {
    const all = [member('ä', 'one'), member('empty', ''), member('b/c', 'two')]
    const whole = zip(all)
    for (let i = 0; i < whole.length; i++) {
      expect([i, stretch(all, i, i + 1)]).toEqual([i, whole.subarray(i, i + 1)])
    }
  })

  it('holds files around and beyond 4 GB', async () => {
    const sizes = [2 ** 32 - 2, 1, 2 ** 32 - 1, 2, 2 ** 32, 3, 3 * 2 ** 40, 4]
    const layout = new ZipLayout(sizes.map((size, i) => ({ name: `f${i}`, size, crc32: i, modified: TIME })))
    expect(layout.size).toBeGreaterThan(3 * 2 ** 40)
    const { file, entries } = await open(layout)
    expect(entries.map(e => [e.fileName, e.uncompressedSize, e.compressedSize, e.crc32])).toEqual(
      sizes.map((size, i) => [`f${i}`, size, size, i])
    )
    for (const i of [1, 3, 5, 7])
      expect(await contentOf(file, entries[i] as Entry)).toHaveLength(sizes[i] as number)
    expect(entries.map(e => e.versionNeededToExtract)).toEqual([20, 45, 45, 45, 45, 45, 45, 45])
  })

  for (const count of [65_534, 65_535, 70_000]) {
    it(`holds ${count} files`, async () => {
      const members = Array.from({ length: count }, (_, i) => member(`d/${i}`, String(i)))
      const whole = zip(members)
      const { file, entries } = await open(whole)
      expect(entries.length).toBe(count)
      for (const i of [0, count >> 1, count - 1]) {
        const entry = entries[i] as Entry
        expect([entry.fileName, String(await contentOf(file, entry))]).toEqual([`d/${i}`, String(i)])
      }
      for (const start of [whole.length - 100, whole.length - count * 20]) {
        expect(stretch(members, start, start + 100)).toEqual(whole.subarray(start, start + 100))
      }
    })
  }
})
