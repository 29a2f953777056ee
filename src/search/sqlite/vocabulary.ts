/**
 * The fields of the search file and their terms, as the writer numbers them: made when they are missing, and remembered from
 * transaction to transaction as long as nobody else has written.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { type NumberTarget, Target, type TermTarget, type WordTarget } from './changes.ts'
import { type Plain, type Source, wordsOf } from './extraction.ts'
import { type Field, type FieldPlan, isNumeric, numberOf, termOf } from './fields.ts'
import { Recent } from './recent.ts'
import { ALL_ENTRIES, SETS } from './schema.ts'

/** A field, or a nested path, with what its rows gain and lose. */
export interface FieldState {
  /** Absent of nested paths. */
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
export interface Meaning {
  readonly state: FieldState
  readonly terms: readonly TermTarget[]
  readonly number?: number
}

/** Values of one place of documents, and words of one field, that are remembered with their terms. */
const REMEMBERED = 4096

/** Numbers fields and terms; inside of transactions that begin with {@link begin} and end with {@link save}. */
export class Vocabulary {
  readonly #database: DatabaseSync
  readonly #plan: FieldPlan
  readonly #findTerm: StatementSync
  readonly #addTerm: StatementSync
  readonly #readFields: StatementSync
  readonly #readTerms: StatementSync
  readonly #saveField: StatementSync
  readonly #saveTerms: StatementSync
  #all: TermTarget | undefined
  #fields = new Map<string, FieldState>()
  /** What values are, by their place in documents; numbers are not remembered. */
  #meanings = new Map<Source, Recent<Plain, readonly Meaning[]>>()
  #words = new Map<FieldState, Recent<string, TermTarget>>()
  #nextTerm = 1

  constructor(database: DatabaseSync, plan: FieldPlan) {
    this.#database = database
    this.#plan = plan
    this.#findTerm = database.prepare('SELECT id FROM term WHERE field = ? AND value = ?')
    this.#addTerm = database.prepare('INSERT INTO term VALUES (?, ?, ?)')
    this.#readFields = database.prepare('SELECT id, name, terms, next_row FROM field')
    this.#readTerms = database.prepare("SELECT value FROM setting WHERE name = 'terms'")
    this.#saveField = database.prepare('UPDATE field SET terms = ?, next_row = ? WHERE id = ?')
    this.#saveTerms = database.prepare("INSERT OR REPLACE INTO setting VALUES ('terms', ?)")
  }

  /** Number that the next new term gets. */
  get nextTerm(): number {
    return this.#nextTerm
  }

  /** Numbering is read in every transaction, as another process may have written in between. */
  begin(): void {
    const nextTerm = ((this.#readTerms.get()?.value as number | undefined) ?? 0) + 1
    if (nextTerm !== this.#nextTerm) this.forget()
    this.#nextTerm = nextTerm
    for (const stored of this.#readFields.all() as unknown as StoredField[]) {
      const state = this.#fields.get(stored.name) ?? this.#addState(stored)
      state.terms = stored.terms
      state.nextRow = stored.next_row
    }
  }

  /** Stores the numbering. */
  save(): void {
    for (const state of this.#fields.values()) {
      if (state.changed) this.#saveField.run(state.terms, state.nextRow, state.id)
      state.changed = false
    }
    if (this.#nextTerm > 1) this.#saveTerms.run(this.#nextTerm - 1)
  }

  /** Remembers nothing any more: what was made may have been rolled back. */
  forget(): void {
    this.#fields = new Map()
    this.#meanings = new Map()
    this.#words = new Map()
    this.#all = undefined
    this.#nextTerm = 0
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

  /** The set of all entries. */
  allEntries(): TermTarget {
    this.#all ??= this.#term(SETS, ALL_ENTRIES).target
    return this.#all
  }

  /** The field of this name, or a nested path. */
  field(name: string): FieldState {
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
  meaningsOf(source: Source, value: Plain): readonly Meaning[] {
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
      return number === undefined ? undefined : { state: this.field(name), terms: [], number }
    }
    if (kind === 'text' || kind === 'path') {
      const words = wordsOf(kind, value)
      if (!words) return undefined
      const state = this.field(name)
      return { state, terms: words.map(word => this.#word(state, word)) }
    }
    const term = termOf(kind, value)
    if (term === undefined) return undefined
    const state = this.field(name)
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
}
