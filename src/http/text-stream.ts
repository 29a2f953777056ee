/** Answers that are written while they are read: text in parts, as fast as the client takes it. */
import { Readable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Bytes that wait for a slow client at most, beside the part that comes next. */
const WAITING = 64 * 1024

/**
 * Sends text that comes in parts. Nothing is read ahead: the next part is made when the client has taken the ones before. A
 * client that goes away ends the work on the part that it would have got.
 *
 * What goes wrong before the first part is an ordinary error; later the connection breaks off, so that nobody takes a part
 * for the whole.
 * @param headers of the answer when it is no error
 * @param parts given a signal that tells when nobody wants them any more
 * @throws what making the first part throws
 */
export async function sendParts(
  request: FastifyRequest,
  reply: FastifyReply,
  headers: Readonly<Record<string, string>>,
  parts: (over: AbortSignal) => AsyncGenerator<string | Buffer>
): Promise<FastifyReply> {
  const generator = parts(request.signal)
  const first = await generator.next()
  reply.headers(headers)
  if (request.method === 'HEAD') {
    await generator.return(undefined)
    return reply.send(Readable.from([]))
  }
  return reply.send(Readable.from(turns(first, generator), { objectMode: false, highWaterMark: WAITING }))
}

/** The parts; between two of them other requests get their turn. */
async function* turns(
  first: IteratorResult<string | Buffer>,
  rest: AsyncGenerator<string | Buffer>
): AsyncGenerator<string | Buffer> {
  try {
    for (let next = first; !next.done; next = await rest.next()) {
      yield next.value
      await nextTurn()
    }
  } finally {
    await rest.return(undefined)
  }
}
