import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { importCorpus } from '../../src/processing/corpus-import.ts'
import { openTestServices, profiles, type TestServices } from '../app.ts'
import { type Run, run, serai } from './serai.ts'
import { settingsOf } from './stores.ts'

const TOKEN = 'a-token-for-the-metrics-of-these-tests'

/** A rate that nothing here reaches by accident, and that is not restored while the test runs. */
const BURST = 200

/** A request on a connection of its own, so that all processes get some. */
function get(
  url: string,
  headers: Record<string, string> = {}
): Promise<{ status: number; text: string; retryAfter: string | undefined }> {
  return new Promise((resolve, reject) => {
    request(url, { agent: false, headers }, answer => {
      let text = ''
      answer.setEncoding('utf8').on('data', part => {
        text += part
      })
      answer.on('end', () =>
        resolve({ status: answer.statusCode as number, text, retryAfter: answer.headers['retry-after'] })
      )
    })
      .on('error', reject)
      .end()
  })
}

/** A client that asks for all archives and does not read them. */
function stalledDownload(base: string): Promise<{ end(): void }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      `${base}/entries/archive/query`,
      {
        method: 'POST',
        agent: false,
        headers: { 'content-type': 'application/json', accept: 'application/x-ndjson' }
      },
      answer => {
        answer.pause()
        resolve({ end: () => asked.destroy() })
      }
    )
    asked.on('error', reject).end('{"owner":"public","required":"*"}')
  })
}

describe.each(profiles())('serai serve --workers, %s profile', profile => {
  let services: TestServices
  let server: Run
  let base: string

  const pids = () => [
    ...new Set(
      [...server.output.stdout.matchAll(/"pid":(\d+)[^\n]*"msg":"ready: /g)].map(([, pid]) => Number(pid))
    )
  ]

  beforeAll(async () => {
    services = await openTestServices(profile)
    await importCorpus(join(import.meta.dirname, '../../fixtures/corpus'), services)
    server = serai(['serve', '--workers', '2', '--port', '0'], {
      ...settingsOf(services),
      SERAI_DEMO_DATA: 'false',
      SERAI_RATE_LIMIT: '1',
      SERAI_RATE_BURST: String(BURST),
      SERAI_CONCURRENCY_LIMIT: '2',
      SERAI_METRICS_TOKEN: TOKEN,
      SERAI_MAX_EVENT_LOOP_DELAY: 'off'
    })
    base = (await server.until(/listening {3}(\S+)/))[1] as string
    while (pids().length < 2) await delay(50)
  }, 120_000)

  afterAll(async () => {
    server.process.kill('SIGKILL')
    await server.end
    await services.close()
  })

  test('downloads hold the slots of their address in all processes, until their clients are gone', async () => {
    const downloads = [await stalledDownload(base), await stalledDownload(base)]
    for (let i = 0; i < 4; i++) expect((await get(`${base}/info`)).status).toBe(503)
    for (const download of downloads) download.end()
    await expect.poll(async () => (await get(`${base}/info`)).status, { timeout: 5000 }).toBe(200)
  }, 30_000)

  test('a process that is killed gets a successor, and its slots are free', async () => {
    const downloads = [await stalledDownload(base), await stalledDownload(base)]
    const [first] = pids() as [number]
    process.kill(first, 'SIGKILL')
    await expect.poll(() => pids().length, { timeout: 20_000 }).toBe(3)
    for (const download of downloads) download.end()
    await expect.poll(async () => (await get(`${base}/info`)).status, { timeout: 5000 }).toBe(200)
    const { status, text } = await get(`${base}/entries?elements=Ti&elements=O`)
    expect(status).toBe(200)
    expect(JSON.parse(text).pagination.total).toBeGreaterThan(0)
    expect(server.output.stdout).toContain(
      `the serving process ${first} ended (SIGKILL): another one is started`
    )
  }, 60_000)

  test('metrics are those of all processes', async () => {
    const metrics = async () => {
      const { text } = await get(base.replace('/api/v1', '/-/metrics'), { authorization: `Bearer ${TOKEN}` })
      const counts = [...text.matchAll(/^serai_http_request_duration_seconds_count\{([^}]*)\} (\d+)/gm)]
      return counts
        .filter(([, labels]) => labels?.includes('/info'))
        .reduce((sum, [, , n]) => sum + Number(n), 0)
    }
    const before = await metrics()
    for (let i = 0; i < 6; i++) expect((await get(`${base}/info`)).status).toBe(200)
    expect(await metrics()).toBe(before + 6)
  }, 30_000)

  test('the rate of an address is counted over all processes', async () => {
    const answers = []
    for (let i = 0; i < BURST + 20; i++) answers.push(await get(`${base}/info`))
    // Other tests have used some of it, and it comes back slowly.
    const refused = answers.filter(({ status }) => status === 503)
    expect(refused.length).toBeGreaterThanOrEqual(20)
    expect(answers.findIndex(({ status }) => status === 503)).toBeGreaterThan(BURST / 2)
    for (const { retryAfter } of refused) expect(Number(retryAfter)).toBeGreaterThan(0)
  }, 60_000)

  test('they end together, when their requests are answered', async () => {
    server.process.kill('SIGTERM')
    expect(await server.end).toEqual({ code: 0, signal: null })
    for (const pid of pids()) expect(() => process.kill(pid, 0)).toThrow()
  }, 30_000)
})

/** Lets the first process be busy, for longer than the others have anything else to do, when they ask for its port. */
const BUSY = `
  import cluster from 'node:cluster'
  const wait = ({ act }) => act === 'queryServer' && Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500)
  if (cluster.isPrimary) cluster.on('fork', ({ process }) => process.prependListener('internalMessage', wait))`

describe('serai serve --workers', () => {
  test('starts where the first process is slow', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'serai-workers-'))
    const slow = serai(['serve', '--workers', '2', '--port', '0', '--data', folder], {
      SERAI_DEMO_DATA: 'false',
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(BUSY)}`
    })
    await slow.until(/listening {3}(\S+)/)
    slow.process.kill('SIGTERM')
    expect(await slow.end).toEqual({ code: 0, signal: null })
    await rm(folder, { recursive: true })
  })

  test('tells once why it cannot start', async () => {
    const { code, stderr } = await run(['serve', '--workers', '3', '--port', '0', '--data', '/dev/null/x'])
    expect(code).toBe(1)
    expect(stderr.match(/cannot be used/g)).toHaveLength(1)
  })

  test('refuses numbers that make no sense', async () => {
    const { code, stderr } = await run(['serve', '--workers', '0'])
    expect(code).toBe(1)
    expect(stderr).toContain('--workers is "0", but must be a whole number from 1 to 128')
  })
})
