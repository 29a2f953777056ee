/** Adds documents to the search file and removes them; runs in the writer's worker thread. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { openDatabase, transaction } from '../../storage/sqlite/database.ts'
import { documentText } from '../document-text.ts'
import { Bodies } from './body.ts'
import { Changes, Target } from './changes.ts'
import { Extraction, type ValueSink } from './extraction.ts'
import type { Field, FieldPlan } from './fields.ts'
import { ALL_ENTRIES, nestedName, SEARCH_FORMAT, SETS } from './schema.ts'

/** Nested objects of a document: path field, first row, count. */
type NestedSpan = [field: number, first: number, count: number]

interface FieldState {
  readonly id: number
  /** For its numbers or its words in order; a field has one of them. */
  readonly values: Target
  /** Term of the rows that have a value; of a nested path, of all its rows. */
  readonly presence: Target
  /** The row whose presence was noted last. */
  presentRow: number
  /** Its known terms by value. */
  readonly known: Map<string, Target>
  terms: number
  nextRow: number
}

/** Documents of one transaction when everything is indexed anew. */
const REBUILD_BATCH = 1000

/** Terms whose numbers are remembered between batches. */
const REMEMBERED_TERMS = 300_000

/** Writes one search file. */
export class IndexWriter {
  readonly #database: DatabaseSync
  readonly #plan: FieldPlan
  readonly #extraction: Extraction
  readonly #bodies: Bodies
  readonly #findTerm: StatementSync
  readonly #addTerm: StatementSync
  readonly #findEntry: StatementSync
  readonly #addEntry: StatementSync
  readonly #removeEntry: StatementSync
  readonly #findDocument: StatementSync
  readonly #putDocument: StatementSync
  readonly #removeDocument: StatementSync
  #fields = new Map<string, FieldState>()
  /** Known terms by field and value. */
  readonly #terms = new Map<number, Map<string, Target>>()
  #termCount = 0
  #nextTerm = 1
  #nextRow = 0

  constructor(file: string, plan: FieldPlan) {
    this.#database = openDatabase(file, SEARCH_FORMAT)
    this.#database.exec('PRAGMA cache_size = -131072; PRAGMA wal_autocheckpoint = 4000;')
    this.#plan = plan
    this.#extraction = new Extraction(plan)
    this.#bodies = new Bodies(this.#database)
    const prepare = (sql: string) => this.#database.prepare(sql)
    this.#findTerm = prepare('SELECT id FROM term WHERE field = ? AND value = ?')
    this.#addTerm = prepare('INSERT INTO term VALUES (?, ?, ?)')
    this.#findEntry = prepare('SELECT row FROM entry WHERE entry_id = ?')
    this.#addEntry = prepare('INSERT INTO entry VALUES (?, ?)')
    this.#removeEntry = prepare('DELETE FROM entry WHERE row = ?')
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
    this.#begin()
    const next = this.#database.prepare('SELECT row, body FROM document WHERE row > ? ORDER BY row LIMIT ?')
    const setNested = this.#database.prepare('UPDATE document SET nested = ? WHERE row = ?')
    for (let last = -1; ; ) {
      const rows = next.all(last, REBUILD_BATCH) as unknown as { row: number; body: Uint8Array }[]
      if (rows.length === 0) break
      const changes = new Changes(this.#database)
      for (const { row, body } of rows) {
        setNested.run(this.#index(row, JSON.parse(this.#bodies.unpack(body)), changes), row)
      }
      changes.write()
      last = (rows.at(-1) as { row: number }).row
    }
    this.#finish()
  }

  /** Adds or replaces documents, given as JSON; of several with one id the last one counts. */
  put(texts: readonly string[]): void {
    const documents = new Map<string, { document: Record<string, unknown>; text: string }>()
    for (const given of texts) {
      const document = JSON.parse(given) as Record<string, unknown>
      documents.set(document.entry_id as string, { document, text: documentText(document, given) })
    }
    this.#bodies.learn(documents.values().map(d => d.text))
    this.#change(changes => {
      for (const [entryId, { document, text }] of documents) {
        const known = this.#findEntry.get(entryId)?.row as number | undefined
        const row = known ?? this.#nextRow++
        if (known === undefined) this.#addEntry.run(row, entryId)
        else this.#unindex(row, changes)
        this.#putDocument.run(row, this.#index(row, document, changes), this.#bodies.pack(text))
      }
    })
  }

