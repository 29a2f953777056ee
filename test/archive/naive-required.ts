/**
 * Applying `required` to archives as plain JSON: the rules of `archive.md` §2 to §4 one after the other, in memory, by
 * recursion, with nothing of `src`. It is what the reader of blocks is held against; it shall be easy to see that it is right.
 */
import { createHash } from 'node:crypto'

// biome-ignore lint/suspicious/noExplicitAny: plain JSON of any shape
type Json = any

/** What a section's property is. */
export type NaiveProperty =
  | { readonly kind: 'plain' | 'json' | 'person' | 'package' }
  | { readonly kind: 'section' | 'reference'; readonly section: string }
  | { readonly kind: 'quantity reference' }

/** Properties of sections by name of the section; a section that is not here has no known definition. */
export type NaiveDefinitions = Readonly<Record<string, Readonly<Record<string, NaiveProperty>>>>

/** An entry. */
export interface NaiveEntry {
  readonly entryId: string
  readonly uploadId: string
  readonly mainfile: string
  readonly archive: Json
  /** Whether the caller sees it. */
  readonly visible: boolean
}

/** A request that is refused. */
export class NaiveError extends Error {
  readonly status: number
  constructor(status: number) {
    super(`status ${status}`)
    this.status = status
  }
}

/** A property that is left out. */
class LeftOut extends Error {}

/** `archive.md` §12.5. */
export function naiveEntryId(uploadId: string, mainfile: string): string {
  const hash = createHash('sha512').update(Buffer.from(uploadId + mainfile, 'utf8'))
  return hash.digest('base64').replaceAll('+', '-').replaceAll('/', '_').slice(0, 28)
}

/** Where the walk is. */
interface Place {
  readonly entry: NaiveEntry
  /** Name of the section's definition; undefined when none is known. */
  readonly section: string | undefined
  readonly property?: NaiveProperty | undefined
  /** There is no definition above: what does not resolve is text. */
  readonly guessed?: boolean
  /** Targets that are being resolved, `<entry id><path>`. */
  readonly chain: readonly string[]
  /** Where local targets go. */
  readonly home: Json
}

/** Reads the archive of one entry. @throws NaiveError */
export function naiveRead(
  required: Json,
  entryId: string,
  entries: readonly NaiveEntry[],
  definitions: NaiveDefinitions
): Json {
  return new NaiveReader(required, entries, definitions).read(entryId)
}

/** §2.3: keys are words, blanks and `-`, with an index in brackets. */
function parseKey(text: string): { name: string; index: string | undefined } {
  const key = text.trim()
  const bracket = key.indexOf('[')
  const name = bracket < 0 ? key : key.slice(0, bracket)
  const index = bracket < 0 ? undefined : key.slice(bracket)
  if (!/^[\w\s-]+$/.test(name)) throw new NaiveError(422)
  if (index !== undefined && !/^\[(|-?\d+|(-?\d+)?:(-?\d+)?)\]$/.test(index)) throw new NaiveError(422)
  return { name, index: index?.slice(1, -1) }
}

/** Keys and directives are checked before anything is read. */
function check(required: Json): void {
  if (typeof required === 'string') {
    if (!['*', 'include', 'include-resolved'].includes(required)) throw new NaiveError(400)
  } else if (isMap(required)) {
    for (const [key, value] of Object.entries(required)) {
      if (key.trim() === '*') {
        if (typeof value !== 'string' && !isMap(value)) throw new NaiveError(422)
        check(value)
      } else {
        parseKey(key)
        if (value !== 'exclude') check(value)
      }
    }
  }
}

/** Items that an index means, as Python's lists give them; undefined: out of range (§2.4). */
function pick(list: readonly Json[], index: string | undefined): Json[] | undefined {
  if (index === undefined || index === '' || index === ':') return [...list]
  const n = list.length
  const clamp = (i: number) => (i < 0 ? Math.max(-n, i) : Math.min(n, i))
  const at = (i: number) => (i >= n || n === 0 ? undefined : [list.at(i)])
  const [first, second] = index.split(':')
  if (second === undefined) return at(clamp(Number(first)))
  const start = clamp(first === '' ? 0 : Number(first))
  const end = clamp(second === '' ? n : Number(second))
  return start === end ? at(start) : list.slice(start, end)
}

function isMap(value: Json): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

class NaiveReader {
  readonly #required: Json
  readonly #inPlace: boolean
  readonly #entries: readonly NaiveEntry[]
  readonly #definitions: NaiveDefinitions
  readonly #refs: Record<string, Json> = {}

