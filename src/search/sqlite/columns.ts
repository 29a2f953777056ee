/**
 * Numbers of the rows of a set: values of numeric fields, terms of fields that keep them by row, and for nested objects the
 * rows that they stand in. Chunks are read once per request as long as they are not too many.
 */
import type { NumberChunk } from './column.ts'
import type { IndexTables } from './index-tables.ts'
import { CHUNK_ROWS, chunkOf, hasPlace, placeOf, RowSet } from './row-set.ts'
import { type NestedSpan, nestedName } from './schema.ts'

/** Chunks that are kept: 48 KB each at most. */
const KEPT_CHUNKS = 2048

/** A chunk is looked up by itself where fewer than one of so many is wanted. */
const SPARSE = 4

/** Nested objects that are looked through in the time that it takes to see which ones a document has. */
const OBJECTS_PER_DOCUMENT = 1000

/** A chunk of numbers with the rows of a set in it. */
export interface ColumnPart extends NumberChunk {
  /** The row of place 0. */
  readonly base: number
  readonly bits: Uint32Array
}

/** Reads columns within one request. */
export class Columns {
  readonly #tables: IndexTables
  readonly #kept = new Map<string, Map<number, NumberChunk>>()
  #count = 0

  constructor(tables: IndexTables) {
    this.#tables = tables
  }

  /** The chunks of a field in which there are rows of the set, ascending; not all of their numbers are of these rows. */
  *parts(field: string, rows: RowSet): Generator<ColumnPart> {
    for (const [chunk, { places, values }] of this.#chunks(field, rows))
      yield { base: chunk * CHUNK_ROWS, bits: rows.chunks.get(chunk) as Uint32Array, places, values }
  }

  /** Calls `visit` with every number of the field in the rows, by ascending row. */
  each(field: string, rows: RowSet, visit: (row: number, value: number) => void): void {
    for (const { base, bits, places, values } of this.parts(field, rows)) {
      for (let i = 0; i < places.length; i++) {
        const place = places[i] as number
        if (hasPlace(bits, place)) visit(base + place, values[i] as number)
      }
    }
  }

  /** The least and the greatest number of a field, whatever row it is in; undefined when it has none. */
  bounds(field: string): [low: number, high: number] | undefined {
    const id = this.#tables.fieldId(field)
    if (id === undefined) return undefined
    const sql = 'SELECT min(low), max(high) FROM number WHERE field = ?'
    const [low, high] = this.#tables.statement(sql).get(id) as unknown as [number | null, number | null]
    return low === null ? undefined : [low, high as number]
  }

  /** The nested objects at the path that stand in the entries. */
  objectsIn(entries: RowSet, path: string): RowSet {
    const field = nestedName(path)
    const all = this.#tables.objects(path)
    if (all.isEmpty || entries.isEmpty) return new RowSet()
    if (entries.size === this.#tables.allEntries().size) return all
    if (entries.size * OBJECTS_PER_DOCUMENT < all.size) return this.#fewObjectsIn(entries, field)
    const outer = this.#tables.outer(path)
    const owners = outer === '' ? entries : this.objectsIn(entries, outer)
    const result = new RowSet()
    this.each(field, all, (row, owner) => {
      if (owners.has(owner)) result.add(row)
    })
    return result
  }

  #fewObjectsIn(entries: RowSet, field: string): RowSet {
    const result = new RowSet()
    const id = this.#tables.fieldId(field)
    const spans = this.#tables.statement('SELECT nested FROM document WHERE row = ?')
    for (const entry of entries) {
      this.#tables.checkStop()
      const [nested] = spans.get(entry) as unknown as [string]
      for (const [path, first, count] of JSON.parse(nested) as NestedSpan[])
        if (path === id) for (let i = 0; i < count; i++) result.add(first + i)
    }
    return result
  }

  /** How many entries the nested objects at the path stand in. */
  entryCount(objects: RowSet, path: string): number {
    let count = 0
    let last = -1
    // The objects of an entry are numbered one after the other.
    this.each(nestedName(path), objects, (_, owner) => {
      const entry = this.entryOf(owner, this.#tables.outer(path))
      if (entry !== last) count++
      last = entry
    })
    return count
  }

  /** The entry that a row of the path belongs to. */
  entryOf(row: number, path: string): number {
    let [current, level] = [row, path]
    while (level !== '') {
      const chunk = this.#chunk(nestedName(level), chunkOf(current))
      const at = chunk ? indexOf(chunk.places, placeOf(current)) : -1
      current = chunk?.values[at] as number
      level = this.#tables.outer(level)
    }
    return current
  }

  *#chunks(field: string, rows: RowSet): Generator<[chunk: number, numbers: NumberChunk]> {
    const wanted = [...rows.chunks.keys()].sort((a, b) => a - b)
    const low = wanted[0]
    if (low === undefined) return
    const high = wanted.at(-1) as number
    const kept = this.#kept.get(field)
    if (kept || wanted.length * SPARSE < high - low + 1) {
      for (const chunk of wanted) {
        const numbers = this.#chunk(field, chunk)
        if (numbers) yield [chunk, numbers]
      }
      return
    }
    const id = this.#tables.fieldId(field)
    if (id === undefined) return
    const keep = new Map<number, NumberChunk>()
    for (const [chunk, numbers] of this.#tables.numbersOf(id, rows, low, high)) {
      if (this.#count + keep.size < KEPT_CHUNKS) keep.set(chunk, numbers)
      yield [chunk, numbers]
    }
    this.#kept.set(field, keep)
    this.#count += keep.size
  }

  #chunk(field: string, chunk: number): NumberChunk | undefined {
    const known = this.#kept.get(field)?.get(chunk)
    if (known) return known
    this.#tables.checkStop()
    const id = this.#tables.fieldId(field)
    if (id === undefined) return undefined
    const numbers = this.#tables.numberChunk(id, chunk)
    if (!numbers) return undefined
    if (this.#count < KEPT_CHUNKS) {
      let kept = this.#kept.get(field)
      if (!kept) {
        kept = new Map()
        this.#kept.set(field, kept)
      }
      kept.set(chunk, numbers)
      this.#count++
    }
    return numbers
  }
}

function indexOf(places: Uint16Array, place: number): number {
  if (places[place] === place) return place
  let [low, high] = [0, places.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((places[middle] as number) < place) low = middle + 1
    else high = middle
  }
  return low
}
