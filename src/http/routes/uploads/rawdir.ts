/** What stands in a directory of an upload (`uploads.md` §5.2). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import Type, { type Static } from 'typebox'
import { hasEmbargo, isPublished, requireReadable } from '../../../access/upload-access.ts'
import { failure } from '../../../errors.ts'
import type { RawFileStore, RawNode } from '../../../files/raw-files.ts'
import { baseName, canonicalPath } from '../../../files/raw-path.ts'
import type { Entry, Upload } from '../../../storage/documents.ts'
import { requestUrl } from '../../request-url.ts'
import { type RowPage, rowPage, rowPagination } from '../../row-pagination.ts'
import { ErrorAnswer, OneOf, PaginationAnswer, ValidationAnswer } from '../../schemas/common.ts'

const UploadId = Type.String({ description: 'Id of the upload.' })

const Query = Type.Object({
  include_entry_info: Type.Optional(
    Type.Boolean({ description: 'Tell which files are mainfiles of entries.' })
  ),
  page_size: Type.Optional(Type.Integer({ description: 'Number of names on a page (default 10).' })),
  page: Type.Optional(Type.Integer({ description: 'Number of the page, from 1 on.' })),
  page_offset: Type.Optional(Type.Integer({ description: 'Number of names to skip.' })),
  page_after_value: Type.Optional(Type.String({ description: '`next_page_after_value` of the page before.' }))
})

const File = Type.Object({
  name: Type.String(),
  size: Type.Integer({ description: 'Bytes; of a directory: of all files below it.' }),
  entry_id: Type.Optional(Type.String()),
  parser_name: Type.Optional(Type.String())
})

const Answer = Type.Object({
  path: Type.String(),
  access: OneOf(['public', 'embargoed', 'unpublished']),
  file_metadata: Type.Optional(File),
  directory_metadata: Type.Optional(
    Type.Object({
      name: Type.String(),
      size: Type.Integer(),
      content: Type.Array(Type.Intersect([File, Type.Object({ is_file: Type.Boolean() })]))
    })
  ),
  pagination: Type.Optional(PaginationAnswer)
})

type EntryInfo = Pick<Entry, 'entry_id' | 'parser_name'>
type Entries = ReadonlyMap<string, EntryInfo>

function accessOf(upload: Upload): 'public' | 'embargoed' | 'unpublished' {
  if (!isPublished(upload)) return 'unpublished'
  return hasEmbargo(upload) ? 'embargoed' : 'public'
}

/** Bytes below each node directly in the directory, by path, in one walk. */
async function sizesIn(
  files: RawFileStore,
  uploadId: string,
  directory: string
): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>()
  const from = directory === '' ? 0 : directory.length + 1
  for await (const file of files.walk(uploadId, directory)) {
    const end = file.path.indexOf('/', from)
    const child = end < 0 ? file.path : file.path.slice(0, end)
    sizes.set(child, (sizes.get(child) ?? 0) + file.size)
  }
  return sizes
}

/** Registers the routes. */
export const uploadRawdirRoutes: FastifyPluginAsyncTypebox = async app => {
  const { documents, files } = app.services

  /** Entries by their mainfiles; of several that share one, the main one. */
  async function entriesByMainfile(uploadId: string): Promise<Entries> {
    const entries = await documents.entriesOfUpload(uploadId)
    return new Map(
      entries
        .filter(entry => entry.mainfile_key === undefined)
        .map(({ mainfile, entry_id, parser_name }) => [mainfile, { entry_id, parser_name }])
    )
  }

  async function directoryAnswer(
    uploadId: string,
    directory: string,
    page: RowPage,
    entries: Entries,
    url: string
  ) {
    const nodes = await files.list(uploadId, directory)
    const sizes = await sizesIn(files, uploadId, directory)
    const pagination = rowPagination(page, nodes.length, url)
    const named = (node: RawNode) => ({
      name: baseName(node.path),
      size: sizes.get(node.path) ?? 0,
      ...entries.get(node.path),
      is_file: node.kind === 'file'
    })
    return {
      directory_metadata: {
        // The last part of the address as it was written: none after a slash.
        name: new URL(url).pathname.endsWith('/') ? '' : baseName(directory),
        size: [...sizes.values()].reduce((sum, size) => sum + size, 0),
        content: nodes.slice(page.start, page.start + page.page_size).map(named)
      },
      pagination
    }
  }

  async function answer(
    request: FastifyRequest,
    uploadId: string,
    path: string,
    query: Static<typeof Query>
  ): Promise<Static<typeof Answer>> {
    const page = rowPage(query, [])
    const upload = await documents.upload(uploadId)
    requireReadable(upload, request.caller)
    const at = canonicalPath(path)
    // The root is there, even if it holds nothing.
    const node = at === undefined ? undefined : ((await files.node(uploadId, at)) ?? emptyRoot(at))
    if (node === undefined) throw failure('FILE_PATH_NOT_FOUND')
    const entries: Entries = query.include_entry_info ? await entriesByMainfile(uploadId) : new Map()
    const shown = { path: node.path, access: accessOf(upload) }
    if (node.kind === 'file') {
      const { size } = node
      return { ...shown, file_metadata: { name: baseName(node.path), size, ...entries.get(node.path) } }
    }
    const directory = await directoryAnswer(uploadId, node.path, page, entries, requestUrl(request))
    return { ...shown, ...directory } as Static<typeof Answer>
  }

  const schema = {
    tags: ['uploads/raw'],
    summary: 'List a directory of an upload, or describe a file',
    description: 'Files and directories come together, sorted by name.',
    querystring: Query,
    response: {
      200: Answer,
      400: ErrorAnswer,
      401: ErrorAnswer,
      403: ErrorAnswer,
      404: ErrorAnswer,
      422: ValidationAnswer
    }
  }

  app.get(
    '/:upload_id/rawdir',
    { schema: { ...schema, hide: true, params: Type.Object({ upload_id: UploadId }) } },
    async (request, reply) => {
      const [path = '', search] = request.url.split('?', 2)
      // The router takes both spellings for one; links in the answer are right only with the slash.
      if (!path.endsWith('/')) return reply.redirect(`${path}/${search ? `?${search}` : ''}`, 307)
      return answer(request, request.params.upload_id, '', request.query)
    }
  )

  app.get(
    '/:upload_id/rawdir/*',
    {
      schema: {
        ...schema,
        params: Type.Object({
          upload_id: UploadId,
          '*': Type.String({ description: 'Path in the upload, with slashes.' })
        })
      }
    },
    request => answer(request, request.params.upload_id, request.params['*'], request.query)
  )
}

function emptyRoot(path: string): RawNode | undefined {
  return path === '' ? { kind: 'directory', path } : undefined
}
