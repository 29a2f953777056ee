/** `GET /uploads/{upload_id}` (`uploads.md` §2.2). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { requireReadable } from '../../../access/upload-access.ts'
import { presentUpload } from '../../present/upload.ts'
import { ErrorAnswer } from '../../schemas/common.ts'
import { UploadAnswer, UploadParameters } from '../../schemas/uploads.ts'

/** Registers the route. */
export const uploadRoutes: FastifyPluginAsyncTypebox = async app => {
  const { documents } = app.services

  app.get(
    '/:upload_id',
    {
      schema: {
        tags: ['uploads'],
        summary: 'One upload',
        description:
          'For everybody when it is published without embargo or shared with everybody, else for its viewers.',
        params: Type.Object(UploadParameters),
        response: { 200: UploadAnswer, 401: ErrorAnswer, 403: ErrorAnswer, 404: ErrorAnswer }
      }
    },
    async ({ params: { upload_id }, caller }) => {
      const upload = await documents.upload(upload_id)
      requireReadable(upload, caller)
      const counts = await documents.countEntries([upload_id])
      return { upload_id, data: presentUpload(upload, counts.get(upload_id) ?? 0) }
    }
  )
}
