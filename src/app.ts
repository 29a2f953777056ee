/**
 * The application: (configuration, services) -> Fastify instance. No I/O of its own; `cli.ts` listens, tests inject.
 */
import compress from '@fastify/compress'
import cors from '@fastify/cors'
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyServerOptions,
  LogController
} from 'fastify'
import { completeUploadsOnly } from './access/complete-uploads.ts'
import type { Config } from './config.ts'
import { DownloadBuffers } from './http/download-buffers.ts'
import { EagerCollection } from './http/eager-collection.ts'
import { audit } from './http/plugins/audit.ts'
import { caller } from './http/plugins/caller.ts'
import { errors } from './http/plugins/errors.ts'
import { jsonBody } from './http/plugins/json-body.ts'
import { limits } from './http/plugins/limits.ts'
import { openapi } from './http/plugins/openapi.ts'
import { overload } from './http/plugins/overload.ts'
import { pageHeaders } from './http/plugins/page-headers.ts'
import { requestLog } from './http/plugins/request-log.ts'
import { requestSignal } from './http/plugins/request-signal.ts'
import { stalledClients } from './http/plugins/stalled-clients.ts'
import { traces } from './http/plugins/traces.ts'
import { unknownRoutes } from './http/plugins/unknown-routes.ts'
import { validation } from './http/plugins/validation.ts'
import { requestId } from './http/request-identity.ts'
import { personalTokenRoutes } from './http/routes/auth/personal-tokens.ts'
import { tokenRoutes } from './http/routes/auth/tokens.ts'
import { comingRoutes } from './http/routes/coming.ts'
import { datasetRoutes } from './http/routes/datasets.ts'
import { entryArchiveRoutes } from './http/routes/entries/archive.ts'
import { entryArchiveDownloadRoutes } from './http/routes/entries/archive-download.ts'
import { entryExportRoutes } from './http/routes/entries/export.ts'
import { entryRawRoutes } from './http/routes/entries/raw.ts'
import { entryRawFileRoutes } from './http/routes/entries/raw-file.ts'
import { entryRawdirRoutes } from './http/routes/entries/rawdir.ts'
import { entrySearchRoutes } from './http/routes/entries/search.ts'
import { groupRoutes } from './http/routes/groups.ts'
import { healthRoutes } from './http/routes/health.ts'
import { infoRoutes } from './http/routes/info.ts'
import { metainfoRoutes } from './http/routes/metainfo.ts'
import { metricsRoute } from './http/routes/metrics.ts'
import { suggestionRoutes } from './http/routes/suggestions.ts'
import { uploadArchiveRoutes } from './http/routes/uploads/archive.ts'
import { uploadEntriesRoutes } from './http/routes/uploads/entries.ts'
import { uploadListRoutes } from './http/routes/uploads/list.ts'
import { uploadRawRoutes } from './http/routes/uploads/raw.ts'
import { uploadRawdirRoutes } from './http/routes/uploads/rawdir.ts'
import { uploadRoutes } from './http/routes/uploads/upload.ts'
import { userRoutes } from './http/routes/users.ts'
import type { SharedCounts } from './limits/shared-counts.ts'
import type { Metrics } from './metrics/metrics.ts'
import type { Services } from './services.ts'
import type { Traces } from './traces/traces.ts'
import { VERSION } from './version.ts'

declare module 'fastify' {
  interface FastifyInstance {
    services: Services
    config: Config
    downloadBuffers: DownloadBuffers
    eagerCollection: EagerCollection
  }
}

/** What {@link buildApp} takes beside the configuration. */
export interface AppOptions {
  readonly logger?: FastifyServerOptions['logger']
  /** Instead of `logger`: one that is there already. */
  readonly log?: FastifyBaseLogger
  /** Where requests are counted; absent: nowhere. */
  readonly metrics?: Metrics
  /** Where requests are traced; absent: nowhere. */
  readonly traces?: Traces
  /** Where the requests of an address are counted together with those to other processes; Redis counts more. */
  readonly counts?: SharedCounts
  /** Gives what `/-/metrics` answers; default: what `metrics` has. Where several processes serve together, that of all. */
  readonly metricsText?: () => Promise<string>
}

