/** Liveness (`auth.md` §9.1). */
import type { FastifyPluginAsync } from 'fastify'

/** `GET {base}/alive`, `GET /-/health`. */
export const healthRoutes: FastifyPluginAsync = async app => {
  const options = { schema: { hide: true }, config: { callerless: true, unlimited: true } }
  app.get(`${app.config.basePath}/alive`, options, async (_request, reply) =>
    reply.type('application/json').send(JSON.stringify('I am, alive!'))
  )
  app.get('/-/health', options, async () => ({ healthcheck: 'ok' }))
}
