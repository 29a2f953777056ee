/**
 * One line of the log for every request, written when its answer is sent or its client is gone. The framework's own two
 * lines are off (`app.ts`): they cost as much as a small search.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { RequestMetrics } from '../../metrics/request-metrics.ts'
import { ActiveRequest } from '../active-request.ts'
import { askedQuery } from '../asked-query.ts'

declare module 'fastify' {
  interface FastifyRequest {
    active: ActiveRequest
  }
  interface FastifyContextConfig {
    /** Its requests are logged at level `debug`: health, which is asked for all the time. */
    quiet?: boolean
  }
}

/** What the plugin takes. */
export interface RequestLogOptions {
  /** Milliseconds to the first byte of the answer from which on a request is logged as slow; absent: none is. */
  readonly slow?: number
  /** Absent: requests are not counted. */
  readonly metrics?: RequestMetrics
}

/** Status of a request whose client is gone before its answer was sent; only in the log. */
const CLIENT_GONE = 499

/** Parameters of URLs that let their reader in, and their values. */
const SECRETS = /((?:^|[?&])(?:[\w-]*token|password|client_secret)=)[^&#]*/gi

/** Gives requests their id in the answer, and writes the lines. */
export const requestLog = fp<RequestLogOptions>(
  async (app: FastifyInstance, { slow = Number.POSITIVE_INFINITY, metrics }) => {
    const end = (request: FastifyRequest, reply: FastifyReply, status: number) => {
      const { active, routeOptions, method } = request
      const route = routeOf(request)
      if (active.isOver) return
      active.isOver = true
      const ms = Math.round(reply.elapsedTime * 10) / 10
      metrics?.end(active, method, route, status, ms / 1000)
      const isSlow = (active.answeredAfter ?? ms) >= slow
      const line = {
        method,
        route,
        url: withoutSecrets(request.originalUrl),
        status,
        ms,
        bytes: active.bytes,
        user: request.caller?.user?.user_id,
        ip: request.ip,
        failure: active.failure
      }
      if (isSlow) request.log.warn({ ...line, query: askedQuery(request) }, 'a slow request')
      else if (routeOptions.config?.quiet) request.log.debug(line)
      else request.log.info(line)
    }

    app.decorateRequest('active')
    app.addHook('onRequest', (request, reply, done) => {
      const active = new ActiveRequest(request.raw.socket)
      request.active = active
      metrics?.begin(active, routeOf(request))
      reply.header('x-request-id', request.id)
      reply.raw.once('close', () => {
        if (!reply.raw.writableFinished) end(request, reply, CLIENT_GONE)
      })
      done()
    })
    app.addHook('onSend', (request, reply, payload, done) => {
      request.active.answeredAfter = reply.elapsedTime
      done(null, payload)
    })
    app.addHook('onResponse', (request, reply, done) => {
      end(request, reply, reply.statusCode)
      done()
    })
  },
  { name: 'request-log' }
)

/** The pattern of the route, in one spelling of the two that routes have; undefined where there is none. */
export function routeOf({ routeOptions: { url } }: FastifyRequest): string | undefined {
  return url !== undefined && url.length > 1 && url.endsWith('/') ? url.slice(0, -1) : url
}

/** A URL as it may stand in the log. */
export function withoutSecrets(url: string): string {
  return url.includes('=') ? url.replace(SECRETS, '$1…') : url
}
