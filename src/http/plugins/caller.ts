/**
 * Who is asking and whether they may ask, on every request: after the body is known to be JSON and before it is validated
 * (`auth.md` §1, order of checks). A wrong token is an error also where anonymous callers are welcome.
 */
import { parseCookie } from 'cookie'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Authenticator, type Credentials } from '../../access/authenticator.ts'
import { ANONYMOUS, type Caller } from '../../access/caller.ts'
import { failure } from '../../errors.ts'
import type { User } from '../../storage/documents.ts'
import { isReading, type OperationAccess, operationAccess } from '../operation-access.ts'

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller
  }
  interface FastifyContextConfig {
    /** The route does not look at the caller at all (health). */
    callerless?: boolean
    /** What the operation asks of its caller; absent for a route that does not look at the caller. */
    access?: OperationAccess
  }
}

/** Methods of a route that are registered together ask the same. */
function accessOf(methods: readonly string[], url: string, basePath: string): OperationAccess | undefined {
  const [first] = methods.filter(method => method !== 'OPTIONS')
  return first === undefined ? undefined : operationAccess(first, url, basePath)
}

/** Sets `request.caller`; refuses who may not ask. Must come before the routes. */
export const caller = fp(
  async (app: FastifyInstance) => {
    const { documents, accounts, identity, apiSecret } = app.services
    const { basePath, access: settings } = app.config
    const authenticator = new Authenticator({
      documents,
      accounts,
      identity,
      apiSecret,
      anonymousScopes: settings.anonymousScopes,
      ...(settings.authorizedUsers ? { authorizedUsers: settings.authorizedUsers } : {}),
      ...(settings.unauthorizedScopes ? { unauthorizedScopes: settings.unauthorizedScopes } : {})
    })

    app.addHook('onRoute', route => {
      if (route.config?.callerless) return
      const access = accessOf([route.method].flat(), route.url, basePath)
      if (!access) return
      route.config = { ...route.config, access }
      // Where everybody is welcome the document's own list stands, which has "nobody" in it.
      if (access.known && route.schema) {
        route.schema = { ...route.schema, security: [{ OAuth2PasswordBearer: [] }, { AppToken: [] }] }
      }
    })

    app.decorateRequest('caller')
    app.addHook('onRequest', async request => {
      request.caller = ANONYMOUS
    })
    app.addHook('preValidation', async request => {
      const { access } = request.routeOptions.config
      if (!access) return
      const identity = await authenticator.identify(credentials(request, access))
      if (!identity.caller.user && (access.known || settings.requireAuthentication)) {
        throw failure('AUTH_REQUIRED')
      }
      request.caller = identity.caller
      const missing = access.scopes.filter(scope => !identity.scopes.has(scope))
      if (missing.length > 0) {
        throw failure('SCOPES_MISSING', { scopes: missing.map(scope => `'${scope}'`).join(', ') })
      }
    })
    app.addHook('onSend', async (request, reply) => {
      const { access } = request.routeOptions.config
      // It may have changed groups or tokens: who reads this answer finds them changed. Who may not has changed nothing.
      if (!access || isReading(access) || reply.statusCode === 403) return
      if (request.caller.user) authenticator.forget()
    })
  },
  { name: 'who-asks' }
)

/** The tokens that came with a request, by the ways that its operation knows. */
function credentials(request: FastifyRequest, access: OperationAccess): Credentials {
  const bearer = request.headers.authorization?.match(/^bearer(?:\s+(.*))?$/is)
  if (bearer) return { bearer: (bearer[1] ?? '').trim() }
  const query = request.query as Record<string, unknown>
  const uploadToken = access.uploadToken
    ? (last(request.headers['upload-token']) ?? last(query.token))
    : undefined
  const signatureToken = access.signatureToken ? last(query.signature_token) : undefined
  const cookie = tokenInCookie(request)
  return {
    ...(uploadToken !== undefined ? { uploadToken } : {}),
    ...(signatureToken !== undefined ? { signatureToken } : {}),
    ...(cookie !== undefined ? { cookie } : {})
  }
}

/** The last one of a repeated value; an empty one counts as none. */
function last(value: unknown): string | undefined {
  const text = Array.isArray(value) ? value.at(-1) : value
  return typeof text === 'string' && text !== '' ? text : undefined
}

/** The token of the cookie `Authorization`, unless a page of somebody else makes the browser send it. */
function tokenInCookie(request: FastifyRequest): string | undefined {
  const { cookie } = request.headers
  if (cookie === undefined || !/\bauthorization=/i.test(cookie) || isFromElsewhere(request)) return undefined
  const token = parseCookie(cookie).Authorization?.replace(/^Bearer /i, '')
  return token === '' ? undefined : token
}

/**
 * Whether another site's page made the browser ask. Browsers send cookies along then, which nobody there may use to read
 * or change things; following a link is fine.
 */
function isFromElsewhere({ headers, method }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) {
    const followed = headers['sec-fetch-mode'] === 'navigate' && (method === 'GET' || method === 'HEAD')
    return site === 'cross-site' && !followed
  }
  const { origin } = headers
  return origin !== undefined && URL.parse(origin)?.host !== headers.host
}

/**
 * The known person who asks.
 * @throws SeraiError AUTH_REQUIRED (401)
 */
export function requireUser(request: FastifyRequest): User {
  if (!request.caller.user) throw failure('AUTH_REQUIRED')
  return request.caller.user
}
