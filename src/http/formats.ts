/** In which form a client wants a list of entries (`Accept`); JSON is what everybody gets who does not ask for another. */
import type { FastifyRequest } from 'fastify'
import Negotiator from 'negotiator'
import { NDJSON } from './ndjson.ts'

const TYPES = { json: 'application/json', ndjson: NDJSON, csv: 'text/csv' } as const

/** A form of a list of entries. */
export type Format = keyof typeof TYPES

/**
 * The form that `Accept` prefers. What nobody can give is no error: clients of this API send all kinds of lists and read
 * JSON.
 */
export function acceptedFormat(request: FastifyRequest): Format {
  const best = new Negotiator(request.raw).mediaType(Object.values(TYPES))
  return (Object.keys(TYPES) as Format[]).find(format => TYPES[format] === best) ?? 'json'
}
