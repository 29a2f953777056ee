/** Personal access tokens of the caller (`auth.md` §3.5). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type, { type Static } from 'typebox'
import type { AuditDetails } from '../../../access/audit.ts'
import {
  createToken,
  isActive,
  type NewToken,
  ownToken,
  revokeToken,
  rotateToken
} from '../../../access/personal-tokens.ts'
import { invalid } from '../../../errors.ts'
import { timeSpan } from '../../../query/dates.ts'
import type { PersonalToken } from '../../../storage/accounts.ts'
import { requireUser } from '../../plugins/caller.ts'
import { requestUrl } from '../../request-url.ts'
import { rowPage, rowPagination, withNulls } from '../../row-pagination.ts'
import {
  NewPersonalTokenAnswer,
  PERSONAL_TOKEN_ORDERS,
  PersonalTokenAnswer,
  PersonalTokenBody,
  PersonalTokensAnswer,
  PersonalTokensUrl
} from '../../schemas/auth.ts'
import { ErrorAnswer, ValidationAnswer } from '../../schemas/common.ts'

/** Days that a token lives when nothing is said. */
const DEFAULT_DAYS = 30

const FILTERS = [
  'search',
  'revoked',
  'state',
  'created_after',
  'created_before',
  'last_used_after',
  'last_used_before',
  'expires_after',
  'expires_before'
] as const

/** Times of a token by the names of their filters. */
const TIMES = { created: 'created_at', last_used: 'last_used_at', expires: 'expired_at' } as const

type Query = Static<typeof PersonalTokensUrl>

function present({ user_id, digest, ...shown }: PersonalToken) {
  return { ...shown, scopes: [...shown.scopes] }
}

/** What the audit log tells of a new token. */
function told({ token: { id, scopes, expired_at } }: NewToken): AuditDetails {
  return { about: id, scopes, expires: expired_at }
}

function presentNew({ token, raw }: NewToken) {
  return { pat: present(token), raw_token: raw }
}

/**
 * Whether a token is among those that are asked for, as a test.
 * @throws SeraiError INVALID (422) for a time that is none
 */
function filterOf(query: Query): (token: PersonalToken) => boolean {
  const search = query.search?.toLowerCase()
  const bounds = Object.entries(TIMES).map(([name, member]) => ({
    member,
    after: moment(query, `${name}_after` as keyof Query),
    before: moment(query, `${name}_before` as keyof Query)
  }))
  return token =>
    (search === undefined || token.name.toLowerCase().includes(search)) &&
    (query.revoked === undefined || token.revoked === query.revoked) &&
    (query.state === undefined || isActive(token) === (query.state === 'active')) &&
    bounds.every(({ member, after, before }) => {
      if (after === undefined && before === undefined) return true
      const time = token[member]
      // What never was, or never will be, is in no interval.
      if (time === null) return false
      const at = Date.parse(time)
      return (after === undefined || at > after) && (before === undefined || at < before)
    })
}

function moment(query: Query, name: keyof Query): number | undefined {
  const text = query[name]
  if (text === undefined) return undefined
  const span = timeSpan(String(text))
  if (!span) {
    throw invalid(['query', name], 'Input should be a valid datetime', {
      type: 'datetime_parsing',
      input: text
    })
  }
  return span.first
}

/** The order that is asked for; missing times come first in ascending order, ties by id. */
function comparison(
  order: (typeof PERSONAL_TOKEN_ORDERS)[number]
): (a: PersonalToken, b: PersonalToken) => number {
  const [, name = '', direction] = /^(.+)_(asc|desc)$/.exec(order) ?? []
  const member = name === 'name' ? 'name' : TIMES[name as keyof typeof TIMES]
  const sign = direction === 'desc' ? -1 : 1
  return (a, b) => {
    const [x, y] = [a[member] ?? '', b[member] ?? '']
    if (x !== y) return x < y ? -sign : sign
    return a.id < b.id ? -1 : 1
  }
}

