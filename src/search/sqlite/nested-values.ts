/**
 * Values of custom quantities, which stand in nested objects of the entries: which entries have one, and which of its
 * values an entry is sorted by. The objects of an entry are numbered one after the other.
 */
import { Extraction } from './extraction.ts'
import { compareText } from './fields.ts'
import type { IndexTables } from './index-tables.ts'
import type { Matches } from './matches.ts'
import { CHUNK_ROWS, chunkOf, hasPlace, placeOf, RowSet } from './row-set.ts'
import type { StoredDocuments } from './stored-documents.ts'
import type { FieldName, WireQuery } from './wire.ts'

/** Finds the entries of nested objects of one path, and the objects of entries. */
export class NestedValues {
  /** The entries that have a value. */
  readonly entries: RowSet
  readonly #tables: IndexTables
  readonly #documents: StoredDocuments
  readonly #field: FieldName
  readonly #path: string
  /** The objects that hold a value. */
  readonly #objects: RowSet
  /** Rows of entries by chunks of objects; read when they are needed. */
  readonly #entriesOf = new Map<number, Int32Array>()

  /**
   * @param found the entries to be sorted
   * @param within the objects that count
   */
  constructor(
    matches: Matches,
    documents: StoredDocuments,
    found: RowSet,
    field: FieldName,
    within: WireQuery
  ) {
    this.#tables = matches.tables
    this.#documents = documents
    this.#field = field
    this.#path = field.nestedPath as string
    this.#objects = matches.within(this.#path, within).and(matches.tables.withValue(field))
    this.entries = matches.entriesOf(this.#path, this.#objects).and(found)
  }

  /**
   * Tells every entry with its smallest number, in the sign of the order.
   * @param sign -1 for the descending order
   */
  numbers(sign: 1 | -1, take: (entry: number, value: number) => void): void {
    const id = this.#tables.fieldId(this.#field.name)
    if (id === undefined) return
    let entry = -1
    let value = 0
    for (const [chunk, { places, values }] of this.#tables.numbers(id, -Infinity, Infinity)) {
      const bits = this.#objects.chunks.get(chunk)
      if (!bits) continue
      for (let i = 0; i < places.length; i++) {
        if (!hasPlace(bits, places[i] as number)) continue
        const owner = this.#entryOf(chunk * CHUNK_ROWS + (places[i] as number))
        const signed = sign * (values[i] as number)
        if (owner === entry) value = Math.min(value, signed)
        else {
          if (entry >= 0 && this.entries.has(entry)) take(entry, value)
          entry = owner
          value = signed
        }
      }
    }
    if (entry >= 0 && this.entries.has(entry)) take(entry, value)
  }

  /** Terms in order with the entries that are sorted by them: an entry comes with its first one alone. */
  *terms(groups: Iterable<[string, RowSet]>): Generator<[string, RowSet]> {
    const seen = new RowSet()
    for (const [term, objects] of groups) {
      const entries = new RowSet()
      for (const object of objects) {
        const entry = this.#entryOf(object)
        if (!this.entries.has(entry) || seen.has(entry)) continue
        seen.add(entry)
        entries.add(entry)
      }
      if (!entries.isEmpty) yield [term, entries]
    }
  }

  /** The objects whose values count, of all entries that are sorted. */
  get objects(): RowSet {
    return this.#objects
  }

  /** The first of an entry's terms in the order, read from its document; for few entries of a field with many terms. */
  firstTerm(entry: number, sign: 1 | -1): string | undefined {
    const { name, kind, source } = this.#field
    const path = this.#path
    const extraction = new Extraction({
      fields: [{ name, kind: kind as 'keyword' | 'boolean', source, nestedPath: path }],
      nestedPaths: [path]
    })
    const { document, firstRows } = this.#documents.read(entry, path)
    let next = firstRows.get(path) ?? 0
    let first: string | undefined
    extraction.walk(document, entry, {
      nestedRow: () => next++,
      term: (_, term, object) => {
        if (!this.#objects.has(object)) return
        if (first === undefined || sign * compareText(term, first) < 0) first = term
      },
      number: () => {},
      words: () => {}
    })
    return first
  }

  #entryOf(object: number): number {
    const chunk = chunkOf(object)
    let entries = this.#entriesOf.get(chunk)
    if (!entries) {
      entries = this.#tables.owners(this.#path, chunk)
      this.#entriesOf.set(chunk, entries)
    }
    return entries[placeOf(object)] as number
  }
}