  constructor(required: Json, entries: readonly NaiveEntry[], definitions: NaiveDefinitions) {
    this.#entries = entries
    this.#definitions = definitions
    this.#inPlace = isMap(required) && required['resolve-inplace'] === true
    if (isMap(required)) {
      const { 'resolve-inplace': _, ...rest } = required
      this.#required = rest
    } else this.#required = required
    check(this.#required)
  }

  read(entryId: string): Json {
    const entry = this.#entries.find(e => e.entryId === entryId)!
    const placed = {}
    const place: Place = { entry, section: 'EntryArchive', chain: [], home: placed }
    const result = this.#apply(this.#required, entry.archive, place)
    const refs: Record<string, Json> = {}
    for (const [url, archive] of Object.entries(this.#refs)) {
      if (Object.keys(archive).length > 0) refs[url] = { m_def: 'nomad.datamodel.EntryArchive', ...archive }
    }
    return { ...placed, ...result, m_ref_archives: refs }
  }

  #apply(required: Json, value: Json, place: Place): Json {
    if (required === '*' || required === 'include') return structuredClone(value)
    if (place.property?.kind === 'package' && required === 'include-resolved') return structuredClone(value)
    if (Array.isArray(value)) return value.map(item => this.#apply(required, item, place))
    if (typeof value === 'string') return this.#reference(required, value, place)
    // Numbers, null, and JSON that is no section stay as they are (§2.6).
    if (!isMap(value) || place.property?.kind === 'json' || place.property?.kind === 'plain') {
      return structuredClone(value)
    }
    const section = this.#sectionOf(value, place)
    return required === 'include-resolved'
      ? this.#resolved(value, { ...place, section })
      : this.#members(required, value, { ...place, section })
  }

  /** §5.4 */
  #sectionOf(value: Json, place: Place): string | undefined {
    const name = typeof value.m_def === 'string' ? value.m_def.split('@')[0] : undefined
    if (name === undefined) return place.section
    if (name in this.#definitions) return name
    const own = `${place.entry.entryId}${name}`
    return own in this.#definitions ? own : place.section
  }

  #known(section: string | undefined): Readonly<Record<string, NaiveProperty>> | undefined {
    return section === undefined ? undefined : this.#definitions[section]
  }

  #inside(place: Place, property: NaiveProperty | undefined): Place {
    const { guessed: _, ...rest } = place
    return {
      ...rest,
      property,
      section: property && 'section' in property ? property.section : undefined
    }
  }

