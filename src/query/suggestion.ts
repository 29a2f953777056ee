/** What completes a typed text (`search.md` §9): which values of a quantity are suggested for it. */
import type { SuggestionStyle } from './quantities.ts'

/** Longest text that is completed, in characters. */
export const SUGGESTION_INPUT_MAX = 150

/** What parts of values stand between. */
const SEPARATORS = [...' \t\n\v\f\r_./-']

/** Characters that mean something in regular expressions, in those of Lucene too. */
const RESERVED = /[.?+*|{}[\]()"\\#@&<>~^$]/g

/** A character of the typed text: all that it stands for, since case does not count; ordered by code point. */
export type Folded = readonly string[]

/** The characters of a typed text, without space around it. */
export function foldedInput(input: string): readonly Folded[] {
  return [...input.trim().toWellFormed()].map(character => {
    const forms = new Set([character, character.toLowerCase(), character.toUpperCase()])
    // Some letters are two in the other case; they stand for themselves only.
    return [...forms].filter(form => [...form].length === 1).sort(byCodePoint)
  })
}

function byCodePoint(a: string, b: string): number {
  return (a.codePointAt(0) as number) - (b.codePointAt(0) as number)
}

/**
 * Which values are suggested, the best first: those that match the first pattern, then those that match the second, if there
 * is one. A pattern is a regular expression over the whole value, in a syntax that JavaScript (with the flag `s`) and Lucene
 * both understand.
 *
 * The first is for values that begin with the text. The second is for those in which a part begins with it: after a
 * separator, or in a formula at an element symbol.
 */
export function suggestionPatterns(style: SuggestionStyle, input: string): readonly [string, string?] {
  const text = foldedInput(input)
  const whole = `${expression(text)}.*`
  const [first] = text
  if (!first || style === 'simple') return [whole]
  if (style === 'formula') {
    const symbol = first.filter(form => /^[A-Z]$/.test(form))
    return symbol.length > 0 ? [whole, `.+${expression([symbol, ...text.slice(1)])}.*`] : [whole]
  }
  // Typed with its separator the part is meant too.
  const before = first.some(form => SEPARATORS.includes(form)) ? '.+' : `.*${expression([SEPARATORS])}`
  return [whole, `${before}${expression(text)}.*`]
}

function expression(text: readonly Folded[]): string {
  return text
    .map(forms => {
      const literals = forms.map(form => form.replace(RESERVED, '\\$&'))
      return literals.length === 1 ? literals[0] : `(${literals.join('|')})`
    })
    .join('')
}
