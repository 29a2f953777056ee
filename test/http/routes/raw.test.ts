import { readFile, truncate } from 'node:fs/promises'
import { request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  bearer,
  openCorpusServices,
  openTestServices,
  profiles,
  type TestServices,
  testApp
} from '../../app.ts'
import { eventually, openFilesBelow } from '../../files/open-files.ts'
import { unzip } from '../../files/unzip.ts'
import { publishedUpload } from '../../upload.ts'

const API = '/api/v1'
/** Published, without embargo. */
const OPEN = '3U40NEXwovmPkBa8gO1AsX'
/** Published with embargo; CARL is among its coauthors. */
const EMBARGOED = 'ROK7NzvVoeKocZLPaWt-Q1'
const EMBARGOED_ENTRY = 'Zb48a2-5vUXKCNt3k8Dng07J5nrS'
/** Not published; OWNER's own. */
const UNPUBLISHED = '2HZqVdGs6r1uy-FArYAZDT'
/** Not published, shared with everybody. */
const SHARED = 'm2gDew34dxLckF73LPPJqg'
const EXCITING = 'EvFT7EJpDeAFxlWAe5o5TfyOJje9'
const ELK = 'h1iMMJejwBL4CXBcORlyyjKm_Ehq'

const ADMIN = '0d3c6f52-9b8e-4c7a-9a55-2f6f1d0a7b01'
const OWNER = '3f1a2b7c-5d64-4e0f-8c21-7a9e6b3d1c02'
const STRANGER = 'a45e7d90-61c2-4b8f-9f3e-c1b2d3e4f504'

interface Manifest {
  readonly entry_id: string
  readonly upload_id: string
  readonly mainfile: string
}

async function zipOf(response: { statusCode: number; rawPayload: Buffer; headers: Record<string, unknown> }) {
  expect(response.statusCode).toBe(200)
  expect(response.headers['content-type']).toBe('application/zip')
  const members = await unzip(response.rawPayload)
  const names = members.map(m => m.name)
  const last = members.at(-1)
  const manifest =
    last?.name === 'manifest.json' ? (JSON.parse(String(last.content)) as Manifest[]) : undefined
  return { members, names, manifest }
}

