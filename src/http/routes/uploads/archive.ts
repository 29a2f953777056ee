/** Archives by upload: by the id of the entry, or by its mainfile (`archive.md` §9). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import type { Caller } from '../../../access/caller.ts'
import { requireReadable } from '../../../access/upload-access.ts'
import { entryIdOf } from '../../../archive/entry-id.ts'
import type { Quantity } from '../../../query/quantities.ts'
import { and, type Query } from '../../../query/tree.ts'
import { archiveEntry, sendArchive } from '../../archive-answer.ts'
import { ArchiveAnswer, NotModified } from '../../schemas/archives.ts'
import { ErrorAnswer } from '../../schemas/common.ts'

const UploadId = Type.String({ description: 'Id of the upload.' })

const ANSWERS = {
  200: ArchiveAnswer,
  304: NotModified,
  401: ErrorAnswer,
  403: ErrorAnswer,
  404: ErrorAnswer
}

/** Registers the routes. */
export const uploadArchiveRoutes: FastifyPluginAsyncTypebox = async app => {
  const { services } = app
  const { documents, index, quantities } = services

  /** @throws SeraiError UPLOAD_NOT_FOUND, UPLOAD_LOGIN, UPLOAD_NO_ACCESS, UPLOAD_EMBARGO, ARCHIVE_ENTRY_NOT_FOUND */
  const entryIn = async (uploadId: string, entryId: string, caller: Caller) => {
    requireReadable(await documents.upload(uploadId), caller)
    return archiveEntry(services, entryId, caller, uploadId)
  }

  /** Id of the entry of a mainfile; without a key that of the one without, else of the first of those that share the file. */
  const entryOf = async (uploadId: string, mainfile: string, key: string | undefined): Promise<string> => {
    const computed = entryIdOf(uploadId, mainfile, key)
    if (key !== undefined || (await documents.entry(computed))) return computed
    const is = (name: string, value: string): Query => ({
      kind: 'terms',
      quantity: quantities.get(name) as Quantity,
      values: [value]
    })
    const query = and(is('upload_id', uploadId), is('mainfile', mainfile))
    const { hits } = await index.search({ query, order: 'asc', size: 1, source: { include: ['entry_id'] } })
    return hits[0]?.entryId ?? computed
  }

  app.get(
    '/:upload_id/archive/:entry_id',
    {
      config: { paced: true },
      schema: {
        tags: ['uploads/archive'],
        summary: 'The archive of an entry of an upload',
        description: 'The whole archive, as `GET /entries/{entry_id}/archive` gives it.',
        params: Type.Object({
          upload_id: UploadId,
          entry_id: Type.String({ description: 'Id of the entry.' })
        }),
        response: ANSWERS
      }
    },
    async (request, reply) => {
      const { upload_id, entry_id } = request.params
      const entry = await entryIn(upload_id, entry_id, request.caller)
      return sendArchive(request, reply as never, services, { entry })
    }
  )

  app.get(
    '/:upload_id/archive/mainfile/*',
    {
      config: { paced: true },
      schema: {
        tags: ['uploads/archive'],
        summary: 'The archive of the entry that a file of an upload gave',
        description: 'Several entries may share one mainfile; `mainfile_key` tells them apart.',
        params: Type.Object({
          upload_id: UploadId,
          '*': Type.String({ description: 'Path of the mainfile in the upload, with slashes.' })
        }),
        querystring: Type.Object({
          mainfile_key: Type.Optional(
            Type.String({ description: 'Which of the entries of the mainfile; absent: the main one.' })
          )
        }),
        response: ANSWERS
      }
    },
    async (request, reply) => {
      const { upload_id, '*': mainfile } = request.params
      requireReadable(await documents.upload(upload_id), request.caller)
      const entryId = await entryOf(upload_id, mainfile, request.query.mainfile_key)
      const entry = await entryIn(upload_id, entryId, request.caller)
      return sendArchive(request, reply as never, services, { entry })
    }
  )
}
