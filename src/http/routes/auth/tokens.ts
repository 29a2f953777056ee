/** Signing in, app tokens and signature tokens (`auth.md` §3.1 to §3.4). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { signAppToken } from '../../../access/app-token.ts'
import type { AuditDetails } from '../../../access/audit.ts'
import { subjectOf } from '../../../access/identity-provider.ts'
import { SignInThrottle } from '../../../access/throttle.ts'
import { isLoopback } from '../../../access-settings.ts'
import { type DetailItem, failure, SeraiError } from '../../../errors.ts'
import { requireUser } from '../../plugins/caller.ts'
import { KeysAnswer, TokenAnswer, TokenForm, TokenUrl } from '../../schemas/auth.ts'
import { ErrorAnswer, ValidationAnswer } from '../../schemas/common.ts'

/** Seconds that a signature token is valid. */
const SIGNATURE_LIFE = 10

const FORM = 'application/x-www-form-urlencoded'

/** Name and password out of a form or a URL. */
type Fields = Readonly<Record<string, unknown>>

const answers = {
  200: TokenAnswer,
  401: ErrorAnswer,
  422: ValidationAnswer,
  429: ErrorAnswer,
  503: ErrorAnswer
}

/** @throws SeraiError INVALID (422) that never repeats what was sent */
function requireFields(fields: Fields, part: 'body' | 'query'): { username: string; password: string } {
  const problems: DetailItem[] = []
  const text = (name: string) => {
    const value = [fields[name]].flat().at(-1)
    if (typeof value === 'string' && value !== '') return value
    problems.push({ type: 'missing', loc: [part, name], msg: 'Field required', input: null })
    return ''
  }
  const username = text('username')
  const password = text('password')
  const grant = fields.grant_type ?? ''
  if (part === 'body' && grant !== '' && grant !== 'password') {
    problems.push({
      type: 'string_pattern_mismatch',
      loc: [part, 'grant_type'],
      msg: "String should match pattern '^password$'",
      ctx: { pattern: '^password$' }
    })
  }
  if (problems.length > 0) throw new SeraiError('INVALID', problems)
  return { username, password }
}

/** A detail of an audit line, if it is known. */
function withId(name: 'user' | 'about', id: string | undefined): AuditDetails {
  return id === undefined ? {} : { [name]: id }
}

/** Headers by which a proxy says that it passes on what somebody else asks. */
const PASSED_ON = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'] as const

/** Whether a program of this machine asks. */
function isLocal({ socket, headers }: FastifyRequest): boolean {
  return isLoopback(socket.remoteAddress ?? '') && PASSED_ON.every(name => headers[name] === undefined)
}

/** Registers the routes. */
export const tokenRoutes: FastifyPluginAsyncTypebox = async app => {
  const { accounts, documents, identity, apiSecret } = app.services
  const { appTokenMaxExpiresIn } = app.config.access
  const throttle = new SignInThrottle(accounts)

  /** @throws SeraiError PASSWORD_WRONG (401), SIGN_IN_THROTTLED (429), PROVIDER_UNAVAILABLE (503) */
  async function signIn(
    request: FastifyRequest,
    reply: FastifyReply,
    fields: Fields,
    part: 'body' | 'query'
  ) {
    // Also errors are about this moment and this caller only.
    reply.header('cache-control', 'no-store').header('pragma', 'no-cache')
    const { username, password } = requireFields(fields, part)
    request.audited = {}
    try {
      const answer = await throttle.attempt(username, request.ip, () =>
        identity.signIn(username, password, isLocal(request))
      )
      if (!answer) throw failure('PASSWORD_WRONG')
      request.audited = withId('user', subjectOf(answer.access_token))
      return answer
    } catch (error) {
      request.audited = withId('about', await accountOf(username))
      throw error
    }
  }

  /** Id of the one person whose user name or e-mail address this is; what was typed is told to nobody. */
  async function accountOf(name: string): Promise<string | undefined> {
    const found = await Promise.all([documents.usersByName([name]), documents.usersByEmail([name])]).catch(
      () => []
    )
    const ids = new Set(found.flat().map(user => user.user_id))
    return ids.size === 1 ? [...ids][0] : undefined
  }

  app.addContentTypeParser(FORM, { parseAs: 'string' }, (_request, body, done) =>
    done(null, Object.fromEntries(new URLSearchParams(body as string)))
  )

  app.post(
    '/token',
    {
      config: { audit: 'sign-in' },
      // What is wrong is told without repeating a password.
      validatorCompiler: () => () => true,
      // Not even an empty body is refused before.
      preValidation: async request => {
        if (!request.headers['content-type']?.toLowerCase().startsWith(FORM)) request.body = {} as never
      },
      schema: {
        tags: ['auth'],
        summary: 'Sign in with user name and password',
        description:
          'The password grant of OAuth 2. The token of the answer is what *Authorize* on this page uses.',
        security: [],
        consumes: [FORM],
        body: TokenForm,
        response: answers
      }
    },
    async (request, reply) => signIn(request, reply, request.body as Fields, 'body')
  )

  app.get(
    '/token',
    {
      config: { audit: 'sign-in' },
      validatorCompiler: () => () => true,
      schema: {
        tags: ['auth'],
        summary: 'Sign in with user name and password in the URL',
        description: 'As older scripts do it. Addresses are written to logs on their way; a form is not.',
        security: [],
        querystring: TokenUrl,
        response: answers
      }
    },
    async (request, reply) => signIn(request, reply, request.query as Fields, 'query')
  )

  app.get(
    '/signature_token',
    {
      config: { audit: 'signature-token.made' },
      schema: {
        tags: ['auth'],
        summary: 'Get a token for one download link',
        description:
          'To be added to the address of a download as `signature_token`. It is valid for ten seconds.',
        response: { 200: Type.Object({ signature_token: Type.String() }), 401: ErrorAnswer, 403: ErrorAnswer }
      }
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store')
      return { signature_token: await tokenFor(request, SIGNATURE_LIFE) }
    }
  )

  app.get(
    '/app_token',
    {
      config: { audit: 'app-token.made' },
      schema: {
        tags: ['auth'],
        summary: 'Get a token that lives as long as you choose',
        description:
          'For scripts. Who holds it may do what you may do, except getting more tokens, until it expires; it cannot be revoked. ' +
          'A personal access token can.',
        querystring: Type.Object({
          expires_in: Type.Integer({
            exclusiveMinimum: 0,
            maximum: appTokenMaxExpiresIn,
            description: 'Seconds until it expires.',
            examples: [86_400]
          })
        }),
        response: {
          200: Type.Object({ app_token: Type.String() }),
          401: ErrorAnswer,
          403: ErrorAnswer,
          422: ValidationAnswer
        }
      }
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store')
      return { app_token: await tokenFor(request, request.query.expires_in) }
    }
  )

  app.get(
    '/jwks',
    {
      schema: {
        tags: ['auth'],
        summary: 'Public keys of the access tokens that this server issues',
        description:
          'A JSON Web Key Set, for other services that verify them. Empty when a provider issues the tokens.',
        security: [],
        response: { 200: KeysAnswer }
      }
    },
    async (_request, reply) => {
      reply.header('cache-control', 'public, max-age=300')
      return (await identity.publicKeys()) as never
    }
  )

  function tokenFor(request: FastifyRequest, seconds: number): Promise<string> {
    const expires = Math.floor(Date.now() / 1000) + seconds
    request.audited = { expires: new Date(expires * 1000).toISOString() }
    return signAppToken(requireUser(request).user_id, expires, apiSecret)
  }
}
