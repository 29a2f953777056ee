/**
 * What a query matches, as a set of rows. Leaves read postings or scan a numeric field; everything above them is
 * set operations, so depth and number of clauses never reach SQL. Criteria of nested objects are sets of the rows
 * of their path, mapped to the rows that the objects stand in.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { Bounds, Scalar, SubstringPlace } from '../../query/tree.ts'
import { segments, words } from './analysis.ts'
import { sequenceWords } from './changes.ts'
import { decodeNumbers, type NumberChunk } from './column.ts'
import { inPrecision, isNumeric, KEY_FIELD, numberOf, termOf, textOf } from './fields.ts'
import { CHUNK_ROWS, hasPlace, RowSet } from './row-set.ts'
import { ALL_ENTRIES, nestedName, SETS } from './schema.ts'
import type { FieldName, WireQuery } from './wire.ts'

/** Thrown when the main thread asked to stop. */
export class Stopped extends Error {}

/** Higher than every character, so that a prefix and this is above all that begins with the prefix. */
const LAST = '\u{10ffff}'

/** Path of the rows of the entries themselves. */
const ENTRIES = ''

/** Evaluates queries on one connection; inside of a read transaction, so that all leaves see the same state. */
export class Matches {
  readonly #database: DatabaseSync
  readonly #stop: Int32Array
  readonly #statements = new Map<string, StatementSync>()

  constructor(database: DatabaseSync, stop: Int32Array) {
    this.#database = database
    this.#stop = stop
  }

  /** A prepared statement, made once; rows come as arrays. */
  statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.#database.prepare(sql)
      statement.setReturnArrays(true)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  /**
   * Rows of a statement as arrays, one by one.
   * @throws Stopped
   */
  *rows(sql: string, ...values: SQLInputValue[]): Generator<SQLInputValue[]> {
    let n = 0
    for (const row of this.statement(sql).iterate(...values)) {
      if ((++n & 0xff) === 0) this.checkStop()
      yield row as unknown as SQLInputValue[]
    }
  }

