/**
 * A span for every request that is traced, from its first byte to the end of its answer; the lines that the log has of it get the id
 * of its trace. Health, which is asked for all the time, is not traced.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { RequestSpan, TracedRequest, Traces } from '../../traces/traces.ts'
import { routeOf } from './request-log.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Absent: the request is not traced. */
    span: RequestSpan | undefined
  }
}

/** What the plugin takes. */
export interface TracesOptions {
  readonly traces: Traces
}

/** Begins and ends the spans. To be registered before what answers requests or writes of them. */
export const traces = fp<TracesOptions>(
  async (app: FastifyInstance, options) => {
    const end = (request: FastifyRequest, reply: FastifyReply, isCut: boolean) => {
      const { span, active } = request
      if (!span) return
      request.span = undefined
      span.end({
        ...(!isCut || reply.raw.headersSent ? { status: reply.raw.statusCode } : {}),
        ...(active?.failure !== undefined ? { failure: active.failure } : {}),
        isCut
      })
    }

    app.decorateRequest('span', undefined)
    app.addHook('onRequest', (request, reply, done) => {
      const span = request.routeOptions.config?.quiet
        ? undefined
        : options.traces.begin(tracedRequest(request))
      if (!span) return done()
      request.span = span
      request.log = request.log.child({ trace_id: span.traceId })
      reply.log = request.log
      reply.raw.once('close', () => end(request, reply, !reply.raw.writableFinished))
      span.run(done)
    })
    app.addHook('onResponse', (request, reply, done) => {
      end(request, reply, false)
      done()
    })
  },
  { name: 'traces' }
)

function tracedRequest(request: FastifyRequest): TracedRequest {
  const { id, method, protocol, hostname, port, originalUrl, headers, raw } = request
  const route = routeOf(request)
  return {
    id,
    method,
    ...(route !== undefined ? { route } : {}),
    scheme: protocol,
    ...(hostname ? { host: hostname } : {}),
    ...(port ? { port } : {}),
    path: originalUrl.split(/[?#]/, 1)[0] as string,
    version: raw.httpVersion,
    headers
  }
}
