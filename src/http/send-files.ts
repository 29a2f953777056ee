/** How raw files and zips go out: headers, and streams that end with their client. */
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ContentRequest } from '../files/file-content.ts'
import { contentType, openContent } from '../files/file-content.ts'
import type { RawFile, RawFileStore } from '../files/raw-files.ts'
import { type ZipMember, zipStream } from '../files/zip.ts'

/**
 * Route options of everything that is sent here: no compression on top, so that lengths stay known and zips are not
 * compressed twice.
 */
export const UNCOMPRESSED = { compress: false } as const

/**
 * What people upload never runs in a browser as part of this site, whatever it is.
 * @see {@link mediaType} which does not call anything a page in the first place
 */
const INERT = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox"
}

/**
 * `Content-Disposition` for a file to be saved under a name of any script (`search.md` §14 D7, `uploads.md` §5.4): plain
 * `filename` alone for ASCII names, `filename*` (RFC 8187) beside it for others. Always in quotes: clients of this API look for
 * them, though the standard would let simple names go without.
 */
export function attachment(fileName: string): string {
  const plain = fileName.replace(/[^\x20-\x7e]/gu, '_')
  const quoted = `attachment; filename="${plain.replace(/["\\]/g, '\\$&')}"`
  if (plain === fileName) return quoted
  const encoded = encodeURIComponent(fileName.toWellFormed()).replace(
    /['()*]/g,
    c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`
  )
  return `${quoted}; filename*=UTF-8''${encoded}`
}

/**
 * Sends a zip. A client that goes away ends the search and closes the file that is open.
 * @param members given a signal that tells when nobody wants them any more
 */
export function sendZip(
  request: FastifyRequest,
  reply: FastifyReply,
  zip: { readonly fileName: string; readonly compress: boolean },
  members: (over: AbortSignal) => AsyncIterable<ZipMember>
): FastifyReply {
  reply.type('application/zip').headers({ ...INERT, 'content-disposition': attachment(zip.fileName) })
  if (request.method === 'HEAD') return reply.send(nothing())
  const over = new AbortController()
  const stream = zipStream(members(over.signal), zip)
  stream.once('close', () => over.abort())
  return reply.send(stream)
}

/** What {@link sendContent} sends. */
export interface FileRequest extends ContentRequest {
  readonly uploadId: string
  readonly file: RawFile
  /** Name to save it under; absent: the client is not told to save it. */
  readonly fileName?: string
  /** Do not look what kind of file it is. */
  readonly untyped?: boolean
}

/**
 * Sends one file, or a part of it, with the type that its beginning tells; parts have none (`search.md` §7.4).
 * @throws SeraiError as {@link openContent}
 */
export async function sendContent(
  request: FastifyRequest,
  reply: FastifyReply,
  files: RawFileStore,
  wanted: FileRequest
): Promise<FastifyReply> {
  const { uploadId, file, fileName, offset, length } = wanted
  const whole = offset === 0 && length === undefined
  const type =
    whole && !wanted.untyped ? await contentType(files, uploadId, file) : 'application/octet-stream'
  const content = await openContent(files, uploadId, file, wanted)
  reply.type(type).headers(INERT)
  if (fileName !== undefined) reply.header('content-disposition', attachment(fileName))
  if (content.length !== undefined) reply.header('content-length', content.length)
  if (request.method !== 'HEAD') return reply.send(content.stream)
  content.stream.destroy()
  return reply.send(nothing())
}

/** The body of an answer to HEAD: as a stream, so that the length of the real one is not overwritten. */
function nothing(): Readable {
  return Readable.from([])
}