  /** @throws Stopped */
  checkStop(): void {
    if (Atomics.load(this.#stop, 0) !== 0) throw new Stopped()
  }

  /** The entries that match. */
  of(query: WireQuery): RowSet {
    return this.#evaluate(query, ENTRIES)
  }

  /** The nested objects at a path that match. */
  within(path: string, query: WireQuery): RowSet {
    return this.#evaluate(query, path)
  }

  /** The entries in which nested objects stand. */
  entriesOf(path: string, objects: RowSet): RowSet {
    return this.#parents(path, objects, ENTRIES)
  }

  /** For a chunk of the nested objects at a path, the row that each one stands in; -1 where there is none. */
  owners(path: string, chunk: number): Int32Array {
    const owners = new Int32Array(CHUNK_ROWS).fill(-1)
    const sql = `SELECT type, places, data FROM number
      WHERE field = (SELECT id FROM field WHERE name = ?) AND chunk = ?`
    for (const [type, stored, data] of this.rows(sql, nestedName(path), chunk)) {
      const { places, values } = decodeNumbers(type as number, stored as Uint8Array, data as Uint8Array)
      for (let i = 0; i < places.length; i++) owners[places[i] as number] = values[i] as number
    }
    return owners
  }

  /** The number of a field; undefined when no document had it yet. */
  fieldId(name: string): number | undefined {
    return this.#one('SELECT id FROM field WHERE name = ?', name)
  }

  /** The rows that have a value of the field. */
  withValue(field: FieldName): RowSet {
    return field.name === KEY_FIELD ? this.allEntries() : this.#set(field.name)
  }

  /** Every entry. */
  allEntries(): RowSet {
    return this.#set(ALL_ENTRIES)
  }

  /** The chunks of a numeric field that hold values within the bounds, in order. */
  *numbers(field: number, low: number, high: number): Generator<[chunk: number, numbers: NumberChunk]> {
    const sql =
      'SELECT chunk, type, places, data FROM number WHERE field = ? AND high >= ? AND low <= ? ORDER BY chunk'
    for (const [chunk, type, places, data] of this.rows(sql, field, low, high)) {
      yield [chunk as number, decodeNumbers(type as number, places as Uint8Array, data as Uint8Array)]
    }
  }

  #one(sql: string, ...values: SQLInputValue[]): number | undefined {
    return (this.statement(sql).get(...values) as unknown as number[] | undefined)?.[0]
  }

  #set(name: string): RowSet {
    return this.#posting(
      'SELECT p.chunk, p.rows FROM term t JOIN posting p ON p.term = t.id WHERE t.field = ? AND t.value = ?',
      SETS,
      name
    )
  }

  /** The union of stored chunks. */
  #posting(sql: string, ...values: SQLInputValue[]): RowSet {
    const result = new RowSet()
    for (const [chunk, rows] of this.rows(sql, ...values))
      result.addStored(chunk as number, rows as Uint8Array)
    return result
  }

  #evaluate(query: WireQuery, path: string): RowSet {
    this.checkStop()
    switch (query.kind) {
      case 'all':
        return this.objects(path)
      case 'none':
        return new RowSet()
      case 'and':
        return this.#and(query.of, path)
      case 'or': {
        const result = new RowSet()
        for (const part of query.of) result.addAll(this.#evaluate(part, path))
        return result
      }
      case 'not':
        return this.objects(path).minus(this.#evaluate(query.of, path))
      case 'nested':
        return this.#parents(query.path, this.#evaluate(query.query, query.path), path)
      default:
        // A quantity of other objects has no value in these.
        if ((query.field.nestedPath ?? ENTRIES) !== path) return new RowSet()
        return this.#leaf(query)
    }
  }

  /** All entries, or all nested objects of a path. */
  objects(path: string): RowSet {
    return path === ENTRIES ? this.allEntries() : this.#set(nestedName(path))
  }

  #and(of: readonly WireQuery[], path: string): RowSet {
    let result: RowSet | undefined
    for (const part of of) {
      // Complements are cheaper taken from what is left than from everything.
      if (part.kind === 'not' && result) result = result.minus(this.#evaluate(part.of, path))
      else {
        const rows = this.#evaluate(part, path)
        result = result ? result.and(rows) : rows
      }
      if (result.chunks.size === 0) return result
    }
    return result ?? this.objects(path)
  }

  /** The rows, on the level of `upTo`, in which nested objects stand. */
  #parents(path: string, nested: RowSet, upTo: string): RowSet {
    if (path === upTo || nested.chunks.size === 0) return nested
    const result = new RowSet()
    const field = this.fieldId(nestedName(path))
    if (field === undefined) return result
    const [first, ...rest] = nested.chunks.keys()
    const [low, high] = rest.reduce(
      ([a, b], c) => [Math.min(a, c), Math.max(b, c)],
      [first as number, first as number]
    )
    const sql = 'SELECT chunk, type, places, data FROM number WHERE field = ? AND chunk BETWEEN ? AND ?'
    // A few objects in a far row are found by key; walking all chunks between is for many.
    const some = nested.chunks.size * 4 < high - low
    const ranges = some ? [...nested.chunks.keys()].map(chunk => [chunk, chunk]) : [[low, high]]
    for (const [from, to] of ranges) {
      for (const [chunk, type, places, data] of this.rows(sql, field, from as number, to as number)) {
        const bits = nested.chunks.get(chunk as number)
        if (!bits) continue
        const parents = decodeNumbers(type as number, places as Uint8Array, data as Uint8Array)
        for (let i = 0; i < parents.places.length; i++) {
          if (hasPlace(bits, parents.places[i] as number)) result.add(parents.values[i] as number)
        }
      }
    }
    return this.#parents(this.outer(path), result, upTo)
  }

  /** The nested path above another one; '' for the entry. */
  outer(path: string): string {
    for (let end = path.lastIndexOf('.'); end > 0; end = path.lastIndexOf('.', end - 1)) {
      const outer = path.slice(0, end)
      if (this.fieldId(nestedName(outer)) !== undefined) return outer
    }
    return ENTRIES
  }

  /** The nested paths that lead to one, itself included, outermost first. */
  pathsTo(path: string): string[] {
    return path === ENTRIES ? [] : [...this.pathsTo(this.outer(path)), path]
  }

  #leaf(query: Extract<WireQuery, { field: FieldName }>): RowSet {
    const { field } = query
    if (query.kind === 'exists') return this.withValue(field)
    if (field.name === KEY_FIELD) return this.#key(query)
    const id = this.fieldId(field.name)
    if (id === undefined) return new RowSet()
    if (query.kind === 'text') return this.#text(id, field, query.mode, query.text)
    if (query.kind === 'substring') {
      if (field.kind !== 'keyword') return new RowSet()
      const [where, ...values] = substringSql('t.value', query.at, query.text)
      return this.#posting(
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
    return this.#posting(
      `SELECT p.chunk, p.rows FROM term t JOIN posting p ON p.term = t.id WHERE t.field = ? AND ${where}`,
      id,
      ...values
    )
  }

  #terms(field: number, values: readonly (string | undefined)[]): RowSet {
    return this.#posting(
      `SELECT p.chunk, p.rows FROM json_each(?) j
       CROSS JOIN term t ON t.field = ? AND t.value = j.value
       CROSS JOIN posting p ON p.term = t.id`,
      JSON.stringify(values.flatMap(v => (v === undefined ? [] : [v.toWellFormed()]))),
      field
    )
  }

  #prefix(field: number, prefix: string): RowSet {
    return this.#posting(
      `SELECT p.chunk, p.rows FROM term t JOIN posting p ON p.term = t.id
       WHERE t.field = ? AND t.value >= ? AND t.value <= ?`,
      field,
      prefix,
      prefix + LAST
    )
  }

  /** Criteria of `entry_id`, which has no postings. */
  #key(query: Extract<WireQuery, { field: FieldName }>): RowSet {
    const result = new RowSet()
    const addRows = (sql: string, ...values: SQLInputValue[]) => {
      for (const [row] of this.rows(sql, ...values)) result.add(row as number)
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

  #numeric(id: number, field: FieldName, query: Extract<WireQuery, { field: FieldName }>): RowSet {
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
    for (const [chunk, { places, values }] of this.numbers(field, low, high)) {
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

    const find = (word: string) => this.#one('SELECT id FROM term WHERE field = ? AND value = ?', field, word)
    const phrase = before.map(find) as number[]
    const endings = new Set<number>()
    const sql = 'SELECT id FROM term WHERE field = ? AND value >= ? AND value <= ?'
    for (const [term] of this.rows(sql, field, last, last + LAST)) endings.add(term as number)

    const result = new RowSet()
    const stored = this.statement('SELECT words FROM sequence WHERE field = ? AND chunk = ?')
    for (const [chunk, bits] of candidates.chunks) {
      this.checkStop()
      const row = stored.get(field, chunk) as unknown as [Uint8Array] | undefined
      if (!row) continue
      const sequence = sequenceWords(row[0])
      for (let i = 0; i < sequence.length; ) {
        const place = sequence[i] as number
        const end = i + 2 + (sequence[i + 1] as number)
        if (hasPlace(bits, place) && containsPhrase(sequence, i + 2, end, phrase, endings)) {
          result.add(chunk * CHUNK_ROWS + place)
        }
        i = end
      }
    }
    return result
  }
}

function containsPhrase(
  sequence: Uint32Array,
  from: number,
  to: number,
  phrase: readonly number[],
  endings: ReadonlySet<number>
): boolean {
  for (let i = from; i + phrase.length < to; i++) {
    let n = 0
    while (n < phrase.length && sequence[i + n] === phrase[n]) n++
    if (n === phrase.length && endings.has(sequence[i + n] as number)) return true
  }
  return false
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
