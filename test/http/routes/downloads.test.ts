import { createHash, randomBytes } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openCorpusServices, openTestServices, profiles, type TestServices, testApp } from '../../app.ts'
import { eventually, openFilesBelow } from '../../files/open-files.ts'
import { unzip } from '../../files/unzip.ts'
import { publishedUpload } from '../../upload.ts'
import { type Asked, bodyOf, cutDownload, send, whole } from '../cut-client.ts'

const API = '/api/v1'
const UPLOAD = 'abcdefghijklmnopqrstuv'
const TIME = new Date('2026-03-04T05:06:08.700Z')
const MODIFIED = 'Wed, 04 Mar 2026 05:06:08 GMT'
const UNLIMITED = { SERAI_RATE_LIMIT: 'off', SERAI_CONCURRENCY_LIMIT: 'off' }

/** More than the system takes for a client that does not read. */
const HUGE = 'huge------------------'
const HUGE_BYTES = 40_000_000

const PUBLISHED = publishedUpload(UPLOAD)

const CONTENTS: Readonly<Record<string, Buffer>> = {
  'text.txt': Buffer.from('0123456789'),
  empty: Buffer.alloc(0),
  'd/large.bin': randomBytes(3_000_000),
  'd/other.bin': randomBytes(1_500_000),
  'e/packed.txt.gz': Buffer.from('H4sIAAAAAAAAA8tIzcnJBwCGphA2BQAAAA==', 'base64'),
  ...Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`d/small/${i}`, Buffer.from(`file ${i}\n`)]))
}

let services: TestServices
let app: FastifyInstance
/** Address of the API, and of the files of the upload. */
let origin: string
let base: string

async function store(contents: Readonly<Record<string, Buffer>>): Promise<void> {
  const inputs = Object.entries(contents).map(([path, bytes]) => ({
    path,
    modified: TIME,
    open: () => Readable.from([bytes])
  }))
  await services.files.replace(UPLOAD, inputs)
}

