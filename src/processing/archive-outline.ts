/**
 * What indexing needs of an archive, kept while the archive goes by in parts. Small archives are kept as they are; of
 * those that come in parts the arrays of numbers are left out, so that what remains is small.
 */
import { setMember } from '../archive/block.ts'
import type { JsonObject } from '../archive/definitions.ts'
import type { ArchivePart, ArchiveParts } from '../archive/parts.ts'

/** Sections whose values are indexed: only their longest arrays are left out. */
const INDEXED = new Set(['metadata', 'results', 'definitions'])

/** Numbers that an array of such a section may have. */
const MOST_NUMBERS = 10_000

/** Texts are searched by their beginnings. */
const TEXT_LENGTH = 1000

/** An open list or map. */
type Container = unknown[] | Record<string, unknown>

/** See above. */
export class ArchiveOutline {
  #archive: JsonObject = {}
  readonly #open: Container[] = []
  #key = ''
  #section = ''

  /** The archive, without what was left out; complete when all parts went by. */
  get archive(): JsonObject {
    return this.#archive
  }

  /** Hands parts on and keeps what is needed of them. */
  async *watch(parts: ArchiveParts): ArchiveParts {
    for await (const part of parts) {
      this.#keep(part)
      yield part
    }
  }

  #keep(part: ArchivePart): void {
    switch (part.kind) {
      case 'map':
      case 'list': {
        const container: Container = part.kind === 'map' ? {} : []
        if (this.#open.length === 0) this.#archive = container as JsonObject
        else this.#add(container)
        this.#open.push(container)
        this.#key = ''
        return
      }
      case 'end':
        this.#open.pop()
        return
      case 'key':
        this.#key = part.name
        if (this.#open.length === 1) this.#section = part.name
        return
      case 'value':
        if (this.#open.length === 0) this.#archive = part.value as JsonObject
        else this.#add(this.#reduced(part.value))
        return
      case 'members':
        for (const [key, value] of Object.entries(part.members)) {
          this.#key = key
          if (this.#open.length === 1) this.#section = key
          this.#add(this.#reduced(value))
        }
        return
      case 'items': {
        const list = this.#open[this.#open.length - 1] as unknown[]
        if (list.length > this.#mostNumbers && typeof list[0] === 'number') return
        for (const item of part.items) {
          if (typeof item === 'number' && list.length > this.#mostNumbers) return
          list.push(this.#reduced(item))
        }
      }
    }
  }

  get #mostNumbers(): number {
    return INDEXED.has(this.#section) ? MOST_NUMBERS : 0
  }

  #add(value: unknown): void {
    const above = this.#open[this.#open.length - 1]!
    if (Array.isArray(above)) above.push(value)
    else setMember(above, this.#key, value)
  }

  #reduced(value: unknown): unknown {
    return INDEXED.has(this.#section) ? withoutLongArrays(value) : withoutNumbers(value)
  }
}

/** Whether a list holds numbers, or such lists, and nothing else that could be a text or a section. */
function isNumeric(list: readonly unknown[]): boolean {
  return list.every(item =>
    Array.isArray(item) ? isNumeric(item) : typeof item !== 'string' && !isMap(item)
  )
}

function isMap(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function withoutLongArrays(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.length > MOST_NUMBERS && isNumeric(value) ? [] : value.map(withoutLongArrays)
  }
  return isMap(value) ? mapped(value, withoutLongArrays) : value
}

function withoutNumbers(value: unknown): unknown {
  if (typeof value === 'string') return value.length > TEXT_LENGTH ? value.slice(0, TEXT_LENGTH) : value
  if (Array.isArray(value)) return isNumeric(value) ? [] : value.map(withoutNumbers)
  return isMap(value) ? mapped(value, withoutNumbers) : value
}

function mapped(map: JsonObject, change: (value: unknown) => unknown): JsonObject {
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(map)) setMember(copy, key, change(map[key]))
  return copy
}

/** Leaves the targets of references out that answers bring with an archive: they are made anew with every answer. */
export async function* withoutReferenceTargets(parts: ArchiveParts): ArchiveParts {
  let depth = 0
  let left = false
  for await (const part of parts) {
    const { kind } = part
    if (left) {
      if (kind === 'map' || kind === 'list') depth++
      else if (kind === 'end') depth--
      left = depth > 1
    } else if (kind === 'key' && depth === 1 && part.name === TARGETS) left = true
    else {
      if (kind === 'map' || kind === 'list') depth++
      else if (kind === 'end') depth--
      yield depth <= 1 ? withoutTargets(part, depth) : part
    }
  }
}

const TARGETS = 'm_ref_archives'

function withoutTargets(part: ArchivePart, depth: number): ArchivePart {
  if (part.kind === 'value' && depth === 0 && isMap(part.value)) {
    const { [TARGETS]: _, ...value } = part.value
    return { kind: 'value', value }
  }
  if (part.kind === 'members') {
    const { [TARGETS]: _, ...members } = part.members
    return { kind: 'members', members }
  }
  return part
}
