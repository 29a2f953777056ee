/**
 * Measures what the server adds to Elasticsearch: the same calls on both storage profiles, as raw requests to Elasticsearch,
 * and, where its address is given, on the reference over the same entries. See cluster.md.
 */
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Pool } from 'undici'
import { buildApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { importCorpus } from '../../src/processing/corpus-import.ts'
import { openServices } from '../../src/services.ts'
import { httpRecorder } from '../../test/http-recorder.ts'
import { startServer } from '../server.ts'

const { values: options } = parseArgs({
  options: {
    elasticsearch: { type: 'string', default: 'http://127.0.0.1:9200' },
    mongodb: { type: 'string', default: 'mongodb://127.0.0.1:27017' },
    reference: { type: 'string' },
    'reference-pid': { type: 'string' },
    requests: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '15' },
    only: { type: 'string', default: '' }
  }
})

const ROOT = join(import.meta.dirname, '../..')
const NAME = 'serai_bench'
const PATH = '/api/v1/entries/query'
/** Requests of each kind before the counted ones: code gets compiled, caches get filled. */
const WARM_UP = 1500

const query = { 'results.material.elements:any': ['O', 'C', 'Si', 'Fe', 'Ag'] }
const pagination = { page_size: 10 }
const CALLS = [
  {
    name: 'page of 10, one filter, two small fields',
    body: {
      query,
      pagination,
      required: { include: ['entry_id', 'results.material.chemical_formula_reduced'] }
    }
  },
  { name: 'page of 10, ids only', body: { query, pagination, required: { include: ['entry_id'] } } },
  { name: 'page of 10, whole documents', body: { query, pagination } },
  {
    name: 'page of 10 and three facets',
    body: {
      query,
      pagination,
      required: { include: ['entry_id'] },
      aggregations: Object.fromEntries(
        ['elements', 'structural_type', 'symmetry.crystal_system'].map(name => [
          name,
          { terms: { quantity: `results.material.${name}`, size: 20 } }
        ])
      )
    }
  }
].filter(({ name }) => name.includes(options.only))

/** One client stands for many here. */
const UNLIMITED = {
  SERAI_RATE_LIMIT: 'off',
  SERAI_CONCURRENCY_LIMIT: 'off',
  SERAI_MAX_EVENT_LOOP_DELAY: 'off'
}

interface Target {
  readonly name: string
  readonly url: string
  readonly path: string
  readonly pid?: number
  /** By call. */
  readonly bodies: readonly string[]
}

const folder = mkdtempSync(join(tmpdir(), 'serai-bench-'))
const children: ChildProcess[] = []
try {
  await run()
} finally {
  for (const child of children) child.kill()
  rmSync(folder, { recursive: true, force: true })
}
process.exit()

async function run(): Promise<void> {
  const cluster = {
    SERAI_DATA_DIR: join(folder, 'cluster'),
    SERAI_ELASTICSEARCH_URL: options.elasticsearch,
    SERAI_ELASTICSEARCH_INDEX: NAME,
    SERAI_MONGODB_URL: options.mongodb,
    SERAI_MONGODB_DATABASE: NAME
  }
  const embedded = { SERAI_DATA_DIR: join(folder, 'embedded') }
  for (const settings of [cluster, embedded]) {
    const services = await openServices(readConfig({ ...settings, SERAI_LOG_LEVEL: 'silent' }))
    await importCorpus(join(ROOT, 'fixtures/corpus'), services)
    await services.close()
  }
  const bodies = CALLS.map(({ body }) => JSON.stringify(body))
  const raw = await rawRequests(cluster)
  const targets: Target[] = [
    { name: 'raw', url: options.elasticsearch, path: raw.path, bodies: raw.bodies },
    { name: 'cluster', path: PATH, bodies, ...(await serve(cluster)) },
    { name: 'embedded', path: PATH, bodies, ...(await serve(embedded)) }
  ]
  if (options.reference) {
    const pid = options['reference-pid'] ? { pid: Number(options['reference-pid']) } : {}
    targets.push({ name: 'reference', url: options.reference, path: PATH, bodies, ...pid })
  }
  console.log(`${cpus().length} processors, load ${load()} at the beginning`)
  for (const [call, { name }] of CALLS.entries()) await measure(name, call, targets)
  console.log(`\nload ${load()} at the end`)
}

