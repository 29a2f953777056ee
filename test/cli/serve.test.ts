import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../free-port.ts'
import { type Run, serai } from './serai.ts'

const LISTENING = /listening +(http:\S+)/

/** Whether npm has installed a Node for this platform, which `bin/serai.js` starts from an older one. */
function hasOwnNode(): boolean {
  try {
    createRequire(import.meta.url).resolve(`node-${process.platform}-${process.arch}/bin/node`)
    return true
  } catch {
    return false
  }
}

const isRunning = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('serai serve', () => {
  let data: string
  let server: Run | undefined

  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'serai-serve-'))
  })

  afterAll(() => rm(data, { recursive: true }))

  afterEach(async () => {
    server?.process.kill('SIGKILL')
    await server?.end
  })

  const start = (settings: Record<string, string> = {}, older = false) => {
    server = serai(['serve', '--port', '0', '--data', data], settings, older)
    return server
  }

  const started = async (settings?: Record<string, string>, older?: boolean) => {
    const [, root] = await start(settings, older).until(LISTENING)
    return root as string
  }

  test('a first start that is killed goes on with the next one', async () => {
    const first = start()
    await first.until(/Importing the example data: (?:25|50) %/)
    first.process.kill('SIGKILL')
    await first.end
    expect(first.output.stdout).not.toMatch(LISTENING)

    const root = await started()
    expect(server?.output.stderr).toContain('Importing the example data: 100 %')
    await server?.until(/entries +121\n/)
    const answer = await fetch(`${root}/entries?elements=Ti&elements=O&page_size=1`)
    expect(await answer.json()).toMatchObject({
      pagination: { total: 3 },
      data: [{ entry_id: '--btEqakO1kKnV6MWyTproNqkO3M' }]
    })
  }, 120_000)

  test('it answers while the example data comes in', async () => {
    const empty = join(data, 'empty')
    const port = await freePort()
    server = serai(['serve', '--port', String(port), '--data', empty])
    await server.until(/Importing the example data: 0 %/)
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/entries?page_size=1`)
    expect(answer.status).toBe(200)
    expect(server.output.stdout).not.toMatch(LISTENING)

    server.process.kill('SIGTERM')
    expect(await server.end).toEqual({ code: 0, signal: null })
    expect(server.output.stderr).not.toContain('could not be imported')
  })

  test('a later start imports nothing and tells where everything is', async () => {
    const root = await started({ SERAI_LOG_LEVEL: 'silent' })
    await server?.until(/curl/)
    expect(server?.output.stderr).toBe('')
    const told = server?.output.stdout ?? ''
    expect(told).toContain('profile     embedded')
    expect(told).toContain(`data        ${data}\n`)
    expect(told).toContain('entries     121\n')
    const [page] = told.match(/http:\S+extensions\/docs/) ?? []
    expect((await fetch(page as string)).status).toBe(200)
    expect((await fetch(`${root}/openapi.json`)).status).toBe(200)
  })

  test.each(['SIGINT', 'SIGTERM'] as const)('%s, even twice, lets running requests finish', async signal => {
    const root = await started()
    const whole = await fetch(`${root}/entries/raw?owner=public`).then(answer => answer.arrayBuffer())
    const answer = await fetch(`${root}/entries/raw?owner=public`)
    const reader = answer.body!.getReader()
    let bytes = (await reader.read()).value?.byteLength ?? 0
    server?.process.kill(signal)
    server?.process.kill(signal)
    await delay(200)
    expect(isRunning(server?.process.pid as number)).toBe(true)
    for (let part = await reader.read(); !part.done; part = await reader.read())
      bytes += part.value.byteLength
    expect(bytes).toBe(whole.byteLength)
    expect(await server?.end).toEqual({ code: 0, signal: null })
    expect(server?.output.stdout).toContain(
      `"msg":"stopping because of ${signal}: 1 requests are under way and get 10 s"`
    )
    expect(server?.output.stdout).toMatch(/"msg":"stopped after [\d.]+ s: every request was answered"/)
  })

  test('one line of the log says that it is ready, with profile and versions', async () => {
    await started()
    const [, line] = (await server?.until(/^(\{.*"msg":"ready: .*)$/m)) ?? []
    expect(JSON.parse(line as string)).toMatchObject({
      profile: 'embedded',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      node: process.version,
      address: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/api\/v1$/)
    })
  })

  test('metrics have a port of their own where one is set, and only there', async () => {
    const root = await started({ SERAI_METRICS_PORT: '0' })
    const [, metrics] = (await server?.until(/metrics at (http:[^"]+)/)) ?? []
    await fetch(`${root}/entries?page_size=1`)
    const text = await (await fetch(metrics as string)).text()
    expect(text).toContain(
      'serai_http_request_duration_seconds_count{method="GET",route="/api/v1/entries",status="2xx"} 1'
    )
    expect((await fetch(new URL('/-/metrics', root))).status).toBe(404)
    server?.process.kill('SIGTERM')
    expect(await server?.end).toEqual({ code: 0, signal: null })
  })

  test('ends within the time that running requests get', async () => {
    const root = await started({ SERAI_SHUTDOWN_TIMEOUT: '300' })
    const answer = await fetch(`${root}/entries/raw?owner=public`)
    await answer.body!.getReader().read()
    const begun = performance.now()
    server?.process.kill('SIGTERM')
    expect(await server?.end).toEqual({ code: 1, signal: null })
    expect(performance.now() - begun).toBeLessThan(5000)
    expect(server?.output.stdout).toContain('"msg":"stopping now: 1 requests are cut off"')
  })

  describe.runIf(hasOwnNode())('started from an older Node', () => {
    /** Process id of the server itself. */
    const pid = async () => Number((await server?.until(/"pid":(\d+)/))?.[1])

    test('signals and exit codes go through', async () => {
      await started({}, true)
      const own = await pid()
      expect(own).not.toBe(server?.process.pid)
      server?.process.kill('SIGINT')
      expect(await server?.end).toEqual({ code: 0, signal: null })
      expect(isRunning(own)).toBe(false)

      const refused = start({ SERAI_LOG_LEVEL: 'loud' }, true)
      expect(await refused.end).toEqual({ code: 1, signal: null })
    })

    test('the server does not outlive a starter that is killed', async () => {
      await started({}, true)
      const own = await pid()
      server?.process.kill('SIGKILL')
      await expect.poll(() => isRunning(own), { timeout: 5000 }).toBe(false)
    })
  })
})
