/**
 * Answers of one JSON object a line (`application/x-ndjson`), for results of any size: constant memory on both sides, every
 * object of use as soon as it is there, and a last line that tells how it ended.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { JsonText } from '../archive/json-text.ts'
import { writtenText } from './archive-text.ts'
import { PresentedEntry } from './entry-text.ts'
import { jsonChunks } from './json-chunks.ts'
import { wireError } from './plugins/errors.ts'
import { sendParts } from './text-stream.ts'

/** Media type of such answers. */
export const NDJSON = 'application/x-ndjson'

/** A line whose JSON is written bit by bit, for objects that are too large to be in memory. */
export class WrittenLine {
  /** Gives what is worth being sent; what was written last stays in `into`. */
  readonly write: (into: JsonText) => AsyncIterable<Buffer>

  constructor(write: (into: JsonText) => AsyncIterable<Buffer>) {
    this.write = write
  }
}

/** What the lines are made of. */
export interface Lines {
  /** The objects, in batches: those of one batch are sent without waiting for the next one. */
  readonly batches: AsyncIterable<readonly (object | WrittenLine)[]>
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
  const { eagerCollection } = request.server
  return sendParts(request, reply, { ...own, ...headers }, over =>
    eagerCollection.during(lineParts(lines(over), over, request))
  )
}

async function* lineParts(lines: Lines, over: AbortSignal, request: FastifyRequest): AsyncGenerator<Buffer> {
  const text = new JsonText()
  let begun = false
  try {
    for await (const batch of lines.batches) {
      for await (const part of batchParts(batch, text)) {
        begun = true
        yield part
      }
    }
    text.text(`${JSON.stringify(lines.end())}\n`)
  } catch (error) {
    if (!begun || over.aborted) throw error
    const { status, detail } = wireError(error, request)
    text.text(`${JSON.stringify({ error: { status, detail, ...lines.onFailure?.() } })}\n`)
  }
  yield text.rest()
}

/** The lines of a batch; large objects in several parts. */
async function* batchParts(batch: readonly (object | WrittenLine)[], text: JsonText): AsyncGenerator<Buffer> {
  for (const object of batch) {
    if (object instanceof WrittenLine) yield* object.write(text)
    else yield* writtenText(text, object instanceof PresentedEntry ? [object.text] : jsonChunks(object))
    text.text('\n')
  }
  const last = text.rest()
  if (last.length > 0) yield last
}
