import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Decompression } from '../../src/files/decompression.ts'
import { contentType, fileSource, openDecompressed, type Window } from '../../src/files/file-content.ts'
import { LocalRawFiles } from '../../src/files/local/local-raw-files.ts'
import type { RawFile } from '../../src/files/raw-files.ts'
import { bytesOf } from './bytes.ts'
import { eventually, openFilesBelow } from './open-files.ts'

/** `printf 'the text inside' | xz`, in base64. */
const XZ = '/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAOdGhlIHRleHQgaW5zaWRlAAAnfHwvUutXPgABJw/fGvxqH7bzfQEAAAAABFla'
/** `printf 'the text inside' | bzip2`, and of 300,000 times `x`, in base64. */
const BZ2 = 'QlpoOTFBWSZTWV/PrH0AAAaRgEAABmEMQCAAMQZMQNDTTIyktD5OGDxdyRThQkF/PrH0'
const BZ2_X = 'QlpoOTFBWSZTWWvLKlAAAk4AgIRAAAggADDMBSmnGFEbAojxdyRThQkGvLKlAA=='
const LONG = randomBytes(400_000).toString('hex')
const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex')

const CONTENTS: Record<string, Buffer> = {
  'plain.txt': Buffer.from('0123456789'),
  'text.xz': Buffer.from(XZ, 'base64'),
  'text.XZ': Buffer.from(XZ, 'base64'),
  'text.gz': gzipSync('the text inside'),
  'text.bz2': Buffer.from(BZ2, 'base64'),
  'text.BZ2': Buffer.from(BZ2, 'base64'),
  'two.bz2': Buffer.concat([Buffer.from(BZ2, 'base64'), Buffer.from(BZ2, 'base64')]),
  'x.bz2': Buffer.from(BZ2_X, 'base64'),
  'text.zst': zstdCompressSync('the text inside'),
  'two.zst': Buffer.concat([zstdCompressSync('one '), zstdCompressSync(''), zstdCompressSync('two')]),
  'many.zst': Buffer.concat(Array.from({ length: 500 }, () => zstdCompressSync(LONG.slice(0, 2000)))),
  'long.zst': zstdCompressSync(LONG),
  'two.gz': Buffer.concat([gzipSync('one '), gzipSync('two')]),
  'long.gz': gzipSync(LONG),
  'no.gz': Buffer.from('not compressed at all'),
  'no.xz': Buffer.from('not compressed at all'),
  'no.bz2': Buffer.from('not compressed at all'),
  'no.zst': Buffer.from('not compressed at all'),
  'empty.gz': Buffer.alloc(0),
  'empty.bz2': Buffer.alloc(0),
  'empty.zst': Buffer.alloc(0),
  'cut.gz': gzipSync(LONG).subarray(0, 200_000),
  'cut.bz2': Buffer.from(BZ2, 'base64').subarray(0, 50),
  'wrong.bz2': Buffer.from(BZ2, 'base64').fill(0, 12, 14),
  'cut.zst': zstdCompressSync(LONG).subarray(0, 200_000),
  'cut.xz': Buffer.from(XZ, 'base64').subarray(0, 40)
}

let root: string
let files: LocalRawFiles

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'serai-content-'))
  files = await LocalRawFiles.open(root)
  await files.replace(
    'up',
    Object.entries(CONTENTS).map(([path, bytes]) => ({ path, open: () => Readable.from([bytes]) }))
  )
})
afterAll(async () => {
  await files.close()
  await rm(root, { recursive: true })
})

async function fileAt(path: string): Promise<RawFile> {
  return (await files.node('up', path)) as RawFile & { kind: 'file' }
}

async function read(path: string, window: Partial<Window> = {}): Promise<string> {
  return (await bytesOf(fileSource(files, 'up', await fileAt(path), { offset: 0, ...window }))).toString()
}

async function decompressed(path: string, window: Partial<Window> = {}): Promise<string> {
  const wanted = { offset: 0, ...window }
  return text(await openDecompressed(files, new Decompression(), 'up', await fileAt(path), wanted))
}

const isClosed = () => eventually(async () => (await openFilesBelow(root)).length === 0)

