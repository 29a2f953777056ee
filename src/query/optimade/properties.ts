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
const RELATIONSHIPS: readonly string[] = ['references', 'structures']

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
  return name => {
    if (name.startsWith(OWN_PREFIX)) return ownProperty(name.slice(OWN_PREFIX.length), quantities)
    if (name.startsWith('_')) {
      const prefix = name.slice(1).split('_', 1)[0] as string
      if (prefix === providers.own) return undefined
      return { kind: 'foreign', registered: providers.registered.includes(prefix) }
    }
    if (RELATIONSHIPS.includes(name)) return { kind: 'relationship' }
    return (
      standardProperty(name, quantities) ?? (options.bareNames ? ownProperty(name, quantities) : undefined)
    )
  }
}

function standardProperty(name: string, quantities: Quantities): Property | undefined {
  if (!Object.hasOwn(structureProperties, name)) return undefined
  const row = (structureProperties as Record<string, StructureProperty>)[name] as StructureProperty
  const find = (of: string): Quantity => {
    const quantity = quantities.get(of) ?? quantities.hidden.find(q => q.name === of)
    if (!quantity) throw new Error(`the quantities lack ${of}`)
    return quantity
  }
  const count = row.count ? { count: find(row.count) } : {}
  const knownBy = row.knownBy ? { knownBy: find(row.knownBy) } : {}
  if (row.constant && knownBy.knownBy) return { kind: 'constant', value: row.constant, ...knownBy }
  if (!row.quantity) return { kind: 'unqueryable', ...count }
  const correlated = row.correlated ? { correlated: find(row.correlated) } : {}
  return { ...indexed(find(row.quantity)), ...count, ...knownBy, ...correlated }
}

/** Search quantities of the entry itself and of its results, dots written as underscores (§3.2). */
function ownProperty(name: string, quantities: Quantities): Property | undefined {
  if (providers.output_only.includes(name)) return { kind: 'unqueryable' }
  const quantity = quantities.underscored(name)
  if (!quantity || quantity.kind === 'none' || quantity.type === 'reference') return undefined
  const inResults = quantity.name.startsWith('results.') && !quantity.name.includes('.optimade.')
  return inResults || !quantity.name.includes('.') ? indexed(quantity) : undefined
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
