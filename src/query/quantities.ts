/**
 * Search quantities: names, types and engine fields, read from the committed data (spec README, decision 8).
 * Nothing else in the code lists quantities.
 */
import { type CustomDefinitions, customQuantities, SEGMENTS_MAX } from './custom-quantities.ts'
import data from './data/quantities.json' with { type: 'json' }
import type { Query } from './tree.ts'

/** The type of a value in queries (`search.md` Appendix A). */
export type QuantityType = 'string' | 'enum' | 'int' | 'float' | 'bool' | 'date' | 'reference' | 'json'

/**
 * What an engine stores for the quantity: `keyword` is matched whole, `text` by words (Unicode word boundaries,
 * lower case), `path` by segments between slashes (case kept); the others are exact values. `none` cannot be
 * searched by itself.
 */
export type IndexKind =
  | 'keyword'
  | 'text'
  | 'path'
  | 'integer'
  | 'long'
  | 'float'
  | 'double'
  | 'boolean'
  | 'date'
  | 'none'

/**
 * Where in a value the typed text may begin (`search.md` §9): at its start, at the start of a part of it, or at an element
 * symbol.
 */
export type SuggestionStyle = 'simple' | 'default' | 'formula'

/** One searchable quantity of the entry document. */
export interface Quantity {
  /** Dot path by which clients name it, for example `results.material.elements`. */
  readonly name: string
  readonly type: QuantityType
  /** What the engine holds. */
  readonly kind: IndexKind
  /** Dot path of the field in the engine, often the name, sometimes `name.keyword`. */
  readonly field: string
  /** Dot path in the index document where the values stand (no `.keyword`, `.path`, `.text`, `.prefix`). */
  readonly source: string
  /** Path of the innermost nested object above it, if any. */
  readonly nestedPath?: string
  /** A list by itself, or below a repeated section: cannot be sorted by. */
  readonly many: boolean
  readonly repeats: boolean
  /** May be aggregated by value. */
  readonly aggregatable: boolean
  /** In URLs several values mean all of them, not any (`results.material.elements`). */
  readonly allByDefault: boolean
  /** How the engine looks for a value. */
  readonly match: 'match' | 'match_phrase_prefix' | 'match_bool_prefix'
  /** Searched values are normalised as such a formula first (`search.md` §1.5). */
  readonly formula?: 'hill' | 'iupac'
  /** How values are completed, if they are. */
  readonly suggestion?: SuggestionStyle
  /** Number of buckets of a terms aggregation that names none. */
  readonly defaultSize?: number
  /** Fixed list of values, if there is one. */
  readonly values?: readonly string[]
  /** Qualified name of the defining quantity in the metainfo. */
  readonly definition: string
  /** Set for quantities of custom schemas: those of the nested objects at `nestedPath` that hold its values. */
  readonly within?: Query
}

/** All quantities of one document type. */
export interface Quantities {
  /** Fixed word in `… is not a doc quantity`. */
  readonly document: string
  /** Those with a fixed name; custom ones are not among them. */
  readonly list: readonly Quantity[]
  /**
   * Indexed like all others, but no names that searches know: values in the nested objects of `optimade.elements_ratios`
   * (`search.md` §1.3), which OPTIMADE filters reach, and the segments of search quantities (§1.6).
   */
  readonly hidden: readonly Quantity[]
  /** Paths that hold nested objects, outer ones before inner ones. */
  readonly nestedPaths: readonly string[]
  /** The quantity with this fixed name. */
  get(name: string): Quantity | undefined
  /** The quantity of a custom schema with this name, its type included where the name needs one (`search.md` §1.6). */
  custom(name: string): Quantity | undefined
  /** The quantity of a name in which underscores stand for the dots. */
  underscored(name: string): Quantity | undefined
  /** The nested paths above a dot path (the path itself included), outermost first. */
  nestedAbove(path: string): readonly string[]
}

interface Mapping {
  type: string
  analyzer?: string
  properties?: Record<string, Mapping>
}

interface QuantityRow {
  name: string
  type: string
  many: boolean
  repeats: boolean
  aggregatable: boolean
  many_all: boolean
  es_field: string
  es_query: string
  es_mapping?: Mapping
  nested_path?: string
  normalizer?: string
  suggestion?: string
  default_aggregation_size?: number
  values?: string[]
  dynamic?: boolean
  definition: string
}

/** Variants of one stored value: the same place in the document under another analysis. */
const VARIANT = /\.(?:keyword|path|text|prefix)$/

