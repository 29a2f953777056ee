/**
 * What adding or removing a document changes in the search file: gathered over several documents and then written. Removing
 * walks the stored document as adding it did.
 */
import type { DatabaseSync } from 'node:sqlite'
import { Changes, type TermTarget } from './changes.ts'
import { Extraction, type PlainSink } from './extraction.ts'
import type { FieldPlan } from './fields.ts'
import { type NestedSpan, nestedName } from './schema.ts'
import { Vocabulary } from './vocabulary.ts'

type Document = Readonly<Record<string, unknown>>

/** Gathers what documents change; inside of transactions, from {@link begin} to {@link save}. */
export class DocumentChanges {
  readonly #database: DatabaseSync
  readonly #extraction: Extraction
  readonly #vocabulary: Vocabulary
  #changes: Changes
  /** Terms from this number on have nothing stored yet. */
  #firstNewTerm = 1
  /** Entries that the gathered changes are of. */
  readonly #rows = new Set<number>()

  constructor(database: DatabaseSync, plan: FieldPlan) {
    this.#database = database
    this.#extraction = new Extraction(plan)
    this.#vocabulary = new Vocabulary(database, plan)
    this.#changes = new Changes(database)
  }

  /** Begins with a transaction. */
  begin(): void {
    this.#vocabulary.begin()
    this.#firstNewTerm = this.#vocabulary.nextTerm
  }

  /** Writes what is gathered. */
  write(): void {
    this.#changes.write(this.#firstNewTerm)
    this.#rows.clear()
    this.#firstNewTerm = this.#vocabulary.nextTerm
  }

  /** Writes everything, at the end of a transaction. */
  save(): void {
    this.write()
    this.#vocabulary.save()
  }

  /** Lets go of everything, when the transaction is rolled back or the tables are emptied. */
  forget(): void {
    this.#vocabulary.forget()
    this.#rows.clear()
    this.#changes = new Changes(this.#database)
  }

  /**
   * Notes all values of the document.
   * @returns where its nested objects stand, as stored with it
   */
  add(row: number, document: Document): NestedSpan[] {
    this.#rows.add(row)
    const changes = this.#changes
    const vocabulary = this.#vocabulary
    const spans = new Map<string, NestedSpan>()
    const sink: PlainSink = {
      nestedRow: (path, parentRow) => {
        const name = nestedName(path)
        const state = vocabulary.field(name)
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
        for (const { state, terms, number } of vocabulary.meaningsOf(source, value)) {
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
    changes.addRow(vocabulary.allEntries(), row)
    return [...spans.values()]
  }

  /**
   * Takes all values of a stored document out again; its nested objects keep their numbers for themselves.
   * @param spans where the nested objects stand
   */
  remove(row: number, document: Document, spans: readonly NestedSpan[]): void {
    // Gathered changes do not tell whether something is lost before or after it is gained.
    if (this.#rows.has(row)) this.write()
    const changes = this.#changes
    const vocabulary = this.#vocabulary
    const nextRows = new Map(spans.map(([field, first]) => [field, first]))
    const sink: PlainSink = {
      nestedRow: path => {
        const state = vocabulary.field(nestedName(path))
        const nested = nextRows.get(state.id) as number
        nextRows.set(state.id, nested + 1)
        changes.removeRow(state.presence, nested)
        changes.clearNumbers(state.numbers, nested)
        return nested
      },
      value: (source, value, valueRow) => {
        for (const { state, terms, number } of vocabulary.meaningsOf(source, value)) {
          state.presentRow = -1
          changes.removeRow(state.presence, valueRow)
          for (const term of terms) changes.removeRow(term, valueRow)
          if (number !== undefined || state.field?.byRow) changes.clearNumbers(state.numbers, valueRow)
          else if (state.field?.kind === 'text') changes.clearWords(state.words, valueRow)
        }
      }
    }
    this.#extraction.walk(document, row, sink)
    changes.removeRow(vocabulary.allEntries(), row)
  }
}
