/** Documents of entries together with where their nested objects stand. */
import type { Bodies } from './body.ts'
import type { IndexTables } from './index-tables.ts'
import { type NestedSpan, nestedName } from './schema.ts'

/** A document. */
export interface StoredDocument {
  readonly document: Record<string, unknown>
  /** Rows of the first nested objects by path; the others follow in the order of the document. */
  readonly firstRows: Map<string, number>
}

/** Reads documents on one connection. */
export class StoredDocuments {
  readonly #tables: IndexTables
  readonly #bodies: Bodies

  constructor(tables: IndexTables, bodies: Bodies) {
    this.#tables = tables
    this.#bodies = bodies
  }

  /**
   * JSON of the document of an entry.
   * @throws Stopped
   */
  text(entry: number): string {
    this.#tables.checkStop()
    const [body] = this.#tables
      .statement('SELECT body FROM document WHERE row = ?')
      .get(entry) as unknown as [Uint8Array]
    return this.#bodies.unpack(body)
  }

  /**
   * The document of an entry.
   * @param path where nested objects are wanted; `firstRows` has this path and those that lead to it
   * @throws Stopped
   */
  read(entry: number, path?: string): StoredDocument {
    this.#tables.checkStop()
    const [nested, body] = this.#tables
      .statement('SELECT nested, body FROM document WHERE row = ?')
      .get(entry) as unknown as [string, Uint8Array]
    const firstRows = new Map<string, number>()
    if (path !== undefined) {
      const spans = JSON.parse(nested) as NestedSpan[]
      for (const each of this.#tables.pathsTo(path)) {
        const field = this.#tables.fieldId(nestedName(each))
        const span = spans.find(([id]) => id === field)
        if (span) firstRows.set(each, span[1])
      }
    }
    return { document: JSON.parse(this.#bodies.unpack(body)) as Record<string, unknown>, firstRows }
  }
}
