/** Answers searches on one read-only connection; runs in a reading worker thread. */
import type { DatabaseSync } from 'node:sqlite'
import { openReader } from '../../storage/sqlite/database.ts'
import { Aggregations } from './aggregations.ts'
import { Bodies } from './body.ts'
import { KEY_FIELD } from './fields.ts'
import { IdOrder } from './id-order.ts'
import { IndexTables } from './index-tables.ts'
import { Matches } from './matches.ts'
import { Ordering } from './ordering.ts'
import type { RowSet } from './row-set.ts'
import { isIdOnly, sourceFilter } from './source-text.ts'
import { StoredDocuments } from './stored-documents.ts'
import { Suggestions } from './suggestions.ts'
import type { ReadRequest, WirePage, WireQuery, WireSearch } from './wire.ts'

/** Results of this many bytes at most are kept for further pages of the same query. */
const REMEMBERED_BYTES = 32 * 1024 * 1024

/** Longer queries are not worth comparing. */
const REMEMBERED_KEY = 16 * 1024

/** Reads one search file. */
export class IndexReader {
  readonly #database: DatabaseSync
  readonly #matches: Matches
  readonly #documents: StoredDocuments
  readonly #ids: IdOrder
  readonly #ordering: Ordering
  readonly #suggestions: Suggestions
  /** Results by query, the latest last; valid for one state of the file. */
  readonly #results = new Map<string, { rows: RowSet; total: number }>()
  #resultBytes = 0
  #version = -1

  constructor(file: string, stop: Int32Array) {
    this.#database = openReader(file)
    // Mapped pages would count as memory of every thread, and are hardly any quicker.
    this.#database.exec('PRAGMA cache_size = -65536; PRAGMA mmap_size = 0;')
    const tables = new IndexTables(this.#database, stop)
    this.#matches = new Matches(tables)
    this.#documents = new StoredDocuments(tables, new Bodies(this.#database))
    this.#ids = new IdOrder(tables)
    this.#ordering = new Ordering(this.#matches, this.#documents, this.#ids)
    this.#suggestions = new Suggestions(tables)
  }

  /** @throws Stopped when the main thread asked for it */
  answer(request: ReadRequest): WirePage | number | string[][] {
    // One read transaction: total, order and documents are of the same state.
    this.#database.exec('BEGIN')
    try {
      const { rows, total } = this.#result(request.query)
      if (request.kind === 'count') return total
      if (request.kind === 'search') return this.#page(rows, total, request)
      return request.wanted.map(wanted => this.#suggestions.of(rows, wanted, request.input))
    } finally {
      this.#database.exec('COMMIT')
    }
  }

  close(): void {
    this.#database.close()
  }

  #page(rows: RowSet, total: number, request: WireSearch): WirePage {
    const filtered = sourceFilter(request.source)
    const idOnly = isIdOnly(request.source)
    const hits = this.#ordering.page(rows, request).map(({ row, entryId, value }) => ({
      entryId,
      text: idOnly ? JSON.stringify({ [KEY_FIELD]: entryId }) : filtered(this.#documents.text(row)),
      ...(value !== undefined ? { sortValue: value } : {})
    }))
    const { aggregations, query } = request
    if (!aggregations) return { total, hits }
    const answers = new Aggregations(this.#matches, this.#ids, this.#documents, query, rows)
    return { total, hits, aggregations: answers.answer(aggregations) }
  }

  #result(query: WireQuery): { rows: RowSet; total: number } {
    // The first statement of the transaction takes its snapshot; then the version is the snapshot's.
    this.#database.prepare('SELECT 1 FROM field LIMIT 1').get()
    const { data_version } = this.#database.prepare('PRAGMA data_version').get() as { data_version: number }
    if (data_version !== this.#version) {
      this.#results.clear()
      this.#resultBytes = 0
      this.#version = data_version
    }
    const key = JSON.stringify(query)
    const known = this.#results.get(key)
    if (known) {
      this.#results.delete(key)
      this.#results.set(key, known)
      return known
    }
    const rows = this.#matches.of(query)
    const result = { rows, total: rows.size }
    if (key.length <= REMEMBERED_KEY) this.#remember(key, result)
    return result
  }

  #remember(key: string, result: { rows: RowSet; total: number }): void {
    this.#results.set(key, result)
    this.#resultBytes += result.rows.bytes
    for (const [oldest, { rows }] of this.#results) {
      if (this.#resultBytes <= REMEMBERED_BYTES) break
      this.#results.delete(oldest)
      this.#resultBytes -= rows.bytes
    }
  }
}
