import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../src/archive/definitions.ts'
import { packArchive } from '../../../src/archive/pack.ts'
import { bearer, openTestServices, profiles, type TestServices, testApp } from '../../app.ts'
import { testUpload } from '../../upload.ts'

const UPLOAD = testUpload('open', { main_author: 'ada', publish_time: '2024-01-02T00:00:00.000Z' })
const RESOLVED = { required: { workflow2: { inputs: { section: { 'x_test[0]': '*', program: '*' } } } } }

describe.each(profiles())('ETags of single archives on %s', profile => {
  let services: TestServices
  let app: FastifyInstance
  let ada: string

  beforeAll(async () => {
    services = await openTestServices(profile)
    app = await testApp(services)
    await services.documents.putUsers([
      { user_id: 'ada', username: 'ada', first_name: 'Ada', last_name: 'Byron' }
    ])
    ada = await bearer(services, 'ada')
    await services.documents.putUpload(UPLOAD)
    await services.documents.putUpload({ ...UPLOAD, upload_id: 'embargoed', embargo_length: 12 })
    await put('near', 'open', {
      workflow2: { inputs: [{ section: '../uploads/embargoed/archive/far#/run/0' }] }
    })
    await put('far', 'embargoed', { run: [{ program: { name: 'one' } }] })
  })

  afterAll(async () => {
    await app.close()
    await services.close()
  })

  async function put(entryId: string, uploadId: string, archive: JsonObject): Promise<void> {
    await services.documents.putEntries([
      {
        entry_id: entryId,
        upload_id: uploadId,
        mainfile: `${entryId}.json`,
        parser_name: 'parsers/archive',
        process_status: 'SUCCESS',
        entry_create_time: UPLOAD.upload_create_time,
        references: [],
        entry_coauthors: [],
        datasets: [],
        errors: [],
        warnings: []
      }
    ])
    await services.archives.put(entryId, uploadId, async store => {
      const packed = packArchive(archive)
      for (const block of packed.blocks) await store(block)
      return packed.contents()
    })
  }

  const get = (url: string, headers: Record<string, string> = {}) =>
    app.inject({ method: 'GET', url: `/api/v1/${url}`, headers })
  const resolved = (headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url: '/api/v1/entries/near/archive/query', payload: RESOLVED, headers })

  test.each(['entries/near/archive', 'entries/near/archive/download', 'uploads/open/archive/near'])(
    '%s is not sent again to who has it',
    async url => {
      const first = await get(url)
      const etag = String(first.headers.etag)
      expect(first.statusCode).toBe(200)
      expect(etag).toMatch(/^W\/"[\w-]{20,}"$/)
      expect(first.headers['cache-control']).toBe('no-cache')
      expect(first.headers.vary).toMatch(/authorization/)
      for (const known of [etag, `"other", ${etag}`, '*']) {
        const again = await get(url, { 'if-none-match': known })
        expect([again.statusCode, again.body, again.headers.etag]).toEqual([304, '', etag])
      }
      const other = await get(url, { 'if-none-match': '"other"' })
      expect([other.statusCode, other.body]).toEqual([200, first.body])
    }
  )

  test('what is asked for makes another answer, and another tag', async () => {
    const whole = String((await get('entries/near/archive')).headers.etag)
    const part = await resolved({ 'if-none-match': whole })
    expect(part.statusCode).toBe(200)
    const again = await resolved({ 'if-none-match': String(part.headers.etag) })
    expect([again.statusCode, again.body]).toEqual([304, ''])
  })

  test('a caller who sees more behind references has another answer', async () => {
    const anonymous = await resolved()
    const mine = await resolved({ authorization: ada, 'if-none-match': String(anonymous.headers.etag) })
    expect(mine.statusCode).toBe(200)
    expect(Object.keys(mine.json().data.archive.m_ref_archives)).toHaveLength(1)
    expect(anonymous.json().data.archive.m_ref_archives).toEqual({})
  })

  test('an archive behind a reference that changes, comes or goes changes the answer', async () => {
    const tags = new Set<string>()
    const next = async () => {
      const known = [...tags].join(', ')
      const answer = await resolved({ authorization: ada, ...(known ? { 'if-none-match': known } : {}) })
      expect(answer.statusCode).toBe(200)
      tags.add(String(answer.headers.etag))
      return JSON.stringify(answer.json().data.archive)
    }
    expect(await next()).toContain('"one"')
    await put('far', 'embargoed', { run: [{ program: { name: 'two' } }] })
    expect(await next()).toContain('"two"')
    await services.archives.remove(['far'])
    expect(await next()).not.toContain('"two"')
    await put('far', 'embargoed', { run: [{ program: { name: 'three' } }] })
    expect(await next()).toContain('"three"')
    expect(tags.size).toBe(4)
  })

  test('a replaced archive is sent, and errors have no tag', async () => {
    const before = String((await get('entries/far/archive', { authorization: ada })).headers.etag)
    await put('far', 'embargoed', { run: [] })
    const after = await get('entries/far/archive', { authorization: ada, 'if-none-match': before })
    expect(after.statusCode).toBe(200)
    await services.archives.remove(['far'])
    const missing = await get('entries/far/archive', { authorization: ada, 'if-none-match': '*' })
    expect([missing.statusCode, missing.headers.etag]).toEqual([404, undefined])
    expect((await get('entries/far/archive', { 'if-none-match': '*' })).statusCode).toBe(404)
  })
})
