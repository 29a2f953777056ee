/** Stores and applications for tests, for every storage profile that this run can test. */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from '@elastic/elasticsearch'
import type { FastifyInstance } from 'fastify'
import { MongoClient } from 'mongodb'
import { inject } from 'vitest'
import { signAppToken } from '../src/access/app-token.ts'
import { type AppOptions, buildApp } from '../src/app.ts'
import { endConnectionsAfterAnswers } from '../src/cli/connections.ts'
import { type Config, readConfig } from '../src/config.ts'
import { importCorpus } from '../src/processing/corpus-import.ts'
import { type OpenOptions, openServices, type Services } from '../src/services.ts'

/** The storage profiles. */
export type Profile = 'embedded' | 'cluster'

/** Services with the settings that they were opened with. */
export interface TestServices extends Services {
  readonly config: Config
}

/** Folders of `fixtures/` that {@link openCorpusServices} can import. */
export type DataFolder = 'corpus' | 'guide'

/** Milliseconds that test files wait for the one that imports the corpus. */
const IMPORT_PATIENCE = 170_000

/** The profiles to test: always embedded; cluster too when its stores are there. For `describe.each`. */
export function profiles(): readonly Profile[] {
  return inject('cluster') ? ['embedded', 'cluster'] : ['embedded']
}

/**
 * Empty stores of their own; closing them drops everything that is in them.
 * @param settings further settings by the names of their variables, for example `SERAI_BASE_PATH`
 */
export async function openTestServices(
  profile: Profile,
  settings: Readonly<Record<string, string>> = {},
  options: OpenOptions = {}
): Promise<TestServices> {
  const config = configOf(profile, randomBytes(6).toString('hex'), settings)
  const services = await openServices(config, options)
  const close = async () => {
    await services.close()
    await drop(config)
  }
  return { ...services, config, close }
}

/**
 * Stores with the example data, shared by all test files: only to be read. The first one who asks imports it.
 * @param folders what they hold; the recordings want `corpus` alone
 */
export async function openCorpusServices(
  profile: Profile,
  settings: Readonly<Record<string, string>> = {},
  folders: readonly DataFolder[] = ['corpus', 'guide'],
  options: OpenOptions = {}
): Promise<TestServices> {
  const name = folders.join('_')
  const config = configOf(profile, name, settings)
  await once(`${name}-${profile}`, async () => {
    const services = await openServices(config)
    try {
      for (const folder of folders) {
        const { problems } = await importCorpus(join(import.meta.dirname, '../fixtures', folder), services)
        if (problems.length > 0) throw new Error(JSON.stringify(problems, null, 2))
      }
    } finally {
      await services.close()
    }
  })
  return { ...(await openServices(config, options)), config }
}

/** The application over these services; close it before them. */
export function testApp(services: TestServices, options: AppOptions = {}): Promise<FastifyInstance> {
  return buildApp(services.config, services, options)
}

/** The application listening on a free port of this machine. */
export interface TestServer {
  readonly services: TestServices
  /** Address of the API, without slash at the end. */
  readonly base: string
  /** Ends it and its services. */
  close(): Promise<void>
}

/** Serves on a free port; closes the services too. */
export async function testServer(services: TestServices, options: AppOptions = {}): Promise<TestServer> {
  const app = await testApp(services, options)
  // Else it waits for connections that clients keep.
  endConnectionsAfterAnswers(app.server)
  const root = await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    services,
    base: `${root}${services.config.basePath}/api/v1`,
    close: async () => {
      await app.close()
      await services.close()
    }
  }
}

/** Value of an `Authorization` header for a person, valid for an hour. */
export async function bearer(services: Services, userId: string): Promise<string> {
  const expires = Math.floor(Date.now() / 1000) + 3600
  return `Bearer ${await signAppToken(userId, expires, services.apiSecret)}`
}

function configOf(profile: Profile, name: string, settings: Readonly<Record<string, string>>): Config {
  const cluster = inject('cluster')
  if (profile === 'cluster' && !cluster) throw new Error('the cluster profile cannot be tested in this run')
  return readConfig({
    SERAI_DATA_DIR: join(inject('runFolder'), `${profile}-${name}`),
    SERAI_DEMO_DATA: 'false',
    SERAI_LOG_LEVEL: 'silent',
    // Tests ask much in short time, on machines that have other things to do; those of the limits switch them on.
    SERAI_RATE_LIMIT: 'off',
    SERAI_CONCURRENCY_LIMIT: 'off',
    SERAI_MAX_EVENT_LOOP_DELAY: 'off',
    SERAI_MAX_HEAP_USE: 'off',
    ...(profile === 'cluster' && cluster
      ? {
          SERAI_ELASTICSEARCH_URL: cluster.elasticsearch,
          SERAI_ELASTICSEARCH_INDEX: `${inject('run')}_${name}`,
          SERAI_MONGODB_URL: cluster.mongodb,
          SERAI_MONGODB_DATABASE: `${inject('run')}_${name}`
        }
      : {}),
    ...settings
  })
}

async function drop({ dataDir, storage }: Config): Promise<void> {
  await rm(dataDir, { recursive: true, force: true })
  if (storage.kind === 'embedded') return
  const elasticsearch = new Client({ node: storage.elasticsearchUrl })
  const mongodb = new MongoClient(storage.mongodbUrl)
  try {
    const indices = await elasticsearch.indices.get({
      index: `${storage.elasticsearchIndex}*`,
      expand_wildcards: 'all'
    })
    for (const index of Object.keys(indices)) await elasticsearch.indices.delete({ index })
    await mongodb.db(storage.mongodbDatabase).dropDatabase()
  } finally {
    await Promise.all([elasticsearch.close(), mongodb.close()])
  }
}

/** Does some work once in the whole run, whichever of its processes comes first; the others wait for it. */
async function once(name: string, work: () => Promise<void>): Promise<void> {
  const result = join(inject('runFolder'), `${name}.result`)
  const report = async (text: string) => {
    await writeFile(`${result}.tmp`, text)
    await rename(`${result}.tmp`, result)
  }
  const mine = await mkdir(join(inject('runFolder'), `${name}.begun`)).then(
    () => true,
    () => false
  )
  if (mine) {
    await work().then(
      () => report(''),
      error => report(String(error))
    )
  }
  for (const end = Date.now() + IMPORT_PATIENCE; !existsSync(result); await delay(100)) {
    if (Date.now() > end) throw new Error(`${name}: the process that does it did not finish`)
  }
  const problem = await readFile(result, 'utf8')
  if (problem) throw new Error(`${name}: ${problem}`)
}
