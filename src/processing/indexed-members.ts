/**
 * Which members the index document has, read from the search quantities, and the reduction of JSON to them
 * (`search.md` §10.1; spec README, decision 8).
 */
import type { DefinitionScope, JsonObject } from '../archive/definitions.ts'
import type { Quantities, Quantity } from '../query/quantities.ts'

/** A member of the document: a value, or an object with members. */
export interface IndexedMember {
  /** The quantity whose value stands here. */
  readonly quantity?: Quantity
  /** Value in sections that have none, where the definition names one. */
  readonly default?: unknown
  /** Empty for values. */
  readonly members: ReadonlyMap<string, IndexedMember>
}

interface GrowingMember {
  quantity?: Quantity
  default?: unknown
  members: Map<string, GrowingMember>
}

/** Members that exist for every schema: values of `data` are not members, they stand in `search_quantities`. */
function isFixed(quantity: Quantity): boolean {
  return !quantity.name.includes('#')
}

function defaultOf({ definition }: Quantity, definitions: DefinitionScope): unknown {
  const dot = definition.lastIndexOf('.')
  return definitions.section(definition.slice(0, dot))?.property(definition.slice(dot + 1))?.raw.default
}

/** The members of the whole document, with the defaults that the definitions name. */
export function indexedMembers(quantities: Quantities, definitions: DefinitionScope): IndexedMember {
  const root: GrowingMember = { members: new Map() }
  for (const quantity of quantities.list) {
    if (!isFixed(quantity)) continue
    let member = root
    for (const name of quantity.source.split('.')) {
      let next = member.members.get(name)
      if (!next) {
        next = { members: new Map() }
        member.members.set(name, next)
      }
      member = next
    }
    if (member.quantity) continue
    member.quantity = quantity
    member.default = defaultOf(quantity, definitions)
  }
  return root
}

const TIME =
  /^(\d{4})-(\d\d)(?:-(\d\d))?(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)\s*(Z|[+-]\d\d(?::?\d\d)?)?)?$/i

/** A time in UTC with `Z` and milliseconds; undefined when it is none. Times without offset are UTC. */
export function utcTime(value: unknown): string | undefined {
  const match = typeof value === 'string' ? TIME.exec(value.trim()) : null
  if (!match) return undefined
  const [, year, month, day = '01', time = '00:00', zone = 'Z'] = match
  const offset = zone.length > 1 ? `${zone.slice(0, 3)}:${zone.slice(3).replace(':', '') || '00'}` : 'Z'
  const instant = new Date(`${year}-${month}-${day}T${time}${offset}`)
  return Number.isNaN(instant.getTime()) ? undefined : instant.toISOString()
}

/** Bounds of the engines' numbers: outside of them a document would be refused. */
const LARGEST_INTEGER = 2 ** 31
const LARGEST_FLOAT = 3.4028234e38

/**
 * A value as its field can hold it; undefined when it cannot, for an engine refuses a document with a value of
 * another type, and the entry would not be found at all.
 */
function indexedScalar(value: unknown, { kind }: Quantity): unknown {
  switch (kind) {
    case 'keyword':
    case 'text':
    case 'path':
      return typeof value === 'number' ? String(value) : typeof value === 'string' ? value : undefined
    case 'integer':
      return Number.isInteger(value) && Math.abs(value as number) < LARGEST_INTEGER ? value : undefined
    case 'long':
      return Number.isSafeInteger(value) ? value : undefined
    case 'float':
      return Number.isFinite(value) && Math.abs(value as number) <= LARGEST_FLOAT ? value : undefined
    case 'double':
      return Number.isFinite(value) ? value : undefined
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined
    case 'date':
      return utcTime(value)
    case 'none':
      return value
  }
}

function indexedValue(value: unknown, quantity: Quantity): unknown {
  if (!Array.isArray(value)) return indexedScalar(value, quantity)
  return value.map(item => indexedValue(item, quantity)).filter(item => item !== undefined)
}

/**
 * Reduces a section to the members that are indexed. Sections that are indexed stay even when nothing in them is;
 * values that are not set take their default.
 * @param node JSON of a section; lists are lists of sections
 */
export function reduceToIndexed(node: unknown, member: IndexedMember): unknown {
  if (member.members.size === 0) return member.quantity && indexedValue(node, member.quantity)
  if (Array.isArray(node)) {
    return node.map(item => reduceToIndexed(item, member)).filter(item => item !== undefined)
  }
  if (typeof node !== 'object' || node === null) return undefined
  const reduced: Record<string, unknown> = {}
  for (const [name, inner] of member.members) {
    const value = (node as JsonObject)[name] ?? inner.default
    if (value === null || value === undefined) continue
    const kept = reduceToIndexed(value, inner)
    if (kept !== undefined) reduced[name] = kept
  }
  return reduced
}
