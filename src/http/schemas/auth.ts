/** Requests and answers of the routes that issue tokens (`auth.md` §3). */
import Type from 'typebox'
import { SCOPES } from '../../access/scopes.ts'
import { Nullable, OneOf, PaginationAnswer } from './common.ts'

/** The form of the password grant. */
export const TokenForm = Type.Object({
  grant_type: Type.Optional(OneOf(['password'], { default: 'password' })),
  username: Type.String({ description: 'User name or e-mail address.' }),
  password: Type.String({ format: 'password' }),
  scope: Type.Optional(Type.String({ description: 'Not looked at.' })),
  client_id: Type.Optional(Type.String({ description: 'Not looked at.' })),
  client_secret: Type.Optional(Type.String({ description: 'Not looked at.', format: 'password' }))
})

/** The same as URL parameters. */
export const TokenUrl = Type.Object({
  username: Type.String({ description: 'User name or e-mail address.' }),
  password: Type.String({ format: 'password' })
})

/** What who signs in gets. */
export const TokenAnswer = Type.Object(
  {
    access_token: Type.String(),
    token_type: Type.String(),
    expires_in: Nullable(Type.Integer({ description: 'Seconds.' })),
    refresh_token: Nullable(Type.String()),
    scope: Nullable(Type.String()),
    id_token: Nullable(Type.String()),
    refresh_expires_in: Nullable(Type.Integer())
  },
  { description: 'Send the token as `Authorization: Bearer <access_token>`.' }
)

/** A JSON Web Key Set. */
export const KeysAnswer = Type.Object({
  keys: Type.Array(Type.Object({ kid: Type.String() }, { additionalProperties: true }))
})

/** What is asked of a personal access token. */
export const PersonalTokenBody = Type.Object(
  {
    metadata: Type.Object({
      name: Type.String({ minLength: 1, maxLength: 200 }),
      scopes: Type.Array(Type.String(), {
        maxItems: 200,
        description: `What the token may be used for: ${SCOPES.filter(scope => !scope.startsWith('tokens:')).join(', ')}.`
      }),
      description: Type.Optional(Nullable(Type.String({ maxLength: 2000 })))
    }),
    expires_in_days: Type.Optional(
      Nullable(
        Type.Integer({ default: 30, description: 'Days until it expires; null: never, if that is allowed.' })
      )
    )
  },
  { examples: [{ metadata: { name: 'ci', scopes: ['entries:read', 'uploads:read'] }, expires_in_days: 30 }] }
)

/** A personal access token. */
const PersonalToken = Type.Object({
  id: Type.String(),
  name: Type.String(),
  scopes: Type.Array(Type.String()),
  description: Nullable(Type.String()),
  revoked: Type.Boolean(),
  created_at: Type.String(),
  expired_at: Nullable(Type.String()),
  last_used_at: Nullable(Type.String())
})

/** The answer about one. */
export const PersonalTokenAnswer = PersonalToken

/** The answer that shows the raw token, once. */
export const NewPersonalTokenAnswer = Type.Object({ pat: PersonalToken, raw_token: Type.String() })

const Time = Type.Optional(Type.String({ description: 'ISO 8601.' }))

/** What lists of personal access tokens can be ordered by. */
export const PERSONAL_TOKEN_ORDERS = [
  'created_desc',
  'created_asc',
  'expires_asc',
  'expires_desc',
  'last_used_asc',
  'last_used_desc',
  'name_asc',
  'name_desc'
] as const

/** Which personal access tokens a list shows. */
export const PersonalTokensUrl = Type.Object({
  search: Type.Optional(Type.String({ description: 'A part of the name, in any case.' })),
  revoked: Type.Optional(Type.Boolean()),
  state: Type.Optional(OneOf(['active', 'inactive'])),
  created_after: Time,
  created_before: Time,
  last_used_after: Time,
  last_used_before: Time,
  expires_after: Time,
  expires_before: Time,
  page_size: Type.Optional(Type.Integer({ description: 'Number of tokens on a page (default 10).' })),
  order_by: Type.Optional(OneOf(PERSONAL_TOKEN_ORDERS, { default: 'created_desc' })),
  order: Type.Optional(OneOf(['asc', 'desc'])),
  page: Type.Optional(Type.Integer()),
  page_offset: Type.Optional(Type.Integer()),
  page_after_value: Type.Optional(Type.String())
})

/** A page of them. */
export const PersonalTokensAnswer = Type.Object({
  query: Type.Object({}, { additionalProperties: true }),
  pagination: Type.Object(
    Object.fromEntries(Object.entries(PaginationAnswer.properties).map(([name, s]) => [name, Nullable(s)]))
  ),
  data: Type.Array(PersonalToken)
})
