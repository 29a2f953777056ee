/**
 * The query tree: what every way of asking (JSON body, URL, owner rule, later OPTIMADE) becomes, and the only
 * thing that a search engine is given. Names are checked, values are converted to the quantity's type, special
 * quantities are already turned into plain criteria: an engine only translates.
 */
import type { Quantity } from './quantities.ts'

/**
 * A value as the engines compare it: keywords are strings, numbers and booleans themselves, dates are
 * milliseconds since 1970 (UTC).
 */
export type Scalar = string | number | boolean

/** Bounds of a range; at least one is there. */
export interface Bounds {
  readonly gt?: Scalar
  readonly gte?: Scalar
  readonly lt?: Scalar
  readonly lte?: Scalar
}

/**
 * How a text is looked for in an analysed quantity:
 * `words`: any of its words occurs; `phrase_prefix`: the words occur one after the other, the last one as a
 * prefix; `bool_prefix`: any of the words occurs, or a word that begins with the last one.
 */
export type TextMode = 'words' | 'phrase_prefix' | 'bool_prefix'

/** Where in a keyword a text stands. */
export type SubstringPlace = 'start' | 'end' | 'anywhere'

/**
 * A validated query.
 *
 * - `and` of nothing matches all, `or` of nothing matches nothing.
 * - `terms`: one of the values is among the quantity's values (exact; `values` may be empty: no match).
 * - `nested`: one nested object under `path` meets `query` by itself; the quantities inside have this path
 *   (or a deeper nested node) as their `nestedPath`. A quantity with a `nestedPath` occurs only below such nodes,
 *   one for every nested level on its way, outermost first.
 * - `exists`: the quantity has at least one value.
 * - `substring`: one of the keyword's values begins with, ends with or contains the text, which is not empty and has no
 *   more than {@link SUBSTRING_MAX} units. Every character is itself, case counts. Only for the kind `keyword`.
 */
export type Query =
  | { readonly kind: 'all' }
  | { readonly kind: 'none' }
  | { readonly kind: 'and'; readonly of: readonly Query[] }
  | { readonly kind: 'or'; readonly of: readonly Query[] }
  | { readonly kind: 'not'; readonly of: Query }
  | { readonly kind: 'terms'; readonly quantity: Quantity; readonly values: readonly Scalar[] }
  | { readonly kind: 'range'; readonly quantity: Quantity; readonly bounds: Bounds }
  | { readonly kind: 'text'; readonly quantity: Quantity; readonly mode: TextMode; readonly text: string }
  | { readonly kind: 'exists'; readonly quantity: Quantity }
  | {
      readonly kind: 'substring'
      readonly quantity: Quantity
      readonly at: SubstringPlace
      readonly text: string
    }
  | { readonly kind: 'nested'; readonly path: string; readonly query: Query }

/**
 * Longest text of a `substring` in UTF-16 units: Elasticsearch cannot look for much longer ones that repeat themselves
 * (about 350 equal characters).
 */
export const SUBSTRING_MAX = 256

/** Matches every entry. */
export const ALL: Query = { kind: 'all' }

/** Matches no entry. */
export const NONE: Query = { kind: 'none' }

/** All of the given queries, flattened where that changes nothing. */
export function and(...of: readonly Query[]): Query {
  const parts = of.filter(q => q.kind !== 'all')
  if (parts.length === 0) return ALL
  return parts.length === 1 ? (parts[0] as Query) : { kind: 'and', of: parts }
}
