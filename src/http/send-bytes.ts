/**
 * Sends a known string of bytes as HTTP has it: with its length, validators and stretches of it on request (RFC 9110
 * §8.8, §13, §14, §15.3.7). Bytes go out through two buffers, so a download holds a megabyte at most, whatever its size is
 * and however slow its client.
 */
import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { failure } from '../errors.ts'
import { type ByteReader, type ByteSource, bytesReader, joinedReader } from '../files/byte-source.ts'
import { preconditions, type Stretch, stretches } from './conditions.ts'
import { digestHeaders } from './digests.ts'
import { varyBy } from './vary.ts'

/** What is sent. */
export interface Download {
  readonly source: ByteSource
  /** Differs for every other string of bytes at the same address; no quotes in it. */
  readonly tag: string
  readonly lastModified?: Date
  /** Gives the media type. */
  type(): Promise<string>
  /** Of the whole, in hexadecimal, where it is known. */
  readonly sha256?: string
  /** Further headers of answers with bytes. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Status, headers and bytes of an answer. */
interface Answer {
  readonly status: 200 | 206
  readonly headers: Readonly<Record<string, string | number>>
  readonly length: number
  /** To be closed by who calls it. */
  reader(): ByteReader
}

/** Bytes of the first read: the client sees something before a full buffer of small files is gathered. */
const FIRST = 4 * 1024

/**
 * Answers with a download.
 * @throws SeraiError RANGE_NOT_SATISFIABLE, PRECONDITION_FAILED, and what reading the first bytes throws; later faults
 *   break the connection
 */
export async function sendBytes(
  request: FastifyRequest,
  reply: FastifyReply,
  download: Download
): Promise<FastifyReply> {
  const { source, lastModified, sha256 } = download
  const { method, headers } = request
  const etag = `"${download.tag}"`
  const validators = { etag, ...(lastModified ? { lastModified } : {}) }
  const state = preconditions(method, headers, validators)
  if (state === 'failed') throw failure('PRECONDITION_FAILED')
  // Who keeps it asks each time whether it is still the same, and keeps what different callers see apart.
  const validation = {
    etag,
    'cache-control': 'no-cache',
    ...(lastModified ? { 'last-modified': lastModified.toUTCString() } : {})
  }
  varyBy(reply, 'authorization')
  if (state === 'not modified') return reply.headers(validation).code(304).send()

  // To HEAD the whole is described (§14.2).
  const wanted = method === 'HEAD' ? undefined : stretches(headers, source.size, validators)
  if (wanted?.length === 0) {
    reply.header('content-range', `bytes */${source.size}`)
    throw failure('RANGE_NOT_SATISFIABLE', { size: source.size })
  }
  const type = await download.type()
  const answer = wanted === undefined ? whole(source, type) : parts(source, type, wanted)
  const told = {
    ...download.headers,
    ...validation,
    ...(sha256 === undefined ? {} : digestHeaders(headers, sha256, wanted === undefined)),
    ...answer.headers,
    'accept-ranges': 'bytes',
    'content-length': answer.length
  }
  if (method === 'HEAD') begin(reply, answer.status, told).end()
  else await pump(request, reply, answer, told)
  return reply
}

function whole(source: ByteSource, type: string): Answer {
  const length = source.size
  return { status: 200, headers: { 'content-type': type }, length, reader: () => source.reader(0, length) }
}

function parts(source: ByteSource, type: string, wanted: readonly Stretch[]): Answer {
  const { size } = source
  const [first, second] = wanted as readonly [Stretch, ...Stretch[]]
  if (second === undefined) {
    return {
      status: 206,
      headers: { 'content-type': type, 'content-range': contentRange(first, size) },
      length: first.end - first.start,
      reader: () => source.reader(first.start, first.end)
    }
  }
  const boundary = randomBytes(16).toString('hex')
  const pieces = wanted.map(stretch => {
    const range = contentRange(stretch, size)
    const head = Buffer.from(`\r\n--${boundary}\r\nContent-Type: ${type}\r\nContent-Range: ${range}\r\n\r\n`)
    return { ...stretch, head }
  })
  const end = Buffer.from(`\r\n--${boundary}--\r\n`)
  function* readers(): Generator<ByteReader> {
    for (const piece of pieces) {
      yield bytesReader(piece.head)
      yield source.reader(piece.start, piece.end)
    }
    yield bytesReader(end)
  }
  return {
    status: 206,
    headers: { 'content-type': `multipart/byteranges; boundary=${boundary}` },
    length: pieces.reduce((sum, piece) => sum + piece.head.length + piece.end - piece.start, end.length),
    reader: () => joinedReader(readers())
  }
}

function contentRange({ start, end }: Stretch, size: number): string {
  return `bytes ${start}-${end - 1}/${size}`
}

/** Sends the headers, past the framework: it knows neither of buffers that are used again nor of the length to HEAD. */
function begin(reply: FastifyReply, status: number, headers: Answer['headers']): ServerResponse {
  reply.headers(headers).hijack()
  reply.request.active.answeredAfter = reply.elapsedTime
  return reply.raw.writeHead(status, reply.getHeaders() as Record<string, string>)
}

/** Sends what is read: while a buffer goes to the client the other one is filled. */
async function pump(
  request: FastifyRequest,
  reply: FastifyReply,
  { status, length, reader: open }: Answer,
  headers: Answer['headers']
): Promise<void> {
  const { raw } = reply
  const { downloadBuffers } = request.server
  const reader = open()
  let buffer = downloadBuffers.take(length)
  let other: Buffer | undefined
  let left = length
  let isDone = false
  try {
    // The first read tells whether there is anything to send at all.
    let count = await reader.read(buffer.subarray(0, FIRST))
    begin(reply, status, headers)
    while (count > 0) {
      left -= count
      const written = write(raw, buffer.subarray(0, count))
      if (left > 0) other ??= downloadBuffers.take(left)
      // Both are waited for, also when one fails: nobody may use the buffers any more then.
      const [sent, read] = await Promise.allSettled([written, other && left > 0 ? reader.read(other) : 0])
      if (sent.status === 'rejected') throw sent.reason
      if (read.status === 'rejected') throw read.reason
      count = read.value
      if (other) [buffer, other] = [other, buffer]
    }
    if (left !== 0) throw new Error(`the bytes end ${left} too early`)
    isDone = true
    raw.end()
  } catch (error) {
    if (!reply.sent) throw error
    // A connection that breaks tells the client that this is not all.
    if (!raw.destroyed) request.log.error({ err: error }, 'a download broke off')
    raw.destroy()
  } finally {
    for (const used of [buffer, other]) if (used) downloadBuffers.giveBack(used, isDone)
    await reader.close()
  }
}

/** Resolves when the bytes are with the operating system; rejects when the client is gone. */
function write(raw: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    if (raw.destroyed) return reject(new Error('the client is gone'))
    const gone = () => reject(new Error('the client is gone'))
    raw.once('close', gone)
    raw.write(bytes, error => {
      raw.off('close', gone)
      if (error) reject(error)
      else resolve()
    })
  })
}
