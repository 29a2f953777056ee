/** `/-/metrics` on a port of its own, which need not be open to everybody who may use the API. */
import fastify, { type FastifyInstance } from 'fastify'
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
