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
    if (quantity.kind === 'date') bounds[name] = dateBound(name, span(value))
    else if (quantity.kind === 'integer' || quantity.kind === 'long') {
      const [comparison, n] = wholeBound(name, number(value), LARGEST[quantity.kind])
      bounds[comparison] = n
    } else bounds[name] = bound(quantity, value)
  }
  return { kind: 'range', quantity, bounds: bounds as Bounds }
}

/** Largest whole number of a field; of `long` the largest that is exact in a double. */
const LARGEST = { integer: 2 ** 31 - 1, long: 2 ** 63 - 1024 }

/** A bound beyond all numbers of a field as one of the field, which engines accept, with the same matches. */
function wholeBound(comparison: Comparison, n: number, largest: number): [Comparison, number] {
  if (Math.abs(n) <= largest) return [comparison, n]
  const [end, above] = n > 0 ? [largest, 'gt'] : [-largest, 'lt']
  // Beyond this end there is nothing; up to it there is everything.
  if (comparison.startsWith(above)) return [above as Comparison, end]
  return [n > 0 ? 'lte' : 'gte', end]
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
      return Number.isInteger(n) && Math.abs(n) <= LARGEST[quantity.kind] ? n : undefined
    }
    case 'float':
    case 'double':
      return number(value)
    default:
      return keyword(quantity, value)
  }
}

/** A bound in the quantity's type. */
function bound(quantity: Quantity, value: Scalar): Scalar {
  switch (quantity.kind) {
    case 'boolean':
      return boolean(value)
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
