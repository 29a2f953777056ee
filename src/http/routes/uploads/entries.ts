/** The entries of an upload (`uploads.md` §2.3). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import type { Caller } from '../../../access/caller.ts'
import { requireReadable, requireViewer } from '../../../access/upload-access.ts'
import { failure } from '../../../errors.ts'
import type { EntryOrder } from '../../../storage/documents.ts'
import { entryMetadata } from '../../entry-metadata.ts'
import { presentUpload } from '../../present/upload.ts'
import { presentUploadEntry } from '../../present/upload-entry.ts'
import { requestUrl } from '../../request-url.ts'
import { type RowPage, rowPage, rowPagination } from '../../row-pagination.ts'
import { ErrorAnswer, ValidationAnswer } from '../../schemas/common.ts'
import { RowPageUrl } from '../../schemas/lists.ts'
import { UploadEntriesAnswer, UploadEntryAnswer, UploadParameters } from '../../schemas/uploads.ts'
import { sendParts } from '../../text-stream.ts'

const ORDERS: readonly EntryOrder[] = [
  'mainfile',
  'parser_name',
  'process_status',
  'current_process',
  'entry_create_time'
]

/** Entries that are looked up and written together: a page may be of any size. */
const TOGETHER = 100

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' }

const EntryParameters = Type.Object({
  ...UploadParameters,
  entry_id: Type.String({ description: 'Id of the entry.', examples: ['Md5XkNKf02YDUcFwelslbmSlNdkj'] })
})

/** Registers the routes. */
export const uploadEntriesRoutes: FastifyPluginAsyncTypebox = async app => {
  const { documents } = app.services

  /** The JSON of the entries of a page, some at a time. */
  async function* entriesOf(uploadId: string, page: RowPage, caller: Caller, signal: AbortSignal) {
    for (let done = 0; done < page.page_size; done += TOGETHER) {
      const entries = await documents.listEntries(uploadId, {
        orderBy: page.order_by as EntryOrder,
        order: page.order,
        offset: page.start + done,
        limit: Math.min(TOGETHER, page.page_size - done)
      })
      const ids = entries.map(entry => entry.entry_id)
      const metadata = await entryMetadata(app.services, ids, caller, signal)
      yield entries.map(entry => presentUploadEntry(entry, metadata.get(entry.entry_id)))
      if (entries.length < TOGETHER) return
    }
  }

  app.get(
    '/:upload_id/entries',
    {
      schema: {
        tags: ['uploads'],
        summary: 'List the entries of an upload',
        description:
          'With how their processing went, and the metadata of those that you may see. For who may read the upload.',
        params: Type.Object(UploadParameters),
        querystring: Type.Object(RowPageUrl(ORDERS, '`mainfile`')),
        response: {
          200: UploadEntriesAnswer,
          400: ErrorAnswer,
          401: ErrorAnswer,
          403: ErrorAnswer,
          404: ErrorAnswer,
          422: ValidationAnswer
        }
      }
    },
    async (request, reply) => {
      const { upload_id } = request.params
      const { order_by } = request.query
      // The older name of the same.
      const asked = order_by === 'mainfile_path' ? { ...request.query, order_by: 'mainfile' } : request.query
      const page = rowPage(asked, ORDERS)
      const upload = await documents.upload(upload_id)
      requireReadable(upload, request.caller)
      const counts = await documents.countEntriesByStatus(upload_id)
      const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
      const head = {
        pagination: rowPagination(page, total, requestUrl(request)),
        processing_successful: counts.get('SUCCESS') ?? 0,
        processing_failed: counts.get('FAILURE') ?? 0,
        upload: presentUpload(upload, total)
      }
      return sendParts(request, reply, JSON_TYPE, async function* (signal) {
        let separator = `${JSON.stringify(head).slice(0, -1)},"data":[`
        for await (const entries of entriesOf(upload_id, page, request.caller, signal)) {
          for (const entry of entries) {
            yield separator + JSON.stringify(entry)
            separator = ','
          }
        }
        yield separator === ',' ? ']}' : `${separator}]}`
      }) as never
    }
  )

  app.get(
    '/:upload_id/entries/:entry_id',
    {
      schema: {
        tags: ['uploads'],
        summary: 'One entry of an upload',
        description: 'With its metadata. For the viewers of the upload only, also when it is published.',
        params: EntryParameters,
        response: { 200: UploadEntryAnswer, 401: ErrorAnswer, 403: ErrorAnswer, 404: ErrorAnswer }
      }
    },
    async ({ params: { upload_id, entry_id }, caller, signal }) => {
      requireViewer(await documents.upload(upload_id), caller)
      const entry = await documents.entry(entry_id)
      if (entry?.upload_id !== upload_id) throw failure('UPLOAD_ENTRY_NOT_FOUND')
      const metadata = await entryMetadata(app.services, [entry_id], caller, signal)
      return { entry_id, data: presentUploadEntry(entry, metadata.get(entry_id)) }
    }
  )
}
