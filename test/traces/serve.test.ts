/** Traces of `serai serve`, as the environment or `.env` asks for them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Run, serai } from '../cli/serai.ts'
import { type Collector, collector } from './collector.ts'

let sent: Collector
let folder: string
let server: Run | undefined

beforeEach(async () => {
  sent = await collector()
  folder = await mkdtemp(join(tmpdir(), 'serai-traces-'))
})
afterEach(async () => {
  if (server?.process.exitCode === null) server.process.kill('SIGKILL')
  await server?.end
  await sent.close()
  await rm(folder, { recursive: true })
})

/** Serves, and gives the address of the API. */
async function serve(settings: Record<string, string>, workers = 1): Promise<string> {
  server = serai(
    ['serve', '--port', '0', '--workers', String(workers)],
    {
      SERAI_DATA_DIR: join(folder, 'data'),
      SERAI_DEMO_DATA: 'false',
      SERAI_RATE_LIMIT: 'off',
      SERAI_MAX_EVENT_LOOP_DELAY: 'off',
      ...settings
    },
    false,
    undefined,
    folder
  )
  return (await server.until(/listening {3}(\S+)/))[1] as string
}

/** Asks on a connection of its own, so that all processes get some. */
function statusOf(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, answer => {
      void text(answer).then(() => resolve(answer.statusCode))
    }).on('error', reject)
  })
}

const readyLines = () => server?.output.stdout.match(/"msg":"ready: /g)?.length ?? 0

/** Ends it as a service is ended. */
async function stop(): Promise<string> {
  server?.process.kill('SIGTERM')
  expect(await server?.end).toEqual({ code: 0, signal: null })
  return `${server?.output.stdout}${server?.output.stderr}`
}

test('.env asks for them, every process sends its own, and the last ones when it ends', async () => {
  await writeFile(
    join(folder, '.env'),
    `OTEL_EXPORTER_OTLP_ENDPOINT=${sent.url}
OTEL_EXPORTER_OTLP_PROTOCOL=http/json
OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20hush-hush
OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=test
OTEL_BSP_SCHEDULE_DELAY=600000
`
  )
  const base = await serve({}, 2)
  while (readyLines() < 2) await delay(50)
  for (let i = 0; i < 20; i++) expect(await statusOf(`${base}/entries?page_size=1`)).toBe(200)
  expect(sent.deliveries).toEqual([])
  const output = await stop()
  const requests = sent.spans.filter(({ name }) => name === 'GET /api/v1/entries')
  expect(requests).toHaveLength(20)
  const processes = new Set(requests.map(({ resource }) => resource['service.instance.id']))
  expect(processes.size).toBe(2)
  expect(requests[0]?.resource['deployment.environment.name']).toBe('test')
  for (const { headers } of sent.deliveries) expect(headers.authorization).toBe('Bearer hush-hush')
  expect(output).not.toContain('hush-hush')
  // Each line of the log is that of a trace which was sent.
  const logged = [...output.matchAll(/"trace_id":"([\da-f]{32})"/g)].map(([, id]) => id)
  expect(logged.sort()).toEqual(requests.map(({ traceId }) => traceId).sort())
  expect(sent.spans.filter(({ name }) => name === 'search.search').length).toBeGreaterThanOrEqual(20)
}, 60_000)

test('requests that are cut off when it ends leave those of the others', async () => {
  const base = await serve({
    SERAI_DEMO_DATA: 'true',
    SERAI_SHUTDOWN_TIMEOUT: '2500',
    OTEL_EXPORTER_OTLP_ENDPOINT: sent.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_BSP_SCHEDULE_DELAY: '600000'
  })
  await server?.until(/ {2}try {2}/)
  const download = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${base}/entries/raw`, { agent: false }, resolve).on('error', reject)
  })
  download.pause().on('error', () => {})
  expect(await statusOf(`${base}/entries?page_size=1`)).toBe(200)
  server?.process.kill('SIGTERM')
  expect(await server?.end).toMatchObject({ code: 1 })
  expect(sent.spans.map(({ name }) => name)).toContain('GET /api/v1/entries')
}, 90_000)

test('without them nothing is sent, also where metrics are counted', async () => {
  const base = await serve({
    OTEL_EXPORTER_OTLP_ENDPOINT: sent.url,
    OTEL_BSP_SCHEDULE_DELAY: '10',
    OTEL_SDK_DISABLED: 'true',
    SERAI_METRICS_TOKEN: 'a-token-for-the-metrics-of-this-test'
  })
  expect(await statusOf(`${base}/entries?page_size=1`)).toBe(200)
  const output = await stop()
  expect(output).toContain('/entries?page_size=1')
  expect(output).not.toContain('trace_id')
  expect(sent.deliveries).toEqual([])
})

test('a collector that is away harms no request and does not keep the server from ending', async () => {
  await sent.close()
  const base = await serve({
    OTEL_EXPORTER_OTLP_ENDPOINT: sent.url,
    OTEL_EXPORTER_OTLP_TIMEOUT: '100',
    OTEL_BSP_SCHEDULE_DELAY: '10',
    SERAI_METRICS_TOKEN: 'a-token-for-the-metrics-of-this-test'
  })
  for (let i = 0; i < 10; i++) {
    expect(await statusOf(`${base}/entries?page_size=1`)).toBe(200)
    await delay(50)
  }
  await server?.until(/traces cannot be sent to/)
  const output = await stop()
  expect(output.match(/traces cannot be sent/g)).toHaveLength(1)
  sent = await collector()
})

test('the console is for trying them out', async () => {
  const base = await serve({ OTEL_TRACES_EXPORTER: 'console' })
  expect(await statusOf(`${base}/entries?page_size=1`)).toBe(200)
  await server?.until(/name: 'GET \/api\/v1\/entries'/)
  await stop()
  expect(sent.deliveries).toEqual([])
})

test('settings that are wrong keep the server from starting', async () => {
  server = serai(['serve', '--port', '0'], {
    SERAI_DATA_DIR: join(folder, 'data'),
    OTEL_EXPORTER_OTLP_ENDPOINT: 'collector',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc'
  })
  expect(await server.end).toMatchObject({ code: 1 })
  expect(server.output.stderr).toMatch(
    /OTEL_EXPORTER_OTLP_ENDPOINT is "collector".*\n.*OTEL_EXPORTER_OTLP_PROTOCOL/
  )
})
