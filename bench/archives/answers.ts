/**
 * Measures how archives are answered: parts of the largest archive, the guide's chain of references, a page of 100 archives,
 * and 10,000 archives line by line. `fill` makes a data folder, `read` reads without HTTP and tells bytes and round trips,
 * `serve` asks a server over HTTP and watches its memory, `ask` asks any server, also the reference. See README.md.
 */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { ANONYMOUS } from '../../src/access/caller.ts'
import { parseRequired } from '../../src/archive/required.ts'
import { readConfig } from '../../src/config.ts'
import { importPath } from '../../src/processing/import-path.ts'
import { openServices, type Services } from '../../src/services.ts'
import { ArchiveReader } from '../../src/storage/archive-reader.ts'
import { startServer } from '../server.ts'
import { addCopies } from './copies.ts'
import { counted } from './counted.ts'

const { positionals, values: options } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string' },
    entries: { type: 'string', default: '10000' },
    runs: { type: 'string', default: '101' },
    base: { type: 'string' },
    bearer: { type: 'string' }
  }
})

const CORPUS = join(import.meta.dirname, '../../fixtures/corpus')

/** The largest archive of the example data: 5.6 MB of JSON, a molecular dynamics run. */
const LARGEST = 'nGEytEvOoF9sN3Jzj2ATwli72qjP'
/** An entry whose workflow leads to its last calculation. */
const CHAINED = 'oli_2_ds4uziHW9MxSR15YL6sWQ6'
/** The administrator of the example data, who sees all of it with `owner` admin. */
const ADMIN = '0d3c6f52-9b8e-4c7a-9a55-2f6f1d0a7b01'

const SMALL = { results: { material: { chemical_formula_hill: '*', elements: '*' } } }
const CHAIN = {
  workflow2: {
    results: { calculation_result_ref: { energy: '*', system_ref: { chemical_composition: '*' } } }
  }
}
const PAGE = { owner: 'admin', pagination: { page_size: 100 }, required: SMALL }

const [command] = positionals
if (command === 'fill') await withServices(fillStores)
else if (command === 'read') await withServices(measureReads)
else if (command === 'serve') await measureServer()
else if (command === 'ask') await measurePages(given('base'), given('bearer'))
else fail('say fill, read, serve or ask')

async function fillStores(services: Services): Promise<void> {
  const { problems } = await importPath(CORPUS, services)
  if (problems.length > 0) fail(JSON.stringify(problems))
  const { archives, bytes } = await addCopies(services, CORPUS, Number(options.entries))
  console.log(`${archives} archives more, ${(bytes / 1e6).toFixed(0)} MB of JSON`)
}

async function measureReads(services: Services): Promise<void> {
  tellMachine()
  const costs = { bytes: 0, trips: 0 }
  const reader = new ArchiveReader({ ...services, archives: counted(services.archives, costs) })
  const page = (await Array.fromAsync(services.archives.entryIds())).flat().slice(0, 100)
  const reads: readonly [string, readonly string[], unknown][] = [
    ['a small section of the largest archive', [LARGEST], { results: { material: '*' } }],
    ['the last energy in the largest archive', [LARGEST], { run: { 'calculation[-1]': { energy: '*' } } }],
    ["the guide's chain of references", [CHAINED], CHAIN],
    ['the same, in place', [CHAINED], { 'resolve-inplace': true, ...CHAIN }],
    ['a small branch of 100 archives', page, SMALL]
  ]
  for (const [name, ids, required] of reads) {
    const times: number[] = []
    let found = 0
    for (let run = -5; run < Number(options.runs); run++) {
      Object.assign(costs, { bytes: 0, trips: 0 })
      const start = performance.now()
      found = (await Array.fromAsync(reader.read(ids, parseRequired(required), ANONYMOUS))).length
      if (run >= 0) times.push(performance.now() - start)
    }
    if (found !== ids.length) fail(`${name}: ${found} archives were read`)
    const { bytes, trips } = costs
    console.log(`${name}: ${summary(times)}, ${(bytes / 1000).toFixed(0)} kB in ${trips} round trips`)
  }
}

