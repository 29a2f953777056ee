/**
 * Ends the connections of clients that take nothing of their answers, so that files, pages of searches and buffers are not
 * held for them. Who only reads slowly goes on; who waits for the server is left alone.
 */
import { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/** The plugin; `timeout` in milliseconds. A connection is ended after one to two of them. */
export const stalledClients = fp<{ readonly timeout: number }>(
  async (app: FastifyInstance, { timeout }) => {
    app.addHook('onRequest', async (request, reply) => {
      const { raw } = reply
      // Injected requests have no client that could stall.
      if (!(request.raw.socket instanceof Socket)) return
      // The event comes when the socket has neither read nor written anything for the time; a write that is still going on
      // counts when some of its bytes went.
      raw.setTimeout(timeout, () => {
        if ((raw.socket?.writableLength ?? 0) > 0) raw.destroy()
      })
    })
  },
  { name: 'stalled-clients' }
)
