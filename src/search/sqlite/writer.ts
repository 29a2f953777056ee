/** Adds documents to the search file and removes them; runs in the writer's worker thread. */
import { createHash } from 'node:crypto'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { openDatabase, transaction } from '../../storage/sqlite/database.ts'
import type { Versions } from '../entry-index.ts'
import { Bodies } from './body.ts'
import { Changes, type NumberTarget, Target, type TermTarget, type WordTarget } from './changes.ts'
import { Extraction, type Plain, type PlainSink, type Source, wordsOf } from './extraction.ts'
import { type Field, type FieldPlan, isNumeric, numberOf, termOf } from './fields.ts'
import { Recent } from './recent.ts'
import { ALL_ENTRIES, nestedName, SEARCH_FORMAT, SETS } from './schema.ts'

/** Nested objects of a document: path field, first row, count. */
type NestedSpan = [field: number, first: number, count: number]

interface FieldState {
  readonly field: Field | undefined
  readonly id: number
  /** Its numbers, or its terms by row. */
  readonly numbers: NumberTarget
  /** Its words in order. */
  readonly words: WordTarget
  /** Term of the rows that have a value; of a nested path, of all its rows. */
  readonly presence: TermTarget
  /** The row whose presence was noted last. */
  presentRow: number
  terms: number
  nextRow: number
  /** Whether `terms` or `nextRow` are to be saved. */
  changed: boolean
}

interface StoredField {
  readonly id: number
  readonly name: string
  readonly terms: number
  readonly next_row: number
}

/** What a value is in a field: its terms, or the number it is. */
interface Meaning {
  readonly state: FieldState
  readonly terms: readonly TermTarget[]
  readonly number?: number
}

/** Documents of one transaction when everything is indexed anew. */
const REBUILD_BATCH = 1000

