/** What is counted of the process, for Prometheus. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyPluginAsync } from 'fastify'

/** What the route takes. */
export interface MetricsRouteOptions {
  /** Gives the text. */
  readonly text: () => Promise<string>
  /** What `Authorization: Bearer …` must say; absent: nobody is asked. */
  readonly token?: string
}

/** `GET /-/metrics`. */
export const metricsRoute: FastifyPluginAsync<MetricsRouteOptions> = async (app, { text, token }) => {
  const isAllowed = (header: string | undefined) => {
    if (token === undefined) return true
    const given = /^bearer +(.+)$/i.exec(header ?? '')?.[1] ?? ''
    return timingSafeEqual(digest(given), digest(token))
  }
  app.get(
    '/-/metrics',
    { schema: { hide: true }, config: { callerless: true, unlimited: true, quiet: true } },
    async ({ headers }, reply) => {
      if (!isAllowed(headers.authorization)) {
        return reply
          .code(401)
          .header('www-authenticate', 'Bearer')
          .send({ detail: 'The token of the metrics is needed.' })
      }
      return reply
        .header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
        .header('cache-control', 'no-store')
        .send(await text())
    }
  )
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
