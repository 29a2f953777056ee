/** Requests to a real server, as a collector sees them. */
import { randomBytes } from 'node:crypto'
import { Agent, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Traces } from '../../src/traces/traces.ts'
import { openCorpusServices, openTestServices, profiles, type TestServer, testServer } from '../app.ts'
import { type LogLine, logLines } from '../log-lines.ts'
import { type Collector, collector, type SentSpan, tracesTo } from './collector.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const CALLER = 'b7ad6b7169203331'

const isRequest = ({ kind }: SentSpan) => kind === 2
const newTrace = () => randomBytes(16).toString('hex')

/** Asks, with the headers of a caller that traces. */
function get(
  url: string,
  headers: Record<string, string> = {},
  agent: Agent | false = false
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(url, { headers, agent }, resolve).on('error', reject).end()
  })
}

async function statusOf(answer: Promise<IncomingMessage>): Promise<number | undefined> {
  const message = await answer
  await text(message)
  return message.statusCode
}

describe.each(profiles())('spans on %s', profile => {
  let sent: Collector
  let server: TestServer
  let traces: Traces
  let lines: LogLine[]

  beforeAll(async () => {
    sent = await collector()
    const logged = logLines()
    lines = logged.lines
    traces = tracesTo(sent.url, {}, profile)
    const services = await openCorpusServices(profile, {}, undefined, {
      watch: true,
      observe: traces.storeCall
    })
    server = await testServer(services, { traces, log: logged.log })
  })
  afterAll(async () => {
    await server?.close()
    await traces?.close(1000)
    await sent?.close()
  })

  /** The span of the request with this id. */
  const spanOf = async (id: string) =>
    (await sent.wait(1, span => span.attributes['serai.request_id'] === id))[0] as SentSpan

  test('a request and its calls to stores go on with the trace of the caller', async () => {
    const answer = get(`${server.base}/entries?elements=Ti&page_size=1&signature_token=hush-hush`, {
      traceparent: `00-${TRACE}-${CALLER}-01`,
      'user-agent': 'test/1',
      'x-request-id': 'continued'
    })
    expect(await statusOf(answer)).toBe(200)
    const span = await spanOf('continued')
    expect(span).toMatchObject({
      name: 'GET /api/v1/entries',
      traceId: TRACE,
      parentSpanId: CALLER,
      status: 0,
      resource: {
        'service.name': 'serai',
        'service.version': '1.2.3',
        'process.pid': process.pid,
        'telemetry.sdk.language': 'nodejs'
      }
    })
    expect(span.attributes).toEqual({
      'http.request.method': 'GET',
      'http.route': '/api/v1/entries',
      'http.response.status_code': 200,
      'url.scheme': 'http',
      'url.path': '/api/v1/entries',
      'server.address': '127.0.0.1',
      'server.port': Number(new URL(server.base).port),
      'network.protocol.version': '1.1',
      'user_agent.original': 'test/1',
      'serai.request_id': 'continued'
    })
    const calls = sent.spans.filter(({ parentSpanId }) => parentSpanId === span.spanId)
    const search = calls.find(({ name }) => name === 'search.search') as SentSpan
    expect(search).toMatchObject({
      traceId: TRACE,
      kind: profile === 'embedded' ? 1 : 3,
      status: 0,
      attributes: {
        'serai.store': 'search',
        'db.operation.name': 'search',
        'db.system.name': profile === 'embedded' ? 'sqlite' : 'elasticsearch'
      }
    })
    expect(search.begin).toBeGreaterThanOrEqual(span.begin)
    expect(search.end).toBeLessThanOrEqual(span.end)
    expect(search.end).toBeGreaterThan(search.begin)
  })

  test('the calls of a request whose body comes late belong to it', async () => {
    const body = JSON.stringify({
      query: { 'results.material.elements': 'Ti' },
      required: { metadata: '*' },
      pagination: { page_size: 2 }
    })
    const status = await new Promise((resolve, reject) => {
      const asked = request(
        `${server.base}/entries/archive/query`,
        {
          method: 'POST',
          agent: false,
          headers: { 'content-type': 'application/json', 'x-request-id': 'with-body' }
        },
        answer => void text(answer).then(() => resolve(answer.statusCode))
      ).on('error', reject)
      asked.write(body.slice(0, 10))
      setTimeout(() => asked.end(body.slice(10)), 100)
    })
    expect(status).toBe(200)
    const span = await spanOf('with-body')
    expect(span.name).toBe('POST /api/v1/entries/archive/query')
    const calls = sent.spans.filter(({ parentSpanId }) => parentSpanId === span.spanId)
    const stores = calls.map(({ attributes }) => attributes['serai.store'])
    expect(stores).toContain('search')
    expect(stores).toContain('archives')
  })

  test('without a caller that traces a request begins a trace, whose id the log has', async () => {
    expect(await statusOf(get(`${server.base}/info`, { 'x-request-id': 'first' }))).toBe(200)
    const span = await spanOf('first')
    expect(span.parentSpanId).toBeUndefined()
    expect(span.traceId).toMatch(/^[\da-f]{32}$/)
    expect(lines).toContainEqual(
      expect.objectContaining({ reqId: 'first', status: 200, trace_id: span.traceId })
    )
  })

  test('what the caller does not trace, and health, is not traced', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ask = (path: string, id: string, headers: Record<string, string> = {}) =>
      statusOf(get(new URL(path, server.base).href, { ...headers, 'x-request-id': id }, agent))
    sent.clear()
    const traceparent = `00-${newTrace()}-${CALLER}-00`
    expect(await ask('/api/v1/datasets', 'before')).toBe(200)
    expect(await ask('/api/v1/entries?elements=Ti', 'not-traced', { traceparent })).toBe(200)
    expect(await ask('/-/ready', 'ready')).toBe(200)
    expect(await ask('/alive', 'alive')).toBe(200)
    expect(await ask('/api/v1/groups', 'after')).toBe(200)
    agent.destroy()
    const traced = [await spanOf('before'), await spanOf('after')]
    await delay(200)
    const ids = sent.spans.map(({ attributes }) => attributes['serai.request_id'])
    for (const id of ['not-traced', 'ready', 'alive']) expect(ids).not.toContain(id)
    // Their neighbours on the connection did not get their calls to stores.
    expect(traced.map(({ name }) => name)).toEqual(['GET /api/v1/datasets', 'GET /api/v1/groups'])
    const spans = traced.map(({ spanId }) => spanId)
    for (const span of sent.spans.filter(({ parentSpanId = '' }) => spans.includes(parentSpanId)))
      expect(span.name).not.toBe('search.search')
    expect(lines.find(line => line.reqId === 'not-traced')).toMatchObject({ status: 200 })
    expect(lines.find(line => line.reqId === 'not-traced')).not.toHaveProperty('trace_id')
  })

  test('a traceparent that is none is passed over', async () => {
    const headers = { traceparent: '00-zz-zz-01', 'x-request-id': 'no-parent' }
    expect(await statusOf(get(`${server.base}/info`, headers))).toBe(200)
    expect((await spanOf('no-parent')).parentSpanId).toBeUndefined()
  })

  test('an address that no route answers has a span without one', async () => {
    expect(await statusOf(get(`${server.base}/nowhere?a=b`, { 'x-request-id': 'nowhere' }))).toBe(404)
    const span = await spanOf('nowhere')
    expect(span).toMatchObject({
      name: 'GET',
      status: 0,
      attributes: { 'url.path': '/api/v1/nowhere', 'http.response.status_code': 404 }
    })
    expect(span.attributes).not.toHaveProperty('http.route')
  })

  test('what a client sends of any length takes little', async () => {
    const headers = { 'user-agent': 'x'.repeat(10_000), 'x-request-id': 'long' }
    expect(await statusOf(get(`${server.base}/info`, headers))).toBe(200)
    expect((await spanOf('long')).attributes['user_agent.original']).toBe('x'.repeat(1000))
  })

  test('many requests at once keep their calls apart', async () => {
    const paths = ['/entries?page_size=3', '/datasets', '/uploads', '/entries?elements=Ti', '/groups']
    const alone = new Map<string, string[]>()
    // What several requests share is asked by the first of them.
    const isOwn = ({ name }: SentSpan) => name !== 'documents.pendingUploads'
    const callsOf = (traceId: string) =>
      sent.spans
        .filter(span => span.traceId === traceId && !isRequest(span) && isOwn(span))
        .map(({ name }) => name)
        .sort()
    const ask = async (path: string) => {
      const traceId = newTrace()
      const traceparent = `00-${traceId}-${CALLER}-01`
      expect(await statusOf(get(`${server.base}${path}`, { traceparent }))).toBeLessThan(500)
      await sent.wait(1, span => isRequest(span) && span.traceId === traceId)
      return traceId
    }
    for (const path of paths) alone.set(path, callsOf(await ask(path)))
    expect([...alone.values()].flat().length).toBeGreaterThan(3)
    await Promise.all(
      Array.from({ length: 8 }, () => paths)
        .flat()
        .map(async path => expect(callsOf(await ask(path)), path).toEqual(alone.get(path)))
    )
  })
})

