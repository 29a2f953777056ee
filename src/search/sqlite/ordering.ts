/**
 * The rows of one page: sorted by a field and then by `entry_id`, entries without a value last. Nothing sorts all
 * matches: an index order is walked when most entries match, few matches are sorted by themselves.
 */
import type { SortValue } from '../entry-index.ts'
import type { Bodies } from './body.ts'
import { Extraction } from './extraction.ts'
import { compareText, isNumeric, KEY_FIELD } from './fields.ts'
import type { Matches } from './matches.ts'
import { NestedValues } from './nested-values.ts'
import { CHUNK_ROWS, hasPlace, RowSet } from './row-set.ts'
import type { FieldName, OrderField, WireSearch } from './wire.ts'

/** An entry of the page. */
export interface Place {
  readonly row: number
  readonly entryId: string
  readonly value?: SortValue
}

/** Cost of finding an entry's id by its row, in steps of a walk over the ids. */
const LOOKUP_STEPS = 2

/** Cost of unpacking a document, in steps of a walk over the terms of a field. */
const DOCUMENT_STEPS = 50

/** Finds pages within sets of matches. */
export class Ordering {
  readonly #matches: Matches
  readonly #bodies: Bodies

  constructor(matches: Matches, bodies: Bodies) {
    this.#matches = matches
    this.#bodies = bodies
  }

  /** The places of the page, in order. */
  page(found: RowSet, request: WireSearch): Place[] {
    const { orderBy, after, order, offset } = request
    const limit = offset + request.size
    if (limit === 0) return []
    const places =
      !orderBy || orderBy.name === KEY_FIELD
        ? this.#byId(found, order, limit, after?.entryId)
        : this.#byField(found, orderBy, request, limit)
    return places.slice(offset)
  }

  #byField(found: RowSet, field: OrderField, request: WireSearch, limit: number): Place[] {
    const { after, order } = request
    const nested = field.within && new NestedValues(this.#matches, this.#bodies, found, field, field.within)
    const valued = nested ? nested.entries : this.#valued(found, field)
    const places: Place[] = []
    if (after === undefined || (after.value ?? null) !== null) {
      const groups = isNumeric(field.kind)
        ? this.#numberGroups(valued, field, nested, request, limit)
        : this.#termGroups(valued, field, nested, request, limit)
      // Only what stands in a section may have several values: one for each of several sections.
      const several = !isNumeric(field.kind) && !nested && field.source.includes('.')
      const firstTerm =
        several && after ? this.#termReader(field, undefined, order === 'asc' ? 1 : -1) : undefined
      const firstValue = firstTerm && ((row: number) => sortValue(field, firstTerm(row)))
      const placed = new RowSet()
      for (const [value, rows] of groups) {
        const from = after !== undefined && after.value === value ? after.entryId : undefined
        // Without a cursor all earlier groups have been seen.
        const group = several && !after ? rows.minus(placed) : rows
        if (several) placed.addAll(group)
        for (const place of this.#ofGroup(group, request, limit - places.length, from, value, firstValue))
          places.push({ ...place, value })
        if (places.length >= limit) return places
      }
    }
    const from = after !== undefined && (after.value ?? null) === null ? after.entryId : undefined
    const missing = this.#byId(found.minus(valued), order, limit - places.length, from)
    for (const place of missing) places.push({ ...place, value: null })
    return places
  }

  /**
   * The first rows of a group by `entry_id`. A row is in the group of each of its values, but its place is only where
   * `firstValue` is; after a cursor that has to be read from the documents.
   */
  #ofGroup(
    rows: RowSet,
    { order }: WireSearch,
    limit: number,
    after: string | undefined,
    value: SortValue,
    firstValue: ((row: number) => SortValue) | undefined
  ): Place[] {
    if (!firstValue) return this.#byId(rows, order, limit, after)
    const places: Place[] = []
    for (let from = after; ; ) {
      const wanted = limit - places.length
      const some = this.#byId(rows, order, wanted, from)
      for (const place of some) if (firstValue(place.row) === value) places.push(place)
      from = some.at(-1)?.entryId
      if (some.length < wanted || places.length >= limit) return places
    }
  }

  #valued(found: RowSet, field: FieldName): RowSet {
    // Nested objects have no value that an entry could be sorted by.
    return field.nestedPath ? new RowSet() : found.and(this.#matches.withValue(field))
  }

  /** The first rows by `entry_id`, behind an id. */
  first(rows: RowSet, order: 'asc' | 'desc', limit: number, after?: string): Place[] {
    return this.#byId(rows, order, limit, after)
  }

