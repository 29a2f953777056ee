/** User groups (`datasets-users-groups.md` §3). The group of everybody, `all`, is none of them. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { EVERYBODY } from '../../access/caller.ts'
import { failure } from '../../errors.ts'
import type { Group, GroupOrder } from '../../storage/documents.ts'
import { requestUrl } from '../request-url.ts'
import { rowPage, rowPagination, withNulls } from '../row-pagination.ts'
import { ErrorAnswer, ValidationAnswer } from '../schemas/common.ts'
import { RowPageUrl } from '../schemas/lists.ts'
import { GroupAnswer, GroupParameters, GroupsAnswer } from '../schemas/people.ts'
import { withoutSlash } from '../without-slash.ts'

const ORDERS: readonly GroupOrder[] = ['group_id', 'group_name', 'owner']

const Query = Type.Object({
  group_id: Type.Optional(Type.Array(Type.String(), { description: 'Only these groups.' })),
  user_id: Type.Optional(
    Type.String({ description: 'Only groups that this person owns or is a member of.' })
  ),
  search_terms: Type.Optional(
    Type.String({
      maxLength: 500,
      description: 'Parts of the name, with blanks between them, all of which must be there, in any case.',
      examples: ['theory semi']
    })
  ),
  ...RowPageUrl(ORDERS, '`group_id`')
})

/** The group's JSON, with null for what is not known. */
function presentGroup(group: Group) {
  const { group_id, group_name, description = null, owner, members, members_info } = group
  return { group_id, group_name, description, owner, members: [...members], members_info: [...members_info] }
}

/** Registers the routes. */
export const groupRoutes: FastifyPluginAsyncTypebox = async app => {
  const { documents } = app.services

  app.get(
    '/groups',
    {
      onRequest: withoutSlash,
      schema: {
        tags: ['groups'],
        summary: 'List groups of users',
        description: 'Groups that meet all of the filters.',
        querystring: Query,
        response: { 200: GroupsAnswer, 400: ErrorAnswer, 422: ValidationAnswer }
      }
    },
    async request => {
      const { group_id, user_id, search_terms = '' } = request.query
      const page = rowPage(request.query, ORDERS, null)
      const terms = [...new Set(search_terms.split(/\s+/))].filter(term => term !== '')
      const { total, groups } = await documents.listGroups(
        {
          ...(group_id ? { groupIds: group_id } : {}),
          ...(user_id !== undefined ? { userId: user_id } : {}),
          nameContains: terms
        },
        {
          orderBy: (page.order_by ?? 'group_id') as GroupOrder,
          order: page.order,
          offset: page.start,
          limit: page.page_size
        }
      )
      const pagination = rowPagination(page, total, requestUrl(request))
      return { pagination: withNulls(pagination) as never, data: groups.map(presentGroup) }
    }
  )

  app.get(
    '/groups/:group_id',
    {
      schema: {
        tags: ['groups'],
        summary: 'One group of users',
        params: GroupParameters,
        response: { 200: GroupAnswer, 404: ErrorAnswer }
      }
    },
    async ({ params: { group_id } }) => {
      const group = group_id === EVERYBODY ? undefined : await documents.group(group_id)
      if (!group) throw failure('GROUP_NOT_FOUND', { group_id })
      return presentGroup(group)
    }
  )
}
