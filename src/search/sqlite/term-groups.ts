/**
 * The values of a keyword or boolean among objects, with how many objects have each. Three ways lead there: reading the
 * postings of all values, counting the values that are kept by row, or reading the documents of few entries.
 */
import type { Scalar } from '../../query/tree.ts'
import type { Columns } from './columns.ts'
import { Extraction } from './extraction.ts'
import { compareText, KEY_FIELD, termOf } from './fields.ts'
import type { IdOrder } from './id-order.ts'
import type { Matches } from './matches.ts'
import { commonCount, hasPlace, RowSet } from './row-set.ts'
import type { StoredDocuments } from './stored-documents.ts'
import { TermCounts } from './term-counts.ts'
import { termsInOrder } from './term-walk.ts'
import type { FieldName } from './wire.ts'

/** A value and the objects that have it. */
export interface TermGroup {
  /** As in the index: booleans are `0` and `1`. */
  readonly term: string
  readonly objects: number
  rows(): RowSet
}

/** Which values count, besides all. */
export type TermFilter =
  | { readonly kind: 'contains'; readonly text: string }
  | { readonly kind: 'values'; readonly values: readonly Scalar[] }

/** Where a walk over values goes. */
export interface TermWalk {
  readonly order: 'asc' | 'desc'
  /** The value before the first one. */
  readonly after?: string
}

/** Values that are walked in the time that it takes to read one from a document. */
const TERMS_PER_DOCUMENT = 100

/** Fields of more values than this are counted by row where they are kept so. */
const FEW_TERMS = 1000

/** Finds the values of objects within one request. */
export class TermGroups {
  readonly #matches: Matches
  readonly #columns: Columns
  readonly #documents: StoredDocuments
  readonly #ids: IdOrder

  constructor(matches: Matches, columns: Columns, documents: StoredDocuments, ids: IdOrder) {
    this.#matches = matches
    this.#columns = columns
    this.#documents = documents
    this.#ids = ids
  }

  /**
   * The values of most objects, then in the order of the values.
   * @throws Stopped
   */
  largest(field: FieldName, objects: RowSet, size: number, filter?: TermFilter): TermGroup[] {
    if (objects.isEmpty) return []
    if (field.name === KEY_FIELD) return this.#ofIds(this.#ofKey(objects, filter), { order: 'asc' }, size)
    const few = this.#fromDocuments(field, objects)
    if (few) {
      const groups = filter ? few.filter(group => passes(group.term, field, filter)) : few
      return groups.sort(bySizeAndTerm).slice(0, size)
    }
    const counts = this.#counts(field, objects, filter)
    const least = nthLargest(counts, size)
    const groups: TermGroup[] = []
    let room = size - countAbove(counts, least)
    for (const [term, id] of this.#terms(field, filter)) {
      const count = counts.get(id)
      if (count < least || count === 0 || (count === least && room-- <= 0)) continue
      groups.push({ term, objects: count, rows: () => this.#rows(id).and(objects) })
    }
    return groups.sort(bySizeAndTerm)
  }

  /**
   * The first values in their order.
   * @throws Stopped
   */
  first(field: FieldName, objects: RowSet, walk: TermWalk, size: number): TermGroup[] {
    if (objects.isEmpty) return []
    if (field.name === KEY_FIELD) return this.#ofIds(objects, walk, size)
    const groups: TermGroup[] = []
    for (const group of this.inOrder(field, objects, walk)) {
      groups.push(group)
      if (groups.length >= size) break
    }
    return groups
  }

  /**
   * Every value in their order; not of the key.
   * @throws Stopped
   */
  *inOrder(field: FieldName, objects: RowSet, { order, after }: TermWalk): Generator<TermGroup> {
    const sign = order === 'asc' ? 1 : -1
    const few = this.#fromDocuments(field, objects)
    if (few) {
      for (const group of few.sort((a, b) => sign * compareText(a.term, b.term)))
        if (after === undefined || sign * compareText(group.term, after) > 0) yield group
      return
    }
    const id = this.#matches.tables.fieldId(field.name)
    if (id === undefined) return
    for (const [term, rows] of termsInOrder(this.#matches.tables, id, objects, order, after, true))
      yield groupOf(term, rows)
  }

  /**
   * Number of different values.
   * @throws Stopped
   */
  distinct(field: FieldName, objects: RowSet): number {
    if (field.name === KEY_FIELD) return objects.size
    return this.#fromDocuments(field, objects)?.length ?? this.#counts(field, objects, undefined).size
  }

  /** Number of objects by term. */
  #counts(field: FieldName, objects: RowSet, filter: TermFilter | undefined): TermCounts {
    const [id, terms] = this.#field(field)
    if (id === undefined) return new TermCounts(0, 0)
    if (field.byRow && !filter && terms > FEW_TERMS) return this.#countsByRow(field, objects)
    const counts = new TermCounts(0, 0)
    const chunks = [...objects.chunks.keys()]
    const low = chunks.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
    const high = chunks.reduce((a, b) => Math.max(a, b), 0)
    const [from, values] = this.#termsSql(id, field, filter)
    const sql = `SELECT p.term, p.chunk, p.rows FROM ${from}
      CROSS JOIN posting p ON p.term = t.id AND p.chunk BETWEEN ? AND ?`
    for (const [term, chunk, stored] of this.#matches.tables.rows(sql, ...values, low, high)) {
      const bits = objects.chunks.get(chunk as number)
      const count = bits ? commonCount(bits, stored as Uint8Array) : 0
      if (count > 0) counts.add(term as number, count)
    }
    return counts
  }

  #countsByRow(field: FieldName, objects: RowSet): TermCounts {
    const [low, high] = this.#columns.bounds(field.name) ?? [0, 0]
    const counts = new TermCounts(low, high)
    for (const { bits, places, values } of this.#columns.parts(field.name, objects)) {
      let lastPlace = -1
      let first = 0
      for (let i = 0; i < places.length; i++) {
        const place = places[i] as number
        if (!hasPlace(bits, place)) continue
        if (place !== lastPlace) first = i
        // An object with the same value twice has it once.
        else if (values.subarray(first, i).includes(values[i] as number)) continue
        lastPlace = place
        counts.add(values[i] as number, 1)
      }
    }
    return counts
  }

  /** The values in their order. */
  *#terms(field: FieldName, filter: TermFilter | undefined): Generator<[term: string, id: number]> {
    const [id] = this.#field(field)
    if (id === undefined) return
    const [from, values] = this.#termsSql(id, field, filter)
    for (const [term, number] of this.#matches.tables.rows(
      `SELECT t.value, t.id FROM ${from} ORDER BY t.value`,
      ...values
    ))
      yield [term as string, number as number]
  }

