import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { contentType, openContent } from '../../src/files/file-content.ts'
import { LocalRawFiles } from '../../src/files/local/local-raw-files.ts'
import type { RawFile } from '../../src/files/raw-files.ts'
import { eventually, openFilesBelow } from './open-files.ts'

/** `printf 'the text inside' | xz`, in base64. */
const XZ = '/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAOdGhlIHRleHQgaW5zaWRlAAAnfHwvUutXPgABJw/fGvxqH7bzfQEAAAAABFla'
const LONG = randomBytes(400_000).toString('hex')
const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex')

const CONTENTS: Record<string, Buffer> = {
  'plain.txt': Buffer.from('0123456789'),
  'text.xz': Buffer.from(XZ, 'base64'),
  'text.XZ': Buffer.from(XZ, 'base64'),
  'text.gz': gzipSync('the text inside'),
  'two.gz': Buffer.concat([gzipSync('one '), gzipSync('two')]),
  'long.gz': gzipSync(LONG),
  'no.gz': Buffer.from('not compressed at all'),
  'no.xz': Buffer.from('not compressed at all'),
  'empty.gz': Buffer.alloc(0),
  'cut.gz': gzipSync(LONG).subarray(0, 200_000),
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

async function read(path: string, request: { offset?: number; length?: number; decompress?: boolean } = {}) {
  const file = (await files.node('up', path)) as RawFile & { kind: 'file' }
  const { stream, length } = await openContent(files, 'up', file, {
    offset: 0,
    decompress: false,
    ...request
  })
  const bytes = await buffer(stream)
  return { text: bytes.toString(), length, read: bytes.length }
}

describe('the content of a file', () => {
  it('is given in windows with their length', async () => {
    expect(await read('plain.txt')).toEqual({ text: '0123456789', length: 10, read: 10 })
    expect(await read('plain.txt', { offset: 4 })).toEqual({ text: '456789', length: 6, read: 6 })
    expect(await read('plain.txt', { offset: 4, length: 3 })).toEqual({ text: '456', length: 3, read: 3 })
    expect(await read('plain.txt', { offset: 8, length: 30 })).toEqual({ text: '89', length: 2, read: 2 })
    expect(await read('plain.txt', { offset: 80, length: 30 })).toEqual({ text: '', length: 0, read: 0 })
    expect(await read('plain.txt', { length: 0 })).toEqual({ text: '', length: 0, read: 0 })
  })

  it('is decompressed by the ending of its name, windows after that', async () => {
    for (const path of ['text.gz', 'text.xz', 'text.XZ']) {
      expect((await read(path, { decompress: true })).text).toBe('the text inside')
      expect((await read(path, { decompress: true, offset: 4, length: 4 })).text).toBe('text')
      expect((await read(path, { decompress: true, offset: 40 })).text).toBe('')
      expect((await read(path, { decompress: true, length: 0 })).text).toBe('')
      expect((await read(path)).length).toBe(CONTENTS[path]?.length)
    }
    expect((await read('two.gz', { decompress: true })).text).toBe('one two')
    expect((await read('plain.txt', { decompress: true, offset: 8 })).text).toBe('89')
    expect((await read('long.gz', { decompress: true })).text).toBe(LONG)
    expect((await read('long.gz', { decompress: true, offset: 300_001, length: 100_000 })).text).toBe(
      LONG.slice(300_001, 400_001)
    )
    await eventually(async () => (await openFilesBelow(root)).length === 0)
  })

  it('that is not compressed although its name says so is a clean error', async () => {
    for (const path of ['no.gz', 'no.xz']) {
      await expect(read(path, { decompress: true })).rejects.toMatchObject({
        code: 'FILE_NOT_COMPRESSED',
        status: 400
      })
    }
    await eventually(async () => (await openFilesBelow(root)).length === 0)
  })

  it('that is cut off never ends properly', async () => {
    for (const path of ['cut.gz', 'cut.xz', 'empty.gz']) {
      await expect(read(path, { decompress: true })).rejects.toThrow()
    }
    await eventually(async () => (await openFilesBelow(root)).length === 0)
  })

  it('closes its file when nobody reads on', async () => {
    for (const path of ['plain.txt', 'long.gz', 'text.xz']) {
      const file = (await files.node('up', path)) as RawFile & { kind: 'file' }
      for (const length of [undefined, 0, 3]) {
        const window = length === undefined ? {} : { length }
        const { stream } = await openContent(files, 'up', file, { offset: 1, decompress: true, ...window })
        stream.destroy()
      }
    }
    await eventually(async () => (await openFilesBelow(root)).length === 0)
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
