/** `serai serve`: opens the stores, listens, brings the example data on the first start, and stops gracefully. */
import cluster from 'node:cluster'
import { createServer } from 'node:net'
import type { Logger } from 'pino'
import { buildApp } from '../app.ts'
import { type Config, loadConfig, type Overrides } from '../config.ts'
import type { CallObserver } from '../health/watched-store.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { ALL } from '../query/tree.ts'
import { learnPackages, openServices, type Services } from '../services.ts'
import type { Traces } from '../traces/traces.ts'
import { VERSION } from '../version.ts'
import { endConnectionsAfterAnswers } from './connections.ts'
import { bringDemoData } from './demo-data.ts'
import { DEMO_PASSWORD, demoUsers } from './demo-users.ts'
import { serveMetrics } from './metrics-server.ts'
import { serverLog } from './server-log.ts'
import { onShutdown } from './shutdown.ts'
import { returnStartMemory } from './start-memory.ts'
import { WorkerProcess } from './worker.ts'

/** Milliseconds that the last spans get to be sent when the server ends; a collector that is not there does not keep it. */
const LAST_SPANS = 2000

/** Milliseconds before the end of a process that is told what it has not waited for. */
const LAST_WORD = 50

/**
 * Runs the server until it is told to stop.
 * @throws Error with one clear message: bad settings, port taken, store not usable
 */
export async function serve(overrides: Overrides): Promise<void> {
  const config = loadConfig(overrides)
  if (cluster.isWorker) return serveHere(config, await WorkerProcess.join())
  await requireFreePort(config)
  if (config.workers === 1) return serveHere(config)
  const { serveWithWorkers } = await import('./primary.ts')
  return serveWithWorkers(config)
}

/** Serves with this process. @param worker given when others serve too */
async function serveHere(config: Config, worker?: WorkerProcess): Promise<void> {
  const log = await serverLog(config.logLevel)
  const metrics = await openMetrics(config)
  const traces = await openTraces(config, log)
  const observe = everyObserver([metrics?.storeCall, traces?.storeCall])
  const services = await openServices(config, { log, watch: true, ...(observe ? { observe } : {}) })
  metrics?.follow(services.watches)
  const stop = new AbortController()
  try {
    const app = await buildApp(config, services, {
      log,
      ...(metrics ? { metrics } : {}),
      ...(traces ? { traces } : {}),
      ...(worker ? { counts: worker.counts, metricsText: () => worker.metricsOfAll() } : {})
    })
    if (metrics) worker?.onMetrics(() => metrics.registry.getMetricsAsJSON())
    worker?.onImported(() => learnPackages(services))
    const running = endConnectionsAfterAnswers(app.server)
    const readers = metrics && !worker ? await serveMetrics(config, () => metrics.text()) : undefined
    if (readers) log.info(`metrics at ${readers.listeningOrigin}/-/metrics`)
    onShutdown(config.shutdownTimeout, async ({ signal, error }) => {
      if (error) log.fatal(error)
      stop.abort()
      const end = performance.now() + config.shutdownTimeout - 2 * LAST_WORD
      // Requests that are cut off in the end do not take the traces of the others with them.
      const flush = setTimeout(() => traces?.flush(), Math.max(0, config.shutdownTimeout - LAST_SPANS))
      await stopped(log, signal ?? 'an error', config.shutdownTimeout, running, async () => {
        await app.close()
        clearTimeout(flush)
        const left = Math.max(0, end - performance.now())
        await Promise.all([traces?.close(Math.min(LAST_SPANS, left)), readers?.close(), services.close()])
      })
    })
    await app.listen({
      host: config.host,
      port: config.port,
      listenTextResolver: address => `listening at ${address}`
    })
    const address = app.addresses()[0] as { port: number }
    const profile = config.storage.kind
    log.info(
      { profile, version: VERSION, node: process.version, address: rootOf(config, address.port) },
      `ready: ${rootOf(config, address.port)}, ${profile} profile, Serai ${VERSION}, after ${seconds(performance.now())} s`
    )
    worker?.ready()
    if (!worker || worker.leads) {
      if (config.storage.kind === 'embedded' && config.demoData)
        await bringDemoData(config, services, stop.signal)
      worker?.imported()
      process.stdout.write(await greeting(config, services, address.port))
    }
    returnStartMemory()
  } catch (error) {
    // Who asked it to end has begun that.
    if (stop.signal.aborted) return
    await services.close()
    throw error
  }
}

/** What the process is counted with, if anybody may read it. */
async function openMetrics({ monitoring, storage }: Config): Promise<Metrics | undefined> {
  if (!monitoring.metrics) return undefined
  const { Metrics } = await import('../metrics/metrics.ts')
  return new Metrics({ version: VERSION, profile: storage.kind })
}

/** Where requests and calls to stores are traced, if the settings ask for it. */
async function openTraces({ traces, storage }: Config, log: Logger): Promise<Traces | undefined> {
  if (!traces) return undefined
  const { openTraces } = await import('../traces/open-telemetry.ts')
  return openTraces(traces, { version: VERSION, profile: storage.kind }, log)
}

/** Tells all of them of a call; undefined when there are none. */
function everyObserver(observers: readonly (CallObserver | undefined)[]): CallObserver | undefined {
  const all = observers.filter(observer => observer !== undefined)
  if (all.length < 2) return all[0]
  return (...call) => {
    for (const observe of all) observe(...call)
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

/** Stops, and tells so: why, what is waited for, and how it ended. */
async function stopped(
  log: Logger,
  why: string,
  limit: number,
  running: () => number,
  stop: () => Promise<void>
): Promise<void> {
  const begun = performance.now()
  const answers = running()
  log.info(
    { answers },
    `stopping because of ${why}: ${answers} requests are under way and get ${limit / 1000} s`
  )
  const last = setTimeout(
    () => log.warn({ answers: running() }, `stopping now: ${running()} requests are cut off`),
    Math.max(0, limit - LAST_WORD)
  )
  await stop()
  clearTimeout(last)
  log.info(`stopped after ${seconds(performance.now() - begun)} s: every request was answered`)
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 10) / 100
}

/** Address of the API. */
function rootOf({ host, basePath }: Config, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}${basePath}/api/v1`
}

/** What a user reads when the server is ready. */
async function greeting(config: Config, services: Services, port: number): Promise<string> {
  // An address that stands for all addresses of the machine is none that a browser opens.
  const root = rootOf(config, port).replace(/^http:\/\/(?:0\.0\.0\.0|\[::\])(?=:)/, 'http://localhost')
  const entries = await services.index.count(ALL)
  const profile =
    config.storage.kind === 'embedded' ? 'embedded (SQLite)' : 'cluster (Elasticsearch and MongoDB)'
  return `
  Serai ${VERSION}
  listening   ${rootOf(config, port)}
  profile     ${profile}
  data        ${config.dataDir}${config.workers > 1 ? `\n  processes   ${config.workers}` : ''}
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
