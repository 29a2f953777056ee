/** How spans are sent, and what happens where they cannot be. */
import { setTimeout as delay } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Traces } from '../../src/traces/traces.ts'
import { logLines } from '../log-lines.ts'
import { type Collector, collector, tracesTo } from './collector.ts'

let sent: Collector

beforeEach(async () => {
  sent = await collector()
})
afterEach(() => sent.close())

/** A request with this path, with what is done for it. */
function traced(traces: Traces, path: string, work = () => {}): void {
  const span = traces.begin({
    id: path,
    method: 'GET',
    route: '/files/:path',
    scheme: 'http',
    path,
    version: '1.1',
    headers: {}
  })
  span?.run(work)
  span?.end({ status: 200, isCut: false })
}

/** Sent only when the traces are closed. */
const LATE = { OTEL_BSP_SCHEDULE_DELAY: '600000' }

test('what is left is sent at the end', async () => {
  const traces = tracesTo(sent.url, LATE)
  traced(traces, '/a')
  traced(traces, '/b')
  await delay(100)
  expect(sent.deliveries).toEqual([])
  await traces.close(5000)
  expect(sent.spans.map(({ attributes }) => attributes['url.path'])).toEqual(['/a', '/b'])
})

test('spans go as JSON or protobuf to the address of the settings', async () => {
  for (const [settings, path, type] of [
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: '' }, '/v1/traces', 'application/x-protobuf'],
    [{ OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf' }, '/v1/traces', 'application/x-protobuf'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: `${sent.url}/below/` }, '/below/v1/traces', 'application/json'],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${sent.url}/whole?key=1` }, '/whole?key=1', 'application/json']
  ] as const) {
    sent.clear()
    const traces = tracesTo(sent.url, settings)
    traced(traces, '/the-path-of-the-request')
    await traces.close(5000)
    expect(sent.deliveries).toHaveLength(1)
    expect(sent.deliveries[0]).toMatchObject({ path, headers: { 'content-type': type } })
    // Texts stand in it as they are, in either form.
    expect(sent.deliveries[0]?.body.includes('/the-path-of-the-request')).toBe(true)
  }
})

test('headers go along, and what is sent can be compressed', async () => {
  const traces = tracesTo(sent.url, {
    OTEL_EXPORTER_OTLP_HEADERS: 'x-one=1,authorization=Basic%20abc==',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-one=2',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    OTEL_EXPORTER_OTLP_PROTOCOL: ''
  })
  traced(traces, '/a')
  await traces.close(5000)
  expect(sent.deliveries[0]?.headers).toMatchObject({
    'x-one': '2',
    authorization: 'Basic abc==',
    'content-encoding': 'gzip'
  })
  expect(gunzipSync(sent.deliveries[0]?.body as Buffer).includes('serai')).toBe(true)
})

test('a process has the name and the attributes of the settings', async () => {
  for (const [settings, name] of [
    [{}, 'serai'],
    [{ OTEL_SERVICE_NAME: 'my-serai' }, 'my-serai'],
    [{ OTEL_RESOURCE_ATTRIBUTES: 'service.name=by-attribute' }, 'by-attribute']
  ] as const) {
    sent.clear()
    const traces = tracesTo(sent.url, settings)
    traced(traces, '/a')
    await traces.close(5000)
    expect(sent.spans[0]?.resource).toMatchObject({ 'service.name': name, 'service.version': '1.2.3' })
  }
})

