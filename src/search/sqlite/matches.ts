/**
 * What a query matches, as a set of rows. {@link FieldCriteria} reads the leaves; everything above them is set operations, so
 * depth and number of clauses never reach SQL. Criteria of nested objects are sets of the rows of their path, mapped to the
 * rows that the objects stand in.
 */
import { FieldCriteria } from './field-criteria.ts'
import { ENTRIES, type IndexTables } from './index-tables.ts'
import { hasPlace, RowSet } from './row-set.ts'
import { nestedName } from './schema.ts'
import type { WireQuery } from './wire.ts'

/** Evaluates queries on one connection. */
export class Matches {
  readonly tables: IndexTables
  readonly #criteria: FieldCriteria

  constructor(tables: IndexTables) {
    this.tables = tables
    this.#criteria = new FieldCriteria(tables)
  }

  /**
   * The entries that match.
   * @throws Stopped
   */
  of(query: WireQuery): RowSet {
    return this.#evaluate(query, ENTRIES)
  }

  /**
   * The nested objects at a path that match.
   * @throws Stopped
   */
  within(path: string, query: WireQuery): RowSet {
    return this.#evaluate(query, path)
  }

  /** The entries in which nested objects stand. */
  entriesOf(path: string, objects: RowSet): RowSet {
    return this.#parents(path, objects, ENTRIES)
  }

  #evaluate(query: WireQuery, path: string): RowSet {
    this.tables.checkStop()
    switch (query.kind) {
      case 'all':
        return this.tables.objects(path)
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
        return this.tables.objects(path).minus(this.#evaluate(query.of, path))
      case 'nested':
        return this.#parents(query.path, this.#evaluate(query.query, query.path), path)
      default:
        // A quantity of other objects has no value in these.
        if ((query.field.nestedPath ?? ENTRIES) !== path) return new RowSet()
        return this.#criteria.rows(query)
    }
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
    return result ?? this.tables.objects(path)
  }

  /** The rows, on the level of `upTo`, in which nested objects stand. */
  #parents(path: string, nested: RowSet, upTo: string): RowSet {
    if (path === upTo || nested.chunks.size === 0) return nested
    const result = new RowSet()
    const field = this.tables.fieldId(nestedName(path))
    if (field === undefined) return result
    const [first, ...rest] = nested.chunks.keys()
    const [low, high] = rest.reduce(
      ([a, b], c) => [Math.min(a, c), Math.max(b, c)],
      [first as number, first as number]
    )
    // A few objects in a far row are found by key; walking all chunks between is for many.
    const some = nested.chunks.size * 4 < high - low
    const ranges = some ? [...nested.chunks.keys()].map(chunk => [chunk, chunk]) : [[low, high]]
    for (const [from, to] of ranges) {
      for (const [chunk, parents] of this.tables.numbersOf(field, nested, from as number, to as number)) {
        const bits = nested.chunks.get(chunk) as Uint32Array
        for (let i = 0; i < parents.places.length; i++) {
          if (hasPlace(bits, parents.places[i] as number)) result.add(parents.values[i] as number)
        }
      }
    }
    return this.#parents(this.tables.outer(path), result, upTo)
  }
}
