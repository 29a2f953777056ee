import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bearer, profiles } from '../../app.ts'
import { corpusJson } from '../../archive/corpus.ts'
import { type CorpusApp, openCorpusApp } from '../../corpus-app.ts'

const API = '/api/v1/entries'
const UPLOAD = '3U40NEXwovmPkBa8gO1AsX'
const ABINIT = 'eCembbo8uSz_fPwZ3YrEVvx96A4n'
/** Under embargo, and one whose upload is not published. */
const EMBARGOED = 'Zb48a2-5vUXKCNt3k8Dng07J5nrS'
const UNPUBLISHED = 'SBk5o9VUr1FpbRJuvmWuO5Zk4oVJ'
const WITHOUT_ARCHIVE = '5OyzEDJE3CVjl78IKXt2rT3zSQlm'
const MEILIN = 'a45e7d90-61c2-4b8f-9f3e-c1b2d3e4f504'
const ADMIN = '0d3c6f52-9b8e-4c7a-9a55-2f6f1d0a7b01'

describe.each(profiles())('archive routes on %s', profile => {
  let corpus: CorpusApp

  beforeAll(async () => {
    corpus = await openCorpusApp(profile)
  })
  afterAll(() => corpus?.close())

  const get = (url: string, headers: Record<string, string> = {}) =>
    corpus.app.inject({ method: 'GET', url: API + url, headers })
  const post = (url: string, payload: unknown, headers: Record<string, string> = {}) =>
    corpus.app.inject({ method: 'POST', url: API + url, payload: payload as object, headers })

  test('the whole archive of an entry', async () => {
    const response = await get(`/${ABINIT}/archive`)
    expect(response.statusCode).toBe(200)
    expect(response.headers['content-type']).toMatch(/^application\/json/)
    const stored = JSON.stringify(corpusJson(`uploads/${UPLOAD}/archive/${ABINIT}.json`))
    // JSON of JavaScript has no -0: the archive holds some, the answer has 0.
    const archive = JSON.parse(stored)
    expect(response.json()).toEqual({
      entry_id: ABINIT,
      required: '*',
      data: {
        entry_id: ABINIT,
        upload_id: UPLOAD,
        parser_name: 'electronicparsers:abinit_parser_entry_point',
        archive
      }
    })
  })

  test('parts of it; what was asked for is repeated as it was sent', async () => {
    const required = {
      ' run ': { 'calculation[-1]': { system_ref: { chemical_composition: '*' } } },
      nope: 5
    }
    const { statusCode, body } = await post(`/${ABINIT}/archive/query`, { required })
    expect(statusCode).toBe(200)
    expect(JSON.parse(body)).toMatchObject({
      required,
      data: { archive: { run: [{ calculation: [{ system_ref: '/run/0/system/0' }] }], m_ref_archives: {} } }
    })
    const nothing = await post(`/${ABINIT}/archive/query`, { required: null })
    expect(nothing.json().required).toBe('*')
  })

  test.each([
    [EMBARGOED, undefined],
    [UNPUBLISHED, undefined],
    [UNPUBLISHED, ADMIN],
    ['nope', MEILIN],
    ['a%2Fb', undefined]
  ])('%s is not found by %s', async (id, user) => {
    const headers = user ? { authorization: await bearer(corpus.services, user) } : {}
    for (const response of [
      await get(`/${id}/archive`, headers),
      await post(`/${id}/archive/query`, {}, headers)
    ]) {
      expect([response.statusCode, response.json()]).toEqual([
        404,
        { detail: 'The entry does not exist or is not visible to you.' }
      ])
    }
  })

  test('an entry without an archive', async () => {
    const headers = { authorization: await bearer(corpus.services, MEILIN) }
    const response = await get(`/${WITHOUT_ARCHIVE}/archive`, headers)
    expect([response.statusCode, response.json()]).toEqual([
      404,
      { detail: 'The entry does exist, but it has no archive.' }
    ])
    const query = { 'entry_id:any': [WITHOUT_ARCHIVE, 'SRwvy0mUNof24TV0xxnNETqHTaIi'] }
    const page = await post(
      '/archive/query',
      { owner: 'user', query, required: { metadata: { entry_id: '*' } } },
      headers
    )
    expect(page.json()).toMatchObject({
      pagination: { total: 2 },
      data: [{ entry_id: 'SRwvy0mUNof24TV0xxnNETqHTaIi' }]
    })
    expect(page.json().data).toHaveLength(1)
  })

  test.each([
    [5, 422],
    [['*'], 422],
    ['bad', 400],
    [{ 'a.b': '*' }, 422],
    [{ run: 'exclude-all' }, 400],
    [{ run: 7 }, 422],
    [{ 'resolve-inplace': 'yes' }, 422],
    [{ run: { 'clean_end[0]': '*' } }, 400],
    [{ 'workflow2[:]': '*' }, 400]
  ])('required %j is refused everywhere before the answer begins', async (required, status) => {
    const one = await post(`/${ABINIT}/archive/query`, { required })
    const page = await post('/archive/query', { query: { entry_id: ABINIT }, required })
    expect([one.statusCode, page.statusCode]).toEqual([status, status])
    expect(one.json().detail).toEqual(page.json().detail)
  })

  test.each([[[]], ['x'], [5]])('body %j is refused', async payload => {
    const headers = { 'content-type': 'application/json' }
    const text = JSON.stringify(payload)
    expect(
      (await corpus.app.inject({ method: 'POST', url: `${API}/archive/query`, payload: text, headers }))
        .statusCode
    ).toBe(422)
    expect(
      (await corpus.app.inject({ method: 'POST', url: `${API}/x/archive/query`, payload: text, headers }))
        .statusCode
    ).toBe(422)
  })

  test('a page of archives, in the order of the search, with the next one', async () => {
    const request = {
      query: { upload_id: UPLOAD },
      pagination: { page_size: 2, order_by: 'mainfile', order: 'desc' },
      required: { metadata: { mainfile: '*' } }
    }
    const seen: string[] = []
    for (let after: string | undefined; ; ) {
      const page = { ...request.pagination, ...(after ? { page_after_value: after } : {}) }
      const answer = (await post('/archive/query', { ...request, pagination: page })).json()
      expect(answer).toMatchObject({
        owner: 'public',
        query: { name: 'upload_id', value: UPLOAD },
        required: request.required
      })
      for (const { archive } of answer.data) seen.push(archive.metadata.mainfile)
      after = answer.pagination.next_page_after_value
      if (!after) break
    }
    expect(seen).toHaveLength(11)
    expect(seen).toEqual(seen.toSorted().reverse())
  })

  test('a page by URL has the addresses of pages', async () => {
    const answer = (await get(`/archive?entry_id=${ABINIT}&page_size=1`)).json()
    expect(answer).toMatchObject({
      required: '*',
      pagination: { total: 1, page_url: expect.stringContaining('/entries/archive?') }
    })
    expect(answer.data[0].archive.results).toBeTypeOf('object')
  })

  test('owner all is refused, others follow the search', async () => {
    expect((await post('/archive/query', { owner: 'all' })).statusCode).toBe(403)
    expect((await get('/archive?owner=all')).statusCode).toBe(403)
    expect((await post('/archive/query', { owner: 'user' })).statusCode).toBe(401)
    const none = await post('/archive/query', { query: { entry_id: EMBARGOED } })
    expect(none.json()).toMatchObject({ pagination: { total: 0 }, data: [] })
  })

  test('a client that goes away in the middle of a large page leaves the server at work', async () => {
    await corpus.app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = corpus.app.server.address() as AddressInfo
    for (let i = 0; i < 3; i++) {
      await new Promise<void>(done => {
        const socket = connect(port, '127.0.0.1')
        socket.write(`GET ${API}/archive?page_size=60 HTTP/1.1\r\nHost: x\r\n\r\n`)
        socket.once('data', () => socket.destroy())
        socket.once('close', () => done())
      })
    }
    expect((await get(`/${ABINIT}/archive`)).statusCode).toBe(200)
  })
})
