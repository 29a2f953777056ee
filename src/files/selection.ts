/** Which files of an upload a download takes: `glob_pattern`, `re_pattern`, `include_files` (`search.md` §7.1). Pure. */
import { RE2JS, RE2JSException } from 're2js'
import { invalid } from '../errors.ts'

/** What a request says; empty ones count as absent. */
export interface SelectionParameters {
  readonly glob_pattern?: string | null
  readonly re_pattern?: string | null
  readonly include_files?: readonly string[] | null
}

/** Whether a file is taken, by its path in the upload. */
export type Selection = (path: string) => boolean

/** Longest pattern, in characters. */
const MAX_PATTERN = 2000

/**
 * The selection of a request; absent parameters take everything. `include_files` replaces `re_pattern`, which
 * replaces `glob_pattern`. Patterns run in linear time whatever they are.
 * @param loc where the parameters stand in the request
 * @throws SeraiError INVALID with type `invalid_pattern`
 */
export function fileSelection(parameters: SelectionParameters, loc: readonly string[]): Selection {
  const { glob_pattern, re_pattern, include_files } = parameters
  // Patterns that another one replaces are checked all the same: a mistake should not wait for its day.
  const regular = re_pattern ? compile(re_pattern, re_pattern, [...loc, 're_pattern']) : undefined
  const glob = glob_pattern
    ? compile(globExpression(glob_pattern), glob_pattern, [...loc, 'glob_pattern'])
    : undefined
  if (include_files && include_files.length > 0) {
    return path => include_files.some(name => path.endsWith(name))
  }
  const expression = regular ?? glob
  return expression ? path => expression.matcher(path).find() : () => true
}

function compile(expression: string, given: string, loc: readonly string[]): RE2JS {
  const kind = loc.at(-1) === 're_pattern' ? 're' : 'glob'
  const refuse = (reason: string) =>
    invalid(loc, `could not parse the ${kind} pattern: ${reason}`, {
      type: 'invalid_pattern',
      input: given.slice(0, MAX_PATTERN)
    })
  if (given.length > MAX_PATTERN) throw refuse(`it is longer than ${MAX_PATTERN} characters`)
  try {
    return RE2JS.compile(expression)
  } catch (error) {
    if (error instanceof RE2JSException) throw refuse(error.message)
    throw error
  }
}

/**
 * A shell pattern as a regular expression: `*` is any text, slashes included, `?` one character, `[a-z]` and `[!a-z]`
 * one of a set; anchored at the end only.
 */
export function globExpression(glob: string): string {
  let expression = ''
  for (let i = 0; i < glob.length; i++) {
    const character = glob[i] as string
    // A bracket that is first in a set, also after `!`, is one of its characters.
    const set = character === '[' ? /^\[(!?)(\]?[^\]]*)\]/.exec(glob.slice(i)) : null
    if (set && set[2] !== '') {
      expression += `[${set[1] ? '^' : ''}${(set[2] as string).replace(/[\\[\]^]|&&|~~|--|\|\|/g, s => s.replace(/./g, '\\$&'))}]`
      i += set[0].length - 1
    } else if (character === '*') expression += '.*'
    else if (character === '?') expression += '.'
    else expression += RE2JS.quote(character)
  }
  return `(?s:${expression})\\z`
}
