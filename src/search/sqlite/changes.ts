/**
 * What a batch of documents changes in postings, numbers and sequences, gathered in memory and written chunk by chunk
 * in the order of the tables, so that a chunk is read and written once per batch.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { changeNumbers, decodeNumbers, type NumberChanges } from './column.ts'
import { chunkOf, decodeInto, emptyBits, encodeBits, placeOf } from './row-set.ts'
import { changeSequences, type WordChanges } from './sequence.ts'

/** A term or a field with what is gathered for it, chunk by chunk; most change in one chunk only. */
export class Target<List> {
  readonly id: number
  #chunk = -1
  #list: List | undefined
  #others: Map<number, List> | undefined

  constructor(id: number) {
    this.id = id
  }

  /** Whether nothing is gathered. */
  get isEmpty(): boolean {
    return this.#list === undefined
  }

  /** The list of a chunk, made when it is missing. */
  list(chunk: number, make: () => List): List {
    if (this.#list !== undefined) {
      if (chunk === this.#chunk) return this.#list
      this.#others ??= new Map()
      this.#others.set(this.#chunk, this.#list)
    }
    this.#chunk = chunk
    this.#list = this.#others?.get(chunk) ?? make()
    return this.#list
  }

  /** Gives what is gathered, ascending by chunk, and lets go of it. */
  take(): [chunk: number, list: List][] {
    const lists = new Map(this.#others)
    lists.set(this.#chunk, this.#list as List)
    this.#list = undefined
    this.#others = undefined
    return [...lists].sort(([a], [b]) => a - b)
  }
}

/** Places that a term gains (place) or loses (~place); a place that it loses and gains is gained. */
export type TermTarget = Target<number[]>
export type NumberTarget = Target<NumberChanges>
export type WordTarget = Target<WordChanges>

const newPlaces = (): number[] => []
const newNumbers = (): NumberChanges => ({ cleared: [], places: [], values: [] })
const newWords = (): WordChanges => new Map()

/** Gathers changes: what rows lose comes before what they gain. After an error it must not be used again. */
export class Changes {
  readonly #terms: TermTarget[] = []
  readonly #numbers: NumberTarget[] = []
  readonly #words: WordTarget[] = []
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
  addRow(term: TermTarget, row: number): void {
    if (term.isEmpty) this.#terms.push(term)
    term.list(chunkOf(row), newPlaces).push(placeOf(row))
  }

  /** The row does not have the term any more. */
  removeRow(term: TermTarget, row: number): void {
    if (term.isEmpty) this.#terms.push(term)
    term.list(chunkOf(row), newPlaces).push(~placeOf(row))
  }

  /** The row's value, or one more of its values. */
  addNumber(field: NumberTarget, value: number, row: number): void {
    if (field.isEmpty) this.#numbers.push(field)
    const { places, values } = field.list(chunkOf(row), newNumbers)
    places.push(placeOf(row))
    values.push(value)
  }

  /** The row has no numbers any more, but those that are added from now on; before any is added. */
  clearNumbers(field: NumberTarget, row: number): void {
    if (field.isEmpty) this.#numbers.push(field)
    field.list(chunkOf(row), newNumbers).cleared.push(placeOf(row))
  }

  /** One more value of the row, as words. */
  addWords(field: WordTarget, terms: readonly TermTarget[], row: number): void {
    const list = this.#wordsOf(field, row)
    if (list.length > 0) list.push(0)
    for (const term of terms) list.push(term.id)
  }

  /** The row has no words any more, but those that are added from now on. */
  clearWords(field: WordTarget, row: number): void {
    this.#wordsOf(field, row).length = 0
  }

  #wordsOf(field: WordTarget, row: number): number[] {
    if (field.isEmpty) this.#words.push(field)
    const places = field.list(chunkOf(row), newWords)
    const place = placeOf(row)
    let list = places.get(place)
    if (list === undefined) {
      list = []
      places.set(place, list)
    }
    return list
  }

  /**
   * Writes everything and begins anew; inside of a transaction.
   * @param firstNewTerm terms from this number on have nothing stored yet
   */
  write(firstNewTerm: number): void {
    const byId = (a: Target<unknown>, b: Target<unknown>) => a.id - b.id
    for (const term of merged(this.#terms.sort(byId))) {
      for (const [chunk, places] of term.take())
        this.#writePosting(term.id, chunk, places, term.id >= firstNewTerm)
    }
    for (const field of this.#numbers.sort(byId))
      for (const [chunk, changes] of field.take()) this.#writeNumbers(field.id, chunk, changes)
    for (const field of this.#words.sort(byId))
      for (const [chunk, changes] of field.take()) this.#writeSequences(field.id, chunk, changes)
    for (const list of [this.#terms, this.#numbers, this.#words]) list.length = 0
  }

  #writePosting(term: number, chunk: number, places: readonly number[], isNew: boolean): void {
    const old = isNew ? undefined : this.#read.posting.get(term, chunk)
    if (!old && places.length === 1 && (places[0] as number) >= 0) {
      this.#write.posting.run(term, chunk, new Uint8Array(Uint16Array.from(places).buffer))
      return
    }
    const bits = emptyBits()
    if (old) decodeInto(bits, old.rows as Uint8Array)
    for (const place of places)
      if (place < 0) bits[~place >> 5] = (bits[~place >> 5] as number) & ~(1 << (~place & 31))
    for (const place of places)
      if (place >= 0) bits[place >> 5] = (bits[place >> 5] as number) | (1 << (place & 31))
    const stored = encodeBits(bits)
    if (stored) this.#write.posting.run(term, chunk, stored)
    else if (old) this.#delete.posting.run(term, chunk)
  }

  #writeNumbers(field: number, chunk: number, changes: NumberChanges): void {
    const old = this.#read.number.get(field, chunk)
    const decoded = old && decodeNumbers(old.type as number, old.places as Uint8Array, old.data as Uint8Array)
    const stored = changeNumbers(decoded, changes)
    if (stored) {
      this.#write.number.run(field, chunk, stored.low, stored.high, stored.type, stored.places, stored.data)
    } else if (old) this.#delete.number.run(field, chunk)
  }

  #writeSequences(field: number, chunk: number, changes: WordChanges): void {
    const old = this.#read.sequence.get(field, chunk)
    const stored = changeSequences(old?.words as Uint8Array | undefined, changes)
    if (stored.length > 0)
      this.#write.sequence.run(field, chunk, new Uint8Array(Uint32Array.from(stored).buffer))
    else if (old) this.#delete.sequence.run(field, chunk)
  }
}

/** Terms of which there are several targets have what is gathered for them brought together. */
function* merged(terms: readonly TermTarget[]): Generator<TermTarget> {
  let last: TermTarget | undefined
  for (const term of terms) {
    if (last && last.id !== term.id) yield last
    if (last?.id !== term.id) last = term
    else for (const [chunk, places] of term.take()) last.list(chunk, newPlaces).push(...places)
  }
  if (last) yield last
}
