/** Documents of entries together with where their nested objects stand. */
import type { Bodies } from './body.ts'
import type { Matches } from './matches.ts'
import { nestedName } from './schema.ts'

/** A document. */
export interface StoredDocument {
  readonly document: Record<string, unknown>
  /** Rows of the first nested objects by path; the others follow in the order of the document. */
  readonly firstRows: Map<string, number>
}

/** Reads documents within one request. */
export class StoredDocuments {
  readonly #matches: Matches
  readonly #bodies: Bodies

  constructor(matches: Matches, bodies: Bodies) {
    this.#matches = matches
    this.#bodies = bodies
  }

  /**
   * The document of an entry.
   * @param path where nested objects are wanted; `firstRows` has this path and those that lead to it
   * @throws Stopped
   */
  read(entry: number, path: string | undefined): StoredDocument {
    this.#matches.checkStop()
    const [nested, body] = this.#matches
      .statement('SELECT nested, body FROM document WHERE row = ?')
      .get(entry) as unknown as [string, Uint8Array]
    const firstRows = new Map<string, number>()
    if (path !== undefined) {
      const spans = JSON.parse(nested) as [field: number, first: number, count: number][]
      for (const each of this.#matches.pathsTo(path)) {
        const field = this.#matches.fieldId(nestedName(each))
        const span = spans.find(([id]) => id === field)
        if (span) firstRows.set(each, span[1])
      }
    }
    return { document: JSON.parse(this.#bodies.unpack(body)) as Record<string, unknown>, firstRows }
  }
}
