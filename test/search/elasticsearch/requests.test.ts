import type { FastifyInstance } from 'fastify'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { openTestServices, type TestServices, testApp } from '../../app.ts'
import { type HttpRecorder, httpRecorder } from '../../http-recorder.ts'
import { tcpProxy } from '../../tcp-proxy.ts'

const cluster = inject('cluster')
const SEARCH = /_m?search$/

describe.runIf(cluster)('what Elasticsearch is asked', () => {
  const url = cluster?.elasticsearch as string
  let recorder: HttpRecorder
  let services: TestServices
  let app: FastifyInstance

  beforeAll(async () => {
    recorder = await httpRecorder(url)
    services = await openTestServices('cluster', { SERAI_ELASTICSEARCH_URL: recorder.url })
    app = await testApp(services)
    await services.index.put(
      ['a', 'b', 'c'].map((entry_id, i) => ({
        entry_id,
        published: true,
        with_embargo: false,
        n_quantities: 10 * i,
        upload_create_time: `202${i}-01-01T00:00:00.000Z`,
        results: { material: { elements: ['Ti', 'O'].slice(0, i), n_elements: i } }
      }))
    )
  })

  afterAll(async () => {
    await app.close()
    await services.close()
    await recorder.close()
  })

  beforeEach(() => {
    recorder.requests.length = 0
  })

  afterEach(() => {
    recorder.standIn = () => undefined
  })

  const query = async (body: object) => {
    const answer = await app.inject({ method: 'POST', url: '/api/v1/entries/query', payload: body })
    return { status: answer.statusCode, headers: answer.headers, text: answer.payload, body: answer.json() }
  }

  const asked = () => recorder.requests.map(({ what }) => what)
  const SEARCHED = (n: number) => Array.from({ length: n }, () => expect.stringMatching(SEARCH))

  describe('is one request for a search', () => {
    const page = { page_size: 10 }
    const terms = (quantity: string) => ({ terms: { quantity } })
    test.each<[string, object, number]>([
      ['of all', {}, 1],
      ['with criteria', { query: { 'results.material.elements:all': ['Ti'] }, pagination: page }, 1],
      ['with a page by value', { pagination: { ...page, page_after_value: 'a' } }, 1],
      ['ordered', { pagination: { ...page, order_by: 'n_quantities', order: 'desc' } }, 1],
      [
        'with several aggregations, some of which see other entries',
        {
          query: { 'results.material.elements': 'Ti' },
          aggregations: {
            a: terms('results.material.elements'),
            b: { terms: { quantity: 'results.material.elements', exclude_from_search: true } },
            c: { histogram: { quantity: 'n_quantities', interval: 5 } },
            d: { min_max: { quantity: 'n_quantities' } },
            e: { statistics: { metrics: ['n_entries'] } }
          }
        },
        1
      ],
      [
        'and one before it where a histogram needs its bounds',
        {
          aggregations: {
            a: { histogram: { quantity: 'n_quantities', buckets: 5 } },
            b: { histogram: { quantity: 'results.material.n_elements', buckets: 5 } },
            c: terms('results.material.elements')
          }
        },
        2
      ]
    ])('%s', async (_, body, count) => {
      const answer = await query(body)
      expect(answer.status).toBe(200)
      expect(asked()).toEqual(SEARCHED(count))
    })

    test('by URL, of one entry, and of suggestions', async () => {
      for (const path of ['/entries?page_size=2', '/entries/a']) {
        recorder.requests.length = 0
        expect((await app.inject(`/api/v1${path}`)).statusCode).toBe(200)
        expect(asked()).toEqual(SEARCHED(1))
      }
      recorder.requests.length = 0
      const payload = {
        input: 'T',
        quantities: [{ name: 'entry_name' }, { name: 'authors.name' }]
      }
      const answer = await app.inject({ method: 'POST', url: '/api/v1/suggestions', payload })
      expect(answer.statusCode).toBe(200)
      expect(asked()).toEqual(SEARCHED(1))
    })
  })

  test('is not for documents when only ids are wanted', async () => {
    const { body } = await query({ required: { include: ['entry_id'] } })
    expect(body.data).toEqual(['a', 'b', 'c'].map(entry_id => ({ entry_id })))
    expect(JSON.parse(recorder.requests[0]?.body as string)).toMatchObject({
      _source: false,
      stored_fields: '_none_'
    })
  })

  test('is only for what is returned', async () => {
    const { body } = await query({ required: { include: ['n_quantities'] } })
    expect(body.data[1]).toEqual({ entry_id: 'b', n_quantities: 10 })
    expect(JSON.parse(recorder.requests[0]?.body as string)._source).toEqual({
      includes: ['n_quantities', 'entry_id']
    })
  })

  describe('and answers with', () => {
    const cause = (type: string, reason: string) => ({
      type: 'search_phase_execution_exception',
      reason: 'all shards failed',
      failed_shards: [{ shard: 0, index: 'secret_v1', node: 'n0de', reason: { type, reason } }],
      root_cause: [{ type, reason, index: 'secret_v1' }]
    })
    const refused = (type: string, reason: string) => ({
      status: 400,
      body: { error: cause(type, reason), status: 400 }
    })
    const internals = /secret|shard|n0de|_v1|exception|settings?\]|at org\.|index\./

    test.each<[string, { status: number; body: unknown }, number, RegExp]>([
      [
        'a refusal',
        refused('query_shard_exception', 'failed to create query: in secret_v1'),
        400,
        /could not process your query/
      ],
      [
        'too many clauses',
        refused('too_many_nested_clauses', 'maxClauseCount is set to 2048 for secret_v1'),
        400,
        /the query is too large/
      ],
      [
        'too many clauses as a fault of its own',
        { ...refused('too_many_clauses', 'in secret_v1'), status: 500 },
        400,
        /the query is too large/
      ],
      [
        'too many buckets',
        {
          status: 503,
          body: { error: { root_cause: [], caused_by: { type: 'too_many_buckets_exception' } } }
        },
        400,
        /the aggregations have too many buckets/
      ],
      [
        'a window that is too large',
        refused(
          'illegal_argument_exception',
          'Result window is too large, from + size must be less than or equal to: [10000] but was [10001]. See the scroll api … [index.max_result_window] index level setting.'
        ),
        400,
        /but was \[10001\]$/
      ],
      [
        'a search that took too long',
        { status: 504, body: { error: cause('search_timeout_exception', 'Time exceeded'), status: 504 } },
        503,
        /took too long/
      ],
      [
        'partial results',
        { status: 200, body: { timed_out: true, hits: { hits: [] } } },
        503,
        /took too long/
      ],
      [
        'too much to do',
        { status: 429, body: { error: cause('circuit_breaking_exception', '[parent] too large secret') } },
        503,
        /cannot be reached at the moment/
      ],
      [
        'a lost index',
        { status: 404, body: { error: cause('index_not_found_exception', 'no such index [secret_v1]') } },
        503,
        /cannot be reached at the moment/
      ],
      [
        'the page of something before it',
        { status: 502, body: '<html>bad gateway secret</html>' },
        503,
        /cannot be reached/
      ]
    ])('%s', async (_, answer, status, text) => {
      recorder.standIn = ({ what }) => (SEARCH.test(what) ? answer : undefined)
      const told = await query({ query: { n_quantities: 10 } })
      expect(told.status).toBe(status)
      expect(told.body.detail).toMatch(text)
      expect(told.text).not.toMatch(internals)
      expect(told.headers['retry-after']).toEqual(status === 503 ? expect.stringMatching(/^\d+$/) : undefined)
    })
  })
})

describe.runIf(cluster)('an Elasticsearch that is gone', () => {
  test('is a 503 that says when to try again, and comes back by itself', async () => {
    const url = cluster?.elasticsearch as string
    let proxy = await tcpProxy(url)
    const { port } = proxy
    const services = await openTestServices('cluster', {
      SERAI_ELASTICSEARCH_URL: `http://127.0.0.1:${port}`
    })
    const app = await testApp(services)
    try {
      const status = async () => {
        const answer = await app.inject('/api/v1/entries')
        return [answer.statusCode, answer.headers['retry-after'], answer.json().detail] as const
      }
      expect((await status())[0]).toBe(200)
      await proxy.close()
      const [code, retryAfter, detail] = await status()
      expect(code).toBe(503)
      expect(Number(retryAfter)).toBeGreaterThan(0)
      expect(detail).toMatch(/cannot be reached/)
      expect(detail).not.toMatch(/127\.0\.0\.1|ECONN|9200/)
      proxy = await tcpProxy(url, port)
      expect((await status())[0]).toBe(200)
      // A connection that was closed while it was idle is not the client's business.
      proxy.breakConnections()
      expect((await status())[0]).toBe(200)
    } finally {
      await app.close()
      await services.close()
      await proxy.close()
    }
  })
})
