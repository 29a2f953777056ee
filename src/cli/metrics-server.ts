/** `/-/metrics` on a port of its own, which need not be open to everybody who may use the API. */
import fastify, { type FastifyInstance } from 'fastify'
import type { Config } from '../config.ts'
import { type MetricsRouteOptions, metricsRoute } from '../http/routes/metrics.ts'

/**
 * Listens.
 * @param listen port 0 takes a free one
 * @throws Error when the port is taken
 */
export async function metricsServer(
  listen: { readonly host: string; readonly port: number },
  options: MetricsRouteOptions
): Promise<FastifyInstance> {
  const app = fastify({ forceCloseConnections: true })
  await app.register(metricsRoute, options)
  await app.listen({ ...listen })
  return app
}

/**
 * Listens on the port of the settings, if the metrics have one of their own; undefined if not.
 * @param text gives what is answered
 * @throws Error when the port is taken
 */
export async function serveMetrics(
  { monitoring }: Pick<Config, 'monitoring'>,
  text: () => Promise<string>
): Promise<FastifyInstance | undefined> {
  const { listen, token } = monitoring.metrics ?? {}
  return listen && metricsServer(listen, { text, ...(token !== undefined ? { token } : {}) })
}
