/** Archives of one entry and of the entries of a search (`archive.md` §6, §7). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { refuseOwnerAll } from '../../../access/owner.ts'
import { JsonText } from '../../../archive/json-text.ts'
import { parseRequired } from '../../../archive/required.ts'
import { bodyPagination, type Pagination, urlPagination } from '../../../query/pagination.ts'
import { ArchiveReader, type ReadArchive } from '../../../storage/archive-reader.ts'
import { archiveEntry, type EntryHead, HEAD_MEMBERS, headOf, sendArchive } from '../../archive-answer.ts'
import { withArchive } from '../../archive-text.ts'
import { bodySearch, type EntrySearch, pageRequest, paginationAnswer, urlSearch } from '../../entry-search.ts'
import { acceptedFormat } from '../../formats.ts'
import { requestUrl } from '../../request-url.ts'
import {
  ArchiveAnswer,
  ArchiveBody,
  ArchivesAnswer,
  ArchivesBody,
  ArchivesUrl,
  EntryParams,
  LinesOrArchives,
  NotModified
} from '../../schemas/archives.ts'
import { ErrorAnswer, ValidationAnswer } from '../../schemas/common.ts'
import { streamedArchives } from '../../streamed-archives.ts'
import { sendParts } from '../../text-stream.ts'

const ERRORS = { 400: ErrorAnswer, 401: ErrorAnswer, 422: ValidationAnswer }

/** Registers the routes. */
export const entryArchiveRoutes: FastifyPluginAsyncTypebox = async app => {
  const { services } = app
  const { index, quantities } = services
  const reader = new ArchiveReader(services)

  /** Sends the archives of a page. What can be wrong with the first of them is told before the answer begins. */
  const sendPage = async (
    request: FastifyRequest,
    reply: FastifyReply,
    search: EntrySearch,
    pagination: Pagination,
    required?: unknown,
    url?: string
  ) => {
    const { caller, signal } = request
    const wanted = parseRequired(required)
    refuseOwnerAll(search.owner)
    const page = await index.search(
      pageRequest(search, pagination, { source: { include: HEAD_MEMBERS }, signal })
    )
    const heads = new Map(page.hits.map(hit => [hit.entryId, hit.document as unknown as EntryHead]))
    const read = reader.read([...heads.keys()], wanted, caller, signal)
    const first = await read.next()
    const head = {
      owner: search.owner,
      query: search.echo,
      pagination: paginationAnswer(pagination, page, url),
      required: required ?? '*'
    }
    const { eagerCollection } = request.server
    return sendParts(request, reply, { 'content-type': 'application/json' }, () =>
      eagerCollection.during(pageText(head, heads, first, read))
    )
  }

  app.get(
    '/:entry_id/archive',
    {
      config: { paced: true },
      schema: {
        tags: ['entries/archive'],
        summary: 'The whole archive of one entry',
        description: 'Everything that was extracted from the files of the entry.',
        params: EntryParams,
        response: { 200: ArchiveAnswer, 304: NotModified, 401: ErrorAnswer, 404: ErrorAnswer }
      }
    },
    async (request, reply) => {
      const entry = await archiveEntry(services, request.params.entry_id, request.caller)
      return sendArchive(request, reply as never, services, { entry })
    }
  )

  app.post(
    '/:entry_id/archive/query',
    {
      config: { paced: true },
      schema: {
        tags: ['entries/archive'],
        summary: 'Parts of the archive of one entry',
        description: 'Only those parts that `required` asks for; references can be followed.',
        params: EntryParams,
        body: ArchiveBody,
        response: { 200: ArchiveAnswer, 304: NotModified, 404: ErrorAnswer, ...ERRORS }
      }
    },
    async (request, reply) => {
      const { required } = request.body
      // What is wrong with it is told before whether the entry is there.
      parseRequired(required)
      const entry = await archiveEntry(services, request.params.entry_id, request.caller)
      return sendArchive(request, reply as never, services, { entry, required })
    }
  )

  app.post(
    '/archive/query',
    {
      config: { paced: true },
      schema: {
        tags: ['entries/archive'],
        summary: 'Search entries and read parts of their archives',
        description:
          'Finds entries as `POST /entries/query` does and gives the archives of one page of them. With `Accept: ' +
          'application/x-ndjson` the archives of all entries come, one a line.',
        body: ArchivesBody,
        response: { 200: LinesOrArchives, 403: ErrorAnswer, ...ERRORS }
      }
    },
    async (request, reply) => {
      const { body, caller } = request
      if (acceptedFormat(request) === 'ndjson') return streamedArchives(request, reply, body, services)
      parseRequired(body.required)
      const search = bodySearch(body, caller, quantities)
      const pagination = bodyPagination(body.pagination, quantities)
      return sendPage(request, reply, search, pagination, body.required)
    }
  )

  app.get(
    '/archive',
    {
      config: { paced: true },
      schema: {
        tags: ['entries/archive'],
        summary: 'Search entries by URL and read their archives',
        description: 'The whole archives of one page of entries.',
        querystring: ArchivesUrl,
        response: { 200: ArchivesAnswer, 403: ErrorAnswer, ...ERRORS }
      }
    },
    async (request, reply) => {
      const { query, caller } = request
      const search = urlSearch(query, caller, quantities)
      const pagination = urlPagination(query, quantities)
      return sendPage(request, reply, search, pagination, undefined, requestUrl(request))
    }
  )
}

async function* pageText(
  head: object,
  heads: ReadonlyMap<string, EntryHead>,
  first: IteratorResult<ReadArchive>,
  rest: AsyncGenerator<ReadArchive>
): AsyncGenerator<Buffer> {
  const text = new JsonText()
  try {
    text.text(`${JSON.stringify(head).slice(0, -1)},"data":[`)
    let separator = ''
    for (let next = first; !next.done; next = await rest.next()) {
      const { entryId, archive, whole } = next.value
      if (!archive && !whole) continue
      text.text(separator)
      yield* withArchive(text, headOf(heads.get(entryId)!), 'archive', next.value)
      separator = ','
    }
    text.text(']}')
    yield text.rest()
  } finally {
    await rest.return(undefined)
  }
}
