/**
 * Reading of bodies (`auth.md` §1): malformed JSON is a 422 with its offset, before the caller is looked at; a body
 * that is not declared as JSON is a text and no request takes one.
 */
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { SeraiError } from '../../errors.ts'
import { parseJsonText } from '../../json-text.ts'

/** @throws SeraiError INVALID with type `json_invalid` and the offset in characters */
function parseJson(text: string): unknown {
  if (text === '') return undefined
  try {
    return parseJsonText(text)
  } catch (error) {
    const message = (error as Error).message
    const offset = Number(/at position (\d+)/.exec(message)?.[1] ?? text.length)
    throw new SeraiError('INVALID', [
      {
        type: 'json_invalid',
        loc: ['body', offset],
        msg: 'JSON decode error',
        input: {},
        ctx: { error: message.slice(0, 200) }
      }
    ])
  }
}

/** Installs the body parsers. */
export const jsonBody = fp(
  async (app: FastifyInstance) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser(
      /^application\/(?:[\w.-]+\+)?json\b/i,
      { parseAs: 'string' },
      (_request, body, done) => {
        try {
          done(null, parseJson(body as string))
        } catch (error) {
          done(error as Error)
        }
      }
    )
    app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) =>
      done(null, body || undefined)
    )
    // A route with a body schema gets an explicit "missing" instead of the validator's word on `undefined`.
    app.addHook('preValidation', async request => {
      if (request.routeOptions.schema?.body && request.body === undefined) {
        throw new SeraiError('INVALID', [
          { type: 'missing', loc: ['body'], msg: 'Field required', input: null }
        ])
      }
    })
  },
  { name: 'json-body' }
)
