/**
 * What a batch of documents changes in postings, numbers and sequences, gathered in memory and written chunk by chunk
 * in the order of the tables, so that a chunk is read and written once per batch.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { changeNumbers, decodeNumbers } from './column.ts'
import { chunkOf, decodeInto, emptyBits, encodeBits, placeOf } from './row-set.ts'

/** Chunks are numbered below this, so that a term or field and a chunk make one whole number. */
const CHUNKS = 2 ** 21

/** A term or a field whose changes are gathered; remembers the chunk it changed last, which is mostly the next one too. */
export class Target {
  readonly id: number
  chunk = -1
  /** What the list of the chunk belongs to; another batch begins with new lists. */
  changes: Changes | undefined
  places: number[] = []
  values: Map<number, number[]> = new Map()

  constructor(id: number) {
    this.id = id
  }
}

/** Gathers changes; the last one of a place counts. */
export class Changes {
  /** Places that a term gains (place) or loses (~place), in order. */
  readonly #rows = new Map<number, number[]>()
  readonly #numbers = new Map<number, Map<number, number[]>>()
  readonly #sequences = new Map<number, Map<number, number[]>>()
  readonly #read: Record<'posting' | 'number' | 'sequence', StatementSync>
  readonly #write: Record<'posting' | 'number' | 'sequence', StatementSync>
  readonly #delete: Record<'posting' | 'number' | 'sequence', StatementSync>

