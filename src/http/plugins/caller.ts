/**
 * Who is asking, on every request: after the body is known to be JSON and before it is validated (`auth.md` §1, order of
 * checks). A wrong token is an error also where anonymous callers are welcome.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ANONYMOUS, type Caller, identify } from '../../access/caller.ts'
import { failure } from '../../errors.ts'
import type { User } from '../../storage/documents.ts'

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller
  }
  interface FastifyContextConfig {
    /** The route does not look at the caller at all (health). */
    callerless?: boolean
  }
}

/** Sets `request.caller`. */
export const caller = fp(
  async (app: FastifyInstance) => {
    const { documents, apiSecret } = app.services
    app.decorateRequest('caller')
    app.addHook('preValidation', async request => {
      const { authorization } = request.headers
      request.caller =
        authorization === undefined || request.routeOptions.config.callerless
          ? ANONYMOUS
          : await identify(authorization, { documents, secret: apiSecret })
    })
  },
  { name: 'who-asks' }
)

/**
 * The known person who asks.
 * @throws SeraiError AUTH_REQUIRED (401)
 */
export function requireUser(request: FastifyRequest): User {
  if (!request.caller.user) throw failure('AUTH_REQUIRED')
  return request.caller.user
}

/**
 * As `preValidation` of a route that is for known persons only: who is nobody is told so, whatever the parameters are.
 * @throws SeraiError AUTH_REQUIRED (401)
 */
export async function onlyKnown(request: FastifyRequest): Promise<void> {
  requireUser(request)
}
