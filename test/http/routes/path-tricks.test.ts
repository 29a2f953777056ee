import { lstat, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestServices, type TestServices, testApp } from '../../app.ts'
import { unzip } from '../../files/unzip.ts'
import { publishedUpload } from '../../upload.ts'
import { whole } from '../cut-client.ts'

const UPLOAD = 'abcdefghijklmnopqrstuv'
const OTHER = 'other-----------------'
const SECRET = 'the secret of another place'

const PUBLISHED = publishedUpload(UPLOAD)

let services: TestServices
let app: FastifyInstance
let origin: string
/** Folder beside the data folder with a secret in it. */
let outside: string

beforeAll(async () => {
  services = await openTestServices('embedded', { SERAI_RATE_LIMIT: 'off', SERAI_CONCURRENCY_LIMIT: 'off' })
  outside = await mkdtemp(join(tmpdir(), 'serai-outside-'))
  await writeFile(join(outside, 'secret'), SECRET)
  // An upload that nobody but its author may see lies beside.
  const { publish_time: _, ...hidden } = PUBLISHED
  await services.documents.putUpload({ ...hidden, upload_id: OTHER })
  await services.documents.putUpload(PUBLISHED)
  const input = (path: string, text: string) => ({ path, open: () => Readable.from([Buffer.from(text)]) })
  await services.files.replace(OTHER, [input('secret', SECRET)])
  await services.files.replace(UPLOAD, [
    input('a.txt', 'a'),
    input('d/b.txt', 'b'),
    input('d/e/c.txt', 'c'),
    input('d/linked.txt', 'linked'),
    input('l/deep.txt', 'deep')
  ])
  app = await testApp(services)
  await app.listen({ port: 0, host: '127.0.0.1' })
  origin = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
})
afterAll(async () => {
  await app?.close()
  await services?.close()
  await rm(outside, { recursive: true })
})

/** Ways to write that a path goes up. */
const UP = [
  '..',
  '%2e%2e',
  '%2E%2E',
  '.%2e',
  '%2e.',
  '%252e%252e',
  '..%20',
  '..%09',
  '..;',
  '%c0%ae%c0%ae',
  '%uff0e%uff0e',
  '%EF%BC%8E%EF%BC%8E',
  '..%00',
  '%00..'
]

/** Ways to write what comes between two names. */
const SLASH = ['/', '%2f', '%2F', '\\', '%5c', '%252f', '//', '/./', '%2f%2f']

/** Places that somebody would like to see. */
const TARGETS = ['secret', `${OTHER}/secret`, 'etc/passwd', 'manifest.jsonl', 'documents.sqlite']

const paths = new Set<string>()
for (const up of UP) {
  for (const slash of SLASH) {
    for (const target of TARGETS) {
      paths.add(`${up}${slash}${target.replaceAll('/', slash)}`)
      paths.add(`d${slash}${`${up}${slash}`.repeat(4)}${target.replaceAll('/', slash)}`)
    }
  }
}
for (const target of TARGETS) {
  for (const start of [
    '/',
    '//',
    '%2f',
    '%2f%2f',
    '\\',
    'C:/',
    'C:\\',
    'file:///',
    'file:%2f%2f%2f',
    '~/',
    '/proc/self/root/',
    './/',
    'd//'
  ]) {
    paths.add(`${start}${target}`)
  }
  for (const end of [
    '%00',
    '%00.txt',
    '%0a',
    '%0d%0a',
    '%20',
    '.',
    '/',
    '/.',
    ';',
    ':$DATA',
    '::$INDEX_ALLOCATION',
    '%ff'
  ]) {
    paths.add(`a.txt${end}/../../${target}`)
    paths.add(`${'../'.repeat(20)}${target}${end}`)
  }
}
for (const wrong of [
  'a.txt%00',
  'a.txt%00.png',
  '%00',
  '%00a.txt',
  'A.TXT',
  'a.txt::$DATA',
  'a.txt.',
  'a.txt%20',
  'a%2etxt%2f..%2f..%2fa.txt',
  '',
  '.',
  '..',
  '...',
  '....//',
  '%',
  '%zz',
  '%e0%a4%a',
  'manifest.jsonl',
  'x'.repeat(3000)
])
  paths.add(wrong)

const file = (path: string) => `/api/v1/uploads/${UPLOAD}/raw/${path}`
const list = (path: string) => `/api/v1/uploads/${UPLOAD}/rawdir/${path}`

