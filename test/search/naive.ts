/**
 * What a query matches, decided by looking at one document: the measure for the engines. Written for clarity and
 * without anything of theirs but the analysis of text.
 */
import type { Quantity } from '../../src/query/quantities.ts'
import type { Query, Scalar } from '../../src/query/tree.ts'
import type { Hit, IndexDocument } from '../../src/search/entry-index.ts'
import { segments, words } from '../../src/search/sqlite/analysis.ts'

type Json = unknown

/** Whether the document meets the query. */
export function matches(query: Query, document: Json): boolean {
  return meets(query, document, '')
}

/** The value that the document is sorted by: of several the first in the order; null when there is none. */
export function sortValueOf(
  quantity: Quantity,
  document: Json,
  order: 'asc' | 'desc'
): string | number | null {
  const { nestedPath: path, within } = quantity
  if (path && !within) return null
  const objects = path
    ? objectsAt(document, path.split('.')).filter(object => meets(within as Query, object, path))
    : [document]
  const values = objects
    .flatMap(object => valuesOf(quantity, object, path ?? ''))
    .map(value => (typeof value === 'boolean' ? Number(value) : value))
    .sort(compareValues)
  return values.at(order === 'asc' ? 0 : -1) ?? null
}

/** All values of the quantity in a document, as they are compared; also those in nested objects. */
export function valuesIn(quantity: Quantity, document: Json): Scalar[] {
  return converted(quantity, leavesAt(document, quantity.source.split('.')))
}

/**
 * The objects that the values of a quantity belong to: the document itself, or the nested objects of it that may hold
 * them.
 */
export function objectsOf(quantity: Quantity, document: Json): Json[] {
  const { nestedPath: path, within } = quantity
  if (path === undefined) return [document]
  return objectsAt(document, path.split('.')).filter(o => !within || meets(within, o, path))
}

/** The quantity's values in one of these objects, as they are compared. */
export function valuesAt(quantity: Quantity, object: Json): Scalar[] {
  return valuesOf(quantity, object, quantity.nestedPath ?? '')
}

/** The documents as hits, sorted by the quantity and then by id; without a value last. */
export function sorted(
  documents: readonly IndexDocument[],
  orderBy: Quantity | undefined,
  order: 'asc' | 'desc'
): Hit[] {
  const sign = order === 'asc' ? 1 : -1
  return documents
    .map(document => ({
      entryId: document.entry_id,
      document,
      ...(orderBy ? { sortValue: sortValueOf(orderBy, document, order) } : {})
    }))
    .sort((a, b) => {
      const [x, y] = [a.sortValue ?? null, b.sortValue ?? null]
      if (x === null && y !== null) return 1
      if (y === null && x !== null) return -1
      const values = x === null || y === null ? 0 : compareValues(x, y)
      return sign * (values || compareValues(a.entryId, b.entryId))
    })
}

/** The document as an index gives it out: without empty items of lists, other empty objects and lists stay. */
export function answered(document: Json): Json {
  if (Array.isArray(document)) return document.map(answered).filter(item => !isEmptyObject(item))
  if (typeof document !== 'object' || document === null) return document
  return Object.fromEntries(Object.entries(document).map(([name, member]) => [name, answered(member)]))
}

function isEmptyObject(item: Json): boolean {
  return typeof item === 'object' && item !== null && Object.keys(item).length === 0
}

/** Order of UTF-8 bytes for text, of numbers for numbers. */
export function compareValues(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)))
}

