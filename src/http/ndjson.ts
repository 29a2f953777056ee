/**
 * Answers of one JSON object a line (`application/x-ndjson`), for results of any size: constant memory on both sides, every
 * object of use as soon as it is there, and a last line that tells how it ended.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { PresentedEntry } from './entry-text.ts'
import { jsonChunks } from './json-chunks.ts'
import { wireError } from './plugins/errors.ts'
import { sendParts } from './text-stream.ts'

/** Media type of such answers. */
export const NDJSON = 'application/x-ndjson'

/** Characters that are sent together, about. */
const PART = 64 * 1024

/** A line whose JSON is made in parts, for objects that are too large to be in memory. */
export class LineText {
  readonly parts: AsyncIterable<string>

  constructor(parts: AsyncIterable<string>) {
    this.parts = parts
  }
}

/** What the lines are made of. */
export interface Lines {
  /** The objects, in batches: those of one batch are sent without waiting for the next one. */
  readonly batches: AsyncIterable<readonly (object | LineText)[]>
  /** The last line, asked for when all objects are sent; for example `{ pagination }`. */
  end(): object
  /** Told beside the error, when one ends the objects: where to go on, for example. */
  onFailure?(): object
}

/**
 * Sends objects line by line with back-pressure; a client that goes away ends their making. What goes wrong before the first
 * of them is an ordinary error. Afterwards the last line is `{"error": {"status": …, "detail": …}}` with the status that the
 * answer would have had.
 * @param headers beside the type
 * @param lines given a signal that tells when nobody wants them any more
 */
export function sendNdjson(
  request: FastifyRequest,
  reply: FastifyReply,
  headers: Readonly<Record<string, string>>,
  lines: (over: AbortSignal) => Lines
): Promise<FastifyReply> {
  // Some proxies would collect everything first.
  const own = { 'content-type': `${NDJSON}; charset=utf-8`, 'x-accel-buffering': 'no' }
  return sendParts(request, reply, { ...own, ...headers }, over => lineParts(lines(over), over, request))
}

async function* lineParts(lines: Lines, over: AbortSignal, request: FastifyRequest): AsyncGenerator<string> {
  let begun = false
  try {
    for await (const batch of lines.batches) {
      for await (const part of batchParts(batch)) {
        begun = true
        yield part
      }
    }
    yield `${JSON.stringify(lines.end())}\n`
  } catch (error) {
    if (!begun || over.aborted) throw error
    const { status, detail } = wireError(error, request)
    yield `${JSON.stringify({ error: { status, detail, ...lines.onFailure?.() } })}\n`
  }
}

/** The lines of a batch; large objects in several parts. */
async function* batchParts(batch: readonly (object | LineText)[]): AsyncGenerator<string> {
  let part = ''
  for (const object of batch) {
    if (object instanceof LineText) {
      if (part) yield part
      part = ''
      yield* object.parts
      yield '\n'
      continue
    }
    const texts = object instanceof PresentedEntry ? [object.text] : jsonChunks(object)
    for (const text of texts) {
      part += text
      if (part.length < PART) continue
      yield part
      part = ''
    }
    part += '\n'
  }
  if (part) yield part
}
