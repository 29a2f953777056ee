/**
 * Completion of typed texts: the terms of a field are walked in their order, and those that stand in no entry that counts are
 * passed over. There is no index of parts of values: terms that begin with the text are found by key, in all others the text
 * is looked for.
 */
import { type Folded, foldedInput, suggestionPatterns } from '../../query/suggestion.ts'
import { ENTRIES, type IndexTables, LAST } from './index-tables.ts'
import { decodeInto, emptyBits, hasPlace, RowSet } from './row-set.ts'
import type { WireSuggestion } from './wire.ts'

type Term = readonly [value: string, id: number]

/** Completes texts from one file. */
export class Suggestions {
  readonly #tables: IndexTables

  constructor(tables: IndexTables) {
    this.#tables = tables
  }

  /**
   * Values of the field, the best first.
   * @param entries the entries whose values count
   * @throws Stopped
   */
  of(entries: RowSet, { field, style, size }: WireSuggestion, input: string): string[] {
    const id = this.#tables.fieldId(field.name)
    if (id === undefined || entries.isEmpty) return []
    const text = foldedInput(input)
    const [, part] = suggestionPatterns(style, input)
    const found = new Set<string>()
    const add = (terms: Iterable<Term>, isMeant: (value: string) => boolean) => {
      for (const [value, term] of terms) {
        if (isMeant(value) && !found.has(value) && this.#stands(term, field.nestedPath ?? ENTRIES, entries))
          found.add(value)
        if (found.size >= size) return
      }
    }
    add(this.#beginning(id, text, 0, ''), () => true)
    if (part !== undefined && found.size < size) {
      const pattern = new RegExp(`^(?:${part})$`, 's')
      add(this.#containing(id, text), value => pattern.test(value))
    }
    return [...found]
  }

  /** Terms that begin with the text in any case: every way of writing it that some term has is followed. */
  *#beginning(field: number, text: readonly Folded[], at: number, prefix: string): Generator<Term> {
    const forms = text[at]
    if (!forms) {
      const sql = 'SELECT value, id FROM term WHERE field = ? AND value >= ? AND value <= ? ORDER BY value'
      for (const [value, id] of this.#tables.rows(sql, field, prefix, prefix + LAST))
        yield [value as string, id as number]
      return
    }
    const first = this.#tables.statement(
      'SELECT 1 FROM term WHERE field = ? AND value >= ? AND value <= ? LIMIT 1'
    )
    for (const form of forms) {
      const longer = prefix + form
      if (first.get(field, longer, longer + LAST)) yield* this.#beginning(field, text, at + 1, longer)
    }
  }

  /** Terms that have the text somewhere, and some more. */
  *#containing(field: number, text: readonly Folded[]): Generator<Term> {
    const like = text.map(likeCharacter).join('')
    const sql = "SELECT value, id FROM term WHERE field = ? AND value LIKE ? ESCAPE '\\' ORDER BY value"
    for (const [value, id] of this.#tables.rows(sql, field, `%${like}%`))
      yield [value as string, id as number]
  }

  /** Whether a term stands in one of the entries. */
  #stands(term: number, path: string, entries: RowSet): boolean {
    const sql = 'SELECT chunk, rows FROM posting WHERE term = ?'
    for (const [chunk, rows] of this.#tables.rows(sql, term)) {
      const bits = emptyBits()
      decodeInto(bits, rows as Uint8Array)
      if (this.#lies(chunk as number, bits, path, entries)) return true
    }
    return false
  }

  /** Whether one of these rows, all of one chunk, is one of the entries or lies in one. */
  #lies(chunk: number, bits: Uint32Array, path: string, entries: RowSet): boolean {
    if (path === ENTRIES) {
      const others = entries.chunks.get(chunk)
      return others?.some((word, i) => (word & (bits[i] as number)) !== 0) ?? false
    }
    const parents = new RowSet()
    for (const [place, owner] of this.#tables.owners(path, chunk).entries())
      if (owner >= 0 && hasPlace(bits, place)) parents.add(owner)
    const outer = this.#tables.outer(path)
    return [...parents.chunks].some(([number, some]) => this.#lies(number, some, outer, entries))
  }
}

/** LIKE knows the two cases of ASCII letters; for others any character will do. */
function likeCharacter(forms: Folded): string {
  const [form = ''] = forms
  if (forms.length === 1) return form.replace(/[%_\\]/, '\\$&')
  return forms.every(f => /^[a-z]$/i.test(f)) ? form : '_'
}
