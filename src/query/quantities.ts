/**
 * Search quantities: names, types and engine fields, read from the committed data (spec README, decision 8).
 * Nothing else in the code lists quantities.
 */
import data from './data/quantities.json' with { type: 'json' }

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
  /** How completion works, if the quantity has it. */
  readonly suggestion?: string
  /** Number of buckets of a terms aggregation that names none. */
  readonly defaultSize?: number
  /** Fixed list of values, if there is one. */
  readonly values?: readonly string[]
  /** Qualified name of the defining quantity in the metainfo. */
  readonly definition: string
}

/** All quantities of one document type. */
export interface Quantities {
  /** Fixed word in `… is not a doc quantity`. */
  readonly document: string
  readonly list: readonly Quantity[]
  /**
   * Values in the nested objects of `optimade.elements_ratios`: indexed like all others, but no names that searches know
   * (`search.md` §1.3); OPTIMADE filters reach them.
   */
  readonly hidden: readonly Quantity[]
  /** Paths that hold nested objects, outer ones before inner ones. */
  readonly nestedPaths: readonly string[]
  get(name: string): Quantity | undefined
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

function quantity(row: QuantityRow, suggestion: string | undefined): Quantity {
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

/** The quantities of the entry document (`search.md` Appendix A). */
export function entryQuantities(): Quantities {
  const rows = data.quantities as QuantityRow[]
  const completion = new Map(
    rows.filter(isCompletion).map(r => [r.name.replace(/__suggestion$/, ''), r.suggestion])
  )
  const list = rows.filter(r => !isCompletion(r)).map(r => quantity(r, completion.get(r.name)))
  const byName = new Map(list.map(q => [q.name, q]))
  let byUnderscored: Map<string, Quantity> | undefined
  const hidden = rows.flatMap(hiddenQuantities)
  const nestedPaths = [...new Set([...data.nested_paths, ...hidden.flatMap(q => q.nestedPath ?? [])])].sort(
    (a, b) => a.length - b.length
  )
  return {
    document: data.name,
    list,
    hidden,
    nestedPaths,
    get: name => byName.get(name),
    underscored: name => {
      byUnderscored ??= new Map(list.map(q => [q.name.replaceAll('.', '_'), q]))
      return byUnderscored.get(name)
    },
    nestedAbove: path => nestedPaths.filter(p => path === p || path.startsWith(p + '.'))
  }
}
