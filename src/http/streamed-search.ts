/** `POST /entries/query` for clients that ask for lines or a table: the whole result, not a page of it. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { invalid } from '../errors.ts'
import { bodyPagination } from '../query/pagination.ts'
import { requiredFields } from '../query/required-fields.ts'
import type { Services } from '../services.ts'
import { bodySearch } from './entry-search.ts'
import { EntryWalk } from './entry-walk.ts'
import type { Format } from './formats.ts'
import { columnsOf } from './present/entry-table.ts'
import { CSV, sendEntries } from './send-entries.ts'

/** The parts of the body that matter here, as the schema leaves them. */
export interface StreamedBody {
  readonly owner?: unknown
  readonly query?: unknown
  readonly pagination?: { readonly page_size?: unknown } | null
  readonly required?: Parameters<typeof requiredFields>[0]
  readonly aggregations?: object | null
}

/**
 * Sends every entry of the search, or as many as `page_size` says, which may be any number here. The other members of
 * `pagination` say where to begin.
 * @throws SeraiError as the answer with one page; INVALID (422) when aggregations are asked for too
 */
export function streamedSearch(
  request: FastifyRequest,
  reply: FastifyReply,
  body: StreamedBody,
  format: Exclude<Format, 'json'>,
  { index, quantities }: Pick<Services, 'index' | 'quantities'>
): Promise<FastifyReply> {
  if (Object.keys(body.aggregations ?? {}).length > 0) {
    throw invalid(
      ['body', 'aggregations'],
      'Aggregations come with JSON only, and this request accepts another form'
    )
  }
  const { query } = bodySearch(body, request.caller, quantities)
  const pagination = bodyPagination(body.pagination, quantities, Number.POSITIVE_INFINITY)
  const limit = (body.pagination?.page_size ?? null) === null ? undefined : pagination.echo.page_size
  const required = requiredFields(body.required, [pagination.orderName], quantities)
  return sendEntries(request, reply, {
    format,
    headers: { vary: 'accept', ...(format === 'csv' ? { 'content-type': CSV } : {}) },
    columns: columnsOf(required.echo, quantities),
    walk: signal => new EntryWalk(index, { query, pagination, required, limit, signal })
  })
}
