/**
 * Set-up of a test run: the stores of the cluster profile, from `SERAI_TEST_ELASTICSEARCH_URL` and
 * `SERAI_TEST_MONGODB_URL` or from containers where a Docker engine answers, and a folder for what test files share.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '@elastic/elasticsearch'
import { MongoClient } from 'mongodb'
import type { TestProject } from 'vitest/node'

/** Where the stores of the cluster profile answer. */
export interface ClusterUrls {
  readonly elasticsearch: string
  readonly mongodb: string
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Name of this run: every index and database that it makes begins with it. */
    run: string
    /** Folder of this run, removed at its end. */
    runFolder: string
    /** null: only the embedded profile is tested. */
    cluster: ClusterUrls | null
    /** Address of a Keycloak server; null: none is tested with. */
    keycloak: string | null
  }
}

const ELASTICSEARCH = 'docker.elastic.co/elasticsearch/elasticsearch:9.4.3'
const MONGODB = 'mongo:8.0'

interface Cluster {
  readonly urls: ClusterUrls
  /** Removes what the run has made. */
  readonly end: (run: string) => Promise<void>
}

/** Runs before all test files; gives what runs after them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const run = `serai_test_${randomBytes(6).toString('hex')}`
  const runFolder = join(tmpdir(), run)
  const cluster = given() ?? (await started())
  await mkdir(runFolder)
  project.provide('run', run)
  project.provide('runFolder', runFolder)
  project.provide('cluster', cluster?.urls ?? null)
  project.provide('keycloak', keycloak())
  return async () => {
    await cluster?.end(run)
    await rm(runFolder, { recursive: true, force: true })
  }
}

/** Without an address `vitest.config.ts` leaves the tests with Keycloak out. */
function keycloak(): string | null {
  const url = process.env.SERAI_TEST_KEYCLOAK_URL
  if (url) return url.replace(/\/+$/, '')
  process.stdout.write('Keycloak is not tested with: SERAI_TEST_KEYCLOAK_URL is not set.\n')
  return null
}

function given(): Cluster | undefined {
  const elasticsearch = process.env.SERAI_TEST_ELASTICSEARCH_URL
  const mongodb = process.env.SERAI_TEST_MONGODB_URL
  if (!elasticsearch !== !mongodb) {
    throw new Error('SERAI_TEST_ELASTICSEARCH_URL and SERAI_TEST_MONGODB_URL go together: set both or none')
  }
  if (!elasticsearch || !mongodb) return undefined
  const urls = { elasticsearch, mongodb }
  return { urls, end: run => dropStores(urls, run) }
}

/** Stores in containers; undefined when there is no Docker engine. Loaded late: most runs do not need it. */
async function started(): Promise<Cluster | undefined> {
  const { GenericContainer, getContainerRuntimeClient, Wait } = await import('testcontainers')
  try {
    await getContainerRuntimeClient()
  } catch {
    process.stdout.write(
      'Only the embedded profile is tested: SERAI_TEST_ELASTICSEARCH_URL and SERAI_TEST_MONGODB_URL are not set, and no Docker engine answers.\n'
    )
    return undefined
  }
  const [elasticsearch, mongodb] = await Promise.all([
    new GenericContainer(ELASTICSEARCH)
      .withEnvironment({
        'discovery.type': 'single-node',
        'xpack.security.enabled': 'false',
        ES_JAVA_OPTS: '-Xms768m -Xmx768m'
      })
      .withExposedPorts(9200)
      .withWaitStrategy(Wait.forHttp('/_cluster/health?wait_for_status=yellow', 9200))
      .withStartupTimeout(300_000)
      .start(),
    new GenericContainer(MONGODB).withExposedPorts(27017).withStartupTimeout(300_000).start()
  ])
  return {
    urls: {
      elasticsearch: `http://${elasticsearch.getHost()}:${elasticsearch.getMappedPort(9200)}`,
      mongodb: `mongodb://${mongodb.getHost()}:${mongodb.getMappedPort(27017)}`
    },
    end: async () => {
      await Promise.all([elasticsearch.stop(), mongodb.stop()])
    }
  }
}

/** Drops indices and databases whose names begin with that of the run; also those of test files that broke off. */
async function dropStores(urls: ClusterUrls, run: string): Promise<void> {
  const elasticsearch = new Client({ node: urls.elasticsearch })
  const mongodb = new MongoClient(urls.mongodb)
  try {
    const indices = await elasticsearch.indices.get({ index: `${run}*`, expand_wildcards: 'all' })
    for (const index of Object.keys(indices)) await elasticsearch.indices.delete({ index })
    const { databases } = await mongodb.db('admin').admin().listDatabases({ nameOnly: true })
    for (const { name } of databases) if (name.startsWith(run)) await mongodb.db(name).dropDatabase()
  } finally {
    await Promise.all([elasticsearch.close(), mongodb.close()])
  }
}