describe('paths that want to lead outside', () => {
  it('are many', () => {
    expect(paths.size).toBeGreaterThan(1000)
  })

  it('never reach anything but the files of the upload', async () => {
    const own = new Set(['a', 'b', 'c', 'linked', 'deep'])
    const statuses = new Map<number | undefined, number>()
    for (const path of paths) {
      // Paths go out as they are: clients would take `..` out of them.
      const url = `${origin}${file(path)}`
      const { status, body } = await whole({ url })
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      expect([path, body.includes(SECRET) || body.includes('root:') || body.includes('raw_files')]).toEqual([
        path,
        false
      ])
      if (status === 200) expect([path, own.has(String(body))]).toEqual([path, true])
      else expect([path, status === 404 || status === 400]).toEqual([path, true])
    }
    expect(statuses.get(404)).toBeGreaterThan(900)
  })

  it('never list anything else', async () => {
    for (const path of [...paths].filter((_, i) => i % 3 === 0)) {
      const { status, body } = await whole({ url: `${origin}${list(path)}` })
      expect([path, status === 404 || status === 400 || status === 200]).toEqual([path, true])
      expect([path, /secret"|passwd"|sqlite|jsonl"/.test(String(body)) && status === 200]).toEqual([
        path,
        false
      ])
    }
  })

  it('never come into a zip', async () => {
    for (const path of [...paths].filter((_, i) => i % 7 === 0)) {
      const url = `${origin}${file(path)}?compress=true&stored=true`
      const { status, body } = await whole({ url })
      if (status !== 200) continue
      const names = (await unzip(body)).map(member => member.name)
      expect([path, names.filter(name => !/^(?:[a-z]\/)*\w+\.txt$/.test(name))]).toEqual([path, []])
    }
  })

  it('are no names of uploads and entries', async () => {
    for (const id of [
      '..',
      '%2e%2e',
      `..%2f${OTHER}`,
      `${UPLOAD}%2f..%2f${OTHER}`,
      '%00',
      '.',
      UPLOAD.slice(0, 2)
    ]) {
      for (const rest of ['raw/secret', 'raw', 'raw/?compress=true', 'rawdir/']) {
        const { status, body } = await whole({ url: `${origin}/api/v1/uploads/${id}/${rest}` })
        expect([id, rest, status === 404 || status === 400, body.includes(SECRET)]).toEqual([
          id,
          rest,
          true,
          false
        ])
      }
      const { status } = await whole({ url: `${origin}/api/v1/entries/${id}/raw/secret` })
      expect([id, status]).toEqual([id, 404])
    }
  })
})

describe('names that no file may have', () => {
  const names = [
    '../out',
    '/etc/passwd',
    'a/../../b',
    'a//b',
    '',
    '.',
    './a',
    'a/.',
    'a/',
    '..',
    'a\0b',
    'd/../../../x',
    '/'
  ]
  for (const path of names) {
    it(`are not stored: ${JSON.stringify(path)}`, async () => {
      const replaced = services.files.replace('names', [
        { path, open: () => Readable.from([Buffer.from('x')]) }
      ])
      await expect(replaced).rejects.toThrow()
      expect(await services.files.tree('names')).toBeUndefined()
    })
  }
})

describe('links that somebody put among the files', () => {
  let place: string

  beforeAll(async () => {
    const folder = join(services.config.dataDir, 'raw', UPLOAD.slice(0, 2), UPLOAD)
    const [head] = (await readFile(join(folder, 'manifest.jsonl'), 'utf8')).split('\n', 1)
    place = join(folder, (JSON.parse(head as string) as { generation: string }).generation)
    const big = join(outside, 'linked.txt')
    await writeFile(big, 'LINKED')
    // A file and a folder become links to others of the same size.
    await rm(join(place, 'd/linked.txt'))
    await symlink(big, join(place, 'd/linked.txt'))
    await mkdir(join(outside, 'l'))
    await writeFile(join(outside, 'l/deep.txt'), 'DEEP')
    await rename(join(place, 'l'), join(place, 'moved'))
    await symlink(join(outside, 'l'), join(place, 'l'))
    // And there are new ones that no list knows.
    await symlink(join(outside, 'secret'), join(place, 'new-link'))
    await symlink(outside, join(place, 'new-folder'))
    expect((await lstat(join(place, 'new-link'))).isSymbolicLink()).toBe(true)
  })

  for (const path of ['d/linked.txt', 'l/deep.txt']) {
    it(`are not followed: ${path}`, async () => {
      for (const query of ['', '?offset=1', '?length=2', '?decompress=true']) {
        const { status, body } = await whole({ url: `${origin}${file(path)}${query}` })
        expect([query, status, /LINKED|DEEP/.test(String(body))]).toEqual([query, 500, false])
        expect(String(body)).not.toContain(services.config.dataDir)
      }
    })
  }

  for (const path of ['new-link', 'new-folder', 'new-folder/secret', 'moved/deep.txt']) {
    it(`are not there: ${path}`, async () => {
      expect((await whole({ url: `${origin}${file(path)}` })).status).toBe(404)
      expect((await whole({ url: `${origin}${list(path)}` })).status).toBe(404)
    })
  }

  it('make a zip an error', async () => {
    // They are among the first bytes here: nothing has been sent when they are found.
    const all = await whole({ url: `${origin}/api/v1/uploads/${UPLOAD}/raw` })
    expect([all.status, all.headers['content-type']]).toEqual([500, 'application/json; charset=utf-8'])
    const url = `${origin}${file('d/e')}?compress=true`
    expect((await unzip((await whole({ url })).body)).map(m => m.name)).toEqual(['c.txt'])
  })
})
