/** `GET /entries/export`: the metadata of all matching entries as one file (`search.md` §7.5). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { refuseOwnerAll } from '../../../access/owner.ts'
import { failure } from '../../../errors.ts'
import { urlPagination } from '../../../query/pagination.ts'
import { requiredFields } from '../../../query/required-fields.ts'
import { urlSearch } from '../../entry-search.ts'
import { EntryWalk } from '../../entry-walk.ts'
import { acceptedFormat, type Format } from '../../formats.ts'
import { columnsOf } from '../../present/entry-table.ts'
import { ErrorAnswer, ValidationAnswer } from '../../schemas/common.ts'
import { ExportAnswer, ExportUrl } from '../../schemas/exports.ts'
import { CSV, sendEntries } from '../../send-entries.ts'
import { attachment } from '../../send-files.ts'

/** What everything but tables and lines is sent as: a file to be saved. */
const FILE = 'application/octet-stream'

/**
 * The form of the answer: what `Accept` asks for, else what the `Content-Type` of the request names, as in the reference.
 * @throws SeraiError EXPORT_FORMAT (415) for another content type
 */
function exportFormat(request: FastifyRequest): { format: Format; type?: string } {
  const given = request.headers['content-type']
  const named = given?.split(';')[0]?.trim().toLowerCase() ?? 'application/json'
  if (named !== 'application/json' && named !== 'text/csv') {
    throw failure('EXPORT_FORMAT', { type: String(given).slice(0, 200) })
  }
  const accepted = acceptedFormat(request)
  if (accepted === 'ndjson') return { format: accepted }
  if (accepted === 'csv') return { format: accepted, type: CSV }
  return { format: named === 'text/csv' ? 'csv' : 'json', type: FILE }
}

/** Registers the route. */
export const entryExportRoutes: FastifyPluginAsyncTypebox = async app => {
  const { index, quantities } = app.services
  const limit = app.config.maxEntryMetadataDownload

  app.get(
    '/export',
    {
      schema: {
        tags: ['entries/metadata'],
        summary: 'Download the metadata of all matching entries',
        description:
          'One file with all entries: a JSON array, a table (`Accept: text/csv`) or one JSON object a line ' +
          '(`Accept: application/x-ndjson`). The `Content-Type` of the request can name JSON or CSV as well. For the command ' +
          'line: `curl -H "Accept: text/csv" "…/entries/export?elements=Ti&include=mainfile" -o entries.csv`.',
        querystring: ExportUrl,
        response: {
          200: ExportAnswer,
          400: ErrorAnswer,
          401: ErrorAnswer,
          403: ErrorAnswer,
          415: ErrorAnswer,
          422: ValidationAnswer
        }
      }
    },
    async (request, reply) => {
      const { page_size: pageSize, include, exclude, ...parameters } = request.query
      const { format, type } = exportFormat(request)
      const search = urlSearch(parameters, request.caller, quantities)
      refuseOwnerAll(search.owner)
      const { order_by, order } = parameters
      const pagination = urlPagination({ order_by, order }, quantities)
      // The upload is told too, as in the reference, unless it is not wanted.
      const wanted = include && !exclude?.includes('upload_id') ? [...include, 'upload_id'] : include
      const required = requiredFields(
        { ...(wanted ? { include: wanted } : {}), ...(exclude ? { exclude } : {}) },
        [],
        quantities
      )
      return sendEntries(request, reply, {
        format,
        headers: {
          ...(type === undefined ? {} : { 'content-type': type }),
          'content-disposition': attachment(`metadata_export.${format}`),
          'x-content-type-options': 'nosniff',
          vary: 'accept, content-type'
        },
        columns: columnsOf(required.echo, quantities),
        walk: signal => new EntryWalk(index, { query: search.query, pagination, required, pageSize, signal }),
        check: ({ total }) => {
          if (total > limit) throw failure('EXPORT_LIMIT', { limit, count: total })
        }
      })
    }
  )
}
