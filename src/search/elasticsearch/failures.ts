/** What Elasticsearch and its client report, as errors of the table. */
import { errors } from '@elastic/elasticsearch'
import { failure } from '../../errors.ts'

interface Cause {
  readonly type?: string
  readonly reason?: string
  readonly root_cause?: readonly Cause[]
  readonly caused_by?: Cause
}

/** Kinds of errors with a status of the server's that are the query's fault all the same. */
const QUERY_TOO_LARGE = /too_many|query_too/

/**
 * The error to throw for one that the client threw: SEARCH_REFUSED, SEARCH_TIMEOUT, STORE_UNAVAILABLE with the first as
 * its cause, the signal's reason when that is given; an unknown one as it is.
 */
export function searchFailure(error: unknown, signal?: AbortSignal): unknown {
  if (signal?.aborted) return signal.reason
  const known = translated(error)
  if (known && known !== error) (known as Error).cause = error
  return known ?? error
}

function translated(error: unknown): Error | undefined {
  if (error instanceof errors.TimeoutError) return failure('SEARCH_TIMEOUT')
  if (error instanceof errors.ResponseError) {
    const status = error.statusCode ?? 0
    const { type, reason } = firstCause(error)
    if (status === 400 || QUERY_TOO_LARGE.test(type ?? '')) {
      return failure('SEARCH_REFUSED', { reason: reason ?? type ?? 'no reason was given' })
    }
    return failure('STORE_UNAVAILABLE', { store: 'search' })
  }
  return isConnectionError(error) ? failure('STORE_UNAVAILABLE', { store: 'search' }) : undefined
}

/** Whether Elasticsearch could not be reached at all. */
export function isConnectionError(error: unknown): boolean {
  return (
    error instanceof errors.ConnectionError ||
    error instanceof errors.NoLivingConnectionsError ||
    error instanceof errors.TimeoutError
  )
}

/** The type of the error that Elasticsearch answered with, such as `index_not_found_exception`. */
export function errorType(error: unknown): string | undefined {
  return error instanceof errors.ResponseError ? firstCause(error).type : undefined
}

function firstCause(error: errors.ResponseError): Cause {
  const cause = (error.meta.body as { error?: Cause | string } | undefined)?.error
  if (typeof cause !== 'object') return {}
  return cause.root_cause?.[0] ?? cause.caused_by ?? cause
}
