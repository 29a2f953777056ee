/** Whether the server lives (`auth.md` §9.1), and whether it can answer. */
import type { FastifyPluginAsync } from 'fastify'
import type { StoreName, StoreState, StoreWatch } from '../../health/store-watch.ts'

/** Milliseconds that a store gets to answer. */
const LIMIT = 2000

/** A store as `/-/ready` shows it. */
type ShownStore = StoreState & { readonly engine: string; readonly optional?: true }

/**
 * `GET {base}/alive` and `GET /-/health`: the process answers. `GET /-/ready`: its stores do too; 503 when one does not.
 */
export const healthRoutes: FastifyPluginAsync = async app => {
  const options = {
    schema: { hide: true },
    config: { callerless: true, unlimited: true, quiet: true },
    // A client that only looks whether somebody is there is no reason to pack the answer.
    compress: false as const
  }
  app.get(`${app.config.basePath}/alive`, options, async (_request, reply) =>
    reply.type('application/json').send(JSON.stringify('I am, alive!'))
  )
  app.get('/-/health', options, async () => ({ healthcheck: 'ok' }))
  app.get('/-/ready', options, async (_request, reply) => {
    const stores = await shownStores(app.services.watches)
    const isReady = Object.values(stores).every(store => store.state === 'up' || store.optional)
    return reply
      .code(isReady ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ status: isReady ? 'ready' : 'not ready', stores })
  })
}

/** Every store by the name of what it keeps; several may be of one engine. */
async function shownStores(watches: readonly StoreWatch[]): Promise<Partial<Record<StoreName, ShownStore>>> {
  const states = await Promise.all(watches.map(watch => watch.check(LIMIT)))
  return Object.fromEntries(
    watches.flatMap(({ store: { engine, holds, isOptional } }, i) =>
      holds.map(name => [name, { engine, ...states[i], ...(isOptional ? { optional: true } : {}) }])
    )
  )
}
