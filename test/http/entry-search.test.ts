import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { profiles } from '../app.ts'
import { type CorpusApp, openCorpusApp } from '../corpus-app.ts'

/** The administrator of the example data. */
const ADMIN = '0d3c6f52-9b8e-4c7a-9a55-2f6f1d0a7b01'

/** An entry under embargo. */
const EMBARGOED = 'HEi11IkCspkRvdKcy7OlYxVh4Xmu'
/** One that is not published and shared with nobody but its group. */
const UNPUBLISHED = 'gvxqxcpkNYrL81hfjkurcGcqgv9O'

interface Answer {
  readonly pagination: Record<string, unknown> & { total: number; next_page_after_value?: string }
  readonly data: readonly Record<string, unknown>[]
  readonly [member: string]: unknown
}

describe.each(profiles())('search of entries, %s', profile => {
  let corpus: CorpusApp

  beforeAll(async () => {
    corpus = await openCorpusApp(profile, { folders: ['corpus'] })
  })
  afterAll(() => corpus?.close())

  const search = async (body: object, as?: string): Promise<Answer> => {
    const response = await corpus.ask({ method: 'POST', url: '/api/v1/entries/query', payload: body }, as)
    expect(response.statusCode, response.body).toBe(200)
    return response.json()
  }
  const get = async (query: string): Promise<Answer> => {
    const response = await corpus.ask({ method: 'GET', url: `/api/v1/entries${query}` })
    expect(response.statusCode, response.body).toBe(200)
    return response.json()
  }

  /** Ids of all entries, page by page. */
  const walk = async (body: { pagination: object }, as?: string): Promise<unknown[]> => {
    const ids: unknown[] = []
    let after: string | undefined
    do {
      const pagination = { ...body.pagination, ...(after === undefined ? {} : { page_after_value: after }) }
      const page = await search({ required: { include: [] }, ...body, pagination }, as)
      ids.push(...page.data.map(entry => entry.entry_id))
      expect(ids.length).toBeLessThanOrEqual(page.pagination.total)
      after = page.pagination.next_page_after_value
    } while (after !== undefined)
    return ids
  }

  test('an empty body gives the first ten public entries', async () => {
    const { data, ...answer } = await search({})
    expect(answer).toEqual({
      owner: 'public',
      query: { and: [] },
      pagination: {
        page_size: 10,
        order_by: 'entry_id',
        order: 'asc',
        total: 60,
        next_page_after_value: data.at(-1)?.entry_id
      }
    })
    expect(data).toHaveLength(10)
    expect(data.every(entry => entry.published && !entry.with_embargo && entry.license === 'CC BY 4.0')).toBe(
      true
    )
    expect(JSON.stringify(data)).not.toMatch(/__suggestion|m_annotations|"email"/)
  })

  test('the guide: elements by URL and by body are the same search', async () => {
    const byUrl = await get('?elements=Ag&elements=O&include=entry_id')
    const byBody = await search({
      query: { 'results.material.elements': ['Ag', 'O'] },
      required: { include: ['entry_id'] }
    })
    expect(byUrl.pagination.total).toBe(2)
    expect([byUrl.query, byUrl.data]).toEqual([byBody.query, byBody.data])
  })

  test('only what is required comes back', async () => {
    const { required, data } = await search({
      pagination: { page_size: 3, order_by: 'upload_create_time' },
      required: { include: ['results.material.elements', 'main_author*'] }
    })
    const names = ['results.material.elements', 'main_author*', 'upload_create_time', 'entry_id']
    expect(required).toEqual({ include: names })
    for (const entry of data) {
      expect(['entry_id', 'main_author', 'results', 'upload_create_time']).toEqual(
        expect.arrayContaining(Object.keys(entry))
      )
    }
  })

  describe('pages', () => {
    test.each([
      { order_by: 'entry_id' },
      { order_by: 'entry_id', order: 'desc' },
      { order_by: 'entry_name', order: 'desc' },
      { order_by: 'upload_create_time' },
      { order_by: 'with_embargo' },
      { order_by: 'results.material.material_name' },
      { order_by: 'results.material.symmetry.space_group_number', order: 'desc' },
      { order_by: 'results.method.simulation.precision.k_line_density' },
      { order_by: '_doc' }
    ])('%j: one after the other they are the whole list', async order => {
      const whole = await search({ owner: 'admin', pagination: { page_size: 500, ...order } }, ADMIN)
      const ids = whole.data.map(entry => entry.entry_id)
      expect(whole.pagination.total).toBe(117)
      expect(new Set(ids).size).toBe(117)
      expect(await walk({ owner: 'admin', pagination: { page_size: 9, ...order } } as never, ADMIN)).toEqual(
        ids
      )
      const third = await search({ owner: 'admin', pagination: { page_size: 9, page: 3, ...order } }, ADMIN)
      expect(third.data.map(entry => entry.entry_id)).toEqual(ids.slice(18, 27))
    })

    test('addresses of a GET request lead to the other pages', async () => {
      const { pagination } = await get('?page_size=20&page=2&include=entry_id&upload_name=')
      expect(pagination).toMatchObject({ page: 2, total: 0 })
      const second = (await get('?page_size=20&page=2&include=entry_id')).pagination
      const path = (url: unknown) => String(url).replace(/^http:\/\/[^/]+\/api\/v1\/entries/, '')
      expect(path(second.page_url)).toBe('?page_size=20&page=2&include=entry_id')
      expect(path(second.prev_page_url)).toBe('?page_size=20&page=1&include=entry_id')
      expect(path(second.first_page_url)).toBe('?page_size=20&include=entry_id')
      const third = await get(path(second.next_page_url))
      expect(third.data).toEqual((await get('?page_size=20&page=3&include=entry_id')).data)
      const shifted = (await get('?page_size=20&page_offset=5&include=entry_id')).pagination
      expect(path(shifted.next_page_url)).not.toContain('page_offset')
    })
  })

  describe('who sees what', () => {
    test('an anonymous caller finds nothing unpublished or under embargo among public and visible entries', async () => {
      const query = { or: [{ entry_id: EMBARGOED }, { entry_id: UNPUBLISHED }, { not: { entry_id: 'x' } }] }
      for (const owner of ['public', 'visible']) {
        const { data } = await search({ owner, query, pagination: { page_size: 200 } })
        expect(data.map(entry => entry.entry_id)).not.toContain(EMBARGOED)
        expect(data.map(entry => entry.entry_id)).not.toContain(UNPUBLISHED)
      }
      const all = await search({ owner: 'all', query: { published: false } })
      expect(all.data.every(entry => (entry.viewer_groups as string[]).includes('all'))).toBe(true)
    })

    test.each(['shared', 'user', 'staging', 'admin'])('owner %s needs a caller', async owner => {
      const body = await corpus.ask({ method: 'POST', url: '/api/v1/entries/query', payload: { owner } })
      const url = await corpus.ask({ method: 'GET', url: `/api/v1/entries?owner=${owner}` })
      for (const response of [body, url]) {
        expect(response.statusCode).toBe(401)
        expect(response.headers['www-authenticate']).toBe('Bearer')
        expect(response.json()).toEqual({ detail: `Authentication required for owner='${owner}'.` })
      }
    })

    test('metadata of one entry', async () => {
      const one = (id: string, as?: string) =>
        corpus.ask({ method: 'GET', url: `/api/v1/entries/${id}?include=upload_id` }, as)
      const embargoed = await one(EMBARGOED)
      expect(embargoed.json()).toEqual({
        entry_id: EMBARGOED,
        required: { include: ['upload_id', 'entry_id'] },
        data: { entry_id: EMBARGOED, upload_id: expect.any(String) }
      })
      for (const response of [await one(UNPUBLISHED), await one(UNPUBLISHED, ADMIN), await one('nope')]) {
        expect(response.statusCode).toBe(404)
        expect(response.json().detail).toBe(
          'The entry with the given id does not exist or is not visible to you.'
        )
      }
      expect(
        (await corpus.ask({ method: 'GET', url: `/api/v1/entries/${EMBARGOED}` })).json().required
      ).toEqual({})
    })
  })

  describe('bad input is a 4xx that says where', () => {
    const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`
    test.each<[string, string, number]>([
      ['no body', '', 422],
      ['broken JSON', '{"query": {', 422],
      ['a list', '[1]', 422],
      ['a text', '"x"', 422],
      ['null', 'null', 422],
      ['levels without end', `{"query": {"domain": ${deep(100_000)}}}`, 422],
      ['levels without end beside the query', `{"foo": ${deep(100_000)}}`, 422],
      ['an unknown owner', '{"owner": "everybody"}', 422],
      ['an owner that is a list', '{"owner": ["public"]}', 422],
      ['a query that is a text', '{"query": "domain"}', 422],
      ['a query that is a number', '{"query": 5}', 422],
      ['an unknown quantity', '{"query": {"mispelled": 1}}', 422],
      ['an infinite number', '{"query": {"n_quantities": 1e999}}', 422],
      ['text for a number', '{"query": {"n_quantities": "x"}}', 400],
      ['a pagination that is a list', '{"pagination": []}', 422],
      ['a size that is null', '{"pagination": {"page_size": null}}', 422],
      ['a negative size', '{"pagination": {"page_size": -1}}', 422],
      ['too large a page', '{"pagination": {"page_size": 10001}}', 400],
      ['a place that is none', '{"pagination": {"order_by": "n_quantities", "page_after_value": "x"}}', 400],
      ['an order by a list', '{"pagination": {"order_by": "files"}}', 422],
      ['required that is a text', '{"required": "*"}', 422],
      ['include that is a text', '{"required": {"include": "entry_id"}}', 422],
      ['include of numbers', '{"required": {"include": [1]}}', 422],
      ['include of nothing known', '{"required": {"include": ["nope"]}}', 422]
    ])('%s', async (_, payload, status) => {
      const headers = { 'content-type': 'application/json' }
      const response = await corpus.ask({ method: 'POST', url: '/api/v1/entries/query', payload, headers })
      expect(response.statusCode, response.body).toBe(status)
      const { detail } = response.json()
      if (status !== 422) expect(detail).toEqual(expect.any(String))
      else
        for (const item of detail)
          expect(item).toMatchObject({ loc: expect.any(Array), msg: expect.any(String) })
    })

    test.each([
      '?owner=nobody',
      '?page_size=x',
      '?page=-1',
      '?page=1&page_offset=1',
      '?order=up',
      '?order_by=nope',
      '?include=nope',
      '?q=domain',
      '?json_query=%5B1%5D',
      '?n_quantities=x',
      '?published=perhaps',
      '?n_quantities__gt=1&n_quantities__gt=2'
    ])('%s', async query => {
      const response = await corpus.ask({ method: 'GET', url: `/api/v1/entries${query}` })
      expect(response.statusCode, response.body).toBe(422)
      expect(response.json().detail[0]).toMatchObject({ loc: expect.any(Array), msg: expect.any(String) })
    })

    test('members and parameters that no rule names are ignored', async () => {
      const body = await search({
        foo: 1,
        pagination: { page_size: 1, foo: 1 },
        required: { include: [], foo: 1 }
      })
      expect(body.data).toHaveLength(1)
      expect((await get('?foo=1&mispelled__gt=2&page_size=1&include=entry_id')).data).toEqual(body.data)
    })
  })
})
