/**
 * Measures what finding out who asks costs: by itself, for every kind of token, and as a part of searches, which are asked
 * by nobody and by a person in turn. See README.md.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { setPassword } from '../../src/access/account-changes.ts'
import { signAppToken } from '../../src/access/app-token.ts'
import { Authenticator, type Credentials } from '../../src/access/authenticator.ts'
import { createToken } from '../../src/access/personal-tokens.ts'
import { ALL_SCOPES } from '../../src/access/scopes.ts'
import { uploadToken } from '../../src/access/upload-token.ts'
import { buildApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { importPath } from '../../src/processing/import-path.ts'
import { openServices } from '../../src/services.ts'
import { SyntheticDocuments } from '../search/documents.ts'

const { values: options } = parseArgs({
  options: { entries: { type: 'string', default: '20000' }, runs: { type: 'string', default: '301' } }
})

const CORPUS = join(import.meta.dirname, '../../fixtures/corpus')

/** A person of the example data with uploads of their own, and groups. */
const PERSON = 'ines.albrecht'

/** Calls of {@link Authenticator.identify} for each kind. */
const CALLS = 20_000

/** Documents that are indexed together. */
const BATCH = 200

const SEARCHES: readonly (readonly [name: string, body: object])[] = [
  ['ten entries, owner public', { owner: 'public' }],
  ['ten entries, owner visible', { owner: 'visible' }],
  ['the total alone, owner visible', { owner: 'visible', pagination: { page_size: 0 } }],
  [
    'elements and program, owner visible, ids alone',
    {
      owner: 'visible',
      query: { 'results.material.elements': ['O'], 'results.method.simulation.program_name': 'VASP' },
      required: { include: ['entry_id'] }
    }
  ],
  [
    'a facet, owner visible',
    {
      owner: 'visible',
      pagination: { page_size: 0 },
      aggregations: { programs: { terms: { quantity: 'results.method.simulation.program_name' } } }
    }
  ]
]

const folder = await mkdtemp(join(tmpdir(), 'serai-access-'))
const config = readConfig({
  ...stores(),
  SERAI_DATA_DIR: folder,
  SERAI_RATE_LIMIT: 'off',
  SERAI_CONCURRENCY_LIMIT: 'off',
  SERAI_MAX_EVENT_LOOP_DELAY: 'off'
})
const services = await openServices(config)
try {
  await importPath(CORPUS, services, () => {})
  const documents = new SyntheticDocuments()
  for (let from = 0; from < Number(options.entries); from += BATCH) {
    await services.index.put(Array.from({ length: BATCH }, (_, i) => documents.documentOf(from + i)))
  }
  console.log(`${config.storage.kind} profile, load ${loadavg()[0]?.toFixed(1)}`)
  const access = await accessToken()
  await measureTokens(access)
  await measureSearches(access)
  console.log(`load ${loadavg()[0]?.toFixed(1)}`)
} finally {
  await services.close()
  await rm(folder, { recursive: true, force: true })
}

/** The cluster profile, with an index and a database of its own, where the environment names its stores. */
function stores(): Record<string, string> {
  const { SERAI_ELASTICSEARCH_URL, SERAI_MONGODB_URL } = process.env
  if (!SERAI_ELASTICSEARCH_URL || !SERAI_MONGODB_URL) return {}
  return {
    SERAI_ELASTICSEARCH_URL,
    SERAI_MONGODB_URL,
    SERAI_ELASTICSEARCH_INDEX: 'serai_bench_access',
    SERAI_MONGODB_DATABASE: 'serai_bench_access'
  }
}

async function personId(): Promise<string> {
  const [person] = await services.documents.usersByName([PERSON])
  return person?.user_id as string
}

async function accessToken(): Promise<string> {
  const password = 'a password for measuring'
  await setPassword(await personId(), password, services.accounts)
  return (await services.identity.signIn(PERSON, password, true))?.access_token as string
}

async function measureTokens(access: string): Promise<void> {
  const authenticator = new Authenticator({ ...services, anonymousScopes: ALL_SCOPES })
  const userId = await personId()
  const wanted = { name: 'x', scopes: ['entries:read'], description: null, days: 1 }
  const personal = await createToken(userId, wanted, { maxLifetime: 0, maxActive: 100 }, services.accounts)
  const app = await signAppToken(userId, Math.floor(Date.now() / 1000) + 3600, services.apiSecret)
  const kinds: Record<string, Credentials> = {
    nobody: {},
    'access token': { bearer: access },
    'access token in the cookie': { cookie: access },
    'app token': { bearer: app },
    'personal access token': { bearer: personal.raw },
    'upload token': { uploadToken: uploadToken(userId, services.apiSecret) as string }
  }
  console.log('\n| token | median µs | p99 µs | CPU µs |\n|---|--:|--:|--:|')
  for (const [kind, credentials] of Object.entries(kinds)) {
    for (let i = 0; i < 1000; i++) await authenticator.identify(credentials)
    const times = new Float64Array(CALLS)
    const before = process.cpuUsage()
    for (let i = 0; i < CALLS; i++) {
      const begin = performance.now()
      await authenticator.identify(credentials)
      times[i] = performance.now() - begin
    }
    const { user, system } = process.cpuUsage(before)
    times.sort()
    const at = (share: number) => ((times[Math.floor(share * (CALLS - 1))] as number) * 1000).toFixed(1)
    console.log(`| ${kind} | ${at(0.5)} | ${at(0.99)} | ${((user + system) / CALLS).toFixed(1)} |`)
  }
}

async function measureSearches(access: string): Promise<void> {
  const app = await buildApp(config, services)
  const runs = Number(options.runs)
  const callers = [{}, { authorization: `Bearer ${access}` }]
  console.log(
    '\n| search | nobody, median ms | person, median ms | ratio | ratio of CPU |\n|---|--:|--:|--:|--:|'
  )
  for (const [name, payload] of SEARCHES) {
    const times: number[][] = [[], []]
    const cpu = [0, 0]
    for (let i = -20; i < runs; i++) {
      // In turn, so that other work on the machine meets both.
      for (const [who, headers] of callers.entries()) {
        const begin = performance.now()
        const before = process.cpuUsage()
        const answer = await app.inject({ method: 'POST', url: '/api/v1/entries/query', headers, payload })
        if (answer.statusCode !== 200) throw new Error(answer.payload)
        if (i < 0) continue
        times[who]?.push(performance.now() - begin)
        const { user, system } = process.cpuUsage(before)
        cpu[who] = (cpu[who] ?? 0) + user + system
      }
    }
    const [nobody = 0, person = 0] = times.map(list => list.sort((a, b) => a - b)[Math.floor(runs / 2)] ?? 0)
    const ofCpu = (cpu[1] as number) / (cpu[0] as number)
    console.log(
      `| ${name} | ${nobody.toFixed(2)} | ${person.toFixed(2)} | ${(person / nobody).toFixed(2)} | ${ofCpu.toFixed(2)} |`
    )
  }
  await app.close()
}
