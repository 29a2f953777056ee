/**
 * How requests are checked against their TypeBox schemas: bodies strictly, URL parameters after conversion from text
 * (`auth.md` §1, query booleans and integers), unknown members ignored everywhere.
 */
import { Ajv } from 'ajv'
import type { FastifyInstance, FastifySchema } from 'fastify'
import fp from 'fastify-plugin'

interface ObjectSchema {
  readonly properties?: Record<
    string,
    { readonly type?: string; readonly anyOf?: readonly { readonly type?: string }[] }
  >
}

const TRUE = new Set(['true', '1', 'yes', 'on', 't', 'y'])
const FALSE = new Set(['false', '0', 'no', 'off', 'f', 'n'])

/** Which of an object's properties have the type. */
function propertiesOfType(schema: ObjectSchema, type: string): string[] {
  return Object.entries(schema.properties ?? {})
    .filter(([, s]) => s.type === type || s.anyOf?.some(a => a.type === type))
    .map(([name]) => name)
}

/**
 * Turns text parameters into what their schema means, before validation: repeated ones into lists or, where one value
 * is asked for, their last; the words for true and false into booleans.
 */
function urlConverter(schema: ObjectSchema): (query: Record<string, unknown>) => void {
  const lists = new Set(propertiesOfType(schema, 'array'))
  const booleans = propertiesOfType(schema, 'boolean')
  const names = Object.keys(schema.properties ?? {})
  return query => {
    for (const name of names) {
      const value = query[name]
      if (value === undefined) continue
      if (lists.has(name)) query[name] = Array.isArray(value) ? value : [value]
      else if (Array.isArray(value)) query[name] = value.at(-1)
    }
    for (const name of booleans) {
      const word = typeof query[name] === 'string' ? (query[name] as string).toLowerCase() : undefined
      if (word === undefined) continue
      if (TRUE.has(word)) query[name] = true
      else if (FALSE.has(word)) query[name] = false
    }
  }
}

/** Installs the validators; answers are written by JSON.stringify, response schemas are documentation only. */
export const validation = fp(
  async (app: FastifyInstance) => {
    const options = { allErrors: false, strict: false, useDefaults: true } as const
    const body = new Ajv(options)
    const text = new Ajv({ ...options, coerceTypes: true })
    app.setValidatorCompiler<FastifySchema>(({ schema, httpPart }) => {
      if (httpPart === 'body') return body.compile(schema as object)
      const validate = text.compile(schema as object)
      if (httpPart !== 'querystring') return validate
      const convert = urlConverter(schema as ObjectSchema)
      return data => {
        convert(data as Record<string, unknown>)
        if (validate(data)) return { value: data }
        return { error: Object.assign(new Error('validation'), { validation: validate.errors ?? [] }) }
      }
    })
    app.setSerializerCompiler(() => data => JSON.stringify(data))
  },
  { name: 'validation' }
)
