/** `serai serve`: opens the stores, brings the example data on the first start, listens, and stops gracefully. */
import { createServer } from 'node:net'
import { join } from 'node:path'
import closeWithGrace from 'close-with-grace'
import type { FastifyServerOptions } from 'fastify'
import { buildApp } from '../app.ts'
import { type Config, loadConfig, type Overrides } from '../config.ts'
import { ALL } from '../query/tree.ts'
import { openServices, type Services } from '../services.ts'
import { VERSION } from '../version.ts'
import { importWithProgress } from './import.ts'

/** Folders of the example data, in the order of their import. */
const DEMO_FOLDERS = ['corpus', 'guide'].map(name => join(import.meta.dirname, '../../fixtures', name))

/** Remembers in the store how far the example data is: absent, `started` or `done`. */
const DEMO_SETTING = 'demo_data'

/**
 * Runs the server until it is told to stop.
 * @throws Error with one clear message: bad settings, port taken, store not usable
 */
export async function serve(overrides: Overrides): Promise<void> {
  const config = loadConfig(overrides)
  await requireFreePort(config)
  const services = await openServices(config)
  try {
    if (config.storage.kind === 'embedded' && config.demoData) await importDemo(services)
    const app = await buildApp(config, services, { logger: logger(config) })
    closeWithGrace({ delay: config.shutdownTimeout, logger: false }, async ({ err }) => {
      if (err) app.log.fatal(err)
      await app.close()
      await services.close()
    })
    await app.listen({ host: config.host, port: config.port })
    const address = app.addresses()[0] as { port: number }
    process.stdout.write(await greeting(config, services, address.port))
  } catch (error) {
    await services.close()
    throw error
  }
}

/** Tells that a port is taken before minutes of import, not after. */
async function requireFreePort({ host, port }: Config): Promise<void> {
  const probe = createServer()
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject)
    probe.listen({ host, port }, () => probe.close(() => resolve()))
  }).catch((error: NodeJS.ErrnoException) => {
    const reasons: Record<string, string> = {
      EADDRINUSE: 'another program listens there; choose another port with --port or SERAI_PORT',
      EACCES: 'this user may not listen there; choose a port above 1023',
      EADDRNOTAVAIL: 'this machine has no such address',
      ENOTFOUND: 'this name has no address'
    }
    throw new Error(`cannot listen on ${host}:${port}: ${reasons[error.code ?? ''] ?? error.message}`)
  })
}

/** Imports the example data once; an interrupted import is taken up again, other people's data is left alone. */
async function importDemo(services: Services): Promise<void> {
  const state = await services.documents.setting(DEMO_SETTING)
  if (state === 'done') return
  if (state === undefined && (await services.index.count(ALL)) > 0) return
  await services.documents.putSetting(DEMO_SETTING, 'started')
  for (const folder of DEMO_FOLDERS) await importWithProgress(folder, services, 'Importing the example data')
  await services.documents.putSetting(DEMO_SETTING, 'done')
}

function logger(config: Config): FastifyServerOptions['logger'] {
  const level = config.logLevel
  return process.stdout.isTTY
    ? {
        level,
        transport: {
          target: 'pino-pretty',
          options: { ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' }
        }
      }
    : { level }
}

async function greeting(config: Config, services: Services, port: number): Promise<string> {
  const host = config.host.includes(':') ? `[${config.host}]` : config.host
  const root = `http://${host}:${port}${config.basePath}/api/v1`
  const entries = await services.index.count(ALL)
  const stores =
    config.storage.kind === 'embedded'
      ? `embedded, data in ${config.dataDir}`
      : `cluster, Elasticsearch and MongoDB, files in ${config.dataDir}`
  return `
  Serai ${VERSION}
  listening   ${root}
  profile     ${stores}
  entries     ${entries}
  docs page   ${root}/extensions/docs
  openapi     ${root}/openapi.json
  try         curl '${root}/entries?elements=Ti&elements=O'

`
}