/** What the server asks Elasticsearch for the calls. */
async function rawRequests(settings: Record<string, string>): Promise<{ path: string; bodies: string[] }> {
  const recorder = await httpRecorder(options.elasticsearch)
  const config = readConfig({ ...settings, SERAI_ELASTICSEARCH_URL: recorder.url, SERAI_LOG_LEVEL: 'silent' })
  const services = await openServices(config)
  const app = await buildApp(config, services)
  const bodies: string[] = []
  let path = ''
  for (const { body } of CALLS) {
    recorder.requests.length = 0
    const answer = await app.inject({ method: 'POST', url: PATH, payload: body })
    const [request] = recorder.requests
    if (answer.statusCode !== 200 || !request) throw new Error(answer.payload)
    path = request.path
    bodies.push(request.body)
  }
  await app.close()
  await services.close()
  await recorder.close()
  return { path, bodies }
}

/** A server of its own process, with the settings of an installation. */
async function serve(settings: Record<string, string>): Promise<{ url: string; pid: number }> {
  const child = startServer(['serve', '--port', '0'], {
    env: { ...process.env, ...settings, ...UNLIMITED, SERAI_DEMO_DATA: 'false' },
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit']
  })
  children.push(child)
  const url = await new Promise<string>((resolve, reject) => {
    let output = ''
    // Read on afterwards too, so that the log does not fill the pipe.
    child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      if (output.length < 10_000) output += part
      const address = /listening +(http:\/\/[^/\s]+)/.exec(output)?.[1]
      if (address) resolve(address)
    })
    child.once('exit', () => reject(new Error(`the server did not start: ${output}`)))
  })
  return { url, pid: child.pid as number }
}

async function measure(name: string, call: number, targets: readonly Target[]): Promise<void> {
  const [rounds, requests] = [Number(options.rounds), Number(options.requests)]
  const runs = targets.map(target => ({
    target,
    body: target.bodies[call] as string,
    pools: new Map([1, 8].map(n => [n, new Pool(target.url, { connections: n, pipelining: 1 })])),
    one: [] as number[],
    rates: [] as number[],
    cpu: [] as number[]
  }))
  type Run = (typeof runs)[number]
  const batch = async ({ target, body, pools }: Run, connections: number, count: number) => {
    const pool = pools.get(connections) as Pool
    const times: number[] = []
    let left = count
    await Promise.all(
      Array.from({ length: connections }, async () => {
        while (left-- > 0) {
          const begin = performance.now()
          const answer = await pool.request({
            path: target.path,
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body
          })
          const text = await answer.body.text()
          if (answer.statusCode !== 200)
            throw new Error(`${target.name} answered ${answer.statusCode}: ${text.slice(0, 200)}`)
          times.push(performance.now() - begin)
        }
      })
    )
    return times
  }
  for (const each of runs) await batch(each, 8, each.target.name === 'reference' ? 100 : WARM_UP)
  // In turn, so that what else the machine does meets all of them.
  for (let round = 0; round < rounds; round++) {
    for (const each of runs) {
      const count = each.target.name === 'reference' ? Math.ceil(requests / 4) : requests
      each.one.push(median(await batch(each, 1, count)))
      const [cpu, begin] = [cpuOf(each.target.pid), performance.now()]
      await batch(each, 8, count)
      each.rates.push((count / (performance.now() - begin)) * 1000)
      each.cpu.push((cpuOf(each.target.pid) - cpu) / count)
    }
  }
  console.log(
    `\n${name}\n\n| | median ms at 1 | added to raw | requests/s at 8 | of raw | CPU ms of the server | least |\n|---|--:|--:|--:|--:|--:|--:|`
  )
  const [raw] = runs as [Run, ...Run[]]
  for (const { target, one, rates, cpu } of runs) {
    const added = median(one.map((ms, i) => ms - (raw.one[i] as number)))
    const share = median(rates.map((rate, i) => rate / (raw.rates[i] as number)))
    const least = target.pid === undefined ? '' : Math.min(...cpu).toFixed(2)
    console.log(
      `| ${target.name} | ${median(one).toFixed(2)} | ${added.toFixed(2)} | ${Math.round(median(rates))} | ${share.toFixed(2)} | ${
        target.pid === undefined ? '' : median(cpu).toFixed(2)
      } | ${least} |`
    )
  }
  for (const { pools } of runs) for (const pool of pools.values()) await pool.close()
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] as number
}

function load(): string {
  return readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 1).join('')
}

/** Milliseconds that all threads of a process have run. */
function cpuOf(pid: number | undefined): number {
  if (pid === undefined) return 0
  const tasks = readdirSync(`/proc/${pid}/task`)
  return tasks.reduce((sum, task) => {
    try {
      const [nanoseconds] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')
      return sum + Number(nanoseconds) / 1e6
    } catch {
      // It has ended.
      return sum
    }
  }, 0)
}
