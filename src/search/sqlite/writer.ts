/** Adds documents to the search file and removes them; runs in the writer's worker thread. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { openDatabase, transaction } from '../../storage/sqlite/database.ts'
import type { Versions } from '../entry-index.ts'
import { Bodies, bodyVersion } from './body.ts'
import { DocumentChanges } from './document-changes.ts'
import type { FieldPlan } from './fields.ts'
import { type NestedSpan, SEARCH_FORMAT } from './schema.ts'

/** Documents of one transaction when everything is indexed anew. */
const REBUILD_BATCH = 1000

/** Writes one search file. */
export class IndexWriter {
  readonly #database: DatabaseSync
  readonly #plan: FieldPlan
  readonly #bodies: Bodies
  readonly #changes: DocumentChanges
  readonly #findEntry: StatementSync
  readonly #addEntry: StatementSync
  readonly #removeEntry: StatementSync
  readonly #lastRow: StatementSync
  readonly #findDocument: StatementSync
  readonly #putDocument: StatementSync
  readonly #removeDocument: StatementSync
  #nextRow = 0

  constructor(file: string, plan: FieldPlan) {
    this.#database = openDatabase(file, SEARCH_FORMAT)
    this.#database.exec('PRAGMA cache_size = -98304; PRAGMA wal_autocheckpoint = 4000;')
    this.#plan = plan
    this.#bodies = new Bodies(this.#database)
    this.#changes = new DocumentChanges(this.#database, plan)
    const prepare = (sql: string) => this.#database.prepare(sql)
    this.#findEntry = prepare('SELECT row FROM entry WHERE entry_id = ?')
    this.#addEntry = prepare('INSERT INTO entry VALUES (?, ?)')
    this.#removeEntry = prepare('DELETE FROM entry WHERE row = ?')
    this.#lastRow = prepare('SELECT max(row) AS row FROM entry')
    this.#findDocument = prepare('SELECT nested, body FROM document WHERE row = ?')
    this.#putDocument = prepare('INSERT OR REPLACE INTO document VALUES (?, ?, ?)')
    this.#removeDocument = prepare('DELETE FROM document WHERE row = ?')
  }

  /**
   * Makes the index fit the field plan: when the file was filled by another one, every document is indexed anew.
   */
  prepare(): void {
    const plan = JSON.stringify(this.#plan)
    transaction(this.#database, () => {
      const old = this.#database.prepare("SELECT value FROM setting WHERE name = 'fields'").get()
      if (old?.value === plan) return
      this.#database.prepare("INSERT OR REPLACE INTO setting VALUES ('fields', ?)").run(plan)
      if (old) this.#rebuild()
    })
  }

  #rebuild(): void {
    for (const table of ['field', 'term', 'posting', 'number', 'sequence'])
      this.#database.exec(`DELETE FROM ${table}`)
    this.#changes.forget()
    this.#changes.begin()
    const next = this.#database.prepare('SELECT row, body FROM document WHERE row > ? ORDER BY row LIMIT ?')
    const setNested = this.#database.prepare('UPDATE document SET nested = ? WHERE row = ?')
    for (let last = -1; ; ) {
      const rows = next.all(last, REBUILD_BATCH) as unknown as { row: number; body: Uint8Array }[]
      if (rows.length === 0) break
      for (const { row, body } of rows) {
        const spans = this.#changes.add(row, JSON.parse(this.#bodies.unpack(body)))
        setNested.run(JSON.stringify(spans), row)
      }
      this.#changes.write()
      last = (rows.at(-1) as { row: number }).row
    }
    this.#changes.save()
  }

  /**
   * Adds or replaces documents, given as JSON; of several with one id the last one counts.
   * @param open leaves the transaction open for the next call, which is one of this kind, {@link replace} or
   *   {@link commit}; an error ends it in any case
   */
  put(texts: readonly string[], open = false): void {
    this.#change(() => {
      this.#bodies.learn(texts)
      for (const text of texts) this.#put(text, JSON.parse(text) as Record<string, unknown>)
    }, open)
  }

  #put(text: string, document: Record<string, unknown>): void {
    const entryId = document.entry_id as string
    const known = this.#rowOf(entryId)
    const row = known ?? this.#nextRow++
    if (known === undefined) this.#addEntry.run(row, entryId)
    else this.#unindex(row)
    const spans = this.#changes.add(row, document)
    this.#putDocument.run(row, JSON.stringify(spans), this.#bodies.pack(text))
  }

  #versionOf(entryId: string): string | undefined {
    const row = this.#rowOf(entryId)
    const stored = row === undefined ? undefined : this.#findDocument.get(row)
    return stored && bodyVersion(stored.body as Uint8Array)
  }

  /**
   * Adds or replaces those documents whose versions are still the same; gives the ids of the others.
   * @param open as of {@link put}
   */
  replace(texts: readonly string[], versions: Versions, open = false): string[] {
    const changed: string[] = []
    this.#change(() => {
      this.#bodies.learn(texts)
      for (const text of texts) {
        const document = JSON.parse(text) as Record<string, unknown>
        const entryId = document.entry_id as string
        if (this.#versionOf(entryId) === versions.get(entryId)) this.#put(text, document)
        else changed.push(entryId)
      }
    }, open)
    return changed
  }

  /** Ends an open transaction. */
  commit(): void {
    this.#change(() => {})
  }

  /** Removes documents; unknown ids are no error. */
  remove(entryIds: readonly string[]): void {
    this.#change(() => {
      for (const entryId of entryIds) {
        const row = this.#rowOf(entryId)
        if (row === undefined) continue
        this.#unindex(row)
        this.#removeEntry.run(row)
        this.#removeDocument.run(row)
      }
    })
  }

  close(): void {
    this.#database.close()
  }

  #change(work: () => void, open = false): void {
    try {
      if (!this.#database.isTransaction) {
        this.#database.exec('BEGIN IMMEDIATE')
        this.#changes.begin()
        this.#nextRow = ((this.#lastRow.get()?.row as number | null | undefined) ?? -1) + 1
      }
      work()
      if (open) return
      this.#changes.save()
      this.#database.exec('COMMIT')
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      // What was remembered may have been rolled back.
      this.#bodies.forget()
      this.#changes.forget()
      throw error
    }
  }

  #rowOf(entryId: string): number | undefined {
    return this.#findEntry.get(entryId)?.row as number | undefined
  }

  /** Takes the values of the stored document out of the index. */
  #unindex(row: number): void {
    const stored = this.#findDocument.get(row)
    if (!stored) return
    const document = JSON.parse(this.#bodies.unpack(stored.body as Uint8Array))
    this.#changes.remove(row, document, JSON.parse(stored.nested as string) as NestedSpan[])
  }
}
