/** The parser that `npm run generate` makes of `filter.peggy`. */
import type { Filter } from './filter.ts'

export interface ParseOptions {
  /** Strings may stand between single quotes too. */
  readonly singleQuotes: boolean
  /** Parentheses inside of each other at most. */
  readonly maxDepth: number
  /** Tests, and members of lists, at most. */
  readonly maxTests: number
}

export interface Expectation {
  readonly type: 'literal' | 'class' | 'any' | 'end' | 'other'
  readonly text?: string
  readonly description?: string
}

/** Where and why parsing ended. `expected` is null when the grammar itself gives the reason in `message`. */
declare class ParserError extends Error {
  readonly expected: readonly Expectation[] | null
  readonly location: { readonly start: { readonly offset: number } }
}

export { ParserError as SyntaxError }

/**
 * The filter; null when the text is blank.
 * @throws SyntaxError
 */
export function parse(text: string, options: ParseOptions): Filter | null
