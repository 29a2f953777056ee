/** What Elasticsearch and its client report, as errors of the table. */
import { errors } from '@elastic/elasticsearch'
import { failure } from '../../errors.ts'

interface Cause {
  readonly type?: string
  readonly reason?: string
  readonly root_cause?: readonly Cause[]
  readonly caused_by?: Cause
}

/**
 * Kinds of errors that are the query's fault, whatever their status, and what clients are told: the engine's own words name
 * indices, shards and settings.
 */
const REASONS: readonly (readonly [type: RegExp, reason: string])[] = [
  [/too_many_buckets/, 'the aggregations have too many buckets'],
  [/too_many|query_too/, 'the query is too large'],
  [/too_complex|stack_overflow/, 'a pattern of the query is too complex']
]

/** The one refusal whose own words say what to do; the rest of them is about a setting. */
const WINDOW =
  /^Result window is too large, from \+ size must be less than or equal to: \[\d+\] but was \[\d+\]/

/** A search that took too long and must not be answered in part. */
const TIMED_OUT = /timeout_exception|Time exceeded/

/**
 * The error to throw for one that the client threw: SEARCH_REFUSED, SEARCH_TIMEOUT, STORE_UNAVAILABLE with the first as
 * its cause; an unknown one as it is.
 */
export function searchFailure(error: unknown): unknown {
  const known = translated(error)
  if (known) known.cause = error
  return known ?? error
}

function translated(error: unknown): Error | undefined {
  if (error instanceof errors.TimeoutError) return failure('SEARCH_TIMEOUT')
  if (error instanceof errors.ResponseError) return answerFailure(error.statusCode ?? 0, error.meta.body)
  return error instanceof errors.ConnectionError || error instanceof errors.NoLivingConnectionsError
    ? failure('STORE_UNAVAILABLE', { store: 'search' })
    : undefined
}

/**
 * The error to throw for an answer that is none to a search: SEARCH_REFUSED, SEARCH_TIMEOUT or STORE_UNAVAILABLE, with
 * what Elasticsearch said as its cause.
 * @param body its JSON
 */
export function answerFailure(status: number, body: unknown): Error {
  const cause = firstCause(body)
  const { type = '', reason = '' } = cause
  const told = telling(status, type, reason)
  told.cause = new Error(`Elasticsearch answered ${status}: ${type}: ${reason}`)
  return told
}

function telling(status: number, type: string, reason: string): Error {
  if (TIMED_OUT.test(`${type} ${reason}`)) return failure('SEARCH_TIMEOUT')
  const known = REASONS.find(([kinds]) => kinds.test(type))?.[1]
  if (!known && status !== 400) return failure('STORE_UNAVAILABLE', { store: 'search' })
  return failure('SEARCH_REFUSED', { reason: known ?? WINDOW.exec(reason)?.[0] ?? 'it was refused' })
}

/** The type of the error that Elasticsearch answered with, such as `index_not_found_exception`. */
export function errorType(error: unknown): string | undefined {
  return error instanceof errors.ResponseError ? firstCause(error.meta.body).type : undefined
}

function firstCause(body: unknown): Cause {
  const cause = (body as { error?: Cause | string } | undefined)?.error
  if (typeof cause !== 'object') return {}
  return cause.root_cause?.[0] ?? cause.caused_by ?? cause
}
