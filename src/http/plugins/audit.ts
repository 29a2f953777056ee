/**
 * The audit log of requests: sign-ins, tokens, and every request of a known person to an operation that may change
 * something, also those that are refused. A line is written before the answer is sent.
 */
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { AuditDetails, AuditEvent, AuditLog, AuditName } from '../../access/audit.ts'
import { isReading } from '../operation-access.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What a route adds to the line; where nobody is known there is a line only if it is set. */
    audited: AuditDetails | undefined
  }
  interface FastifyContextConfig {
    /** What the line is about; without it `write`, for operations that may change something. */
    audit?: AuditName
  }
}

/** Longest path that is told. */
const LONGEST_PATH = 500

/** Writes the lines; must come before the routes. */
export const audit = fp(
  async (app: FastifyInstance) => {
    const log = app.services.audit ?? amongOthers(app)
    app.decorateRequest('audited', undefined)
    app.addHook('onSend', async (request, reply) => {
      const { access, audit: name } = request.routeOptions.config
      const event = name ?? (access && !isReading(access) ? 'write' : undefined)
      const user = request.caller?.user?.user_id
      if (event === undefined || (user === undefined && request.audited === undefined)) return
      const status = reply.statusCode
      const line: AuditEvent = {
        event,
        outcome: outcomeOf(status),
        ...(user !== undefined ? { user } : {}),
        ...request.audited,
        status,
        method: request.method,
        path: (request.originalUrl.split('?')[0] as string).slice(0, LONGEST_PATH),
        ip: request.ip,
        request: request.id
      }
      try {
        log.record(line)
      } catch (error) {
        // What was done is done, and its answer is true.
        request.log.error(error)
      }
    })
  },
  { name: 'audit' }
)

function outcomeOf(status: number): AuditEvent['outcome'] {
  if (status < 400) return 'done'
  if (status === 429) return 'throttled'
  return status < 500 ? 'refused' : 'failed'
}

/** Lines among those of the server's log, however little else is logged there. */
function amongOthers({ log }: FastifyInstance): AuditLog {
  const lines = log.child({ audit: true }, { level: 'info' })
  return { record: ({ request, ...event }) => lines.info({ reqId: request, ...event }) }
}
