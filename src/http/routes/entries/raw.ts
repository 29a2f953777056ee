/** Raw files of entries as one zip (`search.md` §7.1, §7.2). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { refuseOwnerAll } from '../../../access/owner.ts'
import { failure } from '../../../errors.ts'
import { entryMembers } from '../../../files/entry-zip.ts'
import { fileSelection, type Selection } from '../../../files/selection.ts'
import { bodySearch, type EntrySearch, urlSearch } from '../../entry-search.ts'
import {
  ErrorAnswer,
  Nullable,
  OwnerSchema,
  QueryBody,
  QueryUrl,
  ValidationAnswer
} from '../../schemas/common.ts'
import { FilesBody, FilesUrl, PartAnswers, ZipAnswer } from '../../schemas/files.ts'
import { sendFilesZip, UNCOMPRESSED } from '../../send-files.ts'
import { locations, visibleEntry } from '../../visible-entry.ts'

const CONTENTS =
  'The zip holds, for each entry, the files in the directory of its mainfile under `<upload_id>/<path>`, a file that several ' +
  'entries share once, and last `manifest.json` with `entry_id`, `upload_id` and `mainfile` of each entry.'

const answers = {
  200: ZipAnswer,
  ...PartAnswers,
  400: ErrorAnswer,
  401: ErrorAnswer,
  403: ErrorAnswer,
  422: ValidationAnswer
}

/** Registers the routes. */
export const entryRawRoutes: FastifyPluginAsyncTypebox = async app => {
  const { files, index } = app.services
  const { maxEntryDownload, maxFileDownload } = app.config
  const { quantities } = app.services

  /** The zip of a search. @throws SeraiError OWNER_ALL_REFUSED, DOWNLOAD_LIMIT, DOWNLOAD_FILES_LIMIT */
  async function send(
    request: FastifyRequest,
    reply: FastifyReply,
    search: EntrySearch,
    selection: Selection,
    compress: boolean
  ): Promise<FastifyReply> {
    refuseOwnerAll(search.owner)
    const count = await index.count(search.query, request.signal)
    if (count > maxEntryDownload) throw failure('DOWNLOAD_LIMIT', { limit: maxEntryDownload, count })
    const zip = { fileName: 'raw_files.zip', compress, limit: maxFileDownload }
    return sendFilesZip(request, reply, files, zip, over =>
      entryMembers(files, locations(app.services, search.query, over), selection)
    )
  }

  app.get(
    '/raw',
    {
      ...UNCOMPRESSED,
      schema: {
        tags: ['entries/raw'],
        summary: 'Download the raw files of many entries as one zip',
        description:
          `${CONTENTS} For the command line: ` +
          '`curl "…/entries/raw?results.material.elements=Ti&results.material.elements=O" -o download.zip`. The same with `-C -` goes on ' +
          'after a cut.',
        querystring: Type.Object({ ...QueryUrl, ...FilesUrl }),
        response: answers
      }
    },
    async (request, reply) => {
      const selection = fileSelection(request.query, ['query'])
      const search = urlSearch(request.query, request.caller, quantities)
      return send(request, reply, search, selection, request.query.compress ?? false)
    }
  )

  app.post(
    '/raw/query',
    {
      ...UNCOMPRESSED,
      schema: {
        tags: ['entries/raw'],
        summary: 'Download the raw files of many entries as one zip, found by a query in the body',
        description: CONTENTS,
        body: Type.Object(
          {
            owner: Type.Optional(Nullable(OwnerSchema)),
            query: Type.Optional(QueryBody),
            files: Type.Optional(Nullable(FilesBody))
          },
          {
            examples: [
              {
                query: { 'results.material.elements': { all: ['Ti', 'O'] } },
                files: { glob_pattern: '*.xml' }
              }
            ]
          }
        ),
        response: answers
      }
    },
    async (request, reply) => {
      const wanted = request.body.files ?? {}
      const selection = fileSelection(wanted, ['body', 'files'])
      const search = bodySearch(request.body, request.caller, quantities)
      return send(request, reply, search, selection, wanted.compress ?? false)
    }
  )

  app.get(
    '/:entry_id/raw',
    {
      ...UNCOMPRESSED,
      schema: {
        tags: ['entries/raw'],
        summary: 'Download the raw files of one entry as a zip',
        description: CONTENTS,
        params: Type.Object({ entry_id: Type.String({ description: 'Id of the entry.' }) }),
        querystring: Type.Object(FilesUrl),
        response: { 200: ZipAnswer, ...PartAnswers, 404: ErrorAnswer, 422: ValidationAnswer }
      }
    },
    async (request, reply) => {
      const selection = fileSelection(request.query, ['query'])
      const entry = await visibleEntry(app.services, request.params.entry_id, request.caller)
      const zip = { fileName: 'raw_files.zip', compress: request.query.compress ?? false }
      return sendFilesZip(request, reply as never, files, zip, () =>
        entryMembers(files, [[entry]], selection)
      )
    }
  )
}
