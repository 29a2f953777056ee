/** The id by which one request is found in the logs of all that had to do with it: `X-Request-Id`. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** Ids that may stand in a log as they are. */
const SANE = /^[\w.:/+=-]{1,128}$/

/** The id that came with a request, if it is a sane one, or a new one. */
export function requestId({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && SANE.test(given) ? given : randomUUID()
}
