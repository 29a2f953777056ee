/** Search of entries and the metadata of one entry (`search.md` §6, §7.9). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { ownerQuery } from '../../../access/owner.ts'
import { failure } from '../../../errors.ts'
import { type Aggregations, readAggregations } from '../../../query/aggregation/aggregations.ts'
import { bodyPagination, type Pagination, urlPagination } from '../../../query/pagination.ts'
import { type RequiredFields, requiredFields } from '../../../query/required-fields.ts'
import { and, type Query } from '../../../query/tree.ts'
import { aggregatedSearch } from '../../aggregated-search.ts'
import { bodySearch, type EntrySearch, pageRequest, paginationAnswer, urlSearch } from '../../entry-search.ts'
import { entryTexts, withList } from '../../entry-text.ts'
import { acceptedFormat } from '../../formats.ts'
import { presentEntry } from '../../present/entry.ts'
import { requestUrl } from '../../request-url.ts'
import { ErrorAnswer, ValidationAnswer } from '../../schemas/common.ts'
import { EntryAnswer, RequiredUrl, SearchAnswer, SearchBody, SearchUrl } from '../../schemas/entries.ts'
import { STREAMED } from '../../schemas/exports.ts'
import { streamedSearch } from '../../streamed-search.ts'

/** One page, or everything. */
const SearchOrStream = {
  description: 'One page of entries; as lines or rows all entries.',
  content: { 'application/json': { schema: SearchAnswer }, ...STREAMED }
}

/** Of answers that are written here and not by the framework. */
const JSON_TYPE = 'application/json; charset=utf-8'

const ERRORS = { 400: ErrorAnswer, 401: ErrorAnswer, 403: ErrorAnswer, 422: ValidationAnswer }

/** Registers the routes. */
export const entrySearchRoutes: FastifyPluginAsyncTypebox = async app => {
  const { index, quantities } = app.services

  /** One page of a search as it is answered, `required` aside; `data` are the JSON texts of the entries. */
  const found = async (
    search: EntrySearch,
    pagination: Pagination,
    required: RequiredFields,
    signal: AbortSignal,
    { url, aggregations }: { url?: string; aggregations?: Aggregations } = {}
  ) => {
    const asked = pageRequest(search, pagination, { source: required.source, signal })
    const { page, answers } = aggregations?.size
      ? await aggregatedSearch(index, search, aggregations, asked)
      : { page: await index.search(asked), answers: undefined }
    return {
      owner: search.owner,
      query: search.echo,
      pagination: paginationAnswer(pagination, page, url),
      ...(answers ? { aggregations: answers } : {}),
      data: await entryTexts(page.hits, required)
    }
  }

  app.post(
    '/query',
    {
      schema: {
        tags: ['entries/metadata'],
        summary: 'Search entries',
        description:
          'Finds entries by their metadata and gives one page of them, and counts what is in all of them (`aggregations`). The answer ' +
          'repeats the request. With `Accept: application/x-ndjson` or `text/csv` all entries come, as lines or rows.',
        body: SearchBody,
        response: { 200: SearchOrStream, ...ERRORS }
      }
    },
    async (request, reply) => {
      const { body, caller, signal } = request
      const format = acceptedFormat(request)
      if (format !== 'json') return streamedSearch(request, reply, body, format, app.services)
      const search = bodySearch(body, caller, quantities)
      const pagination = bodyPagination(body.pagination, quantities)
      const aggregations = readAggregations(body.aggregations, quantities)
      const required = requiredFields(body.required, [pagination.orderName], quantities)
      const { data, ...answer } = await found(search, pagination, required, signal, { aggregations })
      const head = { ...answer, ...(body.required ? { required: required.echo } : {}) }
      return reply.type(JSON_TYPE).send(withList(head, 'data', data) as never)
    }
  )

  app.get(
    '/',
    {
      schema: {
        tags: ['entries/metadata'],
        summary: 'Search entries by URL',
        description:
          'The same search for a browser or curl. Every quantity is a parameter: ' +
          '`?results.material.elements=Ti&results.material.elements=O&results.material.n_elements__gte=3`.',
        querystring: SearchUrl,
        response: { 200: SearchAnswer, ...ERRORS }
      }
    },
    async (request, reply) => {
      const { query, caller, signal } = request
      const search = urlSearch(query, caller, quantities)
      const pagination = urlPagination(query, quantities)
      const required = requiredFields(query, [pagination.orderName], quantities)
      const { data, ...answer } = await found(search, pagination, required, signal, {
        url: requestUrl(request)
      })
      return reply
        .type(JSON_TYPE)
        .send(withList({ ...answer, required: required.echo }, 'data', data) as never)
    }
  )

  app.get(
    '/:entry_id',
    {
      schema: {
        tags: ['entries/metadata'],
        summary: 'Metadata of one entry',
        description:
          'Published entries are shown to everybody, also under embargo; others to those they are shared with.',
        params: Type.Object({ entry_id: Type.String({ description: 'The id of the entry.' }) }),
        querystring: Type.Object(RequiredUrl),
        response: { 200: EntryAnswer, 401: ErrorAnswer, 404: ErrorAnswer, 422: ValidationAnswer }
      }
    },
    async ({ params: { entry_id }, query, caller, signal }) => {
      const required = requiredFields(query, [], quantities)
      const only = { kind: 'terms', quantity: quantities.get('entry_id'), values: [entry_id] } as Query
      const visible = and(only, ownerQuery('all', caller, quantities))
      const page = await index.search({
        query: visible,
        order: 'asc',
        size: 1,
        source: required.source,
        signal
      })
      const [hit] = page.hits
      if (!hit) throw failure('ENTRY_NOT_FOUND')
      return {
        entry_id,
        required: required.echo as never,
        data: presentEntry(hit, required) as { entry_id: string }
      }
    }
  )
}