describe('the content of a file', () => {
  it('is given in windows', async () => {
    expect(await read('plain.txt')).toBe('0123456789')
    expect(await read('plain.txt', { offset: 4 })).toBe('456789')
    expect(await read('plain.txt', { offset: 4, length: 3 })).toBe('456')
    expect(await read('plain.txt', { offset: 8, length: 30 })).toBe('89')
    expect(await read('plain.txt', { offset: 80, length: 30 })).toBe('')
    expect(await read('plain.txt', { length: 0 })).toBe('')
    await isClosed()
  })

  it('is decompressed by the ending of its name, windows after that', async () => {
    for (const path of ['text.gz', 'text.xz', 'text.XZ', 'text.bz2', 'text.BZ2', 'text.zst']) {
      expect([path, await decompressed(path)]).toEqual([path, 'the text inside'])
      expect(await decompressed(path, { offset: 4, length: 4 })).toBe('text')
      expect(await decompressed(path, { offset: 40 })).toBe('')
      expect(await decompressed(path, { length: 0 })).toBe('')
      expect((await read(path)).length).toBeGreaterThan(0)
    }
    for (const path of ['two.gz', 'two.zst']) expect(await decompressed(path)).toBe('one two')
    expect(await decompressed('two.bz2')).toBe('the text insidethe text inside')
    expect(await decompressed('many.zst')).toBe(LONG.slice(0, 2000).repeat(500))
    expect(await decompressed('x.bz2', { offset: 100_000 })).toBe('x'.repeat(200_000))
    for (const path of ['long.gz', 'long.zst']) {
      expect(await decompressed(path)).toBe(LONG)
      expect(await decompressed(path, { offset: 300_001, length: 100_000 })).toBe(
        LONG.slice(300_001, 400_001)
      )
    }
    await isClosed()
  })

  it('that is not compressed although its name says so is a clean error', async () => {
    for (const path of ['no.gz', 'no.xz', 'no.bz2', 'no.zst', 'empty.bz2', 'wrong.bz2']) {
      await expect(decompressed(path), path).rejects.toMatchObject({
        code: 'FILE_NOT_COMPRESSED',
        status: 400
      })
    }
    await isClosed()
  })

  it('that is cut off never ends properly', async () => {
    for (const path of ['cut.gz', 'cut.xz', 'cut.bz2', 'cut.zst', 'empty.gz', 'empty.zst']) {
      await expect(decompressed(path), path).rejects.toThrow()
    }
    await isClosed()
  })

  it('closes its file when nobody reads on', async () => {
    for (const path of ['long.gz', 'text.xz', 'x.bz2', 'long.zst']) {
      for (const window of [{}, { length: 0 }, { length: 3 }]) {
        const wanted = { offset: 1, ...window }
        const stream = await openDecompressed(files, new Decompression(), 'up', await fileAt(path), wanted)
        stream.destroy()
      }
    }
    await isClosed()
  })

  it('is decompressed a few at a time where that is much work; who gave up waiting is left out', async () => {
    const decompression = new Decompression()
    const open = (signal?: AbortSignal) =>
      fileAt('x.bz2').then(file => openDecompressed(files, decompression, 'up', file, { offset: 0 }, signal))
    const first = await Promise.all(Array.from({ length: 8 }, () => open()))
    const gone = new AbortController()
    const impatient = open(gone.signal)
    const patient = open()
    gone.abort(new Error('gone'))
    await expect(impatient).rejects.toThrow('gone')
    expect((await openFilesBelow(root)).length).toBeLessThanOrEqual(8)
    first[0]?.destroy()
    expect((await text(await patient)).length).toBe(300_000)
    for (const stream of first) stream.destroy()
    await isClosed()
    expect((await text(await open())).length).toBe(300_000)
  })
})

describe('the media type of a file', () => {
  const cases: [string, string, string | Buffer, string][] = [
    ['text', 'INFO.OUT', 'some text\n', 'text/plain; charset=utf-8'],
    ['text in UTF-8', 'x', 'Å – Übung 🧪', 'text/plain; charset=utf-8'],
    ['text that is cut in a character', 'x', `${'a'.repeat(2047)}Ü`, 'text/plain; charset=utf-8'],
    ['nothing', 'x', '', 'text/plain; charset=utf-8'],
    ['a table', 'data.csv', 'a,b\n1,2\n', 'text/plain; charset=utf-8'],
    ['JSON', 'nomad.json', '{"a": [1]}\n', 'application/json'],
    ['long JSON', 'nomad.json', `["${'x'.repeat(5000)}"]`, 'application/json'],
    ['what begins like JSON', 'x.txt', '[section]\na = 1\n', 'text/plain; charset=utf-8'],
    ['bytes', 'x.bin', Buffer.from([1, 2, 3, 0, 255]), 'application/octet-stream'],
    [
      'text of one byte a letter',
      'x',
      Buffer.from([0xc5, 0x20, 0xe9, 0x0a]),
      'text/plain; charset=iso-8859-1'
    ],
    ['bytes without zeros', 'x', Buffer.from([0xc5, 0x80, 0xe9, 0x0a]), 'application/octet-stream'],
    ['a picture', 'x.png', PNG, 'image/png'],
    ['gzip', 'x.gz', gzipSync('x'), 'application/gzip'],
    ['xz', 'x.xz', Buffer.from(XZ, 'base64'), 'application/x-xz'],
    ['XML', 'x.xml', '<?xml version="1.0"?>\n<a/>', 'text/xml'],
    ['a page', 'x.html', '<!doctype html><script>alert(1)</script>', 'text/plain; charset=utf-8'],
    [
      'a drawing',
      'x.svg',
      '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
      'text/plain; charset=utf-8'
    ],
    ['a script', 'x.js', 'alert(1)', 'text/plain; charset=utf-8']
  ]
  for (const [what, path, bytes, type] of cases) {
    it(`of ${what} is ${type}`, async () => {
      await files.replace('typed', [{ path, open: () => Readable.from([Buffer.from(bytes)]) }])
      const file = (await files.node('typed', path)) as RawFile
      expect(await contentType(files, 'typed', file)).toBe(type)
    })
  }
})
