/**
 * Query tree -> Elasticsearch's query language (`search.md` §1.4). Everything is a filter: nothing is scored, so that
 * only what matches counts and Elasticsearch may keep results of parts.
 */
import type { estypes } from '@elastic/elasticsearch'
import type { Quantity } from '../../query/quantities.ts'
import type { Bounds, Query, Scalar, SubstringPlace, TextMode } from '../../query/tree.ts'

type Dsl = NonNullable<estypes.QueryDslQueryContainer>

const MATCH_ALL: Dsl = { match_all: {} }
const MATCH_NONE: Dsl = { match_none: {} }

/** Words that the last word of a phrase may stand for; Elasticsearch's default of 50 would lose matches. */
const PREFIX_EXPANSIONS = 10_000

/** Characters that mean something in Lucene's regular expressions. */
export const REGEXP_RESERVED = /[.?+*|{}[\]()"\\#@&<>~^$]/g

/** Values of one list; Elasticsearch refuses more. */
const TERMS_MAX = 65_536

/** Whole numbers that a field can hold. */
const WHOLE_LIMITS: Readonly<Record<string, readonly [number, number]>> = {
  integer: [-(2 ** 31), 2 ** 31 - 1],
  // The neighbours of 2^63 that are numbers in JavaScript.
  long: [-(2 ** 63), 2 ** 63 - 1024]
}

/**
 * Levels of queries in one text. Elasticsearch reads 30 at most, but what a `wrapper` holds is read anew; one level of
 * the tree takes up to two here.
 */
const LEVELS_MAX = 12

/** Where a part of the tree stands. */
interface Place {
  /** Path of the nested objects that are looked at; undefined for entries. */
  readonly path: string | undefined
  /** Levels of the tree above it in the same text. */
  readonly level: number
}

/** The query in Elasticsearch's language. */
export function queryDsl(query: Query): Dsl {
  return compile(query, { path: undefined, level: 0 })
}

/** A query over the nested objects at a path, to stand where Elasticsearch looks at these objects. */
export function nestedDsl(path: string, query: Query): Dsl {
  return compile(query, { path, level: 0 })
}

function compile(query: Query, { path, level }: Place): Dsl {
  if (level > LEVELS_MAX && (query.kind === 'and' || query.kind === 'or' || query.kind === 'nested')) {
    const text = JSON.stringify(compile(query, { path, level: 0 }))
    return { wrapper: { query: Buffer.from(text).toString('base64') } }
  }
  const below = { path, level: level + 1 }
  switch (query.kind) {
    case 'all':
      return MATCH_ALL
    case 'none':
      return MATCH_NONE
    case 'and':
      return conjunction(query.of, below)
    case 'or':
      if (query.of.length === 0) return MATCH_NONE
      return { bool: { should: query.of.map(part => compile(part, below)), minimum_should_match: 1 } }
    case 'not':
      return { bool: { must_not: [compile(query.of, below)] } }
    case 'nested':
      return {
        nested: {
          path: query.path,
          query: compile(query.query, { path: query.path, level: level + 1 }),
          score_mode: 'none'
        }
      }
    default:
      // A quantity of other objects has no value in these.
      return query.quantity.nestedPath === path ? leaf(query) : MATCH_NONE
  }
}

/** Complements become part of the conjunction: one level less, of which Elasticsearch allows 30. */
function conjunction(of: readonly Query[], place: Place): Dsl {
  if (of.length === 0) return MATCH_ALL
  const filter = of.filter(part => part.kind !== 'not').map(part => compile(part, place))
  const mustNot = of.filter(part => part.kind === 'not').map(part => compile(part.of, place))
  return {
    bool: {
      ...(filter.length > 0 ? { filter } : {}),
      ...(mustNot.length > 0 ? { must_not: mustNot } : {})
    }
  }
}

function leaf(query: Extract<Query, { quantity: Quantity }>): Dsl {
  const { quantity } = query
  switch (query.kind) {
    case 'exists':
      return { exists: { field: quantity.field } }
    case 'text':
      return text(quantity, query.mode, query.text.toWellFormed())
    case 'range':
      return range(quantity, query.bounds)
    case 'substring':
      return substring(quantity, query.at, query.text.toWellFormed())
    case 'terms':
      return terms(quantity, query.values)
  }
}

function text({ field, kind }: Quantity, mode: TextMode, words: string): Dsl {
  if (kind === 'keyword') {
    return mode === 'words' ? { term: { [field]: words } } : { prefix: { [field]: words } }
  }
  if (mode === 'words') return { match: { [field]: { query: words } } }
  return mode === 'bool_prefix'
    ? { match_bool_prefix: { [field]: { query: words } } }
    : { match_phrase_prefix: { [field]: { query: words, max_expansions: PREFIX_EXPANSIONS } } }
}

function substring({ field, kind }: Quantity, at: SubstringPlace, part: string): Dsl {
  if (kind !== 'keyword') return MATCH_NONE
  if (at === 'start') return { prefix: { [field]: part } }
  const literal = part.replace(REGEXP_RESERVED, '\\$&')
  // Without flags only the standard operators mean something.
  const value = at === 'end' ? `.*${literal}` : `.*${literal}.*`
  return { regexp: { [field]: { value, flags: 'NONE' } } }
}

function terms(quantity: Quantity, values: readonly Scalar[]): Dsl {
  // A number of milliseconds could be read as a year; ranges can say what it is.
  if (quantity.kind === 'date') {
    return anyOf(values.map(value => range(quantity, { gte: value, lte: value })))
  }
  const [low, high] = WHOLE_LIMITS[quantity.kind] ?? [-Infinity, Infinity]
  const known = values
    .filter(value => typeof value !== 'number' || (value >= low && value <= high))
    .map(value => (typeof value === 'string' ? value.toWellFormed() : value))
  if (known.length === 1) return { term: { [quantity.field]: known[0] as Scalar } }
  const parts: Dsl[] = []
  for (let i = 0; i < known.length; i += TERMS_MAX) {
    parts.push({ terms: { [quantity.field]: known.slice(i, i + TERMS_MAX) } })
  }
  return anyOf(parts)
}

function anyOf(parts: readonly Dsl[]): Dsl {
  if (parts.length <= 1) return parts[0] ?? MATCH_NONE
  return { bool: { should: [...parts], minimum_should_match: 1 } }
}

function range(quantity: Quantity, { gt, gte, lt, lte }: Bounds): Dsl {
  // Of two bounds on one side Elasticsearch would only read the last.
  const twice = (gt !== undefined && gte !== undefined) || (lt !== undefined && lte !== undefined)
  if (!twice) return oneRange(quantity, { gt, gte, lt, lte })
  return { bool: { filter: [oneRange(quantity, { gt, lt }), oneRange(quantity, { gte, lte })] } }
}

function oneRange({ field, kind }: Quantity, bounds: Record<string, Scalar | undefined>): Dsl {
  const [low, high] = WHOLE_LIMITS[kind] ?? [-Infinity, Infinity]
  const given: Record<string, Scalar> = {}
  for (const [name, bound] of Object.entries(bounds)) {
    if (bound === undefined) continue
    if (typeof bound === 'number' && (bound < low || bound > high)) {
      // A bound beyond all values lets all of them pass, or none.
      if (name.startsWith('g') === bound > high) return MATCH_NONE
      continue
    }
    given[name] = typeof bound === 'string' ? bound.toWellFormed() : bound
  }
  if (Object.keys(given).length === 0) return { exists: { field } }
  return { range: { [field]: { ...given, ...(kind === 'date' ? { format: 'epoch_millis' } : {}) } } }
}
