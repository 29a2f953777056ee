/** Example entries, or nested objects, of sets of objects. */
import type { WireOf } from './aggregation-wire.ts'
import type { Columns } from './columns.ts'
import type { IdOrder } from './id-order.ts'
import type { RowSet } from './row-set.ts'
import { sourceFilter } from './source-text.ts'
import type { StoredDocuments } from './stored-documents.ts'

type Json = Record<string, unknown>

/** Finds examples within one request. */
export class Examples {
  readonly #columns: Columns
  readonly #documents: StoredDocuments
  readonly #ids: IdOrder

  constructor(columns: Columns, documents: StoredDocuments, ids: IdOrder) {
    this.#columns = columns
    this.#documents = documents
    this.#ids = ids
  }

  /**
   * Filtered documents of the first entries by `entry_id`, or of any nested objects at the path.
   * @throws Stopped
   */
  of(
    objects: RowSet,
    path: string | undefined,
    { size, source }: NonNullable<WireOf<'terms'>['examples']>
  ): Json[] {
    const filter = sourceFilter(source)
    const filtered = (document: Json) => JSON.parse(filter(JSON.stringify(document))) as Json
    if (path === undefined) {
      return this.#ids
        .first(objects, 'asc', size)
        .map(({ row }) => filtered(this.#documents.read(row).document))
    }
    const examples: Json[] = []
    for (const object of objects) {
      if (examples.length >= size) break
      const { document, firstRows } = this.#documents.read(this.#columns.entryOf(object, path), path)
      const found = objectAt(document, path, object - (firstRows.get(path) as number))
      examples.push(memberOf(filtered(wrapped(found, path)), path))
    }
    return examples
  }
}

/** The object of this number among those at the path. */
function objectAt(document: Json, path: string, number: number): Json {
  let objects: unknown[] = [document]
  for (const name of path.split('.')) {
    objects = objects.map(object => (object as Json)[name]).flat(Number.POSITIVE_INFINITY)
    objects = objects.filter(object => typeof object === 'object' && object !== null)
  }
  return objects[number] as Json
}

/** A document that holds nothing but the object. */
function wrapped(object: Json, path: string): Json {
  return path.split('.').reduceRight((inner, name) => ({ [name]: inner }), object)
}

function memberOf(document: Json, path: string): Json {
  let current: unknown = document
  for (const name of path.split('.')) current = (current as Json | undefined)?.[name]
  return (current ?? {}) as Json
}
