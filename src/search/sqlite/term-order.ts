/**
 * Rows by their terms in a field, in order: the terms are walked in the order of the index, or those of few matches are read
 * from the documents.
 */
import type { SortValue } from '../entry-index.ts'
import { Extraction } from './extraction.ts'
import { compareText } from './fields.ts'
import type { IndexTables } from './index-tables.ts'
import type { NestedValues } from './nested-values.ts'
import { RowSet } from './row-set.ts'
import type { StoredDocuments } from './stored-documents.ts'
import { termText } from './term-value.ts'
import { termsInOrder } from './term-walk.ts'
import type { FieldName, WireSearch } from './wire.ts'

/** Cost of unpacking a document, in steps of a walk over the terms of a field. */
const DOCUMENT_STEPS = 50

/** Orders sets of rows. */
export class TermOrder {
  readonly #tables: IndexTables
  readonly #documents: StoredDocuments

  constructor(tables: IndexTables, documents: StoredDocuments) {
    this.#tables = tables
    this.#documents = documents
  }

  /** Rows by term, in order, from the cursor's value on. */
  *groups(
    rows: RowSet,
    field: FieldName,
    nested: NestedValues | undefined,
    request: WireSearch,
    limit: number
  ): Generator<[SortValue, RowSet]> {
    const size = rows.size
    if (size === 0) return
    const [id, terms] = this.#tables
      .statement('SELECT id, terms FROM field WHERE name = ?')
      .get(field.name) as unknown as [number, number]
    const start = request.after === undefined ? undefined : startTerm(field, request.after.value ?? null)
    // An entry's first value may come long before the cursor's.
    const steps = nested ? terms : Math.min(1, limit / size) * terms
    const { order } = request
    const sign = order === 'asc' ? 1 : -1
    const groups =
      steps > size * DOCUMENT_STEPS
        ? this.#sortDocuments(rows, sign, this.reader(field, nested, sign))
        : nested
          ? nested.terms(termsInOrder(this.#tables, id, nested.objects, order))
          : termsInOrder(this.#tables, id, rows, order, start)
    for (const [term, group] of groups) {
      if (start !== undefined && sign * compareText(term, start) < 0) continue
      yield [sortValue(field, term), group]
    }
  }

  /** For few matches of a field with many terms: their values are read from the documents. */
  *#sortDocuments(
    rows: RowSet,
    sign: 1 | -1,
    termOf: (row: number) => string | undefined
  ): Generator<[string, RowSet]> {
    const groups = new Map<string, RowSet>()
    for (const row of rows) {
      this.#tables.checkStop()
      const value = termOf(row)
      if (value === undefined) continue
      let group = groups.get(value)
      if (!group) {
        group = new RowSet()
        groups.set(value, group)
      }
      group.add(row)
    }
    for (const value of [...groups.keys()].sort((a, b) => sign * compareText(a, b))) {
      yield [value, groups.get(value) as RowSet]
    }
  }

  /** Gives the first term in the order of the document in a row. */
  reader(
    field: FieldName,
    nested: NestedValues | undefined,
    sign: 1 | -1
  ): (row: number) => string | undefined {
    if (nested) return row => nested.firstTerm(row, sign)
    const kind = field.kind as 'keyword' | 'boolean'
    const extraction = new Extraction({
      fields: [{ name: field.name, kind, source: field.source }],
      nestedPaths: []
    })
    return row => {
      let value: string | undefined
      extraction.walk(this.#documents.read(row).document, row, {
        term: (_, term) => {
          if (value === undefined || sign * compareText(term, value) < 0) value = term
        },
        nestedRow: () => row,
        number: () => {},
        words: () => {}
      })
      return value
    }
  }
}

/** A term as hits and cursors tell it. */
export function sortValue(field: FieldName, term: string | undefined): SortValue {
  if (term === undefined) return null
  return field.kind === 'boolean' ? Number(term) : term
}

function startTerm(field: FieldName, value: SortValue): string | undefined {
  return value === null ? undefined : termText(field, value)
}
