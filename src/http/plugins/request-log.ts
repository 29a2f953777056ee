/**
 * One line of the log for every request, written when its answer is sent or its client is gone. The framework's own two
 * lines are off (`app.ts`): they cost as much as a small search.
 */
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/** Parameters of URLs that let their reader in, and their values. */
const SECRETS = /((?:^|[?&])(?:[\w-]*token|password|client_secret)=)[^&#]*/gi

/** Writes the lines at level `info`. */
export const requestLog = fp(
  async (app: FastifyInstance) => {
    app.addHook('onResponse', (request, reply, done) => {
      request.log.info({
        method: request.method,
        url: withoutSecrets(request.originalUrl),
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        ip: request.ip
      })
      done()
    })
  },
  { name: 'request-log' }
)

/** A URL as it may stand in the log. */
export function withoutSecrets(url: string): string {
  return url.includes('=') ? url.replace(SECRETS, '$1…') : url
}
