/** Entries as JSON texts: what an engine has as a text goes to clients as it is, unless something has to be changed in it. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { RequiredFields } from '../query/required-fields.ts'
import type { Hit } from '../search/entry-index.ts'
import { LICENSE, presentEntry } from './present/entry.ts'

/** Names of members that are changed or that others are made from, as they stand in JSON. */
const CHANGED = ['"search_quantities"', '"email"', '"m_annotations"', '"license"', '"__proto__"']

/** Characters of JSON that are made before other requests get their turn. */
const TURN = 512 * 1024

/** An entry that was found, as clients see it: as an object, and as the JSON of that. */
export class PresentedEntry {
  readonly #hit: Hit
  readonly #required: RequiredFields
  #text: string | undefined

  constructor(hit: Hit, required: RequiredFields) {
    this.#hit = hit
    this.#required = required
  }

  get value(): Readonly<Record<string, unknown>> {
    return presentEntry(this.#hit, this.#required)
  }

  get text(): string {
    this.#text ??= unchanged(this.#hit, this.#required) ?? JSON.stringify(this.value)
    return this.#text
  }
}

/** The text of an entry that needs no look at its members; undefined for others. */
function unchanged({ text }: Hit, required: RequiredFields): string | undefined {
  if (text === undefined || required.filterAgain || !text.includes('"entry_id":')) return undefined
  if (CHANGED.some(name => text.includes(name))) return undefined
  return required.allows('license') ? `${text.slice(0, -1)},"license":"${LICENSE}"}` : text
}

/** The JSON of entries; many of them are made in turns. */
export async function entryTexts(hits: readonly Hit[], required: RequiredFields): Promise<string[]> {
  const texts: string[] = []
  let units = 0
  for (const hit of hits) {
    const { text } = new PresentedEntry(hit, required)
    texts.push(text)
    units += text.length
    if (units < TURN) continue
    units = 0
    await nextTurn()
  }
  return texts
}

/** The JSON of an object with one more member at its end: a list of values that are JSON already. */
export function withList(object: object, name: string, items: readonly string[]): string {
  const text = JSON.stringify(object)
  const separator = text === '{}' ? '' : ','
  return `${text.slice(0, -1)}${separator}${JSON.stringify(name)}:[${items.join(',')}]}`
}
