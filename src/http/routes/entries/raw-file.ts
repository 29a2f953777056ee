/** One raw file of an entry (`search.md` §7.4). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { failure } from '../../../errors.ts'
import { directoryOf } from '../../../files/raw-path.ts'
import { ErrorAnswer, ValidationAnswer } from '../../schemas/common.ts'
import { FileAnswer, PartAnswers, WindowUrl } from '../../schemas/files.ts'
import { sendContent, UNCOMPRESSED } from '../../send-files.ts'
import { visibleEntry } from '../../visible-entry.ts'

/** Registers the route. */
export const entryRawFileRoutes: FastifyPluginAsyncTypebox = async app => {
  const { files } = app.services

  app.get(
    '/:entry_id/raw/:path',
    {
      ...UNCOMPRESSED,
      schema: {
        tags: ['entries/raw'],
        summary: 'Download one raw file of an entry, whole or in part',
        description: "A file that stands in the directory of the entry's mainfile, by its name there.",
        params: Type.Object({
          entry_id: Type.String({ description: 'Id of the entry.' }),
          path: Type.String({ description: "Name of the file in the mainfile's directory." })
        }),
        querystring: Type.Object({
          ...WindowUrl,
          offset: Type.Optional(Type.Integer({ minimum: 0, description: 'Bytes to skip (default 0).' })),
          length: Type.Optional(
            Type.Integer({ minimum: -1, description: 'Bytes to give; -1 (default): to the end.' })
          )
        }),
        response: { 200: FileAnswer, ...PartAnswers, 404: ErrorAnswer, 422: ValidationAnswer }
      }
    },
    async (request, reply) => {
      const { entry_id, path } = request.params
      // A slash in the name, however it is written, is another address, which does not exist.
      if (path.includes('/')) throw failure('NOT_FOUND')
      const { upload_id, mainfile } = await visibleEntry(app.services, entry_id, request.caller)
      if (!(await files.node(upload_id, ''))) throw failure('FILES_NOT_FOUND')
      const directory = directoryOf(mainfile)
      const file = await files.node(upload_id, directory === '' ? path : `${directory}/${path}`)
      if (file?.kind !== 'file') throw failure('FILE_NOT_FOUND')

      const { offset = 0, length = -1, decompress = false } = request.query
      const window = { offset, decompress, ...(length < 0 ? {} : { length }) }
      return sendContent(request, reply as never, app.services, { uploadId: upload_id, file, ...window })
    }
  )
}
