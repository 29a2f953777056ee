/**
 * The properties that filters may name (`optimade.md` §3): the standard ones of structures, those of this provider, and
 * foreign ones, which are unknown to every entry. Names and providers come from data, the rest from the quantities.
 */
import type { Quantities, Quantity } from '../quantities.ts'
import providers from './data/providers.json' with { type: 'json' }
import structureProperties from './data/structure-properties.json' with { type: 'json' }

/** What a property's values are compared with; `text` is searched by words. */
export type PropertyType = 'string' | 'text' | 'integer' | 'float' | 'boolean' | 'timestamp'

/** A property that stands in the index. */
export interface IndexedProperty {
  readonly kind: 'indexed'
  readonly quantity: Quantity
  readonly type: PropertyType
  readonly list: boolean
  /** Number of members of the list, where the index has it. */
  readonly count?: Quantity
  /** The value in the nested objects that hold the members of lists which belong together. */
  readonly correlated?: Quantity
  /** Has a value where the property is known. */
  readonly knownBy: Quantity
}

/** What a name in a filter stands for. */
export type Property =
  | IndexedProperty
  /** The same for every entry in which `knownBy` has a value. */
  | { readonly kind: 'constant'; readonly value: string; readonly knownBy: Quantity }
  /** Exists, but cannot be filtered by, except by its number of members. */
  | { readonly kind: 'unqueryable'; readonly count?: Quantity }
  /** Of another provider; `registered` with OPTIMADE or not. */
  | { readonly kind: 'foreign'; readonly registered: boolean }
  /** Entries of another type; cannot be filtered by. */
  | { readonly kind: 'relationship' }

/** The property of a name without dots; undefined when there is none. */
export type Properties = (name: string) => Property | undefined

const OWN_PREFIX = `_${providers.own}_`

/** Types of entries, which as names of properties mean relationships. */
const RELATIONSHIPS = new Set(['references', 'structures'])

/** One row of the data. */
interface StructureProperty {
  readonly quantity?: string
  readonly constant?: string
  readonly count?: string
  readonly correlated?: string
  readonly knownBy?: string
}

/**
 * All properties.
 * @param options.bareNames provider properties may be named without prefix too, as in v1 queries (§1.2)
 */
export function filterProperties(
  quantities: Quantities,
  options: { readonly bareNames: boolean }
): Properties {
  const standard = standardProperties(quantities)
  const own = ownProperties(quantities)
  const registered = new Set(providers.registered)
  return name => {
    if (name.startsWith(OWN_PREFIX)) return own.get(name.slice(OWN_PREFIX.length))
    if (name.startsWith('_')) {
      const prefix = name.slice(1).split('_', 1)[0] as string
      return prefix === providers.own ? undefined : { kind: 'foreign', registered: registered.has(prefix) }
    }
    if (RELATIONSHIPS.has(name)) return { kind: 'relationship' }
    return standard.get(name) ?? (options.bareNames ? own.get(name) : undefined)
  }
}

function standardProperties(quantities: Quantities): Map<string, Property> {
  const hidden = new Map(quantities.hidden.map(q => [q.name, q]))
  const find = (name: string): Quantity => {
    const quantity = quantities.get(name) ?? hidden.get(name)
    if (!quantity) throw new Error(`the quantities lack ${name}`)
    return quantity
  }
  const rows = Object.entries(structureProperties as Record<string, StructureProperty>)
  return new Map(
    rows.map(([name, row]): [string, Property] => {
      const count = row.count ? { count: find(row.count) } : {}
      const knownBy = row.knownBy ? { knownBy: find(row.knownBy) } : {}
      if (row.constant && knownBy.knownBy)
        return [name, { kind: 'constant', value: row.constant, ...knownBy }]
      if (!row.quantity) return [name, { kind: 'unqueryable', ...count }]
      const correlated = row.correlated ? { correlated: find(row.correlated) } : {}
      return [name, { ...indexed(find(row.quantity)), ...count, ...knownBy, ...correlated }]
    })
  )
}

/** The search quantities of the entry itself and of its results, dots written as underscores (§3.2). */
function ownProperties(quantities: Quantities): Map<string, Property> {
  const offered = quantities.list.filter(
    q =>
      q.kind !== 'none' &&
      q.type !== 'reference' &&
      (!q.name.includes('.') || (q.name.startsWith('results.') && !q.name.includes('.optimade.')))
  )
  return new Map([
    ...offered.map((q): [string, Property] => [q.name.replaceAll('.', '_'), indexed(q)]),
    ...providers.output_only.map((name): [string, Property] => [name, { kind: 'unqueryable' }])
  ])
}

function indexed(quantity: Quantity): IndexedProperty {
  return { kind: 'indexed', quantity, type: propertyType(quantity), list: quantity.many, knownBy: quantity }
}

function propertyType({ kind, name }: Quantity): PropertyType {
  switch (kind) {
    case 'keyword':
      return 'string'
    case 'text':
    case 'path':
      return 'text'
    case 'integer':
    case 'long':
      return 'integer'
    case 'float':
    case 'double':
      return 'float'
    case 'boolean':
      return 'boolean'
    case 'date':
      return 'timestamp'
    case 'none':
      throw new Error(`${name} has no values in the index`)
  }
}