/** Values of one place of documents, and words of one field, that are remembered with their terms. */
const REMEMBERED = 4096

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
  readonly #readFields: StatementSync
  readonly #readNumbering: StatementSync
  readonly #saveField: StatementSync
  readonly #saveTerms: StatementSync
  #changes: Changes
  #all: TermTarget | undefined
  /** Entries that the gathered changes are of. */
  readonly #changedRows = new Set<number>()
  #fields = new Map<string, FieldState>()
  /** What values are, by their place in documents; numbers are not remembered. */
  #meanings = new Map<Source, Recent<Plain, readonly Meaning[]>>()
  #words = new Map<FieldState, Recent<string, TermTarget>>()
  #nextTerm = 1
  #firstNewTerm = 1
  #nextRow = 0

  constructor(file: string, plan: FieldPlan) {
    this.#database = openDatabase(file, SEARCH_FORMAT)
    this.#database.exec('PRAGMA cache_size = -98304; PRAGMA wal_autocheckpoint = 4000;')
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
    this.#readFields = prepare('SELECT id, name, terms, next_row FROM field')
    this.#readNumbering = prepare(
      "SELECT (SELECT value FROM setting WHERE name = 'terms') AS terms, (SELECT max(row) FROM entry) AS row"
    )
    this.#saveField = prepare('UPDATE field SET terms = ?, next_row = ? WHERE id = ?')
    this.#saveTerms = prepare("INSERT OR REPLACE INTO setting VALUES ('terms', ?)")
    this.#changes = new Changes(this.#database)
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
    this.#forget()
    this.#begin()
    const next = this.#database.prepare('SELECT row, body FROM document WHERE row > ? ORDER BY row LIMIT ?')
    const setNested = this.#database.prepare('UPDATE document SET nested = ? WHERE row = ?')
    for (let last = -1; ; ) {
      const rows = next.all(last, REBUILD_BATCH) as unknown as { row: number; body: Uint8Array }[]
      if (rows.length === 0) break
      for (const { row, body } of rows) {
        setNested.run(this.#index(row, JSON.parse(this.#bodies.unpack(body))), row)
      }
      this.#write()
      last = (rows.at(-1) as { row: number }).row
    }
    this.#finish()
  }

  /**
   * Adds or replaces documents, given as JSON; of several with one id the last one counts.
   * @param open leaves the transaction open for the next call, which is one of this kind or {@link commit}; an error
   *   ends it in any case
   */
  put(texts: readonly string[], open = false): void {
    this.#change(() => {
      this.#bodies.learn(texts)
      for (const text of texts) this.#put(text, JSON.parse(text) as Record<string, unknown>)
    }, open)
  }

  #put(text: string, document: Record<string, unknown>): void {
    const entryId = document.entry_id as string
    const known = this.#findEntry.get(entryId)?.row as number | undefined
    const row = known ?? this.#nextRow++
    if (known === undefined) this.#addEntry.run(row, entryId)
    else this.#unindex(row)
    this.#changedRows.add(row)
    this.#putDocument.run(row, this.#index(row, document), this.#bodies.pack(text))
  }

  /** Checksums of stored documents; of what is not there nothing. */
  versions(entryIds: readonly string[]): Map<string, string> {
    const versions = new Map<string, string>()
    for (const entryId of entryIds) {
      const version = this.#versionOf(entryId)
      if (version !== undefined) versions.set(entryId, version)
    }
    return versions
  }

  #versionOf(entryId: string): string | undefined {
    const row = this.#findEntry.get(entryId)?.row as number | undefined
    const stored = row === undefined ? undefined : this.#findDocument.get(row)
    return (
      stored &&
      createHash('sha1')
        .update(stored.body as Uint8Array)
        .digest('base64')
    )
  }

  /** Adds or replaces those documents whose versions are still the same; gives the ids of the others. */
  replace(texts: readonly string[], versions: Versions): string[] {
    const changed: string[] = []
    this.#change(() => {
      this.#bodies.learn(texts)
      for (const text of texts) {
        const document = JSON.parse(text) as Record<string, unknown>
        const entryId = document.entry_id as string
        if (this.#versionOf(entryId) === versions.get(entryId)) this.#put(text, document)
        else changed.push(entryId)
      }
    })
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
        const row = this.#findEntry.get(entryId)?.row as number | undefined
        if (row === undefined) continue
        this.#unindex(row)
        this.#changes.removeRow(this.#allEntries(), row)
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
        this.#begin()
      }
      work()
      if (open) return
      this.#write()
      this.#finish()
      this.#database.exec('COMMIT')
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      // What was remembered may have been rolled back.
      this.#bodies.forget()
      this.#forget()
      this.#nextTerm = 0
      throw error
    }
  }

  /** Numbering is read in every transaction, as another process may have written in between. */
  #begin(): void {
    const { terms, row } = this.#readNumbering.get() as { terms: number | null; row: number | null }
    const nextTerm = (terms ?? 0) + 1
    if (nextTerm !== this.#nextTerm) this.#forget()
    this.#nextTerm = nextTerm
    this.#firstNewTerm = nextTerm
    this.#nextRow = (row ?? -1) + 1
    for (const stored of this.#readFields.all() as unknown as StoredField[]) {
      const state = this.#fields.get(stored.name) ?? this.#addState(stored)
      state.terms = stored.terms
      state.nextRow = stored.next_row
    }
  }

  #write(): void {
    this.#changes.write(this.#firstNewTerm)
    this.#changedRows.clear()
    this.#firstNewTerm = this.#nextTerm
  }

  #finish(): void {
    for (const state of this.#fields.values()) {
      if (state.changed) this.#saveField.run(state.terms, state.nextRow, state.id)
      state.changed = false
    }
    if (this.#nextTerm > 1) this.#saveTerms.run(this.#nextTerm - 1)
  }

  #forget(): void {
    this.#fields = new Map()
    this.#meanings = new Map()
    this.#words = new Map()
    this.#all = undefined
    this.#changedRows.clear()
    this.#changes = new Changes(this.#database)
  }

  #addState({ id, name, terms, next_row: nextRow }: StoredField): FieldState {
    const state: FieldState = {
      field: this.#plan.fields.find(f => f.name === name),
      id,
      numbers: new Target(id),
      words: new Target(id),
      presence: this.#term(SETS, name).target,
      presentRow: -1,
      terms,
      nextRow,
      changed: false
    }
    this.#fields.set(name, state)
    return state
  }

  #allEntries(): TermTarget {
    this.#all ??= this.#term(SETS, ALL_ENTRIES).target
    return this.#all
  }

  /** The field of this name, or a nested path. */
  #field(name: string): FieldState {
    const known = this.#fields.get(name)
    if (known) return known
    const sql = 'INSERT INTO field (name) VALUES (?) RETURNING id'
    const { id } = this.#database.prepare(sql).get(name) as { id: number }
    return this.#addState({ id, name, terms: 0, next_row: 0 })
  }

  /** The term, made when it is missing. */
  #term(field: number, value: string): { target: TermTarget; isNew: boolean } {
    const known = this.#findTerm.get(field, value)?.id as number | undefined
    if (known !== undefined) return { target: new Target(known), isNew: false }
    const id = this.#nextTerm++
    this.#addTerm.run(field, value, id)
    return { target: new Target(id), isNew: true }
  }

  #fieldTerm(state: FieldState, value: string): TermTarget {
    const { target, isNew } = this.#term(state.id, value)
    if (isNew) {
      state.terms++
      state.changed = true
    }
    return target
  }

  /** What a value is in the fields of its place. */
  #meaningsOf(source: Source, value: Plain): readonly Meaning[] {
    let remembered = this.#meanings.get(source)
    if (!remembered) {
      remembered = new Recent(REMEMBERED)
      this.#meanings.set(source, remembered)
    }
    const known = remembered.get(value)
    if (known) return known
    const meanings = source.fields.flatMap(field => this.#meaning(field, value) ?? [])
    if (meanings.every(meaning => meaning.number === undefined)) remembered.set(value, meanings)
    return meanings
  }

  #meaning({ name, kind }: Field, value: Plain): Meaning | undefined {
    if (isNumeric(kind)) {
      const number = numberOf(kind, value)
      return number === undefined ? undefined : { state: this.#field(name), terms: [], number }
    }
    if (kind === 'text' || kind === 'path') {
      const words = wordsOf(kind, value)
      if (!words) return undefined
      const state = this.#field(name)
      return { state, terms: words.map(word => this.#word(state, word)) }
    }
    const term = termOf(kind, value)
    if (term === undefined) return undefined
    const state = this.#field(name)
    return { state, terms: [this.#fieldTerm(state, term)] }
  }

  #word(state: FieldState, word: string): TermTarget {
    let words = this.#words.get(state)
    if (!words) {
      words = new Recent(REMEMBERED)
      this.#words.set(state, words)
    }
    let term = words.get(word)
    if (!term) {
      term = this.#fieldTerm(state, word)
      words.set(word, term)
    }
    return term
  }

  /** Notes all values of the document; gives where its nested objects stand, as stored with it. */
  #index(row: number, document: Record<string, unknown>): string {
    const changes = this.#changes
    const spans = new Map<string, NestedSpan>()
    const sink: PlainSink = {
      nestedRow: (path, parentRow) => {
        const name = nestedName(path)
        const state = this.#field(name)
        const nested = state.nextRow++
        state.changed = true
        const span = spans.get(name)
        if (span) span[2]++
        else spans.set(name, [state.id, nested, 1])
        changes.addRow(state.presence, nested)
        changes.addNumber(state.numbers, parentRow, nested)
        return nested
      },
      value: (source, value, valueRow) => {
        for (const { state, terms, number } of this.#meaningsOf(source, value)) {
          if (state.presentRow !== valueRow) {
            state.presentRow = valueRow
            changes.addRow(state.presence, valueRow)
          }
          for (const term of terms) changes.addRow(term, valueRow)
          if (number !== undefined) changes.addNumber(state.numbers, number, valueRow)
          else if (state.field?.byRow) changes.addNumber(state.numbers, (terms[0] as TermTarget).id, valueRow)
          else if (state.field?.kind === 'text') changes.addWords(state.words, terms, valueRow)
        }
      }
    }
    this.#extraction.walk(document, row, sink)
    changes.addRow(this.#allEntries(), row)
    return JSON.stringify([...spans.values()])
  }

  /** Takes the values of the stored document out again; its nested objects keep their numbers for themselves. */
  #unindex(row: number): void {
    // Gathered changes do not tell whether something is lost before or after it is gained.
    if (this.#changedRows.has(row)) this.#write()
    const stored = this.#findDocument.get(row)
    if (!stored) return
    const changes = this.#changes
    const spans = new Map(
      (JSON.parse(stored.nested as string) as NestedSpan[]).map(([field, first]) => [field, first])
    )
    const sink: PlainSink = {
      nestedRow: path => {
        const state = this.#field(nestedName(path))
        const nested = spans.get(state.id) as number
        spans.set(state.id, nested + 1)
        changes.removeRow(state.presence, nested)
        changes.clearNumbers(state.numbers, nested)
        return nested
      },
      value: (source, value, valueRow) => {
        for (const { state, terms, number } of this.#meaningsOf(source, value)) {
          state.presentRow = -1
          changes.removeRow(state.presence, valueRow)
          for (const term of terms) changes.removeRow(term, valueRow)
          if (number !== undefined || state.field?.byRow) changes.clearNumbers(state.numbers, valueRow)
          else if (state.field?.kind === 'text') changes.clearWords(state.words, valueRow)
        }
      }
    }
    this.#extraction.walk(JSON.parse(this.#bodies.unpack(stored.body as Uint8Array)), row, sink)
  }
}
