/** `GET /uploads`: the caller's uploads (`uploads.md` §2.1). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type, { type Static } from 'typebox'
import { EVERYBODY } from '../../../access/caller.ts'
import { SeraiError } from '../../../errors.ts'
import type { UploadFilter, UploadOrder } from '../../../storage/documents.ts'
import { requireUser } from '../../plugins/caller.ts'
import { presentUpload } from '../../present/upload.ts'
import { requestUrl } from '../../request-url.ts'
import { rowPage, rowPagination } from '../../row-pagination.ts'
import { ErrorAnswer, OneOf, ValidationAnswer } from '../../schemas/common.ts'
import { RowPageUrl } from '../../schemas/lists.ts'
import { UploadsAnswer } from '../../schemas/uploads.ts'
import { withoutSlash } from '../../without-slash.ts'

const ROLES = ['main_author', 'reviewer', 'coauthor'] as const
const ORDERS = [
  'upload_create_time',
  'publish_time',
  'upload_name',
  'last_status_message',
  'process_status'
] as const
const PROCESSING = ['PENDING', 'RUNNING', 'WAITING_FOR_RESULT']
const NOT_PROCESSING = ['READY', 'SUCCESS', 'FAILURE']

const Query = Type.Object({
  roles: Type.Optional(
    Type.Array(OneOf(ROLES), { description: 'Your part in the upload; group roles count. Default: any.' })
  ),
  include_all: Type.Optional(Type.Boolean({ description: 'Also uploads that are shared with everybody.' })),
  upload_id: Type.Optional(Type.Array(Type.String(), { description: 'Only these uploads.' })),
  upload_name: Type.Optional(
    Type.Array(Type.String(), {
      description: 'Only uploads of these names; `{"value": "quartz", "type": "fuzzy"}` finds parts of names.'
    })
  ),
  is_processing: Type.Optional(Type.Boolean({ description: 'Whether a process is running or waiting to.' })),
  is_published: Type.Optional(Type.Boolean({ description: 'Whether it is published, also under embargo.' })),
  process_status: Type.Optional(
    Type.String({
      description:
        'Only uploads with this status of processing, such as `FAILURE`; used instead of `is_processing`.'
    })
  ),
  is_owned: Type.Optional(Type.Boolean({ description: 'Whether you are the main author.' })),
  doi: Type.Optional(Type.String({ description: 'Only the upload with this DOI.' })),
  ...RowPageUrl(ORDERS, '`upload_create_time`')
})

/** @throws SeraiError INVALID (400) for a name filter that is not of the two known types */
function nameFilter(
  names: readonly string[] | undefined
): Pick<UploadFilter, 'uploadNames' | 'nameContains'> {
  if (!names) return {}
  const first = names[0] as string
  if (names.length > 1 || !first.startsWith('{')) return { uploadNames: names }
  let parsed: Record<string, unknown> | undefined
  try {
    parsed = JSON.parse(first) as Record<string, unknown>
  } catch {
    // Not JSON after all: a name may begin with a brace.
    return { uploadNames: names }
  }
  const { value, type, ...others } = parsed
  if (typeof value === 'string' && Object.keys(others).length === 0) {
    if (type === 'fuzzy') return { nameContains: value }
    if (type === 'exact') return { uploadNames: [value] }
  }
  throw new SeraiError('BAD_PARAMETER', `Invalid upload_name query value: ${first}`)
}

function uploadFilter(
  query: Static<typeof Query>,
  userId: string,
  groupIds: readonly string[]
): UploadFilter {
  const { is_processing, is_published, process_status, is_owned, upload_id } = query
  const status = process_status
    ? [process_status.toUpperCase()]
    : is_processing === undefined
      ? undefined
      : is_processing
        ? PROCESSING
        : NOT_PROCESSING
  return {
    member: {
      userId,
      groupIds: query.include_all ? groupIds : groupIds.filter(g => g !== EVERYBODY),
      roles: query.roles ?? ROLES
    },
    ...(upload_id ? { uploadIds: upload_id } : {}),
    ...nameFilter(query.upload_name),
    ...(is_published !== undefined ? { published: is_published } : {}),
    ...(status ? { processStatus: status } : {}),
    ...(is_owned !== undefined ? { owned: { userId, is: is_owned } } : {})
  }
}

/** The given filters, as the answer repeats them. */
function echo(query: Static<typeof Query>): Record<string, unknown> {
  const { upload_id, upload_name, is_processing, is_published, process_status, is_owned, doi } = query
  const shown = {
    upload_id,
    upload_name,
    is_processing,
    is_published,
    process_status: process_status?.toUpperCase(),
    is_owned,
    doi
  }
  return Object.fromEntries(Object.entries(shown).filter(([, v]) => v !== undefined))
}

/** Registers the route. */
export const uploadListRoutes: FastifyPluginAsyncTypebox = async app => {
  const { documents } = app.services

  app.get(
    '/',
    {
      onRequest: withoutSlash,
      schema: {
        tags: ['uploads'],
        summary: 'List your uploads',
        description:
          'Uploads in which you are main author, coauthor or reviewer, yourself or by a group. Needs a token.',
        querystring: Query,
        response: {
          200: UploadsAnswer,
          400: ErrorAnswer,
          401: ErrorAnswer,
          422: ValidationAnswer
        }
      }
    },
    async request => {
      const user = requireUser(request)
      const { query } = request
      const page = rowPage(query, ORDERS)
      const filter = uploadFilter(query, user.user_id, request.caller.groupIds)
      // No upload has a DOI of its own in this version, so a filter on one finds nothing.
      const { total, uploads } = query.doi
        ? { total: 0, uploads: [] }
        : await documents.listUploads(filter, {
            orderBy: page.order_by as UploadOrder,
            order: page.order,
            offset: page.start,
            limit: page.page_size
          })
      const counts = await documents.countEntries(uploads.map(u => u.upload_id))
      return {
        query: echo(query),
        pagination: rowPagination(page, total, requestUrl(request)) as never,
        data: uploads.map(u => presentUpload(u, counts.get(u.upload_id) ?? 0))
      }
    }
  )
}
