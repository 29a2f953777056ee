/**
 * Traces by the libraries of OpenTelemetry, which this file alone names. Nothing is registered globally: the provider and the
 * context are objects of the process's {@link Traces}. Names of attributes are those of the semantic conventions for HTTP
 * servers and database clients (https://opentelemetry.io/docs/specs/semconv/); the server's own begin with `serai.`.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import {
  type Attributes,
  type Context,
  defaultTextMapGetter,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace
} from '@opentelemetry/api'
import { type ExportResult, ExportResultCode, hrTime, W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base'
import { defaultResource, type Resource, resourceFromAttributes } from '@opentelemetry/resources'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ConsoleSpanExporter,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
  type SpanExporter,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider
} from '@opentelemetry/sdk-trace'
import {
  ATTR_DB_OPERATION_NAME,
  ATTR_DB_SYSTEM_NAME,
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_HTTP_ROUTE,
  ATTR_NETWORK_PROTOCOL_VERSION,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_SERVICE_VERSION,
  ATTR_URL_PATH,
  ATTR_URL_SCHEME,
  ATTR_USER_AGENT_ORIGINAL
} from '@opentelemetry/semantic-conventions'
import type { StoreName } from '../health/store-watch.ts'
import type { CallObserver } from '../health/watched-store.ts'
import type { Log } from '../log.ts'
import type { TracesConfig } from '../traces-settings.ts'
import type { RequestSpan, TracedAnswer, TracedRequest, Traces } from './traces.ts'

/** Methods that the conventions know; others are told as `_OTHER`. */
const METHODS: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']
])

/** Characters of an attribute: what clients send may be long, and many spans wait together. */
const TEXT_MAX = 1000

/** Calls to stores that a request shows; a download makes thousands, which would push all other spans out of the queue. */
const CALLS_MAX = 200

/** Which software keeps what, by the storage profile, as the conventions name it; raw files are no database. */
const ENGINES: Readonly<Record<TracedProcess['profile'], Partial<Record<StoreName, string>>>> = {
  embedded: { documents: 'sqlite', accounts: 'sqlite', archives: 'sqlite', search: 'sqlite' },
  cluster: { documents: 'mongodb', accounts: 'mongodb', archives: 'mongodb', search: 'elasticsearch' }
}

/** What a process is. */
export interface TracedProcess {
  readonly version: string
  readonly profile: 'embedded' | 'cluster'
}

/** @param log told when spans cannot be sent, and when they can be again */
export function openTraces(config: TracesConfig, process: TracedProcess, log: Log): Traces {
  return new OpenTelemetryTraces(config, process, log)
}

/** A request and what is asked for it. */
interface ActiveSpan {
  readonly span: Span
  /** Of what belongs to it. */
  readonly context: Context
  /**
   * Milliseconds by which the clock of the day is ahead of that of the process. One for the whole request: the first counts whole
   * milliseconds, and calls to stores are shorter.
   */
  readonly ahead: number
  calls: number
}

class OpenTelemetryTraces implements Traces {
  readonly storeCall: CallObserver
  readonly #provider: TracerProvider
  readonly #tracer: Tracer
  readonly #active = new AsyncLocalStorage<ActiveSpan>()
  readonly #log: Log
  readonly #propagator: W3CTraceContextPropagator | undefined

  constructor(config: TracesConfig, { version, profile }: TracedProcess, log: Log) {
    this.#provider = new TracerProvider({
      resource: resourceOf(config, version),
      sampler: samplerOf(config),
      spanProcessors: config.exporters.map(exporter => processorOf(exporter, config, log)),
      spanLimits: { attributeValueLengthLimit: TEXT_MAX }
    })
    this.#tracer = this.#provider.getTracer('serai', version)
    this.#log = log
    this.#propagator = config.takesParents ? new W3CTraceContextPropagator() : undefined
    const engines = ENGINES[profile]
    this.storeCall = (store, operation, outcome, seconds) => {
      const request = this.#active.getStore()
      if (!request || ++request.calls > CALLS_MAX) return
      const engine = engines[store]
      const now = performance.now() + request.ahead
      const span = this.#tracer.startSpan(
        `${store}.${operation}`,
        {
          kind: engine === undefined || engine === 'sqlite' ? SpanKind.INTERNAL : SpanKind.CLIENT,
          startTime: hrTime(now - seconds * 1000),
          attributes: {
            'serai.store': store,
            [ATTR_DB_OPERATION_NAME]: operation,
            ...(engine !== undefined ? { [ATTR_DB_SYSTEM_NAME]: engine } : {}),
            ...(outcome !== 'ok' ? { [ATTR_ERROR_TYPE]: outcome } : {})
          }
        },
        request.context
      )
      // What is stopped because nobody waits for it has not failed.
      if (outcome !== 'ok' && outcome !== 'aborted') span.setStatus({ code: SpanStatusCode.ERROR })
      span.end(hrTime(now))
    }
  }

  begin(request: TracedRequest): RequestSpan | undefined {
    const { method, route, headers } = request
    const isKnown = METHODS.has(method)
    const shown = isKnown ? method : 'HTTP'
    const parent = this.#propagator?.extract(ROOT_CONTEXT, headers, defaultTextMapGetter) ?? ROOT_CONTEXT
    const attributes: Attributes = {
      [ATTR_HTTP_REQUEST_METHOD]: isKnown ? method : '_OTHER',
      [ATTR_HTTP_ROUTE]: route,
      [ATTR_URL_SCHEME]: request.scheme,
      [ATTR_URL_PATH]: request.path,
      [ATTR_SERVER_ADDRESS]: request.host,
      [ATTR_SERVER_PORT]: request.port,
      [ATTR_USER_AGENT_ORIGINAL]: headers['user-agent'],
      [ATTR_NETWORK_PROTOCOL_VERSION]: request.version,
      'serai.request_id': request.id
    }
    const ahead = Date.now() - performance.timeOrigin - performance.now()
    const span = this.#tracer.startSpan(
      route === undefined ? shown : `${shown} ${route}`,
      { kind: SpanKind.SERVER, attributes, startTime: hrTime(performance.now() + ahead) },
      parent
    )
    if (!span.isRecording()) return undefined
    const active: ActiveSpan = { span, context: trace.setSpan(parent, span), ahead, calls: 0 }
    return {
      traceId: span.spanContext().traceId,
      run: work => this.#active.run(active, work),
      end: answer => endOf(active, answer)
    }
  }

  flush(): void {
    this.#provider.forceFlush().catch(() => {})
  }

  async close(limit: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const over = new Promise<'over'>(resolve => {
      timer = setTimeout(resolve, limit, 'over')
    })
    // What could not be sent is told by who sends.
    const end = await Promise.race([this.#provider.shutdown().catch(() => {}), over])
    clearTimeout(timer)
    if (end === 'over') this.#log.warn(`the last traces could not be sent within ${Math.round(limit)} ms`)
  }
}

function endOf({ span, ahead, calls }: ActiveSpan, { status, failure, isCut }: TracedAnswer): void {
  if (status !== undefined) span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, status)
  if (isCut) span.setAttribute('serai.cut_off', true)
  if (calls > CALLS_MAX) span.setAttribute('serai.calls_left_out', calls - CALLS_MAX)
  // What the client did wrong, or that it is gone, is no error of the server.
  if ((status !== undefined && status >= 500) || (isCut && failure !== undefined)) {
    span.setAttribute(ATTR_ERROR_TYPE, failure ?? String(status))
    span.setStatus({ code: SpanStatusCode.ERROR })
  }
  span.end(hrTime(performance.now() + ahead))
}

