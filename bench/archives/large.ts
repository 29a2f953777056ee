/**
 * Measures a large archive: `make` writes a folder of one upload with an archive of some hundred megabytes, `import`
 * imports it and tells time and memory, `read` reads branches of it and tells time and bytes read from the store.
 * See LARGE.md.
 */
import { createWriteStream, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { ANONYMOUS } from '../../src/access/caller.ts'
import { parseRequired } from '../../src/archive/required.ts'
import { readConfig } from '../../src/config.ts'
import { importPath } from '../../src/processing/import-path.ts'
import { openServices, type Services } from '../../src/services.ts'
import { ArchiveReader } from '../../src/storage/archive-reader.ts'
import type { ArchiveStore } from '../../src/storage/archives.ts'
import { descriptions, ENTRY, MAINFILE, RAW, STEP_BYTES, trajectory, UPLOAD } from './trajectory.ts'

const { positionals, values: options } = parseArgs({
  allowPositionals: true,
  options: {
    folder: { type: 'string' },
    data: { type: 'string' },
    megabytes: { type: 'string', default: '500' },
    runs: { type: 'string', default: '101' }
  }
})

/** Branches that are read, by what they are. */
const BRANCHES: Readonly<Record<string, unknown>> = {
  'results of the entry': { results: { material: '*' } },
  'energy of the last step': { run: { 'calculation[-1]': { energy: '*' } } },
  'positions of one step in the middle': 'middle',
  'the reference to the last step, followed': {
    workflow2: { results: { calculation_result_ref: { energy: '*' } } }
  },
  'energies of all steps': { run: { calculation: { energy: { total: '*' } } } }
}

const MB = 1e6

const [command] = positionals
if (command === 'make') await make(given('folder'), Number(options.megabytes))
else if (command === 'import') await withServices(services => measureImport(given('folder'), services))
else if (command === 'read') await withServices(services => measureReads(services, Number(options.runs)))
else fail('say make, import or read')

async function make(folder: string, megabytes: number): Promise<void> {
  const archive = join(folder, `uploads/${UPLOAD}/archive/${ENTRY}.json`)
  const raw = join(folder, `uploads/${UPLOAD}/raw`, MAINFILE)
  for (const file of [archive, raw]) mkdirSync(dirname(file), { recursive: true })
  writeFileSync(raw, RAW)
  for (const [name, content] of Object.entries(descriptions())) {
    writeFileSync(join(folder, name), JSON.stringify(content))
  }
  const steps = Math.ceil((megabytes * MB) / STEP_BYTES)
  await pipeline(Readable.from(trajectory(steps)), createWriteStream(archive))
  console.log(`${steps} steps, ${(statSync(archive).size / MB).toFixed(0)} MB`)
}

async function measureImport(folder: string, services: Services): Promise<void> {
  const start = performance.now()
  const { problems, entries } = await importPath(folder, services)
  const seconds = (performance.now() - start) / 1000
  if (problems.length > 0 || entries !== 1) fail(JSON.stringify({ problems, entries }))
  const peak = process.resourceUsage().maxRSS / 1000
  console.log(`imported in ${seconds.toFixed(1)} s, at most ${peak.toFixed(0)} MB of memory`)
}

async function measureReads(services: Services, runs: number): Promise<void> {
  const [contents] = (await services.archives.contents([ENTRY])).values()
  if (!contents) fail('import first')
  console.log(`table of contents: ${(contents.bytes.byteLength / 1000).toFixed(1)} kB`)
  const costs = { bytes: 0, trips: 0 }
  const reader = new ArchiveReader({ ...services, archives: counted(services.archives, costs) })
  const read = async (required: unknown) => {
    const [found] = await Array.fromAsync(reader.read([ENTRY], parseRequired(required), ANONYMOUS))
    return found?.archive as Record<string, never[]>
  }
  const { workflow2 } = (await read({ workflow2: { results: { n_steps: '*' } } })) as unknown as {
    workflow2: { results: { n_steps: number } }
  }
  const middle = Math.floor(workflow2.results.n_steps / 2)
  for (const [name, branch] of Object.entries(BRANCHES)) {
    const required =
      branch === 'middle' ? { run: { [`system[${middle}]`]: { atoms: { positions: '*' } } } } : branch
    const times: number[] = []
    const few = name.includes('all') ? Math.min(runs, 7) : runs
    for (let run = -3; run < few; run++) {
      Object.assign(costs, { bytes: 0, trips: 0 })
      const start = performance.now()
      const archive = await read(JSON.parse(JSON.stringify(required)))
      if (run >= 0) times.push(performance.now() - start)
      if (Object.keys(archive ?? {}).length === 0) fail(`nothing was read: ${name}`)
    }
    times.sort((a, b) => a - b)
    const at = (share: number) => times[Math.floor((times.length - 1) * share)]!.toFixed(1)
    const { bytes, trips } = costs
    console.log(
      `${name}: median ${at(0.5)} ms, 95 % ${at(0.95)} ms, ${(bytes / 1000).toFixed(0)} kB in ${trips} round trips`
    )
  }
}

/** The store, with the bytes and round trips that reading takes. */
function counted(archives: ArchiveStore, costs: { bytes: number; trips: number }): ArchiveStore {
  return {
    ...archives,
    contents: async ids => {
      const found = await archives.contents(ids)
      for (const { bytes } of found.values()) costs.bytes += bytes.byteLength
      costs.trips++
      return found
    },
    blocks: async addresses => {
      const found = await archives.blocks(addresses)
      for (const bytes of found.values()) costs.bytes += bytes.byteLength
      costs.trips++
      return found
    }
  }
}

async function withServices(work: (services: Services) => Promise<void>): Promise<void> {
  const services = await openServices(
    readConfig({ ...process.env, SERAI_DATA_DIR: given('data'), SERAI_LOG_LEVEL: 'silent' })
  )
  try {
    await work(services)
  } finally {
    await services.close()
  }
}

function given(name: 'folder' | 'data'): string {
  return options[name] ?? fail(`--${name} FOLDER is missing`)
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}