/** The whole application, ready to listen or to be injected into. Closing it does not close the services. */
export async function buildApp(
  config: Config,
  services: Services,
  options: AppOptions = {}
): Promise<FastifyInstance> {
  const {
    logger = false,
    log,
    metrics,
    counts,
    metricsText = () => metrics?.text() ?? Promise.resolve('')
  } = options
  const { slowRequest, metrics: readers } = config.monitoring
  const app = fastify({
    ...(log ? { loggerInstance: log } : { logger }),
    genReqId: requestId,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: config.bodyLimit,
    trustProxy: config.limits.trustedProxies.length > 0 ? [...config.limits.trustedProxies] : false,
    // Python clients post to `datasets/` and the like (auth.md §1): both spellings are served.
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 2000 },
    return503OnClosing: false,
    forceCloseConnections: 'idle'
  })
  // What imports have not completed yet is nowhere found; commands, which need no application, see everything.
  const index = completeUploadsOnly(services.index, services.documents, services.quantities)
  app.decorate('services', { ...services, index })
  app.decorate('config', config)
  app.decorate('downloadBuffers', new DownloadBuffers())
  app.decorate('eagerCollection', new EagerCollection())

  await app.register(validation)
  await app.register(errors)
  if (options.traces) await app.register(traces, { traces: options.traces })
  await app.register(requestLog, {
    ...(slowRequest !== undefined ? { slow: slowRequest } : {}),
    ...(metrics ? { metrics: metrics.requests } : {})
  })
  await app.register(requestSignal)
  await app.register(pageHeaders, { root: `${config.basePath}/api/v1` })
  await app.register(stalledClients, { timeout: config.downloadStallTimeout })
  await app.register(unknownRoutes, { basePath: config.basePath, version: VERSION })
  await app.register(cors, {
    origin: true,
    credentials: true,
    exposedHeaders: [
      'Accept-Ranges',
      'Content-Digest',
      'Content-Disposition',
      'Content-Length',
      'Content-Range',
      'ETag',
      'Last-Modified',
      'RateLimit',
      'RateLimit-Policy',
      'Repr-Digest',
      'Retry-After',
      'X-Request-Id'
    ],
    maxAge: 600,
    optionsSuccessStatus: 200,
    strictPreflight: false
  })
  // A missing body is told to those who may ask: who is asking comes first.
  await app.register(caller)
  await app.register(audit)
  // Before anybody is looked up, after the answers to preflights, and so that pages of other origins can read a refusal.
  await app.register(overload, { limits: config.limits })
  await app.register(limits, {
    limits: config.limits,
    root: `${config.basePath}/api/v1`,
    ...(services.redis ? { redis: services.redis } : {}),
    ...(counts ? { counts } : {}),
    ...(metrics ? { metrics: metrics.requests } : {})
  })
  await app.register(compress, {
    global: true,
    threshold: 1000,
    encodings: ['gzip'],
    customTypes: /^text\/|[/+](?:x-nd)?json\b|[/+](?:text|xml)\b|octet-stream/
  })
  await app.register(jsonBody)
  await app.register(openapi, { basePath: config.basePath, version: VERSION })

  await app.register(healthRoutes)
  if (metrics && readers?.token !== undefined) {
    await app.register(metricsRoute, { text: metricsText, token: readers.token })
  }
  await app.register(
    async api => {
      await api.register(entrySearchRoutes, { prefix: '/entries' })
      await api.register(entryExportRoutes, { prefix: '/entries' })
      await api.register(entryArchiveRoutes, { prefix: '/entries' })
      await api.register(entryArchiveDownloadRoutes, { prefix: '/entries' })
      await api.register(entryRawRoutes, { prefix: '/entries' })
      await api.register(entryRawFileRoutes, { prefix: '/entries' })
      await api.register(entryRawdirRoutes, { prefix: '/entries' })
      await api.register(uploadListRoutes, { prefix: '/uploads' })
      await api.register(uploadRoutes, { prefix: '/uploads' })
      await api.register(uploadEntriesRoutes, { prefix: '/uploads' })
      await api.register(uploadArchiveRoutes, { prefix: '/uploads' })
      await api.register(uploadRawRoutes, { prefix: '/uploads' })
      await api.register(uploadRawdirRoutes, { prefix: '/uploads' })
      await api.register(datasetRoutes)
      await api.register(userRoutes)
      await api.register(groupRoutes)
      await api.register(metainfoRoutes)
      await api.register(suggestionRoutes)
      await api.register(infoRoutes)
      await api.register(tokenRoutes, { prefix: '/auth' })
      await api.register(personalTokenRoutes, { prefix: '/auth' })
      await api.register(comingRoutes)
    },
    { prefix: `${config.basePath}/api/v1` }
  )
  await app.ready()
  return app
}