/** What is told of the process with all its spans. */
function resourceOf({ attributes }: TracesConfig, version: string): Resource {
  const own = {
    [ATTR_SERVICE_VERSION]: version,
    'service.instance.id': randomUUID(),
    'host.name': hostname(),
    'process.pid': process.pid
  }
  return defaultResource().merge(resourceFromAttributes({ ...own, ...attributes }))
}

function samplerOf({ sampler, sampledShare }: TracesConfig): Sampler {
  const root = {
    always_on: () => new AlwaysOnSampler(),
    always_off: () => new AlwaysOffSampler(),
    traceidratio: () => new TraceIdRatioBasedSampler(sampledShare)
  }[sampler.replace('parentbased_', '') as 'always_on' | 'always_off' | 'traceidratio']()
  return sampler.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root
}

function processorOf(exporter: 'otlp' | 'console', config: TracesConfig, log: Log): SpanProcessor {
  if (exporter === 'console') return new SimpleSpanProcessor({ exporter: new ConsoleSpanExporter() })
  const { url, protocol, headers, timeout, compression, batches } = config
  const Exporter = protocol === 'http/json' ? JsonExporter : ProtobufExporter
  const otlp = new Exporter({
    url,
    headers: { ...headers },
    timeoutMillis: timeout,
    compression: compression === 'gzip' ? CompressionAlgorithm.GZIP : CompressionAlgorithm.NONE
  })
  return new BatchSpanProcessor({
    exporter: new ToldExporter(otlp, url, log),
    scheduledDelayMillis: batches.delay,
    exportTimeoutMillis: batches.timeout,
    maxQueueSize: batches.queued,
    maxExportBatchSize: batches.sent
  })
}

/** Tells the log when spans cannot be sent, once, and when they can be again: the libraries are silent. */
class ToldExporter implements SpanExporter {
  readonly #exporter: SpanExporter
  readonly #address: string
  readonly #log: Log
  #lost = 0

  constructor(exporter: SpanExporter, url: string, log: Log) {
    this.#exporter = exporter
    this.#address = withoutSecrets(url)
    this.#log = log
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#exporter.export(spans, result => {
      this.#tell(spans.length, result)
      done(result)
    })
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown()
  }

  async forceFlush(): Promise<void> {
    await this.#exporter.forceFlush?.()
  }

  #tell(spans: number, { code, error }: ExportResult): void {
    if (code === ExportResultCode.SUCCESS) {
      if (this.#lost > 0)
        this.#log.info({ spans: this.#lost }, `traces are sent again; ${this.#lost} spans could not be sent`)
      this.#lost = 0
      return
    }
    if (this.#lost === 0) {
      const reason = reasonOf(error)
      this.#log.warn(
        { reason },
        `traces cannot be sent to ${this.#address}: ${reason}; requests are answered as before, and this is not told again`
      )
    }
    this.#lost += spans
  }
}

/** An address without a password and a key that may be in it. */
function withoutSecrets(url: string): string {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}

/** Why spans were not taken: what the network says, or the status of the answer, in one line. */
function reasonOf(error: (Error & { code?: unknown }) | undefined): string {
  const { message = '', code } = error ?? {}
  const status = typeof code === 'number' ? `${code} ` : ''
  return `${status}${message || (code ?? 'no answer')}`.split('\n')[0] as string
}
