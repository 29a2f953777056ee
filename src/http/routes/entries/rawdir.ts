/** Lists of the raw files of entries (`search.md` §7.3). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { refuseOwnerAll } from '../../../access/owner.ts'
import { type EntryLocation, entryFiles } from '../../../files/entry-zip.ts'
import { bodyPagination, type Pagination, urlPagination } from '../../../query/pagination.ts'
import { bodySearch, type EntrySearch, pageRequest, paginationAnswer, urlSearch } from '../../entry-search.ts'
import { requestUrl } from '../../request-url.ts'
import {
  ErrorAnswer,
  Nullable,
  OwnerSchema,
  PaginationAnswer,
  PaginationBody,
  PaginationUrl,
  QueryBody,
  QueryUrl,
  ValidationAnswer
} from '../../schemas/common.ts'
import { LOCATION, visibleEntry } from '../../visible-entry.ts'

const EntryFiles = Type.Object({
  entry_id: Type.String(),
  upload_id: Type.String(),
  mainfile: Type.String(),
  mainfile_key: Type.Optional(Type.String()),
  files: Type.Array(
    Type.Object({
      path: Type.String({ description: 'Path in the upload.' }),
      size: Type.Integer({ description: 'Bytes.' })
    })
  )
})

const CONTENTS =
  'The files of an entry are those in the directory of its mainfile, the mainfile first. `GET /entries/raw` downloads them.'

const answers = {
  200: Type.Object({
    owner: Type.String(),
    query: Type.Unknown(),
    pagination: PaginationAnswer,
    data: Type.Array(EntryFiles)
  }),
  400: ErrorAnswer,
  401: ErrorAnswer,
  403: ErrorAnswer,
  422: ValidationAnswer
}

/** Registers the routes. */
export const entryRawdirRoutes: FastifyPluginAsyncTypebox = async app => {
  const { files, index, quantities } = app.services

  async function withFiles(entry: EntryLocation) {
    const found = entryFiles(await files.tree(entry.upload_id), entry)
    return { ...entry, files: found.map(({ path, size }) => ({ path, size })) }
  }

  /** @throws SeraiError OWNER_ALL_REFUSED (403) */
  async function answer(search: EntrySearch, pagination: Pagination, url?: string) {
    refuseOwnerAll(search.owner)
    const found = await index.search(pageRequest(search, pagination, { source: LOCATION }))
    return {
      owner: search.owner,
      query: search.echo,
      pagination: paginationAnswer(pagination, found, url),
      data: await Promise.all(
        found.hits.map(({ document }) => {
          const { entry_id, upload_id, mainfile } = document as unknown as EntryLocation
          return withFiles({ entry_id, upload_id, mainfile })
        })
      )
    }
  }

  app.get(
    '/rawdir',
    {
      schema: {
        tags: ['entries/raw'],
        summary: 'List the raw files of many entries',
        description: CONTENTS,
        querystring: Type.Object({ ...QueryUrl, ...PaginationUrl }),
        response: answers
      }
    },
    async request => {
      const search = urlSearch(request.query, request.caller, quantities)
      return answer(search, urlPagination(request.query, quantities), requestUrl(request))
    }
  )

  app.post(
    '/rawdir/query',
    {
      schema: {
        tags: ['entries/raw'],
        summary: 'List the raw files of many entries, found by a query in the body',
        description: CONTENTS,
        body: Type.Object(
          {
            owner: Type.Optional(Nullable(OwnerSchema)),
            query: Type.Optional(QueryBody),
            pagination: Type.Optional(Nullable(PaginationBody))
          },
          {
            examples: [
              {
                query: { 'results.material.elements': { all: ['Ti', 'O'] } },
                pagination: { page_size: 5 }
              }
            ]
          }
        ),
        response: answers
      }
    },
    async request => {
      const search = bodySearch(request.body, request.caller, quantities)
      return answer(search, bodyPagination(request.body.pagination, quantities))
    }
  )

  app.get(
    '/:entry_id/rawdir',
    {
      schema: {
        tags: ['entries/raw'],
        summary: 'List the raw files of one entry',
        description: CONTENTS,
        params: Type.Object({ entry_id: Type.String({ description: 'Id of the entry.' }) }),
        response: {
          200: Type.Object({ entry_id: Type.String(), data: EntryFiles }),
          404: ErrorAnswer
        }
      }
    },
    async request => {
      const { entry_id } = request.params
      const entry = await visibleEntry(app.services, entry_id, request.caller)
      return { entry_id, data: await withFiles(entry) }
    }
  )
}