  /** The table `t` of the terms of a field that pass the filter. */
  #termsSql(
    id: number,
    field: FieldName,
    filter: TermFilter | undefined
  ): [from: string, values: (string | number)[]] {
    if (!filter) return ['(SELECT value, id FROM term WHERE field = ?) t', [id]]
    if (filter.kind === 'contains') {
      return [
        '(SELECT value, id FROM term WHERE field = ? AND instr(value, ?) > 0) t',
        [id, filter.text.toWellFormed()]
      ]
    }
    const wanted = filter.values.map(value => termOf(field.kind, value)?.toWellFormed())
    return [
      '(SELECT value, id FROM term WHERE field = ? AND value IN (SELECT value FROM json_each(?))) t',
      [id, JSON.stringify(wanted.filter(value => value !== undefined))]
    ]
  }

  #field(field: FieldName): [id: number | undefined, terms: number] {
    const sql = 'SELECT id, terms FROM field WHERE name = ?'
    const found = this.#matches.tables.statement(sql).get(field.name) as unknown as
      | [number, number]
      | undefined
    return found ?? [undefined, 0]
  }

  #rows(term: number): RowSet {
    const rows = new RowSet()
    for (const [chunk, stored] of this.#matches.tables.rows(
      'SELECT chunk, rows FROM posting WHERE term = ?',
      term
    ))
      rows.addStored(chunk as number, stored as Uint8Array)
    return rows
  }

  /** The values of few objects of a field with many values; undefined where the index is quicker. */
  #fromDocuments(field: FieldName, objects: RowSet): TermGroup[] | undefined {
    const [id, terms] = this.#field(field)
    if (id === undefined) return []
    if (terms < TERMS_PER_DOCUMENT || objects.size * TERMS_PER_DOCUMENT > terms) return undefined
    const path = field.nestedPath
    const entries = path === undefined ? objects : this.#matches.entriesOf(path, objects)
    const groups = new Map<string, RowSet>()
    const kind = field.kind as 'keyword' | 'boolean'
    const extraction = new Extraction({
      fields: [
        { name: field.name, kind, source: field.source, ...(path === undefined ? {} : { nestedPath: path }) }
      ],
      nestedPaths: path === undefined ? [] : this.#matches.tables.pathsTo(path)
    })
    for (const entry of entries) {
      const { document, firstRows } = this.#documents.read(entry, path)
      extraction.walk(document, entry, {
        nestedRow: nested => {
          const row = firstRows.get(nested) as number
          firstRows.set(nested, row + 1)
          return row
        },
        term: (_, term, row) => {
          if (!objects.has(row)) return
          const known = groups.get(term)
          if (known) known.add(row)
          else {
            const rows = new RowSet()
            rows.add(row)
            groups.set(term, rows)
          }
        },
        number: () => {},
        words: () => {}
      })
    }
    return [...groups].map(([term, rows]) => groupOf(term, rows))
  }

  #ofKey(objects: RowSet, filter: TermFilter | undefined): RowSet {
    if (!filter) return objects
    const field: FieldName = { name: KEY_FIELD, kind: 'keyword', source: KEY_FIELD }
    return objects.and(
      this.#matches.of(
        filter.kind === 'contains'
          ? { kind: 'substring', field, at: 'anywhere', text: filter.text }
          : { kind: 'terms', field, values: filter.values }
      )
    )
  }

  #ofIds(objects: RowSet, { order, after }: TermWalk, size: number): TermGroup[] {
    return this.#ids.first(objects, order, size, after).map(({ row, entryId }) => {
      const rows = new RowSet()
      rows.add(row)
      return { term: entryId, objects: 1, rows: () => rows }
    })
  }
}

function groupOf(term: string, rows: RowSet): TermGroup {
  return { term, objects: rows.size, rows: () => rows }
}

function bySizeAndTerm(a: TermGroup, b: TermGroup): number {
  return b.objects - a.objects || compareText(a.term, b.term)
}

function passes(term: string, field: FieldName, filter: TermFilter): boolean {
  if (filter.kind === 'contains') return term.includes(filter.text)
  return filter.values.some(value => termOf(field.kind, value) === term)
}

/** The least of the `size` largest counts; 1 where there are not so many. */
function nthLargest(counts: TermCounts, size: number): number {
  if (counts.size <= size) return 1
  const sorted = Uint32Array.from(counts.all()).sort()
  return sorted[sorted.length - size] as number
}

function countAbove(counts: TermCounts, least: number): number {
  let above = 0
  for (const count of counts.all()) if (count > least) above++
  return above
}