  /** Removes documents; unknown ids are no error. */
  remove(entryIds: readonly string[]): void {
    this.#change(changes => {
      for (const entryId of entryIds) {
        const row = this.#findEntry.get(entryId)?.row as number | undefined
        if (row === undefined) continue
        this.#unindex(row, changes)
        changes.removeRow(this.#term(SETS, ALL_ENTRIES), row)
        this.#removeEntry.run(row)
        this.#removeDocument.run(row)
      }
    })
  }

  close(): void {
    this.#database.close()
  }

  #change(work: (changes: Changes) => void): void {
    try {
      transaction(this.#database, () => {
        this.#begin()
        const changes = new Changes(this.#database)
        work(changes)
        changes.write()
        this.#finish()
      })
    } catch (error) {
      // What was remembered may have been rolled back.
      this.#forget()
      throw error
    }
  }

  /** Numbering is read in every transaction, as another process may have written in between. */
  #begin(): void {
    const one = (sql: string) => this.#database.prepare(sql).get() as { n: number | null }
    const nextTerm = (one("SELECT value AS n FROM setting WHERE name = 'terms'")?.n ?? 0) + 1
    if (nextTerm !== this.#nextTerm || this.#termCount > REMEMBERED_TERMS) this.#forget()
    this.#nextTerm = nextTerm
    this.#nextRow = (one('SELECT max(row) AS n FROM entry').n ?? -1) + 1
    this.#fields = new Map()
    for (const row of this.#database.prepare('SELECT id, name, terms, next_row FROM field').all()) {
      const { id, name, terms, next_row } = row as {
        id: number
        name: string
        terms: number
        next_row: number
      }
      this.#fields.set(name, this.#fieldState(id, name, terms, next_row))
    }
  }

  #forget(): void {
    this.#terms.clear()
    this.#termCount = 0
  }

  #fieldState(id: number, name: string, terms: number, nextRow: number): FieldState {
    return {
      id,
      values: new Target(id),
      presence: this.#term(SETS, name),
      known: this.#known(id),
      presentRow: -1,
      terms,
      nextRow
    }
  }

  #finish(): void {
    const save = this.#database.prepare('UPDATE field SET terms = ?, next_row = ? WHERE id = ?')
    for (const { id, terms, nextRow } of this.#fields.values()) save.run(terms, nextRow, id)
    this.#database.prepare("INSERT OR REPLACE INTO setting VALUES ('terms', ?)").run(this.#nextTerm - 1)
  }

  #field(name: string): FieldState {
    let field = this.#fields.get(name)
    if (!field) {
      const { id } = this.#database.prepare('INSERT INTO field (name) VALUES (?) RETURNING id').get(name) as {
        id: number
      }
      field = this.#fieldState(id, name, 0, 0)
      this.#fields.set(name, field)
    }
    return field
  }

  #known(field: number): Map<string, Target> {
    let terms = this.#terms.get(field)
    if (!terms) {
      terms = new Map()
      this.#terms.set(field, terms)
    }
    return terms
  }

  #term(field: number, value: string, state?: FieldState): Target {
    const terms = state?.known ?? this.#known(field)
    let term = terms.get(value)
    if (term === undefined) {
      let id = this.#findTerm.get(field, value)?.id as number | undefined
      if (id === undefined) {
        id = this.#nextTerm++
        this.#addTerm.run(field, value, id)
        if (state) state.terms++
      }
      term = new Target(id)
      terms.set(value, term)
      this.#termCount++
    }
    return term
  }

  /** Notes all values of the document; gives where its nested objects stand, as stored with it. */
  #index(row: number, document: Record<string, unknown>, changes: Changes): string {
    const spans = new Map<string, NestedSpan>()
    const present = (field: Field, valueRow: number): FieldState => {
      const state = this.#field(field.name)
      if (state.presentRow !== valueRow) {
        state.presentRow = valueRow
        changes.addRow(state.presence, valueRow)
      }
      return state
    }
    const sink: ValueSink = {
      nestedRow: (path, parentRow) => {
        const name = nestedName(path)
        const state = this.#field(name)
        const nested = state.nextRow++
        const span = spans.get(name)
        if (span) span[2]++
        else spans.set(name, [state.id, nested, 1])
        changes.addRow(state.presence, nested)
        changes.addNumber(state.values, parentRow, nested)
        return nested
      },
      term: (field, value, valueRow) => {
        const state = present(field, valueRow)
        changes.addRow(this.#term(state.id, value, state), valueRow)
      },
      number: (field, value, valueRow) => {
        changes.addNumber(present(field, valueRow).values, value, valueRow)
      },
      words: (field, words, valueRow) => {
        const state = present(field, valueRow)
        const terms = words.map(word => this.#term(state.id, word, state))
        for (const term of terms) changes.addRow(term, valueRow)
        if (field.kind === 'text') changes.addWords(state.values, terms, valueRow)
      }
    }
    this.#extraction.walk(document, row, sink)
    changes.addRow(this.#term(SETS, ALL_ENTRIES), row)
    return JSON.stringify([...spans.values()])
  }

  /** Takes the values of the stored document out again; its nested objects keep their numbers for themselves. */
  #unindex(row: number, changes: Changes): void {
    const stored = this.#findDocument.get(row)
    if (!stored) return
    const spans = new Map(
      (JSON.parse(stored.nested as string) as NestedSpan[]).map(([field, first]) => [field, first])
    )
    const drop = (field: Field, valueRow: number): FieldState => {
      const state = this.#field(field.name)
      state.presentRow = -1
      changes.removeRow(state.presence, valueRow)
      return state
    }
    const sink: ValueSink = {
      nestedRow: path => {
        const state = this.#field(nestedName(path))
        const nested = spans.get(state.id) as number
        spans.set(state.id, nested + 1)
        changes.removeRow(state.presence, nested)
        changes.clearNumbers(state.values, nested)
        return nested
      },
      term: (field, value, valueRow) => {
        changes.removeRow(this.#term(drop(field, valueRow).id, value), valueRow)
      },
      number: (field, _, valueRow) => {
        changes.clearNumbers(drop(field, valueRow).values, valueRow)
      },
      words: (field, words, valueRow) => {
        const { id, values } = drop(field, valueRow)
        for (const word of words) changes.removeRow(this.#term(id, word), valueRow)
        if (field.kind === 'text') changes.clearWords(values, valueRow)
      }
    }
    this.#extraction.walk(JSON.parse(this.#bodies.unpack(stored.body as Uint8Array)), row, sink)
  }
}
