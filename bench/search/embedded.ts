/**
 * Measures the embedded engine: `import` fills a data folder with synthetic entries, `measure` times the calls of
 * `calls.ts` on it, through the routes of the application. See README.md.
 */
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { openServices } from '../../src/services.ts'
import { type Body, CALLS, type Call } from './calls.ts'
import { SyntheticDocuments } from './documents.ts'

const { positionals, values: options } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string' },
    entries: { type: 'string', default: '1000000' },
    runs: { type: 'string', default: '31' },
    only: { type: 'string', default: '' }
  }
})

/** Documents that are handed over at once, as an import does. */
const BATCH = 200

/** Runs before the counted ones. */
const WARM_UP = 3

const data = options.data ?? fail('--data FOLDER is missing')
mkdirSync(data, { recursive: true })
const config = readConfig({
  SERAI_DATA_DIR: data,
  SERAI_LOG_LEVEL: 'silent',
  SERAI_SEARCH_TIMEOUT: '120000',
  SERAI_RATE_LIMIT: 'off',
  SERAI_CONCURRENCY_LIMIT: 'off'
})
const services = await openServices(config)
if (positionals[0] === 'import') await fill(Number(options.entries))
else if (positionals[0] === 'measure') await measure(Number(options.runs))
else fail('import or measure?')
console.log(`largest memory (RSS) ${megabytes(process.resourceUsage().maxRSS * 1024)}`)
await services.close()

function fail(text: string): never {
  console.error(text)
  process.exit(1)
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`
}

async function fill(entries: number): Promise<void> {
  const documents = new SyntheticDocuments()
  const begin = performance.now()
  const stored: Promise<void>[] = []
  let last = begin
  for (let from = 0; from < entries; from += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, entries - from) }, (_, i) =>
      documents.documentOf(from + i)
    )
    // Further batches are made while these are stored, as an import does.
    stored.push(services.index.put(batch))
    if (stored.length > 8) await stored.shift()
    const done = from + batch.length
    if (done % 50_000 === 0 || done === entries) {
      await Promise.all(stored.splice(0))
      const now = performance.now()
      const size = ['', '-wal'].reduce(
        (sum, suffix) =>
          sum + (statSync(join(data, `search.sqlite${suffix}`), { throwIfNoEntry: false })?.size ?? 0),
        0
      )
      console.log(
        `${done} entries  ${((now - last) / Math.min(50_000, done)).toFixed(2)} ms/entry  ${megabytes(size)} on disk  ${megabytes(
          process.memoryUsage().rss
        )} RSS  ${Math.round((now - begin) / 1000)} s`
      )
      last = now
    }
  }
}

async function measure(runs: number): Promise<void> {
  const app = await buildApp(config, services)
  const ask = async (body: Body, path = '/entries/query') => {
    const answer = await app.inject({ method: 'POST', url: `/api/v1${path}`, payload: body })
    if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} ${answer.payload}`)
    return answer.json() as { pagination?: { total: number; next_page_after_value?: string } }
  }
  console.log(`entries: ${(await ask({ owner: 'all', pagination: { page_size: 0 } })).pagination?.total}`)
  console.log('| call | matches | median ms | p95 ms | CPU ms | bar ms |\n|---|--:|--:|--:|--:|--:|')
  for (const call of CALLS.filter(({ name }) => name.includes(options.only))) {
    const bodies = await bodiesOf(call, runs + WARM_UP, ask)
    const times: number[] = []
    let matches = 0
    let cpu = 0
    for (const [i, body] of bodies.entries()) {
      const begin = performance.now()
      const cpuBegin = process.cpuUsage()
      const { pagination } = await ask(body, call.path)
      if (i >= WARM_UP) {
        times.push(performance.now() - begin)
        const { user, system } = process.cpuUsage(cpuBegin)
        cpu += (user + system) / 1000 / runs
      }
      matches += (pagination?.total ?? 0) / bodies.length
    }
    times.sort((a, b) => a - b)
    const at = (share: number) => (times[Math.floor(share * (times.length - 1))] as number).toFixed(1)
    console.log(
      `| ${call.name} | ${Math.round(matches)} | ${at(0.5)} | ${at(0.95)} | ${cpu.toFixed(1)} | ${call.bar} |`
    )
  }
  console.log(`memory (RSS) ${megabytes(process.memoryUsage().rss)}`)
  await app.close()
}

/** The bodies of the runs; for pages by after-value those that follow the page asked for, one after the other. */
async function bodiesOf(
  call: Call,
  count: number,
  ask: (body: Body) => Promise<{ pagination?: { next_page_after_value?: string } }>
): Promise<Body[]> {
  if (!call.after) return Array.from({ length: count }, (_, run) => call.body(run))
  const { pages, size } = call.after
  const body = call.body(0)
  const next = async (from: Body, page_size: number): Promise<Body> => {
    const pagination = { ...(from.pagination as object), page_size }
    const answer = await ask({ ...from, pagination, required: { include: ['entry_id'] } })
    return {
      ...from,
      pagination: { ...pagination, page_after_value: answer.pagination?.next_page_after_value }
    }
  }
  // The pages before are one large one, as only the value counts.
  const bodies = [await next(body, (pages - 1) * size)]
  while (bodies.length < count) bodies.push(await next(bodies.at(-1) as Body, size))
  return bodies.map(each => ({ ...each, pagination: { ...(each.pagination as object), page_size: size } }))
}