  constructor(database: DatabaseSync) {
    this.#read = {
      posting: database.prepare('SELECT rows FROM posting WHERE term = ? AND chunk = ?'),
      number: database.prepare('SELECT type, places, data FROM number WHERE field = ? AND chunk = ?'),
      sequence: database.prepare('SELECT words FROM sequence WHERE field = ? AND chunk = ?')
    }
    this.#write = {
      posting: database.prepare('INSERT OR REPLACE INTO posting VALUES (?, ?, ?)'),
      number: database.prepare(`
        INSERT INTO number (field, chunk, low, high, type, places, data) VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (field, chunk) DO UPDATE SET
          low = excluded.low, high = excluded.high, type = excluded.type, places = excluded.places, data = excluded.data`),
      sequence: database.prepare(`
        INSERT INTO sequence (field, chunk, words) VALUES (?, ?, ?)
        ON CONFLICT (field, chunk) DO UPDATE SET words = excluded.words`)
    }
    this.#delete = {
      posting: database.prepare('DELETE FROM posting WHERE term = ? AND chunk = ?'),
      number: database.prepare('DELETE FROM number WHERE field = ? AND chunk = ?'),
      sequence: database.prepare('DELETE FROM sequence WHERE field = ? AND chunk = ?')
    }
  }

  /** The row has the term. */
  addRow(term: Target, row: number): void {
    this.#places(term, row).push(placeOf(row))
  }

  /** The row does not have the term any more. */
  removeRow(term: Target, row: number): void {
    this.#places(term, row).push(~placeOf(row))
  }

  #places(term: Target, row: number): number[] {
    const chunk = chunkOf(row)
    if (term.chunk !== chunk || term.changes !== this) {
      term.chunk = chunk
      term.changes = this
      term.places = entryOf(this.#rows, term.id * CHUNKS + chunk, () => [])
    }
    return term.places
  }

  /** The row's value, or one more of its values. */
  addNumber(field: Target, value: number, row: number): void {
    this.#list(this.#numbers, field, row).push(value)
  }

  /** The row has no numbers any more, but those that are added from now on. */
  clearNumbers(field: Target, row: number): void {
    this.#list(this.#numbers, field, row).length = 0
  }

  /** One more value of the row, as words; values are kept apart by a 0. */
  addWords(field: Target, terms: readonly Target[], row: number): void {
    const list = this.#list(this.#sequences, field, row)
    if (list.length > 0) list.push(0)
    for (const term of terms) list.push(term.id)
  }

  /** The row has no words any more, but those that are added from now on. */
  clearWords(field: Target, row: number): void {
    this.#list(this.#sequences, field, row).length = 0
  }

  #list(map: Map<number, Map<number, number[]>>, field: Target, row: number): number[] {
    const chunk = chunkOf(row)
    if (field.chunk !== chunk || field.changes !== this) {
      field.chunk = chunk
      field.changes = this
      field.values = entryOf(map, field.id * CHUNKS + chunk, () => new Map<number, number[]>())
    }
    return entryOf(field.values, placeOf(row), () => [])
  }

  /** Writes everything; inside of a transaction. */
  write(): void {
    for (const key of ascending(this.#rows)) this.#writePosting(key, this.#rows.get(key) as number[])
    for (const key of ascending(this.#numbers))
      this.#writeNumbers(key, this.#numbers.get(key) as Map<number, number[]>)
    for (const key of ascending(this.#sequences)) {
      this.#writeSequences(key, this.#sequences.get(key) as Map<number, number[]>)
    }
  }

  #writePosting(key: number, places: readonly number[]): void {
    const [term, chunk] = [Math.floor(key / CHUNKS), key % CHUNKS]
    const bits = emptyBits()
    const old = this.#read.posting.get(term, chunk)
    if (old) decodeInto(bits, old.rows as Uint8Array)
    for (const place of places) {
      if (place >= 0) bits[place >> 5] = (bits[place >> 5] as number) | (1 << (place & 31))
      else bits[~place >> 5] = (bits[~place >> 5] as number) & ~(1 << (~place & 31))
    }
    const stored = encodeBits(bits)
    if (stored) this.#write.posting.run(term, chunk, stored)
    else if (old) this.#delete.posting.run(term, chunk)
  }

  #writeNumbers(key: number, changes: ReadonlyMap<number, readonly number[]>): void {
    const [field, chunk] = [Math.floor(key / CHUNKS), key % CHUNKS]
    const old = this.#read.number.get(field, chunk)
    const decoded = old && decodeNumbers(old.type as number, old.places as Uint8Array, old.data as Uint8Array)
    const stored = changeNumbers(decoded, changes)
    if (stored) {
      this.#write.number.run(field, chunk, stored.low, stored.high, stored.type, stored.places, stored.data)
    } else if (old) this.#delete.number.run(field, chunk)
  }

  #writeSequences(key: number, changes: ReadonlyMap<number, readonly number[]>): void {
    const [field, chunk] = [Math.floor(key / CHUNKS), key % CHUNKS]
    const old = this.#read.sequence.get(field, chunk)
    const stored = changeSequences(old?.words as Uint8Array | undefined, changes)
    if (stored.length > 0)
      this.#write.sequence.run(field, chunk, new Uint8Array(Uint32Array.from(stored).buffer))
    else if (old) this.#delete.sequence.run(field, chunk)
  }
}

/** Reads a stored chunk of sequences: for each place in turn its number, the number of words, the words. */
export function sequenceWords(stored: Uint8Array): Uint32Array {
  return new Uint32Array(stored.buffer, stored.byteOffset, stored.byteLength / 4)
}

function changeSequences(
  stored: Uint8Array | undefined,
  changes: ReadonlyMap<number, readonly number[]>
): number[] {
  const result: number[] = []
  if (stored) {
    const old = sequenceWords(stored)
    for (let i = 0; i < old.length; ) {
      const end = i + 2 + (old[i + 1] as number)
      if (!changes.has(old[i] as number)) for (let j = i; j < end; j++) result.push(old[j] as number)
      i = end
    }
  }
  for (const [place, words] of changes) {
    if (words.length === 0) continue
    result.push(place, words.length)
    for (const word of words) result.push(word)
  }
  return result
}

function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}

function ascending(map: ReadonlyMap<number, unknown>): Float64Array {
  return Float64Array.from(map.keys()).sort()
}