  /** §2.3, §2.5 */
  #members(required: Json, value: Json, place: Place): Json {
    const known = this.#known(place.section)
    const result: Record<string, Json> = {}
    if ('m_def' in value) result.m_def = value.m_def
    const wildcard = Object.entries(required).find(([key]) => key.trim() === '*')?.[1]
    const named = Object.entries(required)
      .filter(([key]) => key.trim() !== '*')
      .map(([key, inner]) => ({ ...parseKey(key), inner }))
    // With a wildcard the walk follows the archive, else the request.
    const keys =
      wildcard === undefined
        ? named
        : Object.keys(value).map(
            name => named.findLast(key => key.name === name) ?? { name, index: undefined, inner: wildcard }
          )
    for (const { name, index, inner } of keys) {
      if (inner === 'exclude' || name === 'm_def' || !Object.hasOwn(value, name)) continue
      if (known && !Object.hasOwn(known, name)) continue
      if (typeof inner !== 'string' && !isMap(inner)) throw new NaiveError(422)
      const property = known?.[name]
      let child = value[name]
      if (index !== undefined && index !== '' && !Array.isArray(child)) throw new NaiveError(400)
      if (Array.isArray(child)) child = pick(child, index)
      if (child === undefined) continue
      this.#orLeftOut(() => {
        result[name] = this.#apply(inner, child, this.#inside(place, property))
      })
    }
    return result
  }

  /** §2.2, §5.1 */
  #resolved(value: Json, place: Place): Json {
    const known = this.#known(place.section)
    const result: Record<string, Json> = {}
    for (const [name, child] of Object.entries(value)) {
      if (name === 'm_def') result.m_def = child
      if (name === 'm_def' || (known && !Object.hasOwn(known, name))) continue
      const property = known?.[name]
      const stays = property?.kind === 'plain' || property?.kind === 'json' || property?.kind === 'person'
      this.#orLeftOut(() => {
        const inside = known
          ? this.#inside(place, property)
          : { ...this.#inside(place, undefined), guessed: true }
        result[name] = this.#apply(stays ? '*' : 'include-resolved', child, inside)
      })
    }
    return result
  }

  #orLeftOut(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!(error instanceof LeftOut)) throw error
    }
  }

  /** §3 */
  #reference(required: Json, text: string, place: Place): Json {
    if (place.property?.kind === 'person') return text
    const { entry } = place
    if (/^\/(?!entries|uploads)/.test(text) || text.startsWith('#/')) {
      return this.#target(required, text, text.replace(/^#/, ''), entry, undefined, place)
    }
    const match =
      /^(?<host>[^?#]*?)\/uploads?(?:\/(?<upload>[\w=-]+))?\/(?<kind>archive\/mainfile|archive|raw)\/(?<what>[^?#]+)#(?<path>[^?]+)$/.exec(
        text
      ) ?? /^(?<host>(?:\.\.)?)\/entries\/(?<what>[^?#/]+)\/archive#(?<path>[^?]+)$/.exec(text)
    if (!match?.groups) return text
    const { host, upload, kind, what, path: written } = match.groups as Record<string, string>
    const byFile = kind === 'raw' || kind === 'archive/mainfile'
    if (!byFile && what!.includes('/')) return text
    if (host !== '' && host !== '..') {
      if (this.#inPlace) throw new NaiveError(400)
      return text
    }
    const path = written!.startsWith('/') ? written! : `/${written}`
    const uploadId = upload ?? entry.uploadId
    const entryId = byFile ? naiveEntryId(uploadId, what!) : what!
    if (entryId === entry.entryId) return this.#target(required, text, path, entry, undefined, place)
    const other = this.#entries.find(e => e.entryId === entryId && e.visible && e.archive)
    if (!other) return text
    const url = `../uploads/${uploadId}/archive/${kind === 'raw' ? what : entryId}`
    return this.#target(required, text, path, other, url, place)
  }

  #target(
    required: Json,
    text: string,
    path: string,
    entry: NaiveEntry,
    url: string | undefined,
    place: Place
  ): Json {
    const steps = path.split('/').filter((step, i, all) => step !== '' || (i > 0 && i < all.length - 1))
    const name = entry.entryId + '/' + steps.join('/')
    if (place.chain.includes(name)) return text
    const lost = () => {
      if (place.guessed) return text
      throw new LeftOut()
    }
    if (steps.length === 0) return lost()
    const found = this.#find(entry, steps)
    if (found === undefined) return lost()
    if (url !== undefined) this.#refs[url] ??= {}
    const home = url === undefined ? place.home : this.#refs[url]
    const declared = place.section === undefined ? {} : (this.#known(place.section) ?? {})
    const general = Object.keys(declared).length === 0
    const target: Place = {
      entry,
      home,
      chain: [...place.chain, name],
      property: found.property,
      section: general ? found.section : place.section
    }
    const value = this.#apply(required, found.value, target)
    if (this.#inPlace) return value
    put(home, steps, value)
    return url === undefined ? path : `${url}#${path}`
  }

  /** What stands at a path, and what the definitions say of it. */
  #find(
    entry: NaiveEntry,
    steps: readonly string[]
  ): { value: Json; section: string | undefined; property: NaiveProperty | undefined } | undefined {
    let value = entry.archive
    let section: string | undefined = 'EntryArchive'
    let property: NaiveProperty | undefined
    for (const step of steps) {
      if (/^\d+$/.test(step)) {
        if (!Array.isArray(value) || Number(step) >= value.length) return undefined
        value = value[Number(step)]
        continue
      }
      if (!isMap(value) || !Object.hasOwn(value, step)) return undefined
      const place: Place = { entry, section, chain: [], home: {} }
      property = this.#known(this.#sectionOf(value, place))?.[step]
      section = property && 'section' in property ? property.section : undefined
      value = value[step]
    }
    return value === null ? undefined : { value, section, property }
  }
}

/** Writes a value at a path; lists are filled up with null. */
function put(root: Json, steps: readonly string[], value: Json): void {
  let at = root
  steps.forEach((step, i) => {
    const key = Array.isArray(at) ? Number(step) : step
    if (Array.isArray(at)) while (at.length < Number(step)) at.push(null)
    if (i === steps.length - 1) at[key] = value
    else {
      const list = /^\d+$/.test(steps[i + 1]!)
      if (Array.isArray(at[key]) !== list || typeof at[key] !== 'object' || at[key] === null) {
        at[key] = list ? [] : {}
      }
      at = at[key]
    }
  })
}
