/** How raw files and zips go out: headers, and streams that end with their client. */
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { failure } from '../errors.ts'
import { compressionOf } from '../files/decompression.ts'
import { contentType, fileSource, openDecompressed, type Window } from '../files/file-content.ts'
import type { RawFile, RawFileStore } from '../files/raw-files.ts'
import { type StoredMember, storedZip, streamedMembers } from '../files/stored-zip.ts'
import { type ZipMember, zipStream } from '../files/zip.ts'
import type { Services } from '../services.ts'
import { preconditions } from './conditions.ts'
import { sendBytes } from './send-bytes.ts'
import { varyBy } from './vary.ts'

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

/** How a zip of raw files is sent. */
export interface ZipRequest {
  readonly fileName: string
  /** Deflate the files. */
  readonly compress: boolean
  /** Files in a zip at most; absent: any number. */
  readonly limit?: number
}

/**
 * Sends a zip that is made while it is sent. A client that goes away ends the search and closes the file that is open.
 * @param members given a signal that tells when nobody wants them any more
 */
export function sendZip(
  request: FastifyRequest,
  reply: FastifyReply,
  zip: { readonly fileName: string; readonly compress: boolean },
  members: (over: AbortSignal) => AsyncIterable<ZipMember>
): FastifyReply {
  const headers = { ...INERT, 'content-disposition': attachment(zip.fileName), 'accept-ranges': 'none' }
  reply.type('application/zip').headers(headers)
  if (request.method === 'HEAD') return reply.send(nothing())
  const over = new AbortController()
  const stream = zipStream(members(over.signal), zip)
  stream.once('close', () => over.abort())
  return reply.send(stream)
}

/**
 * Sends a zip of raw files: stored ones with length, validators and ranges, as they are known before a file is opened;
 * deflated ones as {@link sendZip}.
 * @throws SeraiError DOWNLOAD_FILES_LIMIT, and as {@link sendBytes}
 */
export async function sendFilesZip(
  request: FastifyRequest,
  reply: FastifyReply,
  files: RawFileStore,
  { fileName, compress, limit }: ZipRequest,
  members: (over: AbortSignal) => AsyncIterable<readonly StoredMember[]>
): Promise<FastifyReply> {
  if (compress) {
    return sendZip(request, reply, { fileName, compress }, over => streamedMembers(files, members(over)))
  }
  const source = await storedZip(files, members(request.signal), limit)
  return sendBytes(request, reply, {
    source,
    tag: source.fingerprint,
    type: async () => 'application/zip',
    headers: { ...INERT, 'content-disposition': attachment(fileName) }
  })
}

/** What {@link sendContent} sends. */
export interface FileRequest extends Window {
  readonly uploadId: string
  readonly file: RawFile
  /** Decompress it, if its name tells that it is compressed. */
  readonly decompress: boolean
  /** Name to save it under; absent: the client is not told to save it. */
  readonly fileName?: string
  /** Do not look what kind of file it is. */
  readonly untyped?: boolean
}

/**
 * Sends one file, or a part of it, with the type that its beginning tells; parts that `offset` and `length` cut out have none
 * (`search.md` §7.4). They are files of their own here: ranges count within them. What is decompressed is a stream, without
 * length and ranges.
 * @throws SeraiError as {@link openDecompressed} and {@link sendBytes}
 */
export async function sendContent(
  request: FastifyRequest,
  reply: FastifyReply,
  services: Pick<Services, 'files' | 'decompression'>,
  wanted: FileRequest
): Promise<FastifyReply> {
  const { files } = services
  const { uploadId, file, fileName, offset, length } = wanted
  const isWhole = offset === 0 && length === undefined
  const type = async () =>
    isWhole && !wanted.untyped ? contentType(files, uploadId, file) : 'application/octet-stream'
  const headers = {
    ...INERT,
    ...(fileName === undefined ? {} : { 'content-disposition': attachment(fileName) })
  }
  const content = Buffer.from(file.sha256, 'hex').toString('base64url').slice(0, 27)
  const part = isWhole ? content : `${content}-${offset}-${length ?? ''}`
  if (wanted.decompress && compressionOf(file.path)) {
    return sendDecompressed(request, reply, services, wanted, `${part}-plain`, type, headers)
  }
  return sendBytes(request, reply, {
    source: fileSource(files, uploadId, file, wanted),
    tag: part,
    lastModified: file.modified,
    type,
    ...(isWhole ? { sha256: file.sha256 } : {}),
    headers
  })
}

async function sendDecompressed(
  request: FastifyRequest,
  reply: FastifyReply,
  { files, decompression }: Pick<Services, 'files' | 'decompression'>,
  wanted: FileRequest,
  tag: string,
  type: () => Promise<string>,
  headers: Readonly<Record<string, string>>
): Promise<FastifyReply> {
  const { uploadId, file } = wanted
  const validators = { etag: `"${tag}"`, lastModified: file.modified }
  const state = preconditions(request.method, request.headers, validators)
  if (state === 'failed') throw failure('PRECONDITION_FAILED')
  const told = {
    etag: validators.etag,
    'last-modified': file.modified.toUTCString(),
    'cache-control': 'no-cache'
  }
  varyBy(reply, 'authorization')
  if (state === 'not modified') return reply.headers(told).code(304).send()
  const stream = await openDecompressed(files, decompression, uploadId, file, wanted, request.signal)
  reply
    .type(await type())
    .headers(headers)
    .headers({ ...told, 'accept-ranges': 'none' })
  if (request.method !== 'HEAD') return reply.send(stream)
  stream.destroy()
  return reply.send(nothing())
}

/** The body of an answer to HEAD: as a stream, so that the length of the real one is not overwritten. */
function nothing(): Readable {
  return Readable.from([])
}
