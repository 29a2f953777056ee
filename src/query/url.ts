/** Criteria in URL parameters, turned into a query in JSON (`search.md` §1.9). */
import { invalid } from '../errors.ts'
import { parseJsonText } from '../json-text.ts'
import { COMPARISONS, type Comparison, SET_OPERATORS, splitOperator } from './criteria.ts'
import { customName, findQuantity } from './custom-names.ts'
import { fullIsoDate } from './dates.ts'
import type { Quantities, Quantity } from './quantities.ts'
import type { Scalar } from './tree.ts'

/** Short names that only URLs know (spec README, decision 1). */
const ALIASES: ReadonlyMap<string, string> = new Map([['elements', 'results.material.elements']])

const TRUE = new Set(['true', '1', 'yes', 'on', 't', 'y'])
const FALSE = new Set(['false', '0', 'no', 'off', 'f', 'n'])

/** The values given for one quantity under one operator. */
interface Given {
  readonly name: string
  readonly quantity: Quantity
  readonly operator: string
  /** As in the URL, for errors. */
  readonly parameter: string
  readonly values: string[]
}

/**
 * The query that URL parameters ask for; parameters that name no quantity are not looked at.
 * @throws SeraiError INVALID (422)
 */
export function urlQuery(parameters: object, quantities: Quantities): Record<string, unknown> {
  const given = new Map<string, Given>()
  const add = (
    parameter: string,
    name: string,
    quantity: Quantity,
    operator: string | undefined,
    values: string[]
  ) => {
    const op = operator ?? (quantity.allByDefault ? 'all' : 'any')
    if (![...COMPARISONS, ...SET_OPERATORS].includes(op as Comparison)) {
      throw invalid(['query', parameter], `operator ${op} is unknown`)
    }
    const key = `${name}:${op}`
    const before = given.get(key)
    if (before) before.values.push(...values)
    else given.set(key, { name, quantity, operator: op, parameter, values: [...values] })
  }

  for (const [parameter, value] of Object.entries(parameters)) {
    const [word = '', ...operator] = parameter.split('__')
    const name = ALIASES.get(word) ?? word
    const quantity = quantities.get(name) ?? packageQuantity(name, quantities)
    if (quantity)
      add(parameter, name, quantity, operator.length > 0 ? operator.join('__') : undefined, texts(value))
  }
  for (const criterion of texts((parameters as { q?: unknown }).q)) {
    const parts = criterion.split('__')
    if (parts.length < 2 || parts.length > 3) {
      throw invalid(['query', 'q'], 'wrong format, use <quantity>[__<op>]__<value>', { input: criterion })
    }
    const value = parts.pop() as string
    const [word = '', operator] = parts
    const name = ALIASES.get(word) ?? word
    add(parts.join('__'), name, findQuantity(name, quantities, ['query', criterion]), operator, [value])
  }
  return merged(given.values(), jsonQuery((parameters as { json_query?: unknown }).json_query))
}

/** A custom quantity that a parameter can name: uploaded schemas are not looked at (`search.md` §1.6). */
function packageQuantity(name: string, quantities: Quantities): Quantity | undefined {
  return customName(name)?.uploaded === false ? quantities.custom(name) : undefined
}

/** Parameters, and over them the members of `json_query`. */
function merged(given: Iterable<Given>, json: Record<string, unknown>): Record<string, unknown> {
  const replaced = new Set(Object.keys(json).map(key => splitOperator(key).name))
  const result: Record<string, unknown> = {}
  for (const { name, quantity, operator, parameter, values } of given) {
    if (replaced.has(name)) continue
    const converted = values.map(value => convert(quantity, value, parameter))
    const list = operator === 'all' || operator === 'any'
    if (!list && converted.length > 1) {
      throw invalid(['query', parameter], `operator ${operator} does not support multiple values`)
    }
    const value = list || operator === 'none' ? converted : converted[0]
    // A second operator stands beside the first, so that the rules for one quantity given twice are those of bodies.
    if (name in result) result[`${name}:${operator}`] = value
    else result[name] = { [operator]: value }
  }
  return { ...result, ...json }
}

/** @throws SeraiError INVALID (422) when it is no JSON object */
function jsonQuery(text: unknown): Record<string, unknown> {
  if (text === undefined || text === '') return {}
  let json: unknown
  try {
    json = parseJsonText(String(text))
  } catch {
    json = undefined
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw invalid(['json_query'], 'cannot parse json_query')
  }
  return json as Record<string, unknown>
}

function texts(value: unknown): string[] {
  if (value === undefined) return []
  return (Array.isArray(value) ? value : [value]).map(String)
}

/**
 * A parameter's text as a value of the quantity's type.
 * @throws SeraiError INVALID (422)
 */
function convert(quantity: Quantity, text: string, parameter: string): Scalar {
  const bad = (type: string, wanted: string) =>
    invalid(['query', parameter], `Input should be a valid ${wanted}`, { type, input: text.slice(0, 1000) })
  switch (quantity.type) {
    case 'int': {
      const number = /^\s*[+-]?\d{1,19}\s*$/.test(text) ? Number(text) : Number.NaN
      if (Number.isNaN(number)) throw bad('int_parsing', 'integer')
      return number
    }
    case 'float': {
      const number = text.trim() === '' ? Number.NaN : Number(text)
      if (!Number.isFinite(number)) throw bad('float_parsing', 'number')
      return number
    }
    case 'bool': {
      const word = text.toLowerCase()
      if (!TRUE.has(word) && !FALSE.has(word)) throw bad('bool_parsing', 'boolean')
      return TRUE.has(word)
    }
    case 'date': {
      const date = fullIsoDate(text)
      if (date === undefined)
        throw bad('datetime_parsing', 'date in ISO 8601 form, such as 2024-05-06T13:00:00Z')
      return date
    }
    default:
      return text
  }
}
