/**
 * The tables of the search file as searches read them: sets of rows, numbers by row, nested paths. Inside of a read
 * transaction, so that all that a request reads is of the same state.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { decodeNumbers, type NumberChunk } from './column.ts'
import { KEY_FIELD } from './fields.ts'
import { CHUNK_ROWS, RowSet } from './row-set.ts'
import { ALL_ENTRIES, nestedName, SETS } from './schema.ts'
import type { FieldName } from './wire.ts'

/** Thrown when the main thread asked to stop. */
export class Stopped extends Error {}

/** Path of the rows of the entries themselves. */
export const ENTRIES = ''

/** Higher than every character, so that a prefix and this is above all that begins with the prefix. */
export const LAST = '\u{10ffff}'

/** Reads on one connection. */
export class IndexTables {
  readonly #database: DatabaseSync
  readonly #stop: Int32Array
  readonly #statements = new Map<string, StatementSync>()

  /** @param stop one number, which is not 0 when the main thread asks to stop */
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

  /** The number in the only row and column of a statement; undefined when there is none. */
  number(sql: string, ...values: SQLInputValue[]): number | undefined {
    return (this.statement(sql).get(...values) as unknown as number[] | undefined)?.[0]
  }

  /** The number of a field; undefined when no document had it yet. */
  fieldId(name: string): number | undefined {
    return this.number('SELECT id FROM field WHERE name = ?', name)
  }

  /** The rows that have a value of the field. */
  withValue(field: FieldName): RowSet {
    return field.name === KEY_FIELD ? this.allEntries() : this.#set(field.name)
  }

  /** Every entry. */
  allEntries(): RowSet {
    return this.#set(ALL_ENTRIES)
  }

  /** All entries, or all nested objects of a path. */
  objects(path: string): RowSet {
    return path === ENTRIES ? this.allEntries() : this.#set(nestedName(path))
  }

  #set(name: string): RowSet {
    return this.posting(
      'SELECT p.chunk, p.rows FROM term t JOIN posting p ON p.term = t.id WHERE t.field = ? AND t.value = ?',
      SETS,
      name
    )
  }

  /**
   * The union of the stored chunks that a statement gives, each with its number.
   * @throws Stopped
   */
  posting(sql: string, ...values: SQLInputValue[]): RowSet {
    const result = new RowSet()
    for (const [chunk, rows] of this.rows(sql, ...values))
      result.addStored(chunk as number, rows as Uint8Array)
    return result
  }

  /** The chunks of a numeric field that hold values within the bounds, in order. */
  *numbers(field: number, low: number, high: number): Generator<[chunk: number, numbers: NumberChunk]> {
    const sql =
      'SELECT chunk, type, places, data FROM number WHERE field = ? AND high >= ? AND low <= ? ORDER BY chunk'
    for (const [chunk, type, places, data] of this.rows(sql, field, low, high)) {
      yield [chunk as number, decodeNumbers(type as number, places as Uint8Array, data as Uint8Array)]
    }
  }

  /** Those chunks of a numeric field from `low` to `high` in which there are rows of the set, in order. */
  *numbersOf(
    field: number,
    rows: RowSet,
    low: number,
    high: number
  ): Generator<[chunk: number, numbers: NumberChunk]> {
    const sql =
      'SELECT chunk, type, places, data FROM number WHERE field = ? AND chunk BETWEEN ? AND ? ORDER BY chunk'
    for (const [chunk, type, places, data] of this.rows(sql, field, low, high)) {
      if (!rows.chunks.has(chunk as number)) continue
      yield [chunk as number, decodeNumbers(type as number, places as Uint8Array, data as Uint8Array)]
    }
  }

  /** One chunk of a numeric field; undefined when it has no numbers. */
  numberChunk(field: number, chunk: number): NumberChunk | undefined {
    const sql = 'SELECT type, places, data FROM number WHERE field = ? AND chunk = ?'
    const stored = this.statement(sql).get(field, chunk) as unknown as
      | [type: number, places: Uint8Array, data: Uint8Array]
      | undefined
    return stored && decodeNumbers(...stored)
  }

  /** For a chunk of the nested objects at a path, the row that each one stands in; -1 where there is none. */
  owners(path: string, chunk: number): Int32Array {
    const owners = new Int32Array(CHUNK_ROWS).fill(-1)
    const field = this.fieldId(nestedName(path))
    const numbers = field === undefined ? undefined : this.numberChunk(field, chunk)
    if (!numbers) return owners
    const { places, values } = numbers
    for (let i = 0; i < places.length; i++) owners[places[i] as number] = values[i] as number
    return owners
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
}
