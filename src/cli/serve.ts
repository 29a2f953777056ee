/** `serai serve`: opens the stores, listens, brings the example data on the first start, and stops gracefully. */
import { createServer } from 'node:net'
import type { FastifyServerOptions } from 'fastify'
import pino from 'pino'
import { buildApp } from '../app.ts'
import { type Config, loadConfig, type Overrides } from '../config.ts'
import { ALL } from '../query/tree.ts'
import { openServices, type Services } from '../services.ts'
import { VERSION } from '../version.ts'
import { endConnectionsAfterAnswers } from './connections.ts'
import { bringDemoData } from './demo-data.ts'
import { DEMO_PASSWORD, demoUsers } from './demo-users.ts'
import { onShutdown } from './shutdown.ts'
import { returnStartMemory } from './start-memory.ts'

/** Bytes of the log that are written together, and milliseconds that they wait at most. */
const LOG_PART = 8 * 1024
const LOG_DELAY = 200

/**
 * Runs the server until it is told to stop.
 * @throws Error with one clear message: bad settings, port taken, store not usable
 */
export async function serve(overrides: Overrides): Promise<void> {
  const config = loadConfig(overrides)
  await requireFreePort(config)
  const services = await openServices(config)
  const stop = new AbortController()
  try {
    const app = await buildApp(config, services, { logger: await logger(config) })
    endConnectionsAfterAnswers(app.server)
    onShutdown(config.shutdownTimeout, async error => {
      if (error) app.log.fatal(error)
      stop.abort()
      await app.close()
      await services.close()
    })
    await app.listen({ host: config.host, port: config.port })
    if (config.storage.kind === 'embedded' && config.demoData)
      await bringDemoData(config, services, stop.signal)
    const address = app.addresses()[0] as { port: number }
    process.stdout.write(await greeting(config, services, address.port))
    returnStartMemory()
  } catch (error) {
    // Who asked it to end has begun that.
    if (stop.signal.aborted) return
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

async function logger(config: Config): Promise<FastifyServerOptions['logger']> {
  const level = config.logLevel
  if (!process.stdout.isTTY)
    return {
      level,
      stream: pino.destination({ dest: 1, sync: false, minLength: LOG_PART, periodicFlush: LOG_DELAY })
    }
  const { default: pretty } = await import('pino-pretty')
  return {
    level,
    stream: pretty({
      ignore: 'pid,hostname,reqId,method,url,status,ms,ip',
      translateTime: 'SYS:HH:MM:ss',
      messageFormat: '{msg}{if method}{method} {url} {status} in {ms} ms for {ip}{end}'
    })
  }
}

/** What a user reads when the server is ready. */
async function greeting(config: Config, services: Services, port: number): Promise<string> {
  const bracketed = config.host.includes(':') ? `[${config.host}]` : config.host
  // An address that stands for all addresses of the machine is none that a browser opens.
  const reachable = ['0.0.0.0', '[::]'].includes(bracketed) ? 'localhost' : bracketed
  const root = `http://${reachable}:${port}${config.basePath}/api/v1`
  const entries = await services.index.count(ALL)
  const profile =
    config.storage.kind === 'embedded' ? 'embedded (SQLite)' : 'cluster (Elasticsearch and MongoDB)'
  return `
  Serai ${VERSION}
  listening   http://${bracketed}:${port}${config.basePath}/api/v1
  profile     ${profile}
  data        ${config.dataDir}
  entries     ${entries}
  docs page   ${root}/extensions/docs
  openapi     ${root}/openapi.json
  try         curl '${root}/entries?elements=Ti&elements=O'
${await signInLines(config, services)}
`
}

/** Who can sign in, as lines of the greeting. */
async function signInLines({ access, host }: Config, services: Services): Promise<string> {
  if (access.oidc) return `  sign in     with ${access.oidc.issuer}\n`
  const users = await demoUsers(services)
  if (users.length === 0) return ''
  return access.demoUsers
    ? `  demo users  password ${DEMO_PASSWORD}: ${users.join(', ')}\n`
    : `  demo users  off, because the server listens on ${host}; docs/users-guide.md, Signing in\n`
}
