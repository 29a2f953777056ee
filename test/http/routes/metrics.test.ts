import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { metricsServer } from '../../../src/cli/metrics-server.ts'
import { Metrics } from '../../../src/metrics/metrics.ts'
import { openTestServices, profiles, type TestServices, testApp } from '../../app.ts'

const TOKEN = 'a token of metrics'

/** Values by what stands before them, such as `serai_store_up{store="search",engine="MongoDB"}`. */
async function values(app: FastifyInstance): Promise<Map<string, number>> {
  const { statusCode, body } = await app.inject({
    url: '/-/metrics',
    headers: { authorization: `Bearer ${TOKEN}` }
  })
  expect(statusCode).toBe(200)
  const lines = body.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map(line => {
      const end = line.lastIndexOf(' ')
      return [line.slice(0, end), Number(line.slice(end + 1))]
    })
  )
}

describe.each(profiles())('metrics on %s', profile => {
  let services: TestServices
  let app: FastifyInstance
  let metrics: Metrics

  beforeAll(async () => {
    metrics = new Metrics({ version: '1.2.3', profile })
    services = await openTestServices(
      profile,
      {
        SERAI_METRICS_TOKEN: TOKEN,
        SERAI_RATE_LIMIT: '1',
        SERAI_RATE_BURST: '5',
        SERAI_CONCURRENCY_LIMIT: '2'
      },
      { watch: true, observe: metrics.storeCall }
    )
    metrics.follow(services.watches)
    app = await testApp(services, { metrics })
  })
  afterAll(async () => {
    await app.close()
    await services.close()
  })

  test('are told to nobody without the token', async () => {
    for (const authorization of [undefined, 'Bearer', 'Bearer x', `Basic ${TOKEN}`, TOKEN]) {
      const headers = authorization === undefined ? {} : { authorization }
      const { statusCode, body, headers: told } = await app.inject({ url: '/-/metrics', headers })
      expect(statusCode).toBe(401)
      expect(told['www-authenticate']).toBe('Bearer')
      expect(body).not.toContain('serai_')
    }
  })

  test('count requests by route and status, calls to stores, and what limits refuse', async () => {
    expect((await app.inject('/api/v1/entries?page_size=1')).statusCode).toBe(200)
    expect((await app.inject('/api/v1/entries/x/archive')).statusCode).toBe(404)
    expect((await app.inject('/api/v1/groups')).statusCode).toBe(200)
    expect((await app.inject('/nowhere')).statusCode).toBe(404)
    let refused = 0
    while ((await app.inject('/api/v1/groups')).statusCode === 200) refused++
    expect(refused).toBeLessThan(5)
    const found = await values(app)
    const count = (method: string, route: string, status: string) =>
      found.get(
        `serai_http_request_duration_seconds_count{method="${method}",route="${route}",status="${status}"}`
      )
    expect(count('GET', '/api/v1/entries', '2xx')).toBe(1)
    expect(count('GET', '/api/v1/entries/:entry_id/archive', '4xx')).toBe(1)
    expect(count('GET', 'none', '4xx')).toBe(1)
    expect(count('GET', '/api/v1/groups', '5xx')).toBe(1)
    expect(found.get('serai_refused_requests_total{limit="rate"}')).toBe(1)
    expect(found.get('serai_refused_requests_total{limit="overload"}')).toBe(0)
    const calls = (store: string, operation: string, outcome: string) =>
      found.get(
        `serai_store_call_duration_seconds_count{store="${store}",operation="${operation}",outcome="${outcome}"}`
      )
    expect(calls('search', 'search', 'ok')).toBe(1)
    expect(calls('documents', 'listGroups', 'ok')).toBeGreaterThanOrEqual(1)
    for (const name of ['documents', 'accounts', 'archives', 'search', 'files']) {
      const engine = services.watches.find(({ store }) => store.holds.some(held => held === name))?.store
        .engine
      expect(found.get(`serai_store_up{store="${name}",engine="${engine}"}`)).toBe(1)
    }
    expect(found.get(`serai_info{version="1.2.3",profile="${profile}"}`)).toBe(1)
    for (const name of [
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_p99_seconds',
      'nodejs_heap_size_used_bytes'
    ]) {
      expect(found.get(name)).toBeGreaterThan(0)
    }
  })

  test('have a port of their own where that is wanted, with the token where there is one', async () => {
    const text = () => metrics.text()
    for (const [token, status] of [
      [undefined, 200],
      [TOKEN, 401]
    ] as const) {
      const own = await metricsServer(
        { host: '127.0.0.1', port: 0 },
        token === undefined ? { text } : { text, token }
      )
      const { port } = own.addresses()[0] as { port: number }
      const answer = await fetch(`http://127.0.0.1:${port}/-/metrics`)
      expect(answer.status).toBe(status)
      const body = await answer.text()
      expect(body.includes('serai_http_request_duration_seconds')).toBe(status === 200)
      expect((await fetch(`http://127.0.0.1:${port}/api/v1/info`)).status).toBe(404)
      await own.close()
    }
  })
})

test('there are no metrics where nobody is named who may read them', async () => {
  const services = await openTestServices('embedded')
  const app = await testApp(services, { metrics: new Metrics({ version: '1', profile: 'embedded' }) })
  expect((await app.inject('/-/metrics')).statusCode).toBe(404)
  await app.close()
  await services.close()
})