test('a call to a store tells how it ended, and one that belongs to no request is passed over', async () => {
  const traces = tracesTo(sent.url, {}, 'cluster')
  traces.storeCall('documents', 'upload', 'ok', 1)
  traced(traces, '/a', () => {
    traces.storeCall('documents', 'upload', 'ok', 0.25)
    traces.storeCall('search', 'search', 'timeout', 30)
    traces.storeCall('files', 'list', 'aborted', 0.001)
  })
  await traces.close(5000)
  const calls = sent.spans.filter(({ parentSpanId }) => parentSpanId !== undefined)
  expect(sent.spans).toHaveLength(4)
  expect(calls.map(({ name, kind, status }) => ({ name, kind, status }))).toEqual([
    { name: 'documents.upload', kind: 3, status: 0 },
    { name: 'search.search', kind: 3, status: 2 },
    { name: 'files.list', kind: 1, status: 0 }
  ])
  expect(calls.map(({ attributes }) => attributes['error.type'])).toEqual([undefined, 'timeout', 'aborted'])
  expect(Number((calls[0]?.end ?? 0n) - (calls[0]?.begin ?? 0n)) / 1e9).toBeCloseTo(0.25, 3)
})

test('of many calls of one request some are left out, and it says how many', async () => {
  const traces = tracesTo(sent.url)
  traced(traces, '/a', () => {
    for (let i = 0; i < 205; i++) traces.storeCall('documents', 'upload', 'ok', 0.001)
  })
  await traces.close(5000)
  expect(sent.spans).toHaveLength(201)
  expect(sent.spans.find(({ kind }) => kind === 2)?.attributes['serai.calls_left_out']).toBe(5)
})

test('the share of requests of the settings is traced', async () => {
  const traces = tracesTo(sent.url, { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.5' })
  for (let i = 0; i < 400; i++) traced(traces, '/a')
  await traces.close(5000)
  // Ten standard deviations.
  expect(sent.spans.length).toBeGreaterThan(100)
  expect(sent.spans.length).toBeLessThan(300)
  sent.clear()
  const none = tracesTo(sent.url, { OTEL_TRACES_SAMPLER: 'always_off' })
  traced(none, '/a')
  await none.close(5000)
  expect(sent.deliveries).toEqual([])
})

test('a collector that is away is told once, without secrets, and when it is back', async () => {
  const { log, lines } = logLines()
  await sent.close()
  const address = `http://me:hush@127.0.0.1:${sent.port}`
  const settings = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${address}/v1/traces?key=hush` }
  const traces = tracesTo('', { ...settings, OTEL_EXPORTER_OTLP_TIMEOUT: '200' }, 'embedded', log)
  const until = async (count: number) => {
    for (let look = 0; lines.length < count && look < 1000; look++) await delay(20)
  }
  traced(traces, '/a')
  await until(1)
  expect(lines).toEqual([
    expect.objectContaining({
      level: 40,
      reason: `connect ECONNREFUSED 127.0.0.1:${sent.port}`,
      msg: expect.stringMatching(`^traces cannot be sent to http://127.0.0.1:${sent.port}/v1/traces: connect`)
    })
  ])
  traced(traces, '/b')
  await delay(500)
  expect(lines).toHaveLength(1)
  sent = await collector(sent.port)
  traced(traces, '/c')
  await until(2)
  expect(lines[1]).toMatchObject({ level: 30, msg: 'traces are sent again; 2 spans could not be sent' })
  expect(JSON.stringify(lines)).not.toContain('hush')
  await traces.close(1000)
})

test('what a collector refuses is told with its status', async () => {
  const { log, lines } = logLines()
  const traces = tracesTo(
    sent.url,
    { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${sent.url}/refused` },
    'embedded',
    log
  )
  traced(traces, '/a')
  await traces.close(5000)
  expect(lines).toHaveLength(1)
  expect(lines[0]?.msg).toContain('/refused: 401 Unauthorized; requests are answered as before')
})

test('a collector that is away keeps nothing from ending', async () => {
  await sent.close()
  const { log, lines } = logLines()
  const traces = tracesTo(sent.url, LATE, 'embedded', log)
  traced(traces, '/a')
  const begun = performance.now()
  await traces.close(300)
  expect(performance.now() - begun).toBeLessThan(3000)
  expect(lines.map(({ msg }) => msg)).toEqual(['the last traces could not be sent within 300 ms'])
  sent = await collector()
})