beforeAll(async () => {
  services = await openTestServices('embedded', { ...UNLIMITED, SERAI_DOWNLOAD_STALL_TIMEOUT: '400' })
  await services.documents.putUpload(PUBLISHED)
  await store(CONTENTS)
  await services.documents.putUpload({ ...PUBLISHED, upload_id: HUGE })
  const random = randomBytes(HUGE_BYTES)
  await services.files.replace(
    HUGE,
    ['one.bin', 'two.bin'].map(path => ({ path, open: () => Readable.from([random]) }))
  )
  app = await testApp(services)
  await app.listen({ port: 0, host: '127.0.0.1' })
  origin = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}${API}`
  base = `${origin}/uploads/${UPLOAD}/raw`
})
afterAll(async () => {
  await app?.close()
  await services?.close()
})

const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  whole({ url: `${base}${path}`, method, headers })
const openFiles = () => openFilesBelow(join(services.config.dataDir, 'raw'))
const isClosed = () => eventually(async () => (await openFiles()).length === 0)

describe('a raw file', () => {
  it('tells its length, state and digest, and that parts can be had', async () => {
    const { headers, body } = await ask('/d/large.bin')
    expect(headers).toMatchObject({
      'content-length': '3000000',
      'accept-ranges': 'bytes',
      'last-modified': MODIFIED,
      'cache-control': 'no-cache',
      etag: expect.stringMatching(/^"[\w-]{27}"$/)
    })
    expect(headers.vary?.toLowerCase()).toContain('authorization')
    expect(headers['repr-digest']).toBeUndefined()
    expect(body.equals(CONTENTS['d/large.bin'] as Buffer)).toBe(true)

    const digest = `sha-256=:${createHash('sha256').update(body).digest('base64')}:`
    const wanted = { 'want-repr-digest': 'sha-256=10', 'want-content-digest': 'sha-256=10' }
    for (const method of ['GET', 'HEAD']) {
      const told = (await ask('/d/large.bin', wanted, method)).headers
      expect([told['repr-digest'], told['content-digest']]).toEqual([digest, digest])
    }
    const part = (await ask('/d/large.bin', { ...wanted, range: 'bytes=0-9' })).headers
    expect([part['repr-digest'], part['content-digest']]).toEqual([digest, undefined])
  })

  it('answers HEAD as GET, without bytes', async () => {
    for (const path of ['/text.txt', '/empty', '/d/large.bin?offset=5', '', '/d?compress=true&stored=true']) {
      const got = await ask(path)
      const head = await ask(path, { range: 'bytes=0-3' }, 'HEAD')
      const { date: _, 'keep-alive': __, 'x-request-id': ___, ...told } = got.headers
      const { date: _a, 'keep-alive': _b, 'x-request-id': _c, ...toldHead } = head.headers
      expect([path, head.status, head.body.length, toldHead]).toEqual([path, 200, 0, told])
    }
  })

  const ranges: [string, string | undefined, string, number][] = [
    ['bytes=0-3', 'bytes 0-3/10', '0123', 206],
    ['bytes=7-', 'bytes 7-9/10', '789', 206],
    ['bytes=-2', 'bytes 8-9/10', '89', 206],
    ['bytes=5-500', 'bytes 5-9/10', '56789', 206],
    ['bytes=0-1,2-3', 'bytes 0-3/10', '0123', 206],
    ['bytes=3-1', undefined, '0123456789', 200],
    ['lines=0-1', undefined, '0123456789', 200]
  ]
  for (const [range, told, bytes, status] of ranges) {
    it(`gives ${range}`, async () => {
      const answer = await ask('/text.txt', { range })
      expect([answer.status, answer.headers['content-range'], String(answer.body)]).toEqual([
        status,
        told,
        bytes
      ])
      expect(answer.headers['content-length']).toBe(String(bytes.length))
      expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8')
    })
  }

  it('has nothing beyond its end', async () => {
    const { status, headers, body } = await ask('/text.txt', { range: 'bytes=10-' })
    expect([status, headers['content-range']]).toEqual([416, 'bytes */10'])
    expect(JSON.parse(String(body))).toEqual({
      detail: 'The requested range is not satisfiable: there are 10 bytes.'
    })
    expect(headers['content-disposition']).toBeUndefined()
    expect((await ask('/empty', { range: 'bytes=0-' })).status).toBe(200)
  })

  it('gives several parts as one body', async () => {
    const { status, headers, body } = await ask('/text.txt', { range: 'bytes=0-1,-3,5-5' })
    expect(status).toBe(206)
    expect(headers['content-length']).toBe(String(body.length))
    const boundary = /^multipart\/byteranges; boundary=(\w+)$/.exec(String(headers['content-type']))?.[1]
    const part = (range: string, bytes: string) =>
      `\r\n--${boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes ${range}/10\r\n\r\n${bytes}`
    expect(String(body)).toBe(
      `${part('0-1', '01')}${part('7-9', '789')}${part('5-5', '5')}\r\n--${boundary}--\r\n`
    )
  })

  it('has windows of its own that ranges count in', async () => {
    const window = await ask('/text.txt?offset=2&length=5', { range: 'bytes=1-2' })
    expect([window.status, String(window.body), window.headers['content-range']]).toEqual([
      206,
      '34',
      'bytes 1-2/5'
    ])
    const tags = new Set<unknown>()
    for (const query of ['', '?offset=2', '?offset=2&length=5', '?length=5']) {
      tags.add((await ask(`/text.txt${query}`)).headers.etag)
    }
    expect(tags.size).toBe(4)
    const digest = await ask('/text.txt?offset=2', { 'want-repr-digest': 'sha-256=1' })
    expect(digest.headers['repr-digest']).toBeUndefined()
  })

  it('is not sent again to who has it', async () => {
    for (const path of ['/text.txt', '/text.txt?offset=3', '/e/packed.txt.gz?decompress=true', '']) {
      const etag = (await ask(path)).headers.etag as string
      const known = await ask(path, { 'if-none-match': etag })
      expect([path, known.status, known.body.length, known.headers.etag]).toEqual([path, 304, 0, etag])
      expect([path, (await ask(path, { 'if-match': '"x"' })).status]).toEqual([path, 412])
      expect([path, (await ask(path, { 'if-match': etag })).status]).toEqual([path, 200])
    }
    expect((await ask('/text.txt', { 'if-modified-since': MODIFIED })).status).toBe(304)
    expect((await ask('/text.txt', { 'if-unmodified-since': 'Sat, 01 Jan 2000 00:00:00 GMT' })).status).toBe(
      412
    )
    await isClosed()
  })

  it('is sent as a whole to who has another state of it', async () => {
    const etag = (await ask('/text.txt')).headers.etag as string
    const range = 'bytes=5-'
    expect((await ask('/text.txt', { range, 'if-range': etag })).status).toBe(206)
    for (const other of ['"x"', `W/${etag}`, MODIFIED]) {
      expect((await ask('/text.txt', { range, 'if-range': other })).status).toBe(200)
    }
  })

  it('is decompressed as a stream, which has no parts', async () => {
    const { status, headers, body } = await ask('/e/packed.txt.gz?decompress=true', { range: 'bytes=0-1' })
    expect([status, String(body), headers['accept-ranges'], headers['content-length']]).toEqual([
      200,
      'hello',
      'none',
      undefined
    ])
  })

  it('shows pages of other origins its headers', async () => {
    const { headers } = await ask('/text.txt', { origin: 'https://example.org' })
    const exposed = String(headers['access-control-expose-headers']).toLowerCase()
    for (const name of [
      'accept-ranges',
      'content-length',
      'content-range',
      'etag',
      'last-modified',
      'repr-digest'
    ])
      expect(exposed).toContain(name)
  })
})

describe('downloads that are cut', () => {
  const cases = [
    '/d/large.bin',
    '/d/large.bin?offset=1000&length=2500000',
    '',
    '/d?compress=true&stored=true'
  ]
  for (const path of cases) {
    it(`50 times are the same in the end: raw${path}`, async () => {
      const asked = { url: `${base}${path}` }
      const expected = (await whole(asked)).body
      const { bytes, tries, restarts } = await cutDownload(asked, 50)
      expect([tries, restarts, bytes.equals(expected)]).toEqual([51, 0, true])
      await isClosed()
    })
  }

  it('begin anew when a file changed meanwhile, and never mix', async () => {
    for (const path of ['/d/other.bin', '']) {
      await store(CONTENTS)
      let changed = false
      const changes = { ...CONTENTS, 'd/other.bin': randomBytes(1_500_000) }
      const { bytes, restarts } = await cutDownload({ url: `${base}${path}` }, 10, async have => {
        if (changed || have < 200_000) return
        changed = true
        await store(changes)
      })
      expect([changed, restarts]).toEqual([true, 1])
      expect(bytes.equals((await whole({ url: `${base}${path}` })).body)).toBe(true)
    }
    await store(CONTENTS)
  })

  it('go on after the same files were stored again', async () => {
    let stored = false
    const { bytes, restarts } = await cutDownload({ url: base }, 6, async () => {
      if (!stored) await store(CONTENTS)
      stored = true
    })
    expect([restarts, (await unzip(bytes)).length]).toEqual([0, Object.keys(CONTENTS).length])
  })

  it('are broken off, not ended, at a file that is damaged', async () => {
    for (const path of ['/d/large.bin', '']) {
      await store(CONTENTS)
      await damage('d/large.bin')
      const { response } = await send({ url: `${base}${path}` })
      expect(response.statusCode).toBe(200)
      await expect(bodyOf(response)).rejects.toThrow('aborted')
      // Who goes on behind the damage would get the whole, and it would be wrong.
      const rest = await whole({ url: `${base}${path}`, headers: { range: 'bytes=2000000-2900000' } })
      expect([rest.status, rest.headers['content-range'], rest.headers.etag]).toEqual([
        500,
        undefined,
        undefined
      ])
    }
    await store(CONTENTS)
    await isClosed()
  })

  async function damage(path: string): Promise<void> {
    const folder = join(services.config.dataDir, 'raw', UPLOAD.slice(0, 2), UPLOAD)
    const [head] = (await readFile(join(folder, 'manifest.jsonl'), 'utf8')).split('\n', 1)
    const { generation } = JSON.parse(head as string) as { generation: string }
    const handle = await open(join(folder, generation, path), 'r+')
    const first = (CONTENTS[path] as Buffer)[0] as number
    await handle.write(Buffer.of(first ^ 1), 0, 1, 0)
    await handle.close()
  }
})

describe('slow and dead clients', () => {
  it('that take nothing are cut off after the time that is set, and hold nothing', async () => {
    for (const path of [`/uploads/${HUGE}/raw`, `/uploads/${HUGE}/raw/?compress=true`]) {
      const { response } = await send({ url: `${origin}${path}` })
      response.on('error', () => {}).pause()
      await eventually(async () => (await openFiles()).length === 1)
      const begin = Date.now()
      const over = new Promise(resolve => response.once('close', resolve))
      await eventually(async () => (await openFiles()).length === 0, 5000)
      expect(Date.now() - begin).toBeGreaterThan(300)
      response.resume()
      await over
      expect(response.complete).toBe(false)
    }
  })

  it('that take a little now and then get everything', async () => {
    const { response } = await send({ url: `${base}/d/large.bin` })
    const chunks: Buffer[] = []
    let size = 0
    let next = 400_000
    for await (const chunk of response) {
      chunks.push(chunk as Buffer)
      size += (chunk as Buffer).length
      if (size < next) continue
      next += 400_000
      await new Promise(resolve => setTimeout(resolve, 250))
    }
    expect(Buffer.concat(chunks).equals(CONTENTS['d/large.bin'] as Buffer)).toBe(true)
  })

  it('that go away free everything within a second', async () => {
    for (const path of ['', '/d/large.bin', '/d?compress=true', '/e/packed.txt.gz?decompress=true']) {
      for (let i = 0; i < 5; i++) {
        const { request, response } = await send({ url: `${base}${path}` })
        response.on('error', () => {})
        request.destroy()
        await isClosed()
      }
    }
  })

  it('in large numbers take little memory', async () => {
    const before = process.memoryUsage().arrayBuffers
    const url = `${origin}/uploads/${HUGE}/raw/one.bin`
    const clients = await Promise.all(Array.from({ length: 60 }, () => send({ url })))
    for (const { response } of clients) response.on('error', () => {}).pause()
    await expect.poll(async () => (await openFiles()).length).toBe(60)
    // This process holds both ends; a client's may have some chunks.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(60 * 2_000_000)
    for (const { request } of clients) request.destroy()
    await isClosed()
  })
})

describe.each(profiles())('zips of entries (%s)', profile => {
  let corpus: TestServices
  let corpusApp: FastifyInstance
  let api: string

  beforeAll(async () => {
    corpus = await openCorpusServices(profile, UNLIMITED)
    corpusApp = await testApp(corpus)
    await corpusApp.listen({ port: 0, host: '127.0.0.1' })
    api = `http://127.0.0.1:${(corpusApp.server.address() as AddressInfo).port}${API}`
  })
  afterAll(async () => {
    await corpusApp?.close()
    await corpus?.close()
  })

  const requests: [string, () => Asked][] = [
    ['a query in the URL', () => ({ url: `${api}/entries/raw?results.material.elements=O` })],
    [
      'a query in a body',
      () => ({
        url: `${api}/entries/raw/query`,
        method: 'POST',
        body: JSON.stringify({
          query: { 'results.material.elements': 'O' },
          files: { glob_pattern: '*.xml' }
        })
      })
    ],
    ['one entry', () => ({ url: `${api}/entries/h1iMMJejwBL4CXBcORlyyjKm_Ehq/raw` })],
    ['no entry', () => ({ url: `${api}/entries/raw?upload_id=none` })]
  ]
  for (const [what, asked] of requests) {
    it(`of ${what} can be cut 50 times`, async () => {
      const { headers, body } = await whole(asked())
      expect(headers).toMatchObject({ 'content-length': String(body.length), 'accept-ranges': 'bytes' })
      expect((await unzip(body)).at(-1)?.name).toBe('manifest.json')
      const { bytes, restarts } = await cutDownload(asked(), 50)
      expect([restarts, bytes.equals(body)]).toEqual([0, true])
    })
  }

  it('have a tag for what they hold', async () => {
    const tag = async (query: string) => (await whole({ url: `${api}/entries/raw?${query}` })).headers.etag
    const tags = [
      await tag('results.material.elements=O'),
      await tag('results.material.elements=O&glob_pattern=*.xml'),
      await tag('results.material.elements=Ti'),
      await tag('upload_id=none')
    ]
    expect(new Set(tags).size).toBe(4)
    expect(await tag('results.material.elements=O')).toBe(tags[0])
  })

  it('that are deflated are streams', async () => {
    const { headers, status } = await whole({
      url: `${api}/entries/raw?results.material.elements=O&compress=true`,
      headers: { range: 'bytes=0-9' }
    })
    expect([status, headers['accept-ranges'], headers['content-length'], headers.etag]).toEqual([
      200,
      'none',
      undefined,
      undefined
    ])
  })

  it('hold as many files as the setting says', async () => {
    const small = await openCorpusServices(profile, { ...UNLIMITED, SERAI_MAX_FILE_DOWNLOAD: '3' })
    const smallApp = await testApp(small)
    try {
      const response = await smallApp.inject({ url: `${API}/entries/raw` })
      expect([response.statusCode, response.json()]).toEqual([
        400,
        { detail: 'The limit of maximum number of files in a single download (3) has been exceeded.' }
      ])
    } finally {
      await smallApp.close()
      await small.close()
    }
  })
})
