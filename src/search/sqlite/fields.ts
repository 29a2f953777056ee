/**
 * What is indexed: the engine fields of the quantities, where their values stand in a document and how a value of
 * the document is read. Several quantities may name one field; postings belong to fields.
 */
import type { IndexKind, Quantities, Quantity } from '../../query/quantities.ts'

/** One indexed field; plain data, so that it can be sent to a worker. */
export interface Field {
  /** Its name in the engine (`Quantity.field`). */
  readonly name: string
  readonly kind: Exclude<IndexKind, 'none'>
  /** Dot path in the document. */
  readonly source: string
  readonly nestedPath?: string
  /**
   * Set for keywords that an object has one value of at most, as a rule: their terms are also kept by row, as numbers, so that
   * counting distinct values does not depend on how many there are.
   */
  readonly byRow?: true
}

/** The fields and nested paths of one kind of document. */
export interface FieldPlan {
  readonly fields: readonly Field[]
  /** Outer paths before inner ones. */
  readonly nestedPaths: readonly string[]
}

/** Field of the key that every document has; it is looked up in the table of entries. */
export const KEY_FIELD = 'entry_id'

/** Longest keyword, in UTF-16 units, that is searchable (`search.md` §10: `ignore_above`). */
export const KEYWORD_MAX = 8191

/** The fields that documents fill. */
export function fieldPlan(quantities: Quantities): FieldPlan {
  const fields = [...quantities.list, ...quantities.hidden]
    .filter(q => q.kind !== 'none')
    .map(q => ({
      name: q.field,
      kind: q.kind as Field['kind'],
      source: q.source,
      ...(q.nestedPath ? { nestedPath: q.nestedPath } : {}),
      ...(isKeptByRow(q) ? { byRow: true as const } : {})
    }))
  return { fields, nestedPaths: quantities.nestedPaths }
}

/** Source of the texts of custom quantities, one in each of their nested objects. */
const CUSTOM_TEXTS = 'search_quantities.str_value'

/** Whether the terms of the quantity are kept by row too; see {@link Field}. */
export function isKeptByRow({ kind, many, nestedPath, source }: Quantity): boolean {
  return kind === 'keyword' && (nestedPath === undefined ? !many : source === CUSTOM_TEXTS)
}

/** Whether the values are kept as numbers; all others are kept as terms. */
export function isNumeric(kind: IndexKind): boolean {
  return kind === 'integer' || kind === 'long' || kind === 'float' || kind === 'double' || kind === 'date'
}

/** A document's value as a term of a keyword or boolean field; undefined when it is not indexed. */
export function termOf(kind: IndexKind, value: unknown): string | undefined {
  if (kind === 'boolean') {
    if (value === true || value === 'true' || value === 1) return '1'
    if (value === false || value === 'false' || value === '' || value === 0) return '0'
    return undefined
  }
  const text = textOf(value)
  return text !== undefined && text.length <= KEYWORD_MAX ? text : undefined
}

/** A document's value as text; undefined for null, objects and lists. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

/** A document's value as a number of a numeric field, dates in milliseconds; undefined when it is not indexed. */
export function numberOf(kind: IndexKind, value: unknown): number | undefined {
  const number = kind === 'date' ? millisecondsOf(value) : plainNumber(value)
  if (number === undefined || !Number.isFinite(number)) return undefined
  // Adding 0 makes -0 an ordinary zero.
  return inPrecision(kind, kind === 'integer' || kind === 'long' ? Math.trunc(number) : number) + 0
}

/** A number in the precision of its field: `float` has the single one, in Elasticsearch too. */
export function inPrecision(kind: IndexKind, number: number): number {
  return kind === 'float' ? Math.fround(number) : number
}

function plainNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : undefined
}

const DATE =
  /^\d{4}(?:-\d\d(?:-\d\d(?:T(?:\d\d(?::\d\d(?::\d\d(?:[.,]\d+)?)?)?(Z|[+-]\d\d(?::?\d\d)?)?)?)?)?)?$/

function millisecondsOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Math.trunc(value)
  if (typeof value !== 'string') return undefined
  const match = DATE.exec(value)
  if (!match) return /^-?\d{5,}$/.test(value) ? Number(value) : undefined
  let text = value.replace(',', '.')
  // What JavaScript does not read: an hour without minutes, zones as +01 or +0100, and no zone meaning UTC.
  const zone = match[1] ?? ''
  if (zone !== '') text = text.slice(0, -zone.length)
  if (text.endsWith('T')) text = text.slice(0, -1)
  if (/T\d\d$/.test(text)) text += ':00'
  if (!text.includes('T')) return Date.parse(text)
  return Date.parse(
    text + (zone === '' ? 'Z' : zone.replace(/^([+-]\d\d):?(\d\d)?$/, (_, h, m) => `${h}:${m ?? '00'}`))
  )
}

/** Order of texts by their UTF-8 bytes, as the database and Elasticsearch compare keywords. */
export function compareText(a: string, b: string): number {
  const end = Math.min(a.length, b.length)
  for (let i = 0; i < end; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    // Surrogates stand for characters above all others, though their units are lower than U+E000 to U+FFFF.
    return rank(x) - rank(y)
  }
  return a.length - b.length
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
