/** Persons (`datasets-users-groups.md` §2). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { failure } from '../../errors.ts'
import type { User } from '../../storage/documents.ts'
import { typedNames } from '../../storage/person-names.ts'
import { requireUser } from '../plugins/caller.ts'
import { presentMe, presentPerson } from '../present/user.ts'
import { ErrorAnswer, ValidationAnswer } from '../schemas/common.ts'
import { MeAnswer, PeopleAnswer, PersonAnswer, UserParameters } from '../schemas/people.ts'
import { withoutSlash } from '../without-slash.ts'

/** Most persons that a typed name finds. */
const FOUND_MAX = 1000

const Query = Type.Object({
  prefix: Type.Optional(
    Type.String({
      maxLength: 200,
      description:
        'Beginnings of first, last and user names, all of which must be there, in any case and with or without accents; or a ' +
        'whole e-mail address.',
      examples: ['nov']
    })
  ),
  user_id: Type.Optional(Type.Array(Type.String(), { description: 'Ids of persons.' })),
  username: Type.Optional(Type.Array(Type.String(), { description: 'User names, whole.' })),
  email: Type.Optional(Type.Array(Type.String(), { description: 'E-mail addresses, whole.' }))
})

/** Persons in the order in which they were asked for; several of one value by id. */
function inOrder(users: readonly User[], values: readonly string[], value: (user: User) => string): User[] {
  const found = new Map<string, User[]>()
  for (const user of users.toSorted((a, b) => (a.user_id < b.user_id ? -1 : 1))) {
    found.set(value(user), [...(found.get(value(user)) ?? []), user])
  }
  return values.flatMap(v => found.get(v) ?? [])
}

/** Registers the routes. */
export const userRoutes: FastifyPluginAsyncTypebox = async app => {
  const { documents } = app.services

  const byEmail = async (given: readonly string[]) => {
    const emails = given.map(email => email.toLowerCase())
    return inOrder(await documents.usersByEmail(emails), emails, user => user.email?.toLowerCase() ?? '')
  }

  /** Nobody learns an address by trying its beginnings: it counts as a whole only. */
  const typed = async (text: string) => {
    const names = typedNames(text)
    if (names.length === 0) return []
    const named = await documents.usersNamed(names, FOUND_MAX)
    const addressed = await byEmail([text.trim()])
    return [...named, ...addressed.filter(user => !named.some(other => other.user_id === user.user_id))]
  }

  app.get(
    '/users/me',
    {
      schema: {
        tags: ['users'],
        summary: 'Who you are',
        description: 'The person who asks. Needs a token.',
        response: { 200: MeAnswer, 401: ErrorAnswer }
      }
    },
    async request => presentMe(requireUser(request))
  )

  app.get(
    '/users',
    {
      onRequest: withoutSlash,
      schema: {
        tags: ['users'],
        summary: 'Find persons',
        description:
          'The persons of these ids, then of these user names, of these e-mail addresses, and who is found by what was typed ' +
          '(`prefix`), each part in the order of the request; unknown ones are left out, and nobody is found when nothing is ' +
          'asked. E-mail addresses are never told.',
        querystring: Query,
        response: { 200: PeopleAnswer, 422: ValidationAnswer }
      }
    },
    async ({ query: { prefix = '', user_id = [], username = [], email = [] } }) => {
      const asked = [
        ...inOrder(await documents.users(user_id), user_id, user => user.user_id),
        ...inOrder(await documents.usersByName(username), username, user => user.username),
        ...(await byEmail(email))
      ]
      const admin = (user: User) => ({ is_admin: user.is_admin === true })
      return {
        data: [
          ...asked.map(user => ({ ...presentPerson(user), ...admin(user), is_oasis_admin: false })),
          ...(await typed(prefix)).map(user => ({ ...presentPerson(user), ...admin(user) }))
        ]
      }
    }
  )

  app.get(
    '/users/:user_id',
    {
      schema: {
        tags: ['users'],
        summary: 'One person',
        params: UserParameters,
        response: { 200: PersonAnswer, 404: ErrorAnswer }
      }
    },
    async ({ params }) => {
      const user = await documents.user(params.user_id)
      if (!user) throw failure('USER_NOT_FOUND')
      return presentPerson(user)
    }
  )
}
