/** What one criterion of a field matches, as a set of rows: postings are read, or a numeric field is scanned. */
import type { SQLInputValue } from 'node:sqlite'
import type { Bounds, Scalar, SubstringPlace } from '../../query/tree.ts'
import { segments, words } from './analysis.ts'
import { inPrecision, isNumeric, KEY_FIELD, numberOf, termOf, textOf } from './fields.ts'
import { type IndexTables, LAST } from './index-tables.ts'
import { CHUNK_ROWS, RowSet } from './row-set.ts'
import { placesWithPhrase } from './sequence.ts'
import type { FieldName, WireQuery } from './wire.ts'

/** A query that is one criterion of a field. */
export type FieldQuery = Extract<WireQuery, { field: FieldName }>

/** Evaluates criteria on one connection. */
export class FieldCriteria {
  readonly #tables: IndexTables

  constructor(tables: IndexTables) {
    this.#tables = tables
  }

  /**
   * The rows that meet the criterion: entries, or nested objects of the path that the field belongs to.
   * @throws Stopped
   */
  rows(query: FieldQuery): RowSet {
    const { field } = query
    if (query.kind === 'exists') return this.#tables.withValue(field)
    if (field.name === KEY_FIELD) return this.#key(query)
    const id = this.#tables.fieldId(field.name)
    if (id === undefined) return new RowSet()
    if (query.kind === 'text') return this.#text(id, field, query.mode, query.text)
    if (query.kind === 'substring') {
      if (field.kind !== 'keyword') return new RowSet()
      const [where, ...values] = substringSql('t.value', query.at, query.text)
      return this.#tables.posting(
        `SELECT p.chunk, p.rows FROM term t JOIN posting p ON p.term = t.id WHERE t.field = ? AND ${where}`,
        id,
        ...values
      )
    }
    if (isNumeric(field.kind)) return this.#numeric(id, field, query)
    if (query.kind === 'terms')
      return this.#terms(
        id,
        query.values.map(v => termOf(field.kind, v))
      )
    const [where, values] = boundsSql(
      't.value',
      query.bounds,
      v => (field.kind === 'boolean' ? termOf(field.kind, v) : textOf(v)) ?? ''
    )
    return this.#tables.posting(
      `SELECT p.chunk, p.rows FROM term t JOIN posting p ON p.term = t.id WHERE t.field = ? AND ${where}`,
      id,
      ...values
    )
  }

  #terms(field: number, values: readonly (string | undefined)[]): RowSet {
    return this.#tables.posting(
      `SELECT p.chunk, p.rows FROM json_each(?) j
       CROSS JOIN term t ON t.field = ? AND t.value = j.value
       CROSS JOIN posting p ON p.term = t.id`,
      JSON.stringify(values.flatMap(v => (v === undefined ? [] : [v.toWellFormed()]))),
      field
    )
  }

  #prefix(field: number, prefix: string): RowSet {
    return this.#tables.posting(
      `SELECT p.chunk, p.rows FROM term t JOIN posting p ON p.term = t.id
       WHERE t.field = ? AND t.value >= ? AND t.value <= ?`,
      field,
      prefix,
      prefix + LAST
    )
  }

  /** Criteria of `entry_id`, which has no postings. */
  #key(query: FieldQuery): RowSet {
    const result = new RowSet()
    const addRows = (sql: string, ...values: SQLInputValue[]) => {
      for (const [row] of this.#tables.rows(sql, ...values)) result.add(row as number)
    }
    if (query.kind === 'terms') {
      const ids = JSON.stringify(query.values.map(v => String(v).toWellFormed()))
      addRows('SELECT e.row FROM json_each(?) j CROSS JOIN entry e ON e.entry_id = j.value', ids)
    } else if (query.kind === 'range') {
      const [where, values] = boundsSql('entry_id', query.bounds, String)
      addRows(`SELECT row FROM entry WHERE ${where}`, ...values)
    } else if (query.kind === 'substring') {
      const [where, ...values] = substringSql('entry_id', query.at, query.text)
      addRows(`SELECT row FROM entry WHERE ${where}`, ...values)
    }
    return result
  }

  #numeric(id: number, field: FieldName, query: FieldQuery): RowSet {
    const result = new RowSet()
    if (query.kind === 'terms') {
      const wanted = new Set(query.values.map(v => numeric(field, v)).filter(v => !Number.isNaN(v)))
      let low = Number.POSITIVE_INFINITY
      let high = Number.NEGATIVE_INFINITY
      for (const value of wanted) {
        low = Math.min(low, value)
        high = Math.max(high, value)
      }
      this.#scan(id, low, high, result, value => wanted.has(value))
    } else if (query.kind === 'range') {
      const { gt, gte, lt, lte } = query.bounds
      const above = gt === undefined ? Number.NEGATIVE_INFINITY : numeric(field, gt)
      const below = lt === undefined ? Number.POSITIVE_INFINITY : numeric(field, lt)
      const from = gte === undefined ? Number.NEGATIVE_INFINITY : numeric(field, gte)
      const to = lte === undefined ? Number.POSITIVE_INFINITY : numeric(field, lte)
      const low = Math.max(above, from)
      const high = Math.min(below, to)
      const open = (above === Number.NEGATIVE_INFINITY ? 0 : 1) + (below === Number.POSITIVE_INFINITY ? 0 : 1)
      this.#scan(
        id,
        low,
        high,
        result,
        open === 0
          ? value => value >= low && value <= high
          : value => value > above && value < below && value >= from && value <= to
      )
    }
    return result
  }

  #scan(field: number, low: number, high: number, result: RowSet, wanted: (value: number) => boolean): void {
    for (const [chunk, { places, values }] of this.#tables.numbers(field, low, high)) {
      const base = chunk * CHUNK_ROWS
      for (let i = 0; i < places.length; i++) {
        if (wanted(values[i] as number)) result.add(base + (places[i] as number))
      }
    }
  }

  #text(id: number, field: FieldName, mode: string, text: string): RowSet {
    const asked =
      field.kind === 'text' ? words(text.toWellFormed()) : field.kind === 'path' ? segments(text) : [text]
    const last = asked.at(-1)
    if (last === undefined) return new RowSet()
    if (mode === 'words') return this.#terms(id, asked)
    const before = asked.slice(0, -1)
    if (mode === 'bool_prefix') {
      const result = this.#prefix(id, last)
      result.addAll(this.#terms(id, before))
      return result
    }
    return this.#phrase(id, before, last)
  }

  #phrase(field: number, before: readonly string[], last: string): RowSet {
    let candidates = this.#prefix(field, last)
    for (const word of new Set(before)) candidates = candidates.and(this.#terms(field, [word]))
    if (before.length === 0 || candidates.chunks.size === 0) return candidates

    const find = (word: string) =>
      this.#tables.number('SELECT id FROM term WHERE field = ? AND value = ?', field, word)
    const phrase = before.map(find) as number[]
    const endings = new Set<number>()
    const sql = 'SELECT id FROM term WHERE field = ? AND value >= ? AND value <= ?'
    for (const [term] of this.#tables.rows(sql, field, last, last + LAST)) endings.add(term as number)

    const result = new RowSet()
    const stored = this.#tables.statement('SELECT words FROM sequence WHERE field = ? AND chunk = ?')
    for (const [chunk, bits] of candidates.chunks) {
      this.#tables.checkStop()
      const row = stored.get(field, chunk) as unknown as [Uint8Array] | undefined
      if (!row) continue
      for (const place of placesWithPhrase(row[0], bits, phrase, endings))
        result.add(chunk * CHUNK_ROWS + place)
    }
    return result
  }
}