function indexKind(row: QuantityRow): IndexKind {
  const mapping = row.es_mapping
  if (!mapping || mapping.type === 'nested' || mapping.type === 'object') return 'none'
  if (mapping.type === 'text') return mapping.analyzer === 'path_analyzer' ? 'path' : 'text'
  return mapping.type as IndexKind
}

/** Rows `x__suggestion` are the completion fields of `x`, not quantities. */
function isCompletion(row: QuantityRow): boolean {
  return row.es_mapping?.type === 'completion'
}

function styleOf({ suggestion }: QuantityRow): SuggestionStyle {
  if (suggestion === 'custom') return 'formula'
  return suggestion === 'simple' ? 'simple' : 'default'
}

function quantity(row: QuantityRow, suggestion: SuggestionStyle | undefined): Quantity {
  return {
    name: row.name,
    type: row.type as QuantityType,
    kind: indexKind(row),
    field: row.es_field,
    source: row.name.replace(VARIANT, ''),
    ...(row.nested_path ? { nestedPath: row.nested_path } : {}),
    many: row.many,
    repeats: row.repeats,
    aggregatable: row.aggregatable,
    allByDefault: row.many_all,
    match: row.es_query as Quantity['match'],
    ...(row.normalizer ? { formula: row.normalizer.endsWith('iupac') ? 'iupac' : 'hill' } : {}),
    ...(suggestion ? { suggestion } : {}),
    ...(row.default_aggregation_size ? { defaultSize: row.default_aggregation_size } : {}),
    ...(row.values ? { values: row.values } : {}),
    definition: row.definition
  }
}

/** The quantities in the nested objects that a row maps by itself. */
function hiddenQuantities({ name, es_mapping, ...row }: QuantityRow): Quantity[] {
  return Object.entries(es_mapping?.properties ?? {}).map(([member, mapping]) => {
    const path = `${name}.${member}`
    const type = mapping.type === 'keyword' ? 'string' : row.type
    return quantity(
      { ...row, type, name: path, es_field: path, es_mapping: mapping, nested_path: name },
      undefined
    )
  })
}

/**
 * What is looked at in the segments of search quantities: the classes of the first one, the names of the others. The
 * first one's name is `data` everywhere.
 */
function segmentQuantities(row: QuantityRow): Quantity[] {
  const members = ['1.definitions']
  for (let n = 2; n <= SEGMENTS_MAX; n++) members.push(`${n}.path`)
  const properties = Object.fromEntries(members.map(member => [member, { type: 'keyword' }]))
  return hiddenQuantities({ ...row, es_mapping: { type: 'object', properties } }).map(q => ({
    ...q,
    // `path` is a member here, no variant of a value.
    source: q.name,
    nestedPath: row.nested_path as string
  }))
}

/**
 * The quantities of the entry document (`search.md` Appendix A).
 * @param definitions what custom quantities of packages are looked up in; without them only those of uploaded schemas
 *   are known
 */
export function entryQuantities(definitions?: CustomDefinitions): Quantities {
  // Custom quantities of the reference's own packages stand in the data too; definitions tell them.
  const rows = (data.quantities as QuantityRow[]).filter(row => !row.dynamic)
  const completion = new Map(
    rows.filter(isCompletion).map(r => [r.name.replace(/__suggestion(?:\.suggestion)?$/, ''), styleOf(r)])
  )
  const list = rows.filter(r => !isCompletion(r)).map(r => quantity(r, completion.get(r.name)))
  const byName = new Map(list.map(q => [q.name, q]))
  const inObjects = rows.flatMap(hiddenQuantities)
  const nestedPaths = [
    ...new Set([...data.nested_paths, ...inObjects.flatMap(q => q.nestedPath ?? [])])
  ].sort((a, b) => a.length - b.length)
  const hidden = [...inObjects, ...rows.filter(row => row.type === 'json').flatMap(segmentQuantities)]
  const indexed = new Map([...list, ...hidden].map(q => [q.name, q]))
  let byUnderscored: Map<string, Quantity> | undefined
  return {
    document: data.name,
    list,
    hidden,
    nestedPaths,
    get: name => byName.get(name),
    custom: customQuantities(indexed, definitions),
    underscored: name => {
      byUnderscored ??= new Map(list.map(q => [q.name.replaceAll('.', '_'), q]))
      return byUnderscored.get(name)
    },
    nestedAbove: path => nestedPaths.filter(p => path === p || path.startsWith(p + '.'))
  }
}