describe.each(profiles())('raw files of entries (%s)', profile => {
  let services: TestServices
  let app: FastifyInstance

  beforeAll(async () => {
    services = await openCorpusServices(profile)
    app = await testApp(services)
    await app.listen({ port: 0, host: '127.0.0.1' })
  })
  afterAll(async () => {
    await app?.close()
    await services?.close()
  })

  const get = async (path: string, as?: string) =>
    app.inject({ url: API + path, headers: as ? { authorization: await bearer(services, as) } : {} })
  const post = async (body: unknown, as?: string) =>
    app.inject({
      method: 'POST',
      url: `${API}/entries/raw/query`,
      headers: as ? { authorization: await bearer(services, as) } : {},
      payload: body as object
    })

  it('are one zip for what the guide asks for', async () => {
    const response = await get('/entries/raw?results.material.elements=Ti&results.material.elements=O')
    expect(response.headers['content-disposition']).toBe('attachment; filename="raw_files.zip"')
    const { manifest, names } = await zipOf(response)
    const found = await get('/entries?elements=Ti&elements=O&page_size=100')
    const ids = (found.json() as { data: { entry_id: string }[] }).data.map(d => d.entry_id)
    expect(ids.length).toBeGreaterThan(0)
    expect(manifest?.map(m => m.entry_id).sort()).toEqual(ids.sort())
    for (const { mainfile } of manifest ?? []) expect(names).toContain(mainfile)
  })

  it('have the bytes and times of what was uploaded', async () => {
    const { members } = await zipOf(await post({ query: { entry_id: EXCITING } }))
    expect(members.map(m => m.name)).toEqual([
      `${OPEN}/exciting/Ag/INFO.OUT`,
      `${OPEN}/exciting/Ag/Ag.xml`,
      'manifest.json'
    ])
    const original = join(
      import.meta.dirname,
      `../../../fixtures/corpus/uploads/${OPEN}/raw/exciting/Ag/Ag.xml`
    )
    expect(members[1]?.content.equals(await readFile(original))).toBe(true)
    expect(members.every(m => m.stored)).toBe(true)
  })

  it('come ordered by upload and entry, shared files once', async () => {
    const { manifest, names } = await zipOf(await post({}))
    expect(new Set(names).size).toBe(names.length)
    const keys = (manifest ?? []).map(m => [m.upload_id, m.entry_id])
    expect(keys.length).toBe(await total())
    expect(keys).toEqual([...keys].sort((a, b) => (a.join() < b.join() ? -1 : 1)))
  })

  async function total(): Promise<number> {
    const response = await get('/entries?page_size=0')
    return (response.json() as { pagination: { total: number } }).pagination.total
  }

  it('are chosen by names, expressions and patterns', async () => {
    const files = async (wanted: object) =>
      (await zipOf(await post({ query: { upload_id: OPEN }, files: wanted }))).names.map(n =>
        n.split('/').pop()
      )
    expect(await files({ glob_pattern: 'elk/*/E*.OUT' })).toContain('EFERMI.OUT')
    expect(await files({ re_pattern: 'Fe\\.out', glob_pattern: '*.xml' })).toEqual([
      'Fe.out',
      'manifest.json'
    ])
    expect(await files({ include_files: ['GEOMETRY.OUT'], re_pattern: 'x' })).toEqual([
      'GEOMETRY.OUT',
      'manifest.json'
    ])
    expect(await files({ glob_pattern: '*.nope' })).toEqual(['manifest.json'])
    const url = await get(
      `/entries/raw?upload_id=${OPEN}&include_files=KPOINTS.OUT&include_files=elk.in&compress=1`
    )
    const { names, members } = await zipOf(url)
    expect(names.filter(n => n.endsWith('elk.in') || n.endsWith('KPOINTS.OUT')).length).toBe(names.length - 1)
    expect(members[0]?.stored).toBe(false)
  })

  it('of nothing are a zip with an empty manifest', async () => {
    const { names, manifest } = await zipOf(await post({ query: { upload_id: 'nope' } }))
    expect(names).toEqual(['manifest.json'])
    expect(manifest).toEqual([])
  })

  it('of one entry are found by its id', async () => {
    const { names, manifest } = await zipOf(await get(`/entries/${ELK}/raw?re_pattern=SYM`))
    expect(names).toEqual([
      `${OPEN}/elk/Al/SYMCRYS.OUT`,
      `${OPEN}/elk/Al/SYMLAT.OUT`,
      `${OPEN}/elk/Al/SYMSITE.OUT`,
      'manifest.json'
    ])
    expect(manifest).toEqual([{ entry_id: ELK, upload_id: OPEN, mainfile: `${OPEN}/elk/Al/INFO.OUT` }])
  })

  it('are given to those who may see them', async () => {
    for (const as of [undefined, STRANGER, ADMIN]) {
      const response = await get(`/entries/${EMBARGOED_ENTRY}/raw`, as)
      expect(response.statusCode).toBe(404)
      expect(response.json()).toEqual({
        detail: 'The entry with the given id does not exist or is not visible to you.'
      })
      const { names } = await zipOf(await post({ owner: 'visible', query: { upload_id: EMBARGOED } }, as))
      expect(names).toEqual(['manifest.json'])
    }
    expect((await zipOf(await get(`/entries/${EMBARGOED_ENTRY}/raw`, OWNER))).names.length).toBeGreaterThan(1)
    const { names } = await zipOf(await post({ owner: 'visible', query: { upload_id: EMBARGOED } }, OWNER))
    expect(names.length).toBeGreaterThan(6)
    expect(
      (await zipOf(await post({ owner: 'admin', query: { upload_id: EMBARGOED } }, ADMIN))).names
    ).toEqual(names)
  })

  const refused: [string, unknown, number, unknown][] = [
    ['owner all', { owner: 'all' }, 403, expect.stringContaining('The owner=all is not allowed')],
    ['a known owner without a caller', { owner: 'user' }, 401, "Authentication required for owner='user'."],
    ['the administrator’s owner', { owner: 'admin' }, 401, "Authentication required for owner='admin'."],
    [
      'an unknown quantity',
      { query: { nope: 1 } },
      422,
      [expect.objectContaining({ msg: 'nope is not a doc quantity' })]
    ],
    [
      'an expression that is none',
      { files: { re_pattern: '**' } },
      422,
      [
        expect.objectContaining({
          type: 'invalid_pattern',
          loc: ['body', 'files', 're_pattern'],
          msg: expect.stringContaining('could not parse the re pattern: ')
        })
      ]
    ],
    ['files that are a list', { files: [] }, 422, expect.anything()],
    ['names that are no list', { files: { include_files: 'x' } }, 422, expect.anything()],
    ['compress that is text', { files: { compress: 'maybe' } }, 422, expect.anything()],
    ['a body that is a list', [], 422, expect.anything()]
  ]
  for (const [what, body, status, detail] of refused) {
    it(`refuse ${what}`, async () => {
      const response = await post(body)
      expect(response.statusCode).toBe(status)
      expect(response.json()).toEqual({ detail })
    })
  }

  it('refuse in the URL what they refuse in a body', async () => {
    const bad = {
      '?re_pattern=[': 422,
      '?owner=all': 403,
      '?owner=user': 401,
      '?compress=maybe': 422,
      '?owner=x': 422
    }
    for (const [query, status] of Object.entries(bad)) {
      expect([query, (await get(`/entries/raw${query}`)).statusCode]).toEqual([query, status])
    }
    for (const id of ['nope', '%00', '..%2f..', 'a'.repeat(1000)]) {
      expect((await get(`/entries/${id}/raw`)).statusCode).toBe(404)
    }
    expect((await get(`/entries/${ELK}/raw?re_pattern=[`)).statusCode).toBe(422)
  })

  it('refuse more entries than one download may hold', async () => {
    const small = await openCorpusServices(profile, { SERAI_MAX_ENTRY_DOWNLOAD: '3' })
    const smallApp = await testApp(small)
    try {
      const count = await total()
      const response = await smallApp.inject({ url: `${API}/entries/raw` })
      expect(response.statusCode).toBe(400)
      expect(response.json()).toEqual({
        detail: `The limit of maximum number of entries in a single download (3) has been exceeded (${count}).`
      })
    } finally {
      await smallApp.close()
      await small.close()
    }
  })

  it('answer HEAD without making the zip', async () => {
    const response = await app.inject({ method: 'HEAD', url: `${API}/entries/raw` })
    expect(response.statusCode).toBe(200)
    expect(response.headers['content-type']).toBe('application/zip')
    expect(response.rawPayload.length).toBe(0)
  })

  describe('of uploads', () => {
    it('come whole, with the type that their beginning tells', async () => {
      const file = await get(`/uploads/${OPEN}/raw/elk/Al/elk.in`)
      expect(file.statusCode).toBe(200)
      expect(file.headers).toMatchObject({
        'content-type': 'text/plain; charset=utf-8',
        'content-disposition': 'attachment; filename="elk.in"',
        'content-length': '701',
        'x-content-type-options': 'nosniff'
      })
      expect(file.payload).toContain('Ground state of aluminium')
      expect((await get(`/uploads/${OPEN}/raw/nomad.json`)).headers['content-type']).toBe('application/json')
      const untyped = await get(`/uploads/${OPEN}/raw/nomad.json?ignore_mime_type=true`)
      expect(untyped.headers['content-type']).toBe('application/octet-stream')
    })

    it('come in parts', async () => {
      const part = await get(`/uploads/${OPEN}/raw/elk/Al/elk.in?offset=10&length=25`)
      expect(part.payload).toBe('state of aluminium. Try c')
      expect(part.headers).toMatchObject({
        'content-type': 'application/octet-stream',
        'content-length': '25'
      })
      const beyond = await get(`/uploads/${OPEN}/raw/elk/Al/elk.in?offset=10000`)
      expect([beyond.statusCode, beyond.payload, beyond.headers['content-length']]).toEqual([200, '', '0'])
      const xz = '/uploads/JrwlldN3Mnf6R_mujWnCkA/raw/dos/unpolarized/vasprun.xml.xz'
      const opened = await get(`${xz}?decompress=true&offset=40&length=60`)
      expect(opened.payload).toBe('"?>\n<modeling>\n <generator>\n  <i name="program" type="string')
    })

    it('come as zips of a file, a directory, and everything', async () => {
      const one = await get(`/uploads/${OPEN}/raw/elk/Al/elk.in?compress=true`)
      expect((await zipOf(one)).names).toEqual(['elk.in'])
      expect(one.headers['content-disposition']).toBe('attachment; filename="elk.in.zip"')

      const directory = await get(`/uploads/${OPEN}/raw/exciting/?compress=true&glob_pattern=*.xml`)
      const { names, members } = await zipOf(directory)
      expect(names).toContain('Ag/Ag.xml')
      expect(names.every(n => n.endsWith('.xml'))).toBe(true)
      expect(members[0]?.stored).toBe(false)
      expect(directory.headers['content-disposition']).toBe('attachment; filename="exciting.zip"')

      const root = await get(`/uploads/${UNPUBLISHED}/raw/?compress=true`, OWNER)
      expect((await zipOf(root)).names).toEqual(['tables/data_file_1.csv', 'tables/data_file_2.csv'])
      expect(root.headers['content-disposition']).toBe(`attachment; filename="${UNPUBLISHED}.zip"`)

      const all = await zipOf(await get(`/uploads/${OPEN}/raw`))
      expect(all.names).toContain('nomad.json')
      expect(all.names).toContain('elk/Al/elk.in')
      expect(all.members.every(m => m.stored)).toBe(true)
    })

    const BAD_LENGTH = expect.stringMatching(/^Invalid length provided/)
    const refused: [string, string | undefined, number, unknown][] = [
      [`/nope/raw`, undefined, 404, 'The specified upload_id was not found.'],
      [`/nope/raw/x`, undefined, 404, 'The specified upload_id was not found.'],
      [
        `/${UNPUBLISHED}/raw/tables/data_file_1.csv`,
        undefined,
        401,
        'You need to log in to access the specified upload.'
      ],
      [`/${UNPUBLISHED}/raw/nope`, undefined, 401, 'You need to log in to access the specified upload.'],
      [
        `/${UNPUBLISHED}/raw/tables/data_file_1.csv`,
        STRANGER,
        403,
        'You do not have access to the specified upload.'
      ],
      [
        `/${UNPUBLISHED}/raw`,
        OWNER,
        400,
        expect.stringMatching(/^Cannot download raw files .zip from non published/)
      ],
      [
        `/${EMBARGOED}/raw`,
        undefined,
        403,
        'You do not have access to the specified upload - published with embargo.'
      ],
      [`/${OPEN}/raw/nope`, undefined, 404, 'Not found. Invalid path?'],
      [`/${OPEN}/raw/elk/Al`, undefined, 400, 'Path is a directory, `compress` must be set to true'],
      [`/${OPEN}/raw/`, undefined, 400, 'Path is a directory, `compress` must be set to true'],
      [
        `/${OPEN}/raw/nomad.json?compress=true&offset=2`,
        undefined,
        400,
        'Cannot specify `offset` or `length` when `compress` is true'
      ],
      [`/${OPEN}/raw/nomad.json?offset=-3`, undefined, 400, 'Invalid offset provided.'],
      [`/${OPEN}/raw/nomad.json?length=0`, undefined, 400, BAD_LENGTH],
      [`/${OPEN}/raw/nomad.json?length=-2`, undefined, 400, BAD_LENGTH],
      [
        `/${OPEN}/raw/nomad.json?compress=maybe`,
        undefined,
        422,
        [expect.objectContaining({ type: 'bool_parsing' })]
      ],
      [
        `/${OPEN}/raw/nomad.json?offset=x`,
        undefined,
        422,
        [expect.objectContaining({ type: 'int_parsing' })]
      ],
      [
        `/${OPEN}/raw/elk?compress=true&re_pattern=**`,
        undefined,
        422,
        [expect.objectContaining({ type: 'invalid_pattern' })]
      ]
    ]
    for (const [path, as, status, detail] of refused) {
      it(`refuse ${path} ${as === undefined ? 'to everybody' : `to ${as.slice(0, 4)}`}`, async () => {
        const response = await get(`/uploads${path}`, as)
        expect(response.statusCode).toBe(status)
        expect(response.json()).toEqual({ detail })
      })
    }

    it('are given to members, to the administrator, and by a group to everybody', async () => {
      for (const as of [OWNER, ADMIN]) {
        expect((await get(`/uploads/${UNPUBLISHED}/raw/tables/data_file_1.csv`, as)).statusCode).toBe(200)
        expect((await get(`/uploads/${EMBARGOED}/raw`, as)).statusCode).toBe(200)
      }
      expect((await get(`/uploads/${SHARED}/raw/simple.archive.yaml`)).statusCode).toBe(200)
    })

    const tricks = [
      '..%2f..%2f..%2fetc%2fpasswd',
      '%2e%2e/%2e%2e/secret',
      '%2e%2e%2f%2e%2e%2fsecret',
      '..%5c..%5csecret',
      '%2fetc%2fpasswd',
      '/etc/passwd',
      '//etc/passwd',
      'elk//Al/elk.in',
      'elk/../../x',
      'elk%2f..%2f..%2fx',
      'nomad.json%00',
      '%00',
      '%252e%252e/secret',
      '..',
      '..%2f',
      'elk/Al/elk.in/..%2f..%2f..%2f..%2fx',
      'manifest.jsonl',
      '..%2fmanifest.jsonl',
      '%c0%ae%c0%ae/x',
      'a'.repeat(1900)
    ]
    for (const path of tricks) {
      it(`do not reach outside by ${path.slice(0, 40)}`, async () => {
        for (const query of ['', '?compress=true', '?decompress=true']) {
          // Over a socket: `inject` takes `..` out of paths before the application sees them.
          const status = await statusOf(`${API}/uploads/${OPEN}/raw/${path}${query}`)
          expect([path, status]).toEqual([path, path.startsWith('%c0') ? 400 : 404])
        }
      })
    }

    function statusOf(path: string): Promise<number | undefined> {
      const { port } = app.server.address() as AddressInfo
      return new Promise((resolve, reject) => {
        const asked = request({ host: '127.0.0.1', port, path, agent: false }, response => {
          response.resume().on('end', () => resolve(response.statusCode))
        })
        asked.on('error', reject).end()
      })
    }

    it('are found by paths with detours inside the upload', async () => {
      for (const path of [
        'elk/../nomad.json',
        './nomad.json',
        'elk/Al/..%2f..%2fnomad.json',
        'nomad.json/'
      ]) {
        expect([path, (await get(`/uploads/${OPEN}/raw/${path}`)).statusCode]).toEqual([path, 200])
      }
    })
  })
})

