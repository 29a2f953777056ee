/** What traces are sent to: it takes spans as a collector of OpenTelemetry does, and tells which. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { readConfig } from '../../src/config.ts'
import type { Log } from '../../src/log.ts'
import { openTraces } from '../../src/traces/open-telemetry.ts'
import type { Traces } from '../../src/traces/traces.ts'
import { logLines } from '../log-lines.ts'

/** Looks for spans that may take time to come, and milliseconds between two of them. */
const LOOKS = 500
const LOOK_INTERVAL = 20

/** A span that has come, with the names and values of its attributes. */
export interface SentSpan {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  /** 1: internal, 2: server, 3: client. */
  readonly kind: number
  /** 0: nothing is said, 2: error. */
  readonly status: number
  readonly attributes: Readonly<Record<string, unknown>>
  /** Of the process. */
  readonly resource: Readonly<Record<string, unknown>>
  /** Nanoseconds. */
  readonly begin: bigint
  readonly end: bigint
}

/** A request by which spans came. */
export interface Delivery {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** A running collector. */
export interface Collector {
  readonly url: string
  readonly port: number
  readonly deliveries: Delivery[]
  /** Those that came as JSON. */
  readonly spans: SentSpan[]
  /** Forgets what has come. */
  clear(): void
  /** Waits until so many spans of this kind have come. @throws Error when they do not come */
  wait(count: number, isMeant: (span: SentSpan) => boolean): Promise<SentSpan[]>
  close(): Promise<void>
}

/** @param port 0 takes a free one */
export async function collector(port = 0): Promise<Collector> {
  const deliveries: Delivery[] = []
  const spans: SentSpan[] = []
  const server = createServer(async (request, answer) => {
    const { url: path = '', headers } = request
    const body = await buffer(request)
    deliveries.push({ path, headers, body })
    if (path === '/refused') return answer.writeHead(401).end()
    const isJson = headers['content-type'] === 'application/json'
    if (isJson) spans.push(...spansOf(JSON.parse(body.toString())))
    answer.writeHead(200, { 'content-type': headers['content-type'] }).end(isJson ? '{}' : '')
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const { port: taken } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${taken}`,
    port: taken,
    deliveries,
    spans,
    clear: () => {
      deliveries.length = 0
      spans.length = 0
    },
    wait: async (count, isMeant) => {
      for (let look = 0; look < LOOKS; look++) {
        const found = spans.filter(isMeant)
        if (found.length >= count) return found
        await delay(LOOK_INTERVAL)
      }
      throw new Error(`not ${count} spans came, but ${spans.map(({ name }) => name).join(', ')}`)
    },
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    }
  }
}

/** The form of OTLP (https://opentelemetry.io/docs/specs/otlp/), as far as it is looked at. */
interface Pair {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Pair[] }
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<SentSpan, 'attributes' | 'status'> & {
        readonly attributes: readonly Pair[]
        readonly status: { readonly code?: number }
        readonly startTimeUnixNano: string
        readonly endTimeUnixNano: string
      })[]
    }[]
  }[]
}

function spansOf({ resourceSpans }: Export): SentSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(scope =>
      scope.spans.map(span => ({
        name: span.name,
        traceId: span.traceId,
        spanId: span.spanId,
        ...(span.parentSpanId !== undefined ? { parentSpanId: span.parentSpanId } : {}),
        kind: span.kind,
        status: span.status.code ?? 0,
        attributes: valuesOf(span.attributes),
        resource: valuesOf(resource.attributes),
        begin: BigInt(span.startTimeUnixNano),
        end: BigInt(span.endTimeUnixNano)
      }))
    )
  )
}

function valuesOf(pairs: readonly Pair[]): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, Object.values(value)[0]]))
}

/**
 * Traces that are sent soon.
 * @param settings by the names of their variables
 */
export function tracesTo(
  url: string,
  settings: Readonly<Record<string, string>> = {},
  profile: 'embedded' | 'cluster' = 'embedded',
  log: Log = logLines().log
): Traces {
  const { traces } = readConfig({
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_BSP_SCHEDULE_DELAY: '50',
    ...settings
  })
  if (!traces) throw new Error('there are no traces')
  return openTraces(traces, { version: '1.2.3', profile }, log)
}
