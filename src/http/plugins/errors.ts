/**
 * The wire form of every error (`auth.md` §1): `{"detail": text}` or `{"detail": [{type, loc, msg, …}]}`.
 */
import type { ErrorObject } from 'ajv'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { type DetailItem, failure, SeraiError } from '../../errors.ts'
import { askedQuery } from '../asked-query.ts'

/**
 * Failures that are meant to happen, and calls to a store that is known to be lost: the line of the request, which has the
 * code, is enough, and many would fill the log.
 */
const EXPECTED: ReadonlySet<string> = new Set([
  'RATE_LIMITED',
  'CONCURRENCY_LIMITED',
  'OVERLOADED',
  'STORE_UNAVAILABLE',
  'SEARCH_TIMEOUT'
])

/** The part of a request that a validator looked at, as FastAPI names it in `loc`. */
const PARTS: Record<string, string> = {
  body: 'body',
  querystring: 'query',
  params: 'path',
  headers: 'header'
}

const TYPE_ERRORS: Record<string, { type: string; parsing?: string; msg: string }> = {
  string: { type: 'string_type', msg: 'Input should be a valid string' },
  integer: { type: 'int_type', parsing: 'int_parsing', msg: 'Input should be a valid integer' },
  number: { type: 'float_type', parsing: 'float_parsing', msg: 'Input should be a valid number' },
  boolean: { type: 'bool_type', parsing: 'bool_parsing', msg: 'Input should be a valid boolean' },
  array: { type: 'list_type', msg: 'Input should be a valid list' },
  object: {
    type: 'model_attributes_type',
    msg: 'Input should be a valid dictionary or object to extract fields from'
  }
}

/** `'a', 'b' or 'c'` */
function alternatives(values: readonly unknown[]): string {
  const quoted = values.map(v => `'${String(v)}'`)
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`
}

function valueAt(data: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (node, key) => (node as Record<string, unknown> | null | undefined)?.[key],
    data
  )
}

/** One Ajv error as an item of `detail`. */
function detailItem(error: ErrorObject, part: string, data: unknown): DetailItem {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map(s => s.replace(/~1/g, '/').replace(/~0/g, '~'))
  const loc = [part, ...path.map(s => (/^\d+$/.test(s) ? Number(s) : s))]
  const input = valueAt(data, path)
  const { keyword, params } = error
  if (keyword === 'required') {
    return {
      type: 'missing',
      loc: [...loc, params.missingProperty as string],
      msg: 'Field required',
      input: input ?? null
    }
  }
  if (keyword === 'type') {
    const wanted = [params.type].flat().find(t => t !== 'null') as string
    const row = TYPE_ERRORS[wanted] ?? { type: 'value_error', msg: error.message ?? 'Invalid value' }
    return { type: part === 'query' && row.parsing ? row.parsing : row.type, loc, msg: row.msg, input }
  }
  if (keyword === 'enum' || keyword === 'const') {
    const expected = alternatives((params.allowedValues as unknown[] | undefined) ?? [params.allowedValue])
    return { type: 'enum', loc, msg: `Input should be ${expected}`, input, ctx: { expected } }
  }
  if (keyword === 'pattern') {
    const { pattern } = params as { pattern: string }
    const msg = `String should match pattern '${pattern}'`
    return { type: 'string_pattern_mismatch', loc, msg, input, ctx: { pattern } }
  }
  const bounds: Record<string, [string, string, string]> = {
    minimum: ['greater_than_equal', 'greater than or equal to', 'ge'],
    exclusiveMinimum: ['greater_than', 'greater than', 'gt'],
    maximum: ['less_than_equal', 'less than or equal to', 'le'],
    exclusiveMaximum: ['less_than', 'less than', 'lt']
  }
  const bound = bounds[keyword]
  if (bound) {
    const [type, words, key] = bound
    return { type, loc, msg: `Input should be ${words} ${params.limit}`, input, ctx: { [key]: params.limit } }
  }
  return { type: 'value_error', loc, msg: `Input ${error.message ?? 'is not valid'}`, input }
}

/** A list of Ajv errors as a 422; of the branches of a union only the first that says something is told. */
function validationError(errors: readonly ErrorObject[], context: string, data: unknown): SeraiError {
  const part = PARTS[context] ?? context
  const items = errors
    .filter(e => e.keyword !== 'anyOf' && !(e.keyword === 'type' && e.params.type === 'null'))
    .map(e => detailItem(e, part, data))
  return new SeraiError(
    'INVALID',
    items.length > 0 ? items : [{ type: 'value_error', loc: [part], msg: 'Input is not valid' }]
  )
}

function toSeraiError(error: unknown, request: FastifyRequest): SeraiError | undefined {
  if (error instanceof SeraiError) return error
  const known = error as {
    code?: string
    validation?: ErrorObject[]
    validationContext?: string
    statusCode?: number
  }
  if (known.validation) {
    const context = known.validationContext ?? 'body'
    const data = { body: request.body, querystring: request.query, params: request.params }[context]
    return validationError(known.validation, context, data)
  }
  if (known.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return failure('BODY_TOO_LARGE', { limit: request.routeOptions.bodyLimit })
  }
  if (known.code === 'FST_ERR_CTP_EMPTY_JSON_BODY' || known.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new SeraiError('INVALID', [{ type: 'missing', loc: ['body'], msg: 'Field required', input: null }])
  }
  return undefined
}

/** An error as clients see it. */
export interface WireError {
  readonly status: number
  readonly detail: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** Any error as clients see it; what is the server's fault is logged, and what is not in the table keeps its text to itself. */
export function wireError(error: unknown, request: FastifyRequest): WireError {
  const known = toSeraiError(error, request)
  if (known) {
    if (request.active) request.active.failure = known.code
    logFailure(known, request)
    return { status: known.status, detail: known.detail, headers: known.headers }
  }
  const status = (error as { statusCode?: number }).statusCode
  if (status !== undefined && status >= 400 && status < 500)
    return { status, detail: (error as Error).message }
  request.log.error(error)
  return {
    status: 500,
    detail: {
      reason: 'Unexpected exception while handling your request',
      exception: `The log of the server has it under request ${request.id}.`,
      exception_class: (error as Error)?.constructor?.name ?? 'Error'
    }
  }
}

/** What the line of the request does not tell. */
function logFailure(error: SeraiError, request: FastifyRequest): void {
  const { code, status, cause } = error
  const reason = cause instanceof Error ? cause.message.split('\n')[0] : undefined
  if (code === 'SEARCH_REFUSED' && reason !== undefined) {
    // What the engine refuses should have been refused, or put in another way, before it was asked.
    request.log.warn({ reason, query: askedQuery(request) }, 'the search engine refused a query')
  } else if (status >= 500 && !EXPECTED.has(code)) request.log.error(error)
  else if (status >= 500 && reason !== undefined) request.log.warn({ failure: code, reason }, error.message)
}

/** Sends any error in its wire form. */
function send(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  // Work for a client that is gone was stopped: nobody reads this answer, and nothing is wrong.
  if ((error as Error)?.name === 'AbortError' && reply.raw.destroyed) {
    request.log.info('the client is gone')
    return reply.code(499).send()
  }
  const { status, detail, headers = {} } = wireError(error, request)
  return reply.code(status).headers(headers).type('application/json').send({ detail })
}

/** Installs the error handler. */
export const errors = fp(
  async (app: FastifyInstance) => {
    app.setErrorHandler(send)
  },
  { name: 'errors' }
)
