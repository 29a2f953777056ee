/** Archives of one entry and of the entries of a search (`archive.md` §6, §7). */
import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import type { Caller } from '../../../access/caller.ts'
import { refuseOwnerAll } from '../../../access/owner.ts'
import { isVisible } from '../../../access/upload-access.ts'
import { parseRequired, type RequiredRequest } from '../../../archive/required.ts'
import { failure } from '../../../errors.ts'
import { bodyPagination, type Pagination, urlPagination } from '../../../query/pagination.ts'
import { ArchiveReader, type ReadArchive } from '../../../storage/archive-reader.ts'
import type { Entry } from '../../../storage/documents.ts'
import { bodySearch, type EntrySearch, pageRequest, paginationAnswer, urlSearch } from '../../entry-search.ts'
import { jsonChunks } from '../../json-chunks.ts'
import { requestUrl } from '../../request-url.ts'
import {
  ArchiveAnswer,
  ArchiveBody,
  ArchivesAnswer,
  ArchivesBody,
  ArchivesUrl,
  EntryParams
} from '../../schemas/archives.ts'
import { ErrorAnswer, ValidationAnswer } from '../../schemas/common.ts'

const ERRORS = { 400: ErrorAnswer, 401: ErrorAnswer, 422: ValidationAnswer }

/** What an answer tells of an entry beside its archive. */
type EntryHead = Pick<Entry, 'entry_id' | 'upload_id' | 'parser_name'>

const HEAD_MEMBERS = ['entry_id', 'upload_id', 'parser_name'] as const

function headOf(entry: EntryHead): EntryHead {
  const { entry_id, upload_id, parser_name } = entry
  return { entry_id, upload_id, parser_name }
}

/** Registers the routes. */
export const entryArchiveRoutes: FastifyPluginAsyncTypebox = async app => {
  const { archives, documents, definitions, index, quantities } = app.services
  const reader = new ArchiveReader({ archives, documents, definitions })

  /** Sends the archive of one entry. */
  const sendOne = async (
    reply: FastifyReply,
    entryId: string,
    required: unknown,
    request: RequiredRequest,
    caller: Caller,
    signal: AbortSignal
  ) => {
    const entry = await documents.entry(entryId)
    const upload = entry && (await documents.upload(entry.upload_id))
    if (!upload || !isVisible(upload, caller)) throw failure('ARCHIVE_ENTRY_NOT_FOUND')
    const { value } = await reader.read([entryId], request, caller, signal).next()
    const archive = (value as ReadArchive).archive
    if (!archive) throw failure('ARCHIVE_MISSING')
    return sendJson(
      reply,
      jsonChunks({ entry_id: entryId, required: required ?? '*', data: { ...headOf(entry), archive } })
    )
  }

  /** Sends the archives of a page. What can be wrong with the first of them is told before the answer begins. */
  const sendPage = async (
    reply: FastifyReply,
    search: EntrySearch,
    pagination: Pagination,
    required: unknown,
    request: RequiredRequest,
    caller: Caller,
    signal: AbortSignal,
    url?: string
  ) => {
    refuseOwnerAll(search.owner)
    const source = { include: HEAD_MEMBERS }
    const page = await index.search(pageRequest(search, pagination, { source, signal }))
    const heads = new Map(page.hits.map(hit => [hit.entryId, hit.document as unknown as EntryHead]))
    const read = reader.read([...heads.keys()], request, caller, signal)
    const first = await read.next()
    const head = {
      owner: search.owner,
      query: search.echo,
      pagination: paginationAnswer(pagination, page, url),
      required: required ?? '*'
    }
    return sendJson(reply, pageChunks(head, heads, first, read))
  }

  app.get(
    '/:entry_id/archive',
    {
      schema: {
        tags: ['entries/archive'],
        summary: 'The whole archive of one entry',
        description: 'Everything that was extracted from the files of the entry.',
        params: EntryParams,
        response: { 200: ArchiveAnswer, 401: ErrorAnswer, 404: ErrorAnswer }
      }
    },
    async ({ params: { entry_id }, caller, signal }, reply) =>
      sendOne(reply, entry_id, undefined, parseRequired(undefined), caller, signal)
  )

  app.post(
    '/:entry_id/archive/query',
    {
      schema: {
        tags: ['entries/archive'],
        summary: 'Parts of the archive of one entry',
        description: 'Only those parts that `required` asks for; references can be followed.',
        params: EntryParams,
        body: ArchiveBody,
        response: { 200: ArchiveAnswer, 404: ErrorAnswer, ...ERRORS }
      }
    },
    async ({ params: { entry_id }, body: { required }, caller, signal }, reply) =>
      sendOne(reply, entry_id, required, parseRequired(required), caller, signal)
  )

  app.post(
    '/archive/query',
    {
      schema: {
        tags: ['entries/archive'],
        summary: 'Search entries and read parts of their archives',
        description:
          'Finds entries as `POST /entries/query` does and gives the archives of one page of them.',
        body: ArchivesBody,
        response: { 200: ArchivesAnswer, 403: ErrorAnswer, ...ERRORS }
      }
    },
    async ({ body, caller, signal }, reply) => {
      const request = parseRequired(body.required)
      const search = bodySearch(body, caller, quantities)
      const pagination = bodyPagination(body.pagination, quantities)
      return sendPage(reply, search, pagination, body.required, request, caller, signal)
    }
  )

  app.get(
    '/archive',
    {
      schema: {
        tags: ['entries/archive'],
        summary: 'Search entries by URL and read their archives',
        description: 'The whole archives of one page of entries.',
        querystring: ArchivesUrl,
        response: { 200: ArchivesAnswer, 403: ErrorAnswer, ...ERRORS }
      }
    },
    async (request, reply) => {
      const { query, caller, signal } = request
      const search = urlSearch(query, caller, quantities)
      const pagination = urlPagination(query, quantities)
      const everything = parseRequired(undefined)
      return sendPage(reply, search, pagination, undefined, everything, caller, signal, requestUrl(request))
    }
  )
}

function sendJson(reply: FastifyReply, chunks: Iterable<string> | AsyncIterable<string>): FastifyReply {
  return reply.type('application/json').send(Readable.from(chunks, { objectMode: false }))
}

async function* pageChunks(
  head: object,
  heads: ReadonlyMap<string, EntryHead>,
  first: IteratorResult<ReadArchive>,
  rest: AsyncGenerator<ReadArchive>
): AsyncGenerator<string> {
  try {
    yield `${JSON.stringify(head).slice(0, -1)},"data":[`
    let separator = ''
    for (let next = first; !next.done; next = await rest.next()) {
      const { entryId, archive } = next.value
      if (!archive) continue
      if (separator) yield separator
      yield* jsonChunks({ ...headOf(heads.get(entryId)!), archive })
      separator = ','
    }
    yield ']}'
  } finally {
    await rest.return(undefined)
  }
}