/** Registers the routes. */
export const personalTokenRoutes: FastifyPluginAsyncTypebox = async app => {
  const { accounts } = app.services
  const { patMaxLifetime, patMaxActive } = app.config.access
  const limits = { maxLifetime: patMaxLifetime, maxActive: patMaxActive }
  const Params = Type.Object({ pat_id: Type.String({ description: 'Id of the token.' }) })

  app.post(
    '/pats',
    {
      config: { audit: 'personal-token.made' },
      schema: {
        tags: ['auth'],
        summary: 'Make a personal access token',
        description:
          'A token for the scopes and days that you choose, which you can revoke. `raw_token` is the token; it is shown this once only.',
        body: PersonalTokenBody,
        response: {
          201: NewPersonalTokenAnswer,
          400: ErrorAnswer,
          401: ErrorAnswer,
          403: ErrorAnswer,
          422: ValidationAnswer
        }
      }
    },
    async (request, reply) => {
      const { metadata, expires_in_days = DEFAULT_DAYS } = request.body
      const wanted = { ...metadata, description: metadata.description ?? null, days: expires_in_days }
      const made = await createToken(requireUser(request).user_id, wanted, limits, accounts)
      request.audited = told(made)
      reply.header('cache-control', 'no-store').code(201)
      return presentNew(made)
    }
  )

  app.get(
    '/pats',
    {
      schema: {
        tags: ['auth'],
        summary: 'List your personal access tokens',
        querystring: PersonalTokensUrl,
        response: {
          200: PersonalTokensAnswer,
          400: ErrorAnswer,
          401: ErrorAnswer,
          403: ErrorAnswer,
          422: ValidationAnswer
        }
      }
    },
    async request => {
      const { query } = request
      const page = rowPage(query, PERSONAL_TOKEN_ORDERS)
      const matches = filterOf(query)
      const tokens = (await accounts.personalTokensOf(requireUser(request).user_id)).filter(matches)
      tokens.sort(comparison(page.order_by as (typeof PERSONAL_TOKEN_ORDERS)[number]))
      return {
        query: Object.fromEntries(FILTERS.map(name => [name, query[name] ?? null])),
        pagination: withNulls(rowPagination(page, tokens.length, requestUrl(request))) as never,
        data: tokens.slice(page.start, page.start + page.page_size).map(present)
      }
    }
  )

  app.get(
    '/pats/:pat_id',
    {
      schema: {
        tags: ['auth'],
        summary: 'Read about one of your personal access tokens',
        params: Params,
        response: { 200: PersonalTokenAnswer, 401: ErrorAnswer, 403: ErrorAnswer, 404: ErrorAnswer }
      }
    },
    async request => present(await ownToken(requireUser(request).user_id, request.params.pat_id, accounts))
  )

  app.post(
    '/pats/:pat_id/rotate',
    {
      config: { audit: 'personal-token.rotated' },
      schema: {
        tags: ['auth'],
        summary: 'Replace one of your personal access tokens',
        description: 'The token is revoked, and you get a new one like it that lives as long from now on.',
        params: Params,
        response: {
          200: NewPersonalTokenAnswer,
          400: ErrorAnswer,
          401: ErrorAnswer,
          403: ErrorAnswer,
          404: ErrorAnswer
        }
      }
    },
    async (request, reply) => {
      const { pat_id } = request.params
      const made = await rotateToken(requireUser(request).user_id, pat_id, limits, accounts)
      request.audited = { ...told(made), replaces: pat_id }
      reply.header('cache-control', 'no-store')
      return presentNew(made)
    }
  )

  app.delete(
    '/pats/:pat_id',
    {
      config: { audit: 'personal-token.revoked' },
      schema: {
        tags: ['auth'],
        summary: 'Revoke one of your personal access tokens',
        params: Params,
        response: { 204: Type.Null(), 401: ErrorAnswer, 403: ErrorAnswer, 404: ErrorAnswer }
      }
    },
    async (request, reply) => {
      const { pat_id } = request.params
      await revokeToken(requireUser(request).user_id, pat_id, accounts)
      request.audited = { about: pat_id }
      return reply.code(204).send(null)
    }
  )
}
