/**
 * `request.signal`, which tells when the client is gone. The one that the framework has listens to the request, which is
 * over as soon as its body is read; this one listens to the answer.
 */
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/** Gives every request its signal; it is made when it is asked for. */
export const requestSignal = fp(
  async (app: FastifyInstance) => {
    app.addHook('onRequest', async (request, reply) => {
      let signal: AbortSignal | undefined
      Object.defineProperty(request, 'signal', {
        get: () => {
          if (signal) return signal
          const controller = new AbortController()
          signal = controller.signal
          if (reply.raw.destroyed) controller.abort()
          else {
            reply.raw.once('close', () => {
              if (!reply.raw.writableFinished) controller.abort()
            })
          }
          return signal
        }
      })
    })
  },
  { name: 'request-signal' }
)
