/**
 * Values of a request as values of a quantity (`search.md` §1.5, §1.7): texts of numbers are numbers, dates are spans
 * of time, formulas are normalised. What a value means is decided here, the same for every engine.
 */
import { failure, invalid, type SeraiError } from '../errors.ts'
import type { Comparison } from './criteria.ts'
import { type TimeSpan, timeSpan } from './dates.ts'
import { normaliseFormula } from './formula.ts'
import type { Quantity } from './quantities.ts'
import { type Bounds, NONE, type Query, type Scalar, type TextMode } from './tree.ts'

/** The quantity has this value. @throws SeraiError SEARCH_REFUSED (400), INVALID (422) for a formula */
export function equal(quantity: Quantity, value: Scalar): Query {
  switch (quantity.kind) {
    case 'text':
    case 'path':
      return { kind: 'text', quantity, mode: textMode(quantity), text: String(value).toWellFormed() }
    case 'date': {
      const { first, last } = span(value)
      if (first === last) return { kind: 'terms', quantity, values: [first] }
      return { kind: 'range', quantity, bounds: { gte: first, lte: last } }
    }
    default: {
      const converted = convert(quantity, value)
      return converted === undefined ? NONE : { kind: 'terms', quantity, values: [converted] }
    }
  }
}

/** The quantity has one of these values. @throws as {@link equal} */
export function anyOf(quantity: Quantity, values: readonly Scalar[]): Query {
  if (quantity.kind === 'text' || quantity.kind === 'path' || quantity.kind === 'date') {
    return { kind: 'or', of: values.map(v => equal(quantity, v)) }
  }
  return {
    kind: 'terms',
    quantity,
    values: values.map(v => convert(quantity, v)).filter(v => v !== undefined)
  }
}

/** The quantity has a value within the bounds. @throws as {@link equal} */
export function range(quantity: Quantity, given: Readonly<Partial<Record<Comparison, Scalar>>>): Query {
  const bounds: Record<string, Scalar> = {}
  for (const [name, value] of Object.entries(given) as [Comparison, Scalar][]) {
    bounds[name] = quantity.kind === 'date' ? dateBound(name, span(value)) : bound(quantity, value)
  }
  return { kind: 'range', quantity, bounds: bounds as Bounds }
}

/** A short date stands for all of its moments: later than a day is after its end, from a day on at its beginning. */
function dateBound(comparison: Comparison, { first, last }: TimeSpan): number {
  return comparison === 'gt' || comparison === 'lte' ? last : first
}

function textMode({ match }: Quantity): TextMode {
  if (match === 'match_phrase_prefix') return 'phrase_prefix'
  return match === 'match_bool_prefix' ? 'bool_prefix' : 'words'
}

/** The value in the quantity's type; undefined when no entry can have it. */
function convert(quantity: Quantity, value: Scalar): Scalar | undefined {
  switch (quantity.kind) {
    case 'boolean':
      return boolean(value)
    case 'integer':
    case 'long': {
      const n = number(value)
      return Number.isInteger(n) && (quantity.kind === 'long' || n === (n | 0)) ? n : undefined
    }
    case 'float':
    case 'double':
      return number(value)
    default:
      return keyword(quantity, value)
  }
}

/** A bound in the quantity's type: as a value, but whole numbers may be compared with fractions. */
function bound(quantity: Quantity, value: Scalar): Scalar {
  switch (quantity.kind) {
    case 'boolean':
      return boolean(value)
    case 'integer':
    case 'long':
    case 'float':
    case 'double':
      return number(value)
    default:
      return String(value).toWellFormed()
  }
}

/** @throws SeraiError INVALID (422) when a formula is asked for and it is none */
function keyword(quantity: Quantity, value: Scalar): string {
  const text = String(value).toWellFormed()
  if (!quantity.formula) return text
  const formula = normaliseFormula(text, quantity.formula)
  if (formula === undefined) {
    throw invalid([quantity.name], `${text.slice(0, 100)} is not a chemical formula`, {
      input: text.slice(0, 1000)
    })
  }
  return formula
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i

function number(value: Scalar): number {
  const text = String(value).trim()
  const n = typeof value === 'number' ? value : NUMBER.test(text) ? Number(text) : Number.NaN
  if (!Number.isFinite(n)) throw refused(`For input string: "${text.slice(0, 100)}"`)
  return n
}

function boolean(value: Scalar): boolean {
  if (value === true || value === 'true') return true
  if (value === false || value === 'false') return false
  throw refused(`Can't parse boolean value [${String(value).slice(0, 100)}], expected [true] or [false]`)
}

function span(value: Scalar): TimeSpan {
  const found = typeof value === 'boolean' ? undefined : timeSpan(value)
  if (!found) {
    throw refused(
      `failed to parse date field [${String(value).slice(0, 100)}] with format [strict_date_optional_time||epoch_millis]`
    )
  }
  return found
}

/** What the reference's engine says of values that it cannot read; clients know this text. */
function refused(reason: string): SeraiError {
  return failure('SEARCH_REFUSED', { reason: `failed to create query: ${reason}` })
}
