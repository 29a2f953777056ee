/** Text to filter, with errors that show where the text stopped making sense (`optimade.md` §1.3, §2). */
import type { Filter } from './filter.ts'
import { FilterError, place, position } from './filter-error.ts'
import { type Expectation, SyntaxError as ParserError, parse } from './filter-parser.js'

/** Bounds of the work for one filter (`optimade.md` §4.6). */
const MAX_BYTES = 64 * 1024
const MAX_DEPTH = 100
const MAX_TESTS = 1024

/** Characters of a line that an error shows, at most. */
const EXCERPT = 80

/**
 * The filter in a text; undefined when it is blank, which means everything.
 * @throws FilterError `syntax` when the text is no filter, or too large
 */
export function parseFilter(text: string, options: { readonly singleQuotes: boolean }): Filter | undefined {
  if (Buffer.byteLength(text) > MAX_BYTES) {
    throw new FilterError('syntax', `the filter is longer than ${MAX_BYTES} bytes`)
  }
  try {
    return parse(text, { ...options, maxDepth: MAX_DEPTH, maxTests: MAX_TESTS }) ?? undefined
  } catch (error) {
    if (error instanceof ParserError) throw new FilterError('syntax', explanation(text, error))
    throw error
  }
}

function explanation(text: string, error: ParserError): string {
  const { offset } = error.location.start
  const where = place(text, offset)
  const what = error.expected
    ? `${found(text, offset)} at ${where}; expected ${alternatives(error.expected)}`
    : `${error.message}, at ${where}`
  return `${what}\n\n${excerpt(text, offset)}`
}

/** The token at an offset, not more of it than is readable. */
function found(text: string, offset: number): string {
  const token = /^(?:"[^"]*"?|[\w+.-]+|[<>=!]+|.)/su.exec(text.slice(offset))?.[0]
  if (token === undefined) return 'unexpected end of the filter'
  return `unexpected ${token.length > 20 ? `${token.slice(0, 20).toWellFormed()}…` : token}`
}

function alternatives(expected: readonly Expectation[]): string {
  const all = new Set(
    expected.map(e => (e.type === 'end' ? 'the end of the filter' : (e.text ?? e.description)))
  )
  const sorted = [...all].sort()
  return sorted.length < 2 ? sorted.join() : `${sorted.slice(0, -1).join(', ')} or ${sorted.at(-1)}`
}

/** The line of the offset and a mark below the character. */
function excerpt(text: string, offset: number): string {
  const { line, column } = position(text, offset)
  const characters = [...(text.split(/\r\n|[\n\r]/)[line - 1] as string)]
  const from = Math.max(0, Math.min(column - EXCERPT / 2, characters.length - EXCERPT))
  return `${characters.slice(from, from + EXCERPT).join('')}\n${' '.repeat(column - 1 - from)}^`
}
