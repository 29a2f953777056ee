/** Raw files of one upload: a file, a directory as a zip, everything (`uploads.md` §5.3, §5.4). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type, { type Static } from 'typebox'
import type { Caller } from '../../../access/caller.ts'
import { isPublished, requireReadable } from '../../../access/upload-access.ts'
import { failure } from '../../../errors.ts'
import { directoryMembers } from '../../../files/entry-zip.ts'
import { baseName, canonicalPath } from '../../../files/raw-path.ts'
import { fileSelection } from '../../../files/selection.ts'
import { fileMember, type StoredMember } from '../../../files/stored-zip.ts'
import type { Upload } from '../../../storage/documents.ts'
import { ErrorAnswer, ValidationAnswer } from '../../schemas/common.ts'
import { FileAnswer, PartAnswers, SelectionUrl, WindowUrl, ZipAnswer } from '../../schemas/files.ts'
import { sendContent, sendFilesZip, UNCOMPRESSED } from '../../send-files.ts'

const UploadId = Type.String({ description: 'Id of the upload.' })

const Query = Type.Object({
  ...WindowUrl,
  compress: Type.Optional(
    Type.Boolean({ description: 'Give a zip of the file or directory; directories need it.' })
  ),
  stored: Type.Optional(
    Type.Boolean({
      description:
        'With `compress`: keep the files in the zip as they are. Such a zip has a length and can be gone on with by `Range`.'
    })
  ),
  ignore_mime_type: Type.Optional(
    Type.Boolean({ description: 'Call the file `application/octet-stream`, whatever it is.' })
  ),
  ...SelectionUrl
})

const errors = {
  ...PartAnswers,
  400: ErrorAnswer,
  401: ErrorAnswer,
  403: ErrorAnswer,
  404: ErrorAnswer,
  422: ValidationAnswer
}

/** @throws SeraiError FILE_OFFSET, FILE_LENGTH, FILE_WINDOW_COMPRESS (400) */
function checkWindow({ compress, offset = 0, length = -1 }: Static<typeof Query>): void {
  if (compress && (offset !== 0 || length !== -1)) throw failure('FILE_WINDOW_COMPRESS')
  if (offset < 0) throw failure('FILE_OFFSET')
  if (length < -1 || length === 0) throw failure('FILE_LENGTH')
}

async function* only(member: StoredMember): AsyncGenerator<StoredMember[]> {
  yield [member]
}

/** Registers the routes. */
export const uploadRawRoutes: FastifyPluginAsyncTypebox = async app => {
  const { documents, files } = app.services

  /** @throws SeraiError UPLOAD_NOT_FOUND, UPLOAD_LOGIN, UPLOAD_NO_ACCESS, UPLOAD_EMBARGO */
  async function readableUpload(uploadId: string, caller: Caller): Promise<Upload> {
    const upload = await documents.upload(uploadId)
    requireReadable(upload, caller)
    return upload
  }

  /** A file, or a zip of a file or directory. `path` as the caller wrote it. */
  async function sendPath(
    request: FastifyRequest,
    reply: FastifyReply,
    uploadId: string,
    path: string,
    query: Static<typeof Query>
  ): Promise<FastifyReply> {
    checkWindow(query)
    const selection = fileSelection(query, ['query'])
    await readableUpload(uploadId, request.caller)
    const at = canonicalPath(path)
    const node = at === undefined ? undefined : await files.node(uploadId, at)
    if (node === undefined) throw failure('FILE_PATH_NOT_FOUND')
    const name = baseName(node.path)

    if (query.compress) {
      const zip = { fileName: `${name || uploadId}.zip`, compress: !query.stored }
      return sendFilesZip(request, reply, files, zip, () =>
        node.kind === 'file'
          ? only(fileMember(uploadId, node, name))
          : directoryMembers(files, uploadId, node.path, selection)
      )
    }
    if (node.kind === 'directory') throw failure('FILE_IS_DIRECTORY')
    const { offset = 0, length = -1, decompress = false, ignore_mime_type = false } = query
    return sendContent(request, reply, app.services, {
      uploadId,
      file: node,
      fileName: name,
      offset,
      ...(length < 0 ? {} : { length }),
      decompress,
      untyped: ignore_mime_type
    })
  }

  app.get(
    '/:upload_id/raw',
    {
      ...UNCOMPRESSED,
      schema: {
        tags: ['uploads/raw'],
        summary: 'Download all raw files of a published upload as a zip',
        description:
          'Files are stored as they are, under their paths in the upload. With a slash at its end (`…/raw/`) the address is that of ' +
          'the root directory, which works for unpublished uploads too; the parameters count only then.',
        params: Type.Object({ upload_id: UploadId }),
        querystring: Query,
        response: { 200: ZipAnswer, ...errors }
      }
    },
    async (request, reply) => {
      const { upload_id } = request.params
      // The router takes `…/raw/` for `…/raw`.
      if (request.url.split('?', 1)[0]?.endsWith('/')) {
        return sendPath(request, reply as never, upload_id, '', request.query)
      }
      const upload = await readableUpload(upload_id, request.caller)
      if (!isPublished(upload)) throw failure('UPLOAD_NOT_PACKED', { upload_id })
      const zip = { fileName: `${upload_id}.zip`, compress: false }
      return sendFilesZip(request, reply as never, files, zip, () =>
        directoryMembers(files, upload_id, '', () => true)
      )
    }
  )

  app.get(
    '/:upload_id/raw/*',
    {
      ...UNCOMPRESSED,
      schema: {
        tags: ['uploads/raw'],
        summary: 'Download a raw file, or a directory as a zip',
        description:
          'A file comes as it is, whole or in part; with `compress` a file or directory comes as a zip, its members named relative to the ' +
          'directory. The patterns choose files below a directory.',
        params: Type.Object({
          upload_id: UploadId,
          '*': Type.String({ description: 'Path in the upload, with slashes.' })
        }),
        querystring: Query,
        response: { 200: FileAnswer, ...errors }
      }
    },
    async (request, reply) => {
      const { upload_id, '*': path } = request.params
      return sendPath(request, reply as never, upload_id, path, request.query)
    }
  )
}