async function measureServer(): Promise<void> {
  const data = given('data')
  const serai = join(import.meta.dirname, '../../bin/serai.js')
  const port = await freePort()
  const settings = {
    ...process.env,
    SERAI_DATA_DIR: data,
    SERAI_PORT: String(port),
    SERAI_LOG_LEVEL: 'silent'
  }
  const env = {
    ...settings,
    SERAI_DEMO_DATA: 'false',
    SERAI_RATE_LIMIT: 'off',
    SERAI_CONCURRENCY_LIMIT: 'off'
  }
  const bearer = execFileSync(process.execPath, [serai, 'token', ADMIN, '--data', data], { env })
    .toString()
    .trim()
  const server = startServer(['serve'], { env, stdio: 'ignore' })
  const base = `http://127.0.0.1:${port}/api/v1`
  try {
    for (let tries = 0; !(await fetch(`${base}/info`).catch(() => undefined))?.ok; tries++) {
      if (tries > 300) fail('the server does not answer')
      await delay(200)
    }
    await measurePages(base, bearer)
    await measureLines(base, bearer, server.pid as number)
  } finally {
    server.kill()
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

/** Pages of 100 archives, as any server of this API answers them. */
async function measurePages(base: string, bearer: string): Promise<void> {
  tellMachine()
  const times: number[] = []
  let size = 0
  for (let run = -5; run < Math.min(Number(options.runs), 31); run++) {
    const start = performance.now()
    const response = await post(base, bearer, PAGE)
    const text = await response.text()
    if (run >= 0) times.push(performance.now() - start)
    size = text.length
    const { data } = JSON.parse(text) as { data: unknown[] }
    if (!response.ok || data.length < 90) fail(`a page of ${data?.length}: ${text.slice(0, 300)}`)
  }
  console.log(`a page of 100 archives over HTTP: ${summary(times)}, ${(size / 1000).toFixed(0)} kB`)
}

async function measureLines(base: string, bearer: string, pid: number): Promise<void> {
  const started = memoryOf(pid)
  // What a process that has just started takes says little: its heap grows to its size with the first thousand answers.
  const warm = { owner: 'admin', pagination: { page_size: 1000 }, required: SMALL }
  await (await post(base, bearer, warm, { accept: 'application/x-ndjson' })).text()
  await delay(3000)
  const idle = memoryOf(pid)
  console.log(`memory ${started.toFixed(0)} MB after the pages, ${idle.toFixed(0)} MB idle after 1,000 lines`)
  for (const [name, required] of [
    ['a small branch', SMALL],
    ['whole archives', '*'],
    ['a small branch again', SMALL],
    ['whole archives again', '*']
  ] as const) {
    let peak = 0
    const watch = setInterval(() => {
      peak = Math.max(peak, memoryOf(pid))
    }, 20)
    const start = performance.now()
    const body = { owner: 'admin', required }
    const response = await post(base, bearer, body, { accept: 'application/x-ndjson' })
    const lines = createInterface({ input: Readable.fromWeb(response.body as never) })
    let count = 0
    let size = 0
    let last = ''
    for await (const line of lines) {
      count++
      size += line.length
      last = line
    }
    clearInterval(watch)
    const seconds = (performance.now() - start) / 1000
    if (!last.startsWith('{"pagination"')) fail(`the last line is ${last.slice(0, 200)}`)
    console.log(
      `${count - 1} archives line by line, ${name}: ${seconds.toFixed(1)} s, ${(size / 1e6).toFixed(0)} MB; ` +
        `memory ${idle.toFixed(0)} MB before, ${peak.toFixed(0)} MB at most`
    )
  }
}

function post(base: string, bearer: string, body: object, headers: object = {}): Promise<Response> {
  return fetch(`${base}/entries/archive/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}`, ...headers },
    body: JSON.stringify(body)
  })
}

/** Resident memory of a process in MB, without the pages of files that it has mapped. */
function memoryOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/RssAnon:\s*(\d+)/.exec(status)?.[1]) / 1000
}

function summary(times: number[]): string {
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.floor((times.length - 1) * share)]!.toFixed(1)
  return `median ${at(0.5)} ms, 95 % ${at(0.95)} ms`
}

function tellMachine(): void {
  console.log(`${cpus().length} × ${cpus()[0]?.model}, load ${loadavg()[0]?.toFixed(1)}`)
}

async function withServices(work: (services: Services) => Promise<void>): Promise<void> {
  const settings = { SERAI_DATA_DIR: given('data'), SERAI_LOG_LEVEL: 'silent' }
  const services = await openServices(readConfig({ ...process.env, ...settings }))
  try {
    await work(services)
  } finally {
    await services.close()
  }
}

function given(name: 'data' | 'base' | 'bearer'): string {
  return options[name] ?? fail(`--${name} is missing`)
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}