/** A searched value as a number: searched numbers are not cut to whole ones, 2.5 is no value of an integer. */
function numeric(field: FieldName, value: Scalar): number {
  if (typeof value === 'number') return inPrecision(field.kind, value)
  return numberOf(field.kind === 'date' ? 'date' : 'double', value) ?? Number.NaN
}

/** A condition on a text column; ends of UTF-8 bytes are ends of characters too. */
function substringSql(column: string, at: SubstringPlace, given: string): [sql: string, ...values: string[]] {
  const text = given.toWellFormed()
  if (at === 'start') return [`${column} >= ? AND ${column} <= ?`, text, text + LAST]
  if (at === 'anywhere') return [`instr(${column}, ?) > 0`, text]
  const bytes = `CAST(${column} AS BLOB)`
  return [`substr(${bytes}, -${Buffer.byteLength(text)}) = CAST(? AS BLOB)`, text]
}

function boundsSql(column: string, bounds: Bounds, convert: (value: Scalar) => string): [string, string[]] {
  const operators = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const
  const parts: string[] = []
  const values: string[] = []
  for (const [name, operator] of Object.entries(operators)) {
    const bound = bounds[name as keyof Bounds]
    if (bound === undefined) continue
    parts.push(`${column} ${operator} ?`)
    values.push(convert(bound).toWellFormed())
  }
  return [parts.join(' AND ') || '1', values]
}
