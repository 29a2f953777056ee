/** One quantity compared with one constant of a filter: types checked, values converted (`optimade.md` §4.1, §4.2, §5). */
import { timeSpan } from '../dates.ts'
import type { Quantity } from '../quantities.ts'
import { type Query, type Scalar, SUBSTRING_MAX, type SubstringPlace } from '../tree.ts'
import type { Operator, Value } from './filter.ts'
import { FaultAt } from './filter-error.ts'
import type { PropertyType } from './properties.ts'

/** What is compared. */
export interface Subject {
  /** As the filter names it. */
  readonly name: string
  readonly type: PropertyType
  readonly quantity: Quantity
}

const BOUNDS = { '<': 'lt', '<=': 'lte', '>': 'gt', '>=': 'gte' } as const
const PLACES: Readonly<Record<string, SubstringPlace>> = {
  CONTAINS: 'anywhere',
  STARTS: 'start',
  ENDS: 'end'
}

const TYPE_NAMES = {
  string: 'a string',
  text: 'a text',
  integer: 'an integer',
  float: 'a float',
  boolean: 'a boolean',
  timestamp: 'a timestamp',
  number: 'a number'
} as const

/** RFC 3339, and what servers print: without zone (UTC), or only the day (§5.1). */
const TIMESTAMP =
  /^(\d{4}-\d\d-\d\d(?:[Tt]\d\d:\d\d:\d\d)?)((?<=:\d\d)\.\d+)?((?<=:\d\d(?:\.\d+)?)(?:[Zz]|[+-]\d\d:\d\d))?$/

/**
 * The entries, or nested objects, in which a value of the quantity compares so. `!=` is for the caller, who knows what is
 * to be known.
 * @throws FaultAt
 */
export function comparison(subject: Subject, operator: Exclude<Operator, '!='>, value: Value): Query {
  if (value.type === 'property')
    throw new FaultAt('unsupported', value.at, 'two properties cannot be compared')
  const { quantity } = subject
  const place = PLACES[operator]
  if (place) return substring(subject, operator, place, value)
  const bound = BOUNDS[operator as keyof typeof BOUNDS]
  switch (subject.type) {
    case 'text':
      if (bound) throw unusable(subject, operator, value)
      return { kind: 'text', quantity, mode: 'words', text: stringOf(subject, value) }
    case 'boolean': {
      if (bound) throw unusable(subject, operator, value)
      if (value.type !== 'boolean') throw mismatch(subject, value)
      return { kind: 'terms', quantity, values: [value.value] }
    }
    default: {
      const scalar = scalarOf(subject, value)
      return bound
        ? { kind: 'range', quantity, bounds: { [bound]: scalar } }
        : { kind: 'terms', quantity, values: [scalar] }
    }
  }
}

function substring(subject: Subject, operator: Operator, at: SubstringPlace, value: Value): Query {
  const { quantity, type } = subject
  if (type !== 'string') throw unusable(subject, operator, value)
  const text = stringOf(subject, value)
  if (text === '') return { kind: 'exists', quantity }
  if (text.length > SUBSTRING_MAX) {
    throw new FaultAt(
      'unsupported',
      value.at,
      `${operator} takes a string of at most ${SUBSTRING_MAX} characters`
    )
  }
  return { kind: 'substring', quantity, at, text }
}

/** A constant as a value of a string, number or timestamp. @throws FaultAt */
function scalarOf(subject: Subject, value: Value): Scalar {
  if (subject.type === 'string') return stringOf(subject, value)
  if (subject.type === 'timestamp') return momentOf(subject, value)
  if (value.type !== 'number') throw mismatch(subject, value)
  const number = Number(value.text) + 0
  const exact = /^[+-]?\d+$/.test(value.text) ? Number.isSafeInteger(number) : Number.isFinite(number)
  if (!exact) throw new FaultAt('unsupported', value.at, `${cut(value.text)} is outside the range of numbers`)
  return number
}

function stringOf(subject: Subject, value: Value): string {
  if (value.type !== 'string') throw mismatch(subject, value)
  return value.value.toWellFormed()
}

/** Milliseconds since 1970. */
function momentOf(subject: Subject, value: Value): number {
  const text = stringOf(subject, value)
  const match = TIMESTAMP.exec(text)
  // Only milliseconds are kept in the index.
  const span = match && timeSpan(`${match[1]}${match[2]?.slice(0, 4) ?? ''}${match[3] ?? ''}`)
  if (!span) {
    const example = 'for example "2020-01-01T00:00:00Z"'
    throw new FaultAt('semantic', value.at, `"${cut(text)}" is no RFC 3339 timestamp, ${example}`)
  }
  return span.first
}

function unusable({ name, type }: Subject, operator: Operator, { at }: Value): FaultAt {
  return new FaultAt(
    'unsupported',
    at,
    `${operator} cannot be used with ${name}, which is ${TYPE_NAMES[type]}`
  )
}

function mismatch({ name, type }: Subject, { type: given, at }: Value): FaultAt {
  const what = given === 'property' ? 'a property' : TYPE_NAMES[given]
  return new FaultAt('unsupported', at, `${name} is ${TYPE_NAMES[type]} and cannot be compared with ${what}`)
}

function cut(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40).toWellFormed()}…` : text
}