function meets(query: Query, object: Json, path: string): boolean {
  switch (query.kind) {
    case 'all':
      return true
    case 'none':
      return false
    case 'and':
      return query.of.every(part => meets(part, object, path))
    case 'or':
      return query.of.some(part => meets(part, object, path))
    case 'not':
      return !meets(query.of, object, path)
    case 'nested':
      return objectsAt(object, below(query.path, path)).some(inner => meets(query.query, inner, query.path))
    case 'exists':
      return hasAny(query.quantity, object, path)
    case 'terms': {
      const asked = query.values.map(value => stored(query.quantity, value))
      return valuesOf(query.quantity, object, path).some(v => asked.some(w => same(v, w)))
    }
    case 'range':
      return valuesOf(query.quantity, object, path).some(v => {
        const [gt, gte, lt, lte] = [query.bounds.gt, query.bounds.gte, query.bounds.lt, query.bounds.lte].map(
          bound => (bound === undefined ? undefined : stored(query.quantity, bound))
        )
        return (
          (gt === undefined || order(v, gt) > 0) &&
          (gte === undefined || order(v, gte) >= 0) &&
          (lt === undefined || order(v, lt) < 0) &&
          (lte === undefined || order(v, lte) <= 0)
        )
      })
    case 'substring':
      return (
        query.quantity.kind === 'keyword' &&
        valuesOf(query.quantity, object, path).some(value => {
          const text = String(value)
          if (query.at === 'start') return text.startsWith(query.text)
          return query.at === 'end' ? text.endsWith(query.text) : text.includes(query.text)
        })
      )
    case 'text': {
      const analyse = query.quantity.kind === 'path' ? segments : words
      const asked = analyse(query.text)
      const last = asked.at(-1)
      if (last === undefined || (query.quantity.nestedPath ?? '') !== path) return false
      const texts = leavesAt(object, below(query.quantity.source, path)).map(leaf => analyse(String(leaf)))
      return texts.some(found => {
        if (query.mode === 'words') return found.some(word => asked.includes(word))
        if (query.mode === 'bool_prefix')
          return found.some(word => asked.includes(word) || word.startsWith(last))
        return found.some((_, at) =>
          asked.every((word, i) => {
            const there = found[at + i]
            return there !== undefined && (i === asked.length - 1 ? there.startsWith(word) : there === word)
          })
        )
      })
    }
  }
}

function below(path: string, base: string): string[] {
  return (base === '' ? path : path.slice(base.length + 1)).split('.')
}

function leavesAt(value: Json, path: readonly string[]): Json[] {
  if (value === null || value === undefined) return []
  if (Array.isArray(value)) return value.flatMap(item => leavesAt(item, path))
  const [name, ...rest] = path
  if (name === undefined) return [value]
  return typeof value === 'object' ? leavesAt((value as Record<string, Json>)[name], rest) : []
}

function objectsAt(value: Json, path: readonly string[]): Json[] {
  return leavesAt(value, path).filter(leaf => typeof leaf === 'object')
}

function hasAny(quantity: Quantity, object: Json, path: string): boolean {
  if (quantity.kind !== 'text' && quantity.kind !== 'path') return valuesOf(quantity, object, path).length > 0
  if ((quantity.nestedPath ?? '') !== path) return false
  return leavesAt(object, below(quantity.source, path)).some(leaf => typeof leaf !== 'object')
}

/** The quantity's values in an object, as they are compared. */
function valuesOf(quantity: Quantity, object: Json, path: string): Scalar[] {
  if ((quantity.nestedPath ?? '') !== path) return []
  return converted(quantity, leavesAt(object, below(quantity.source, path)))
}

function converted(quantity: Quantity, found: readonly Json[]): Scalar[] {
  const leaves = found.filter(leaf => typeof leaf !== 'object')
  switch (quantity.kind) {
    case 'keyword':
      return leaves.map(String).filter(text => text.length <= 8191)
    case 'boolean':
      return leaves.filter(leaf => typeof leaf === 'boolean')
    case 'date':
      return leaves.map(leaf => (typeof leaf === 'number' ? leaf : Date.parse(String(leaf))))
    case 'integer':
    case 'long':
    case 'float':
    case 'double':
      return leaves.filter(leaf => typeof leaf === 'number').map(leaf => stored(quantity, leaf))
    default:
      return leaves.flatMap(leaf => (quantity.kind === 'path' ? segments(String(leaf)) : words(String(leaf))))
  }
}

/** A value in the precision of its field. */
function stored(quantity: Quantity, value: Scalar): Scalar {
  return quantity.kind === 'float' && typeof value === 'number' ? Math.fround(value) : value
}

function same(a: Scalar, b: Scalar): boolean {
  return typeof a === typeof b && order(a, b) === 0
}

function order(a: Scalar, b: Scalar): number {
  const plain = (value: Scalar) => (typeof value === 'boolean' ? Number(value) : value)
  return compareValues(plain(a), plain(b))
}
