/**
 * Walks a document once and tells every indexed value: the values of the entry itself, and of each nested object as a
 * row of its own. The same walk adds a document to the index and takes it out again.
 */
import { segments, words } from './analysis.ts'
import { type Field, type FieldPlan, isNumeric, KEY_FIELD, numberOf, termOf, textOf } from './fields.ts'

/** A place of documents whose values fill fields: always the same object for the same place. */
export interface Source {
  readonly fields: readonly Field[]
}

/** Receives what a document holds. Rows are numbered per nested path; the entry's own path is ''. */
interface RowSink {
  /** A nested object begins; gives its row. Objects of one path come in the order of the document. */
  nestedRow(path: string, parentRow: number): number
}

/** Receives what values are in the fields. */
export interface ValueSink extends RowSink {
  term(field: Field, value: string, row: number): void
  number(field: Field, value: number, row: number): void
  /** One value of a text field, as words. */
  words(field: Field, words: readonly string[], row: number): void
}

/** Receives values as they are. */
export interface PlainSink extends RowSink {
  value(source: Source, value: Plain, row: number): void
}

/** A value that is neither null nor an object or list. */
export type Plain = string | number | boolean

interface Node {
  readonly members: Map<string, Node>
  readonly source: { readonly fields: Field[] }
  /** Set where the objects here are rows of their own. */
  nestedPath?: string
}

/** Longest term in UTF-16 units; Elasticsearch has no longer ones either. */
const TERM_MAX = 32_766

/** Finds the indexed values of documents. */
export class Extraction {
  readonly #root: Node = { members: new Map(), source: { fields: [] } }

  constructor(plan: FieldPlan) {
    for (const path of plan.nestedPaths) this.#node(path).nestedPath = path
    for (const field of plan.fields) {
      if (field.name !== KEY_FIELD) this.#node(field.source).source.fields.push(field)
    }
  }

  #node(path: string): Node {
    let node = this.#root
    for (const name of path.split('.')) {
      let next = node.members.get(name)
      if (!next) {
        next = { members: new Map(), source: { fields: [] } }
        node.members.set(name, next)
      }
      node = next
    }
    return node
  }

  /** Tells `sink` every indexed value of the document that stands in the entry row `row`. */
  walk(document: Readonly<Record<string, unknown>>, row: number, sink: ValueSink | PlainSink): void {
    this.#members(document, this.#root, row, sink)
  }

  #members(object: object, node: Node, row: number, sink: ValueSink | PlainSink): void {
    for (const name of Object.keys(object)) {
      const member = node.members.get(name)
      if (!member) continue
      const value = (object as Record<string, unknown>)[name]
      if (value !== null) this.#value(value, member, row, sink)
    }
  }

  #value(value: unknown, node: Node, row: number, sink: ValueSink | PlainSink): void {
    if (Array.isArray(value)) {
      for (const item of value) if (item !== null) this.#value(item, node, row, sink)
    } else if (typeof value === 'object' && value !== null) {
      if (node.members.size === 0 && node.nestedPath === undefined) return
      const inner = node.nestedPath === undefined ? row : sink.nestedRow(node.nestedPath, row)
      this.#members(value, node, inner, sink)
    } else if ('value' in sink) {
      if (node.source.fields.length > 0) sink.value(node.source, value as Plain, row)
    } else {
      for (const field of node.source.fields) emit(field, value, row, sink)
    }
  }
}

function emit(field: Field, value: unknown, row: number, sink: ValueSink): void {
  if (isNumeric(field.kind)) {
    const number = numberOf(field.kind, value)
    if (number !== undefined) sink.number(field, number, row)
  } else if (field.kind === 'text' || field.kind === 'path') {
    const found = wordsOf(field.kind, value)
    if (found) sink.words(field, found, row)
  } else {
    const term = termOf(field.kind, value)
    if (term !== undefined) sink.term(field, term, row)
  }
}

/** A value as words of a text or path field; undefined when it is not indexed. */
export function wordsOf(kind: 'text' | 'path', value: unknown): string[] | undefined {
  const text = textOf(value)
  if (text === undefined) return undefined
  return kind === 'text' ? words(text) : segments(text).filter(segment => segment.length <= TERM_MAX)
}
