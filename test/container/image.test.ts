/** The image, made and run as `docker-compose.yml` does: the embedded profile in one container. */
import { randomBytes } from 'node:crypto'
import { availableParallelism, loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { VERSION } from '../../src/version.ts'
import { command, docker } from './docker.ts'

const root = join(import.meta.dirname, '../..')
const name = `serai-test-${randomBytes(4).toString('hex')}`

/** What the bars are: bytes, and milliseconds. */
const MB = 1024 * 1024
const MAX_IMAGE = 250e6
const MAX_START = 3000
const MAX_MEMORY = 150 * MB

let base: string

/** As much as `docker-compose.yml` takes from it. */
const CONFINED = [
  '--read-only',
  '--tmpfs',
  '/tmp',
  '--cap-drop',
  'ALL',
  '--security-opt',
  'no-new-privileges'
]

/** Starts the container and gives the milliseconds until it answers a search. */
async function started(start: () => Promise<unknown>): Promise<number> {
  const begin = performance.now()
  await start()
  const address = await docker('port', name, '8000/tcp')
  base = `http://${address.split('\n')[0]}/api/v1`
  for (;;) {
    const answer = await fetch(`${base}/entries?page_size=1`).catch(() => undefined)
    if (answer?.ok) return performance.now() - begin
    if (performance.now() - begin > 30_000) throw new Error(await docker('logs', name))
    await delay(20)
  }
}

async function json(path: string, headers: Record<string, string> = {}) {
  const answer = await fetch(base + path, { headers })
  expect(answer.status).toBe(200)
  return (await answer.json()) as { data: Record<string, unknown>[]; pagination: { total: number } }
}

/** Everything that the container has written. */
const logs = () => command('sh', '-c', `docker logs ${name} 2>&1`)

/** What is told of the measurements. */
const tell = (text: string) => process.stdout.write(`     ${text}\n`)

beforeAll(async () => {
  const begin = performance.now()
  const options = await command(join(import.meta.dirname, 'base-images.sh'))
  tell(`base images after ${Math.round((performance.now() - begin) / 1000)} s`)
  await command('docker', 'build', ...options.split('\n').filter(Boolean), '-t', name, root)
  tell(`image after ${Math.round((performance.now() - begin) / 1000)} s`)
  await docker('volume', 'create', name)
  await docker('network', 'create', name)
})

afterAll(async () => {
  await docker('rm', '-fv', name, `${name}-client`).catch(() => {})
  await docker('network', 'rm', name).catch(() => {})
  await docker('volume', 'rm', '-f', name).catch(() => {})
  if (!process.env.SERAI_TEST_KEEP_IMAGE) await docker('rmi', '-f', name).catch(() => {})
})

test('the image is small and says what it is', async () => {
  const [{ Size, Config }] = JSON.parse(await docker('image', 'inspect', name))
  tell(`image: ${(Size / 1e6).toFixed(1)} MB`)
  expect(Size).toBeLessThan(MAX_IMAGE)
  expect(Config.User).toBe('node')
  expect(Config.Volumes).toEqual({ '/data': {} })
  expect(Config.Healthcheck.Test).toContain('CMD')
  expect(Config.Labels['org.opencontainers.image.title']).toBe('Serai')
  expect(Config.Labels['org.opencontainers.image.version']).toBe(VERSION)
})

test('a new container answers soon, with a read-only root and without rights', async () => {
  const time = await started(() =>
    docker(
      'run',
      '-d',
      '--name',
      name,
      ...CONFINED,
      '-v',
      `${name}:/data`,
      '--network',
      name,
      '-p',
      '127.0.0.1:0:8000',
      name
    )
  )
  tell(`first answer after ${Math.round(time)} ms`)
  // A machine that has more to do takes longer.
  expect(time).toBeLessThan(MAX_START * Math.max(1, loadavg()[0]! / availableParallelism()))
})

test('it has the example data', async () => {
  await expect.poll(logs, { timeout: 40_000 }).toMatch(/entries +121\n/)
  const { data, pagination } = await json('/entries?elements=Ti&elements=O')
  expect(pagination.total).toBe(3)
  const answer = await fetch(`${base}/entries/${data[0]?.entry_id}/archive`)
  expect(answer.status).toBe(200)
  expect((await fetch(`${base}/extensions/docs/static/swagger-ui-bundle.js`)).status).toBe(200)
})

test('the server is no root and can write its data only', async () => {
  expect(await docker('exec', name, 'id', '-u')).toBe('1000')
  expect(await docker('exec', name, 'sh', '-c', 'touch /data/a /tmp/a && rm /data/a && echo written')).toBe(
    'written'
  )
  for (const folder of ['/', '/serai', '/usr/local/bin'])
    await expect(docker('exec', name, 'touch', `${folder}/a`)).rejects.toThrow('Read-only')
  expect(await docker('exec', name, 'sh', '-c', "grep CapEff /proc/1/status | tr -d '\\t'")).toMatch(
    /^CapEff:0+$/
  )
})

test('the engine learns that it is well', async () => {
  await expect
    .poll(() => docker('inspect', '-f', '{{.State.Health.Status}}', name), { timeout: 40_000, interval: 500 })
    .toBe('healthy')
})

test('idle it needs little memory', async () => {
  await delay(5000)
  // What the engine counts: everything but files that are only kept in memory while there is room.
  const usage = await docker('stats', '--no-stream', '--format', '{{.MemUsage}}', name)
  const resident = await docker('exec', name, 'sh', '-c', 'grep VmRSS /proc/1/status')
  tell(`memory: ${usage}; resident ${resident.replace(/\D+/g, '')} kB`)
  const [, amount, unit] = /^([\d.]+)([KMG]iB)/.exec(usage) as RegExpExecArray
  const bytes = Number(amount) * { KiB: 1024, MiB: MB, GiB: 1024 * MB }[unit as 'MiB']
  expect(bytes).toBeLessThan(MAX_MEMORY)
})

test('data outlives a restart', async () => {
  const told = await docker('exec', name, 'serai', 'user', 'add', 'container.test', '--generate')
  const password = told.split(/\s+/).at(-1) as string
  const time = await started(() => docker('restart', name))
  tell(`answer after a restart: ${Math.round(time)} ms`)
  expect((await json('/entries?page_size=1')).pagination.total).toBe(64)
  const answer = await fetch(`${base}/auth/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'password', username: 'container.test', password })
  })
  expect(answer.status).toBe(200)
})

/**
 * A client that takes its time over all archives. It runs in a container beside the server: what the engine's own proxy of
 * published ports has not passed on is lost when the server's container ends.
 */
const SLOW_CLIENT = `
const answer = await fetch(process.argv[1] + '/api/v1/entries/archive/download?owner=public')
let bytes = 0
console.log('begun')
for await (const part of answer.body) {
  bytes += part.length
  await new Promise(resolve => setTimeout(resolve, 10))
}
console.log(JSON.stringify({ status: answer.status, bytes }))`

test('it stops within ten seconds of being asked to, after the requests that are under way', async () => {
  const client = `${name}-client`
  const url = `http://${name}:8000`
  const args = [
    '--network',
    name,
    '--entrypoint',
    'node',
    name,
    '--input-type=module',
    '-e',
    SLOW_CLIENT,
    url
  ]
  await docker('run', '-d', '--name', client, ...args, '3000')
  await expect.poll(() => docker('logs', client), { interval: 20, timeout: 10_000 }).toContain('begun')
  const begin = performance.now()
  await docker('stop', name)
  const time = performance.now() - begin
  await docker('wait', client)
  const told = await docker('logs', client)
  await docker('rm', '-v', client)
  const { status, bytes } = JSON.parse(told.slice(told.indexOf('{')))
  tell(
    `stopped ${Math.round(time)} ms after it was asked to, having sent ${(bytes / 1e6).toFixed(1)} MB to the end`
  )
  // The client has an error when an answer is cut.
  expect(status).toBe(200)
  expect(bytes).toBeGreaterThan(20e6)
  expect(time).toBeGreaterThan(1000)
  expect(time).toBeLessThan(10_000)
  expect(await docker('inspect', '-f', '{{.State.ExitCode}}', name)).toBe('0')
}, 30_000)

test('while it starts it stops at once', async () => {
  await docker('rm', '-fv', name)
  await docker('volume', 'rm', name)
  await docker('run', '-d', '--name', name, ...CONFINED, '-v', `${name}:/data`, name)
  await expect.poll(logs, { interval: 20, timeout: 10_000 }).toContain('Importing')
  const begin = performance.now()
  await docker('stop', name)
  expect(performance.now() - begin).toBeLessThan(3000)
})