  /** The first rows by `entry_id`. */
  #byId(rows: RowSet, order: 'asc' | 'desc', limit: number, after: string | undefined): Place[] {
    const size = rows.size
    if (size === 0) return []
    const steps = (Math.min(limit, size) / size) * this.#entries()
    return steps < size * LOOKUP_STEPS
      ? this.#walkIds(rows, order, limit, after)
      : this.#sortIds(rows, order, limit, after)
  }

  #entries(): number {
    return (this.#matches.statement('SELECT max(row) FROM entry').get() as unknown as [number | null])[0] ?? 0
  }

  #walkIds(rows: RowSet, order: 'asc' | 'desc', limit: number, after: string | undefined): Place[] {
    const places: Place[] = []
    const beyond = after === undefined ? '' : `WHERE entry_id ${order === 'asc' ? '>' : '<'} ?`
    const sql = `SELECT row, entry_id FROM entry ${beyond} ORDER BY entry_id ${order}`
    for (const [row, entryId] of this.#matches.rows(sql, ...(after === undefined ? [] : [after]))) {
      if (!rows.has(row as number)) continue
      places.push({ row: row as number, entryId: entryId as string })
      if (places.length >= limit) break
    }
    return places
  }

  #sortIds(rows: RowSet, order: 'asc' | 'desc', limit: number, after: string | undefined): Place[] {
    const sign = order === 'asc' ? 1 : -1
    const places: Place[] = []
    for (const row of rows) {
      const entryId = this.#entryId(row)
      if (after === undefined || sign * compareText(entryId, after) > 0) places.push({ row, entryId })
    }
    return places.sort((a, b) => sign * compareText(a.entryId, b.entryId)).slice(0, limit)
  }

  #entryId(row: number): string {
    const found = this.#matches.statement('SELECT entry_id FROM entry WHERE row = ?').get(row) as unknown as [
      string
    ]
    return found[0]
  }

  /** Rows by value, in order, from the cursor's value on; ends when `limit` rows are surely among them. */
  *#numberGroups(
    rows: RowSet,
    field: FieldName,
    nested: NestedValues | undefined,
    { order, after }: WireSearch,
    limit: number
  ): Generator<[number, RowSet]> {
    if (rows.isEmpty) return
    const sign = order === 'asc' ? 1 : -1
    const start = typeof after?.value === 'number' ? after.value : undefined
    const startGroup = new RowSet()
    // Values with the sign of the order, so that the smallest is always the first.
    const values = new Float64Array(rows.size)
    const owners = new Float64Array(values.length)
    let count = 0
    const take = (row: number, value: number) => {
      if (start !== undefined && value <= sign * start) {
        if (value === sign * start) startGroup.add(row)
        return
      }
      values[count] = value
      owners[count++] = row
    }
    if (nested) nested.numbers(sign, take)
    else this.#numbers(rows, field, sign, start, take)
    if (start !== undefined) yield [start, startGroup]
    if (count === 0) return
    const last = limit >= count ? Infinity : nthSmallest(values.slice(0, count), limit - 1)
    const groups = new Map<number, RowSet>()
    for (let i = 0; i < count; i++) {
      const value = values[i] as number
      if (value > last) continue
      let group = groups.get(value)
      if (!group) {
        group = new RowSet()
        groups.set(value, group)
      }
      group.add(owners[i] as number)
    }
    for (const value of Float64Array.from(groups.keys()).sort())
      yield [sign * value + 0, groups.get(value) as RowSet]
  }

  /** Tells the rows with their smallest number in the sign of the order; those before `start` may be left out. */
  #numbers(
    rows: RowSet,
    field: FieldName,
    sign: 1 | -1,
    start: number | undefined,
    take: (row: number, value: number) => void
  ): void {
    const id = this.#matches.fieldId(field.name)
    if (id === undefined) return
    const [low, high] =
      start === undefined ? [-Infinity, Infinity] : sign > 0 ? [start, Infinity] : [-Infinity, start]
    for (const [chunk, numbers] of this.#matches.numbers(id, low, high)) {
      const bits = rows.chunks.get(chunk)
      if (!bits) continue
      for (let i = 0; i < numbers.places.length; i++) {
        const place = numbers.places[i] as number
        let value = sign * (numbers.values[i] as number)
        // Of several values the first in the order counts.
        while (numbers.places[i + 1] === place)
          value = Math.min(value, sign * (numbers.values[++i] as number))
        if (hasPlace(bits, place)) take(chunk * CHUNK_ROWS + place, value)
      }
    }
  }

  /** Rows by term, in order, from the cursor's value on. */
  *#termGroups(
    rows: RowSet,
    field: FieldName,
    nested: NestedValues | undefined,
    request: WireSearch,
    limit: number
  ): Generator<[SortValue, RowSet]> {
    const size = rows.size
    if (size === 0) return
    const [id, terms] = this.#matches
      .statement('SELECT id, terms FROM field WHERE name = ?')
      .get(field.name) as unknown as [number, number]
    const start = request.after === undefined ? undefined : termText(field, request.after.value ?? null)
    // An entry's first value may come long before the cursor's.
    const steps = nested ? terms : Math.min(1, limit / size) * terms
    const { order } = request
    const sign = order === 'asc' ? 1 : -1
    const groups =
      steps > size * DOCUMENT_STEPS
        ? this.#sortDocuments(rows, sign, this.#termReader(field, nested, sign))
        : nested
          ? nested.terms(this.#walkTerms(id, nested.objects, order, undefined))
          : this.#walkTerms(id, rows, order, start)
    for (const [term, group] of groups) {
      if (start !== undefined && sign * compareText(term, start) < 0) continue
      yield [sortValue(field, term), group]
    }
  }

  *#walkTerms(
    id: number,
    rows: RowSet,
    order: 'asc' | 'desc',
    start: string | undefined
  ): Generator<[string, RowSet]> {
    const beyond = start === undefined ? '' : `AND t.value ${order === 'asc' ? '>=' : '<='} ?`
    const sql = `SELECT t.value, p.chunk, p.rows FROM term t CROSS JOIN posting p ON p.term = t.id
      WHERE t.field = ? ${beyond} ORDER BY t.value ${order}`
    let current: string | undefined
    let group = new RowSet()
    for (const [value, chunk, stored] of this.#matches.rows(
      sql,
      id,
      ...(start === undefined ? [] : [start])
    )) {
      if (value !== current) {
        if (current !== undefined) {
          const found = group.and(rows)
          if (found.chunks.size > 0) yield [current, found]
        }
        current = value as string
        group = new RowSet()
      }
      if (rows.chunks.has(chunk as number)) group.addStored(chunk as number, stored as Uint8Array)
    }
    if (current !== undefined) yield [current, group.and(rows)]
  }

  /** For few matches of a field with many terms: their values are read from the documents. */
  *#sortDocuments(
    rows: RowSet,
    sign: 1 | -1,
    termOf: (row: number) => string | undefined
  ): Generator<[string, RowSet]> {
    const groups = new Map<string, RowSet>()
    for (const row of rows) {
      this.#matches.checkStop()
      const value = termOf(row)
      if (value === undefined) continue
      let group = groups.get(value)
      if (!group) {
        group = new RowSet()
        groups.set(value, group)
      }
      group.add(row)
    }
    for (const value of [...groups.keys()].sort((a, b) => sign * compareText(a, b))) {
      yield [value, groups.get(value) as RowSet]
    }
  }

  /** Gives the first term in the order of the document in a row. */
  #termReader(
    field: FieldName,
    nested: NestedValues | undefined,
    sign: 1 | -1
  ): (row: number) => string | undefined {
    if (nested) return row => nested.firstTerm(row, sign)
    const kind = field.kind as 'keyword' | 'boolean'
    const extraction = new Extraction({
      fields: [{ name: field.name, kind, source: field.source }],
      nestedPaths: []
    })
    return row => {
      let value: string | undefined
      extraction.walk(JSON.parse(this.document(row)), row, {
        term: (_, term) => {
          if (value === undefined || sign * compareText(term, value) < 0) value = term
        },
        nestedRow: () => row,
        number: () => {},
        words: () => {}
      })
      return value
    }
  }

  /**
   * JSON of the document in a row.
   * @throws Stopped
   */
  document(row: number): string {
    this.#matches.checkStop()
    const [body] = this.#matches.statement('SELECT body FROM document WHERE row = ?').get(row) as unknown as [
      Uint8Array
    ]
    return this.#bodies.unpack(body)
  }
}

function sortValue(field: FieldName, term: string | undefined): SortValue {
  if (term === undefined) return null
  return field.kind === 'boolean' ? Number(term) : term
}

function termText(field: FieldName, value: SortValue): string | undefined {
  if (value === null) return undefined
  return field.kind === 'boolean' ? (Number(value) === 0 ? '0' : '1') : String(value).toWellFormed()
}

/** The value at a place of the sorted values; `values` is rearranged. */
function nthSmallest(values: Float64Array, n: number): number {
  let left = 0
  let right = values.length - 1
  while (left < right) {
    const pivot = values[(left + right) >> 1] as number
    let i = left
    let j = right
    while (i <= j) {
      while ((values[i] as number) < pivot) i++
      while ((values[j] as number) > pivot) j--
      if (i > j) break
      const value = values[i] as number
      values[i++] = values[j] as number
      values[j--] = value
    }
    if (n <= j) right = j
    else if (n >= i) left = i
    else break
  }
  return values[n] as number
}
