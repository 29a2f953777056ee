/** Downloads of archives: one as a file, those of a search as a zip (`archive.md` §8). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { refuseOwnerAll } from '../../../access/owner.ts'
import { parseRequired, type RequiredRequest } from '../../../archive/required.ts'
import { failure } from '../../../errors.ts'
import { archiveEntry, sendArchive } from '../../archive-answer.ts'
import { archiveMembers } from '../../archive-zip.ts'
import { bodySearch, type EntrySearch, urlSearch } from '../../entry-search.ts'
import { ArchivesDownloadBody, BareArchive, EntryParams, NotModified } from '../../schemas/archives.ts'
import { ErrorAnswer, QueryUrl, ValidationAnswer } from '../../schemas/common.ts'
import { FilesUrl, ZipAnswer } from '../../schemas/files.ts'
import { sendZip, UNCOMPRESSED } from '../../send-files.ts'

const CONTENTS =
  'For each entry `<upload_id>/<entry_id>.json` with `entry_id`, `parser_name` and `archive`, and last `manifest.json`, which lists ' +
  'all entries with `entry_id`, `upload_id`, `parser_name` and `path`, also those that have no archive.'

const ANSWERS = {
  200: ZipAnswer,
  400: ErrorAnswer,
  401: ErrorAnswer,
  403: ErrorAnswer,
  422: ValidationAnswer
}

/** Registers the routes. */
export const entryArchiveDownloadRoutes: FastifyPluginAsyncTypebox = async app => {
  const { services } = app
  const { index, quantities } = services
  const limit = app.config.maxEntryDownload

  /** The zip of a search. What is wrong with the first archive is told as an error; later the zip breaks off. */
  const send = async (
    request: FastifyRequest,
    reply: FastifyReply,
    search: EntrySearch,
    required: RequiredRequest,
    compress: boolean
  ) => {
    const { caller, signal } = request
    refuseOwnerAll(search.owner)
    const count = await index.count(search.query, signal)
    if (count > limit) throw failure('DOWNLOAD_LIMIT', { limit, count })
    const members = archiveMembers(services, search.query, required, caller, signal)
    const first = await members.next()
    return sendZip(request, reply, { fileName: 'archives.zip', compress }, () => continued(first, members))
  }

  app.get(
    '/archive/download',
    {
      ...UNCOMPRESSED,
      schema: {
        tags: ['entries/archive'],
        summary: 'Download the archives of many entries as one zip',
        description: `The whole archives of all entries of a search. ${CONTENTS}`,
        querystring: Type.Object({ ...QueryUrl, compress: FilesUrl.compress }),
        response: ANSWERS
      }
    },
    async (request, reply) => {
      const { compress = false, ...parameters } = request.query
      const search = urlSearch(parameters, request.caller, quantities)
      return send(request, reply, search, parseRequired(undefined), compress)
    }
  )

  app.post(
    '/archive/download/query',
    {
      ...UNCOMPRESSED,
      schema: {
        tags: ['entries/archive'],
        summary: 'Download parts of the archives of many entries as one zip, found by a query in the body',
        description: `What \`required\` asks for of the archives of all entries of a search. ${CONTENTS}`,
        body: ArchivesDownloadBody,
        response: ANSWERS
      }
    },
    async (request, reply) => {
      const { body, caller } = request
      const required = parseRequired(body.required)
      const search = bodySearch(body, caller, quantities)
      return send(request, reply, search, required, body.files?.compress ?? false)
    }
  )

  app.get(
    '/:entry_id/archive/download',
    {
      schema: {
        tags: ['entries/archive'],
        summary: 'Download the archive of one entry as a JSON file',
        description: 'The whole archive, without anything around it.',
        params: EntryParams,
        response: { 200: BareArchive, 304: NotModified, 401: ErrorAnswer, 404: ErrorAnswer }
      }
    },
    async (request, reply) => {
      const entry = await archiveEntry(services, request.params.entry_id, request.caller)
      const fileName = `${entry.entry_id}.archive.json`
      return sendArchive(request, reply as never, services, { entry, fileName })
    }
  )
}

async function* continued<T>(first: IteratorResult<T>, rest: AsyncGenerator<T>): AsyncGenerator<T> {
  try {
    for (let next = first; !next.done; next = await rest.next()) yield next.value
  } finally {
    await rest.return(undefined)
  }
}