describe('raw files over a socket', () => {
  const UPLOAD = 'abcdefghijklmnopqrstuv'
  const NAME = 'Übung "№1" 🧪 100%.txt'
  const BIG = 30_000_000
  let services: TestServices
  let app: FastifyInstance
  let base: string
  let folder: string

  beforeAll(async () => {
    services = await openTestServices('embedded')
    folder = join(services.config.dataDir, 'raw')
    const upload = publishedUpload(UPLOAD)
    await services.documents.putUpload(upload)
    const input = (path: string, bytes: Buffer) => ({ path, open: () => Readable.from([bytes]) })
    await services.files.replace(UPLOAD, [
      input(NAME, Buffer.from('named')),
      input('d/big', Buffer.alloc(BIG, 'big ')),
      input('d/bigger', Buffer.alloc(BIG, 'bigger ')),
      input('page.html', Buffer.from('<!doctype html><script>alert(1)</script>')),
      input('no.gz', Buffer.from('not compressed'))
    ])
    app = await testApp(services)
    await app.listen({ port: 0, host: '127.0.0.1' })
    base = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}${API}/uploads/${UPLOAD}/raw`
  })
  afterAll(async () => {
    await app?.close()
    await services?.close()
  })

  it('can have names of any script', async () => {
    const response = await fetch(`${base}/${encodeURIComponent(NAME)}`)
    expect(await response.text()).toBe('named')
    expect(response.headers.get('content-disposition')).toBe(
      'attachment; filename="_bung \\"_1\\" _ 100%.txt"; ' +
        "filename*=UTF-8''%C3%9Cbung%20%22%E2%84%961%22%20%F0%9F%A7%AA%20100%25.txt"
    )
  })

  it('are never run by a browser', async () => {
    const response = await fetch(`${base}/page.html`)
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('content-security-policy')).toContain('sandbox')
  })

  it('keep their length when the client takes compressed answers', async () => {
    const response = await fetch(`${base}/d/big`, { headers: { 'accept-encoding': 'gzip' } })
    expect(response.headers.get('content-encoding')).toBeNull()
    expect(response.headers.get('content-length')).toBe(String(BIG))
    expect((await response.arrayBuffer()).byteLength).toBe(BIG)
    const head = await fetch(`${base}/d/big`, { method: 'HEAD' })
    expect(head.headers.get('content-length')).toBe(String(BIG))
    await eventually(async () => (await openFilesBelow(folder)).length === 0)
  })

  it('that cannot be decompressed are a clean error', async () => {
    const response = await fetch(`${base}/no.gz?decompress=true`)
    expect(response.status).toBe(400)
    expect(await response.json()).toEqual({
      detail: 'The file cannot be decompressed: it is no valid .gz file.'
    })
  })

  for (const path of ['', '/d?compress=true', '/d/big', '/d/big?decompress=true&offset=3']) {
    it(`are closed within a second when the client of raw${path} goes away`, async () => {
      const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
      socket.on('error', () => {})
      socket.write(`GET ${new URL(base).pathname}${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
      await new Promise(resolve => socket.once('data', resolve))
      socket.pause()
      await eventually(async () => (await openFilesBelow(folder)).length === 1)
      socket.destroy()
      await eventually(async () => (await openFilesBelow(folder)).length === 0)
    })
  }

  it('break the connection when a file turns out to be damaged', async () => {
    const [manifest] = (await readFile(join(folder, 'ab', UPLOAD, 'manifest.jsonl'), 'utf8')).split('\n')
    const { generation } = JSON.parse(manifest as string) as { generation: string }
    await truncate(join(folder, 'ab', UPLOAD, generation, 'd/bigger'), 1000)
    const response = await fetch(base)
    expect(response.status).toBe(200)
    await expect(response.arrayBuffer()).rejects.toThrow()
    const file = await fetch(`${base}/d/bigger`)
    expect(file.status).toBe(500)
    expect(await file.text()).not.toContain(folder)
  })
})