test('a request that is refused because of the server is an error, with its reason', async () => {
  const sent = await collector()
  const traces = tracesTo(sent.url)
  const services = await openTestServices('embedded', { SERAI_RATE_LIMIT: '1', SERAI_RATE_BURST: '1' })
  const server = await testServer(services, { traces })
  try {
    for (const status of [200, 503]) expect(await statusOf(get(`${server.base}/datasets`))).toBe(status)
    const [whole, refused] = await sent.wait(2, isRequest)
    expect(whole?.status).toBe(0)
    expect(refused).toMatchObject({
      status: 2,
      attributes: { 'http.response.status_code': 503, 'error.type': 'RATE_LIMITED' }
    })
  } finally {
    await server.close()
    await traces.close(1000)
    await sent.close()
  }
})

describe('the span of an answer that goes on for long', () => {
  /** Some 8 MB, which no connection takes at once. */
  const ENTRIES = 1000
  const SIZE = 8000
  let sent: Collector
  let server: TestServer
  let traces: Traces

  beforeAll(async () => {
    sent = await collector()
    traces = tracesTo(sent.url)
    const services = await openTestServices('embedded', {}, { watch: true, observe: traces.storeCall })
    const documents = Array.from({ length: ENTRIES }, (_, i) => ({
      entry_id: String(i).padStart(6, '0'),
      published: true,
      with_embargo: false,
      filler: randomBytes((SIZE * 3) / 4).toString('base64')
    }))
    for (let from = 0; from < ENTRIES; from += 500)
      await services.index.put(documents.slice(from, from + 500))
    server = await testServer(services, { traces })
  }, 60_000)
  afterAll(async () => {
    await server?.close()
    await traces?.close(1000)
    await sent?.close()
  })
  beforeEach(() => sent.clear())

  const download = (traceId: string) =>
    get(`${server.base}/entries/export`, {
      accept: 'application/x-ndjson',
      traceparent: `00-${traceId}-${CALLER}-01`
    })
  const searchesOf = (id: string) =>
    sent.spans.filter(({ name, traceId }) => traceId === id && name === 'search.search').length

  test('ends with the last byte, and has all calls that were made for slow clients meanwhile', async () => {
    const ids = [newTrace(), newTrace(), newTrace()]
    await Promise.all(
      ids.map(async id => {
        let lines = 0
        const answer = await download(id)
        for await (const part of answer) {
          lines += String(part).split('\n').length - 1
          if (Math.random() < 0.1) await delay(5)
        }
        // The last one tells that it is the last.
        expect(lines).toBe(ENTRIES + 1)
      })
    )
    const spans = await sent.wait(3, span => isRequest(span) && ids.includes(span.traceId))
    for (const span of spans) {
      expect(span.attributes).toMatchObject({ 'http.response.status_code': 200 })
      expect(span.attributes).not.toHaveProperty('serai.cut_off')
    }
    const [one = 0, two, three] = ids.map(searchesOf)
    expect(one).toBeGreaterThan(2)
    expect([two, three]).toEqual([one, one])
  })

  test('ends with the connection of a client that goes away, which is no error', async () => {
    const id = newTrace()
    const answer = await download(id)
    await new Promise(resolve => answer.once('data', resolve))
    answer.destroy()
    const [span] = await sent.wait(1, span => isRequest(span) && span.traceId === id)
    expect(span).toMatchObject({
      status: 0,
      attributes: { 'http.response.status_code': 200, 'serai.cut_off': true }
    })
  })
})
