import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { profiles } from '../../app.ts'
import { type CorpusApp, openCorpusApp } from '../../corpus-app.ts'
import { ADMIN, EMBARGOED, OPEN, OWNER, SHARED, STRANGER, UNPUBLISHED, zipOf } from './corpus-raw.ts'

const API = '/api/v1'

describe.each(profiles())('raw files of uploads (%s)', profile => {
  let corpus: CorpusApp

  beforeAll(async () => {
    corpus = await openCorpusApp(profile)
    await corpus.app.listen({ port: 0, host: '127.0.0.1' })
  })
  afterAll(() => corpus?.close())

  const get = (path: string, as?: string) => corpus.ask({ url: API + path }, as)

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
    [`/${OPEN}/raw/nomad.json?offset=x`, undefined, 422, [expect.objectContaining({ type: 'int_parsing' })]],
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
    const { port } = corpus.app.server.address() as AddressInfo
    return new Promise((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, path, agent: false }, response => {
        response.resume().on('end', () => resolve(response.statusCode))
      })
      asked.on('error', reject).end()
    })
  }

  it('are found by paths with detours inside the upload', async () => {
    for (const path of ['elk/../nomad.json', './nomad.json', 'elk/Al/..%2f..%2fnomad.json', 'nomad.json/']) {
      expect([path, (await get(`/uploads/${OPEN}/raw/${path}`)).statusCode]).toEqual([path, 200])
    }
  })
})
