import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { importCorpus } from '../../../src/processing/corpus-import.ts'
import { bearer, openTestServices, profiles, type TestServices, testApp } from '../../app.ts'
import { corpusJson } from '../../archive/corpus.ts'
import { type CorpusApp, openCorpusApp } from '../../corpus-app.ts'
import { unzip } from '../../files/unzip.ts'
import { damageArchive } from '../../storage/damage.ts'

const API = '/api/v1/entries'
const UPLOAD = '3U40NEXwovmPkBa8gO1AsX'
const ABINIT = 'eCembbo8uSz_fPwZ3YrEVvx96A4n'
const MEILIN = 'a45e7d90-61c2-4b8f-9f3e-c1b2d3e4f504'
const GUIDE = '--btEqakO1kKnV6MWyTproNqkO3M'

describe.each(profiles())('downloads of archives on %s', profile => {
  let corpus: CorpusApp

  beforeAll(async () => {
    corpus = await openCorpusApp(profile, { settings: { SERAI_MAX_ENTRY_DOWNLOAD: '60' } })
  })
  afterAll(() => corpus?.close())

  const get = (url: string, headers: Record<string, string> = {}) =>
    corpus.app.inject({ method: 'GET', url: API + url, headers })
  const post = (payload: object, headers: Record<string, string> = {}) =>
    corpus.app.inject({ method: 'POST', url: `${API}/archive/download/query`, payload, headers })

  test('one archive is a file of its own', async () => {
    const response = await get(`/${ABINIT}/archive/download`)
    expect(response.statusCode).toBe(200)
    expect(response.headers['content-type']).toMatch(/^application\/json/)
    expect(response.headers['content-disposition']).toBe(`attachment; filename="${ABINIT}.archive.json"`)
    const stored = JSON.stringify(corpusJson(`uploads/${UPLOAD}/archive/${ABINIT}.json`))
    expect(response.json()).toEqual(JSON.parse(stored))
    expect((await get('/nope/archive/download')).statusCode).toBe(404)
  })

  test('a zip holds every archive, and the manifest last', async () => {
    const response = await get(`/archive/download?upload_id=${UPLOAD}&compress=true`)
    expect(response.headers['content-type']).toBe('application/zip')
    expect(response.headers['content-disposition']).toMatch(/filename="archives\.zip"/)
    const members = await unzip(response.rawPayload)
    const manifest = JSON.parse(String(members.at(-1)?.content)) as { entry_id: string; path: string }[]
    expect(members.at(-1)?.name).toBe('manifest.json')
    expect(manifest).toHaveLength(11)
    expect(manifest.map(m => m.path)).toEqual(members.slice(0, -1).map(m => m.name))
    for (const { name, content, stored } of members.slice(0, -1)) {
      const id = name.slice(name.indexOf('/') + 1, -'.json'.length)
      const { archive, ...head } = JSON.parse(String(content))
      expect(name).toBe(`${UPLOAD}/${id}.json`)
      expect(stored).toBe(false)
      expect(Object.keys(head)).toEqual(['entry_id', 'parser_name'])
      const whole = corpusJson(`uploads/${UPLOAD}/archive/${id}.json`)
      expect(archive).toEqual(JSON.parse(JSON.stringify({ m_ref_archives: {}, ...whole })))
      expect(String(content)).toMatch(/^\{\n {2}"entry_id"/)
    }
  })

  test('in uploads one after the other, parts as required asks for them, entries without archive listed only', async () => {
    const headers = { authorization: await bearer(corpus.services, MEILIN) }
    const response = await post({ owner: 'user', required: { metadata: { upload_id: '*' } } }, headers)
    const members = await unzip(response.rawPayload)
    const manifest = JSON.parse(String(members.at(-1)?.content)) as { upload_id: string; path: string }[]
    expect(manifest.map(m => m.upload_id)).toEqual(manifest.map(m => m.upload_id).toSorted())
    expect(new Set(manifest.map(m => m.upload_id)).size).toBe(4)
    const missing = manifest.filter(m => !members.some(({ name }) => name === m.path))
    expect(missing.map(m => m.path)).toEqual(['s25f5ZFXDCbEilpzGabTKb/5OyzEDJE3CVjl78IKXt2rT3zSQlm.json'])
    for (const { name, content } of members.slice(0, -1)) {
      const upload_id = name.split('/')[0]
      expect(JSON.parse(String(content)).archive).toEqual({ metadata: { upload_id }, m_ref_archives: {} })
    }
  })

  test('the same again is the same zip', async () => {
    const [one, two] = [
      await post({ query: { upload_id: UPLOAD } }),
      await post({ query: { upload_id: UPLOAD } })
    ]
    expect(one.rawPayload.equals(two.rawPayload)).toBe(true)
  })

  test.each([
    [{ query: { nope: 1 } }, 422],
    [{ required: 5 }, 422],
    [{ required: { 'a.b': '*' } }, 422],
    [{ required: { run: { 'program[0]': '*' } }, query: { entry_id: ABINIT } }, 400],
    [{ owner: 'all' }, 403],
    [{ owner: 'user' }, 401],
    [{ files: { compress: 'maybe' } }, 422]
  ])('%j is refused before the zip begins', async (body, status) => {
    const response = await post(body)
    expect(response.statusCode).toBe(status)
    expect(response.json().detail).toBeTruthy()
  })

  test('more entries than one download may hold are refused', async () => {
    const response = await get('/archive/download')
    expect([response.statusCode, response.json().detail]).toEqual([
      400,
      'The limit of maximum number of entries in a single download (60) has been exceeded (64).'
    ])
  })
})

describe.each(profiles())('a damaged block on %s', profile => {
  let services: TestServices
  let app: FastifyInstance

  beforeAll(async () => {
    services = await openTestServices(profile)
    await importCorpus(join(import.meta.dirname, '../../../fixtures/guide'), services)
    app = await testApp(services)
    await damageArchive(services, GUIDE, 1)
  })

  afterAll(async () => {
    await app.close()
    await services.close()
  })

  const query = { entry_id: GUIDE }
  const detail = `The archive of entry ${GUIDE} is damaged: block 1 does not have its checksum.`

  test.each([
    ['GET', `/${GUIDE}/archive`, undefined],
    ['GET', `/${GUIDE}/archive/download`, undefined],
    ['POST', `/${GUIDE}/archive/query`, {}],
    ['POST', '/archive/query', { query }],
    ['POST', '/archive/download/query', { query }]
  ] as const)('%s %s says which block of which entry', async (method, url, payload) => {
    const response = await app.inject({ method, url: API + url, ...(payload ? { payload } : {}) })
    expect([response.statusCode, response.json()]).toEqual([500, { detail }])
  })

  test('the other entries are answered, and parts in other blocks', async () => {
    const page = await app.inject({
      method: 'POST',
      url: `${API}/archive/query`,
      payload: { query: { not: query } }
    })
    expect([page.statusCode, page.json().data.length]).toEqual([200, 3])
  })

  test('a zip that comes upon it later has no proper end', async () => {
    const whole = await app
      .inject({ method: 'GET', url: `${API}/archive/download`, payload: '' })
      .catch(() => {})
    // The damaged entry is the first of its upload or not: either an error, or a zip that cannot be read.
    if (whole && whole.statusCode === 200) await expect(unzip(whole.rawPayload)).rejects.toThrow()
    else expect(whole?.statusCode ?? 500).toBe(500)
  })

  test('its line has an error, and the others have their archives', async () => {
    const response = await app.inject({
      method: 'POST',
      url: `${API}/archive/query`,
      payload: {},
      headers: { accept: 'application/x-ndjson' }
    })
    const lines = response.body
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(lines).toHaveLength(5)
    expect(lines.at(-1)).toEqual({ pagination: { order_by: 'entry_id', order: 'asc', total: 4 } })
    const [damaged] = lines.filter(line => 'error' in line)
    expect(damaged).toMatchObject({ entry_id: GUIDE, error: { status: 500, detail } })
    expect(lines.filter(line => line.archive)).toHaveLength(3)
  })
})
