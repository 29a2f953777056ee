/**
 * Text to words as Elasticsearch's `standard` analyzer does it (Unicode word boundaries, lower case), and paths to
 * segments as the `path_analyzer` of the mapping does (`search.md` §10).
 */

/** Longest word in UTF-16 units; longer ones are cut into pieces of this length. */
const WORD_MAX = 255

/** Characters that are words by themselves, and runs of scripts without spaces, which are one word each. */
const PIECE =
  /[\p{Script=Han}\p{Script=Hiragana}][\p{M}\u200d]*|(?:[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]\p{M}*)+|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]).)+/gsu

/** Scripts for which the segmenter uses dictionaries that Elasticsearch does not have. */
const DICTIONARY =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u30fc\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u
const KATAKANA = /[\p{Script=Katakana}\u30fc]/u
const LETTER_OR_DIGIT = /[\p{L}\p{N}]/u
const LETTER = /[\p{L}\p{N}\p{Pc}\p{M}]/u

const EMOJI = /\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|\u20e3/u
const CONNECTORS_ONLY = /^\p{Pc}+$/u

/** Words of plain text need no list of boundaries. */
const PLAIN = /^[ A-Za-z0-9]*$/

const ASCII = /^[\0-\x7f]*$/

const segmenter = new Intl.Segmenter('und', { granularity: 'word' })

/** The words of a text, in order. */
export function words(text: string): string[] {
  const found: string[] = []
  if (PLAIN.test(text)) {
    for (const word of text.split(' ')) if (word) pushWord(found, word)
    return found
  }
  let run = ''
  const flush = () => {
    if (run === '') return
    if (!DICTIONARY.test(run)) pushWord(found, run)
    else for (const [piece] of run.matchAll(PIECE)) if (LETTER_OR_DIGIT.test(piece)) pushWord(found, piece)
    run = ''
  }
  for (const { segment, isWordLike } of segmenter.segment(text)) {
    // A syllable with a further mark is not called a word by the segmenter, but it is one.
    if (isWordLike ? !CONNECTORS_ONLY.test(segment) : /\p{L}/u.test(segment)) {
      if (!joins(run, segment)) flush()
      run += segment
      continue
    }
    flush()
    if (!isWordLike && EMOJI.test(segment)) found.push(segment)
  }
  flush()
  return found
}

/** Whether a boundary between two neighbouring words comes from a dictionary only. */
function joins(before: string, after: string): boolean {
  if (before === '') return true
  const last = [...before].findLast(c => !/\p{M}|\p{Cf}/u.test(c)) ?? ''
  const first = after[0] as string
  if (!DICTIONARY.test(last) && !DICTIONARY.test(first)) return false
  return KATAKANA.test(last) === KATAKANA.test(first) && LETTER.test(last) && LETTER.test(first)
}

function pushWord(found: string[], word: string): void {
  const lower = ASCII.test(word) ? word.toLowerCase() : lowerEach(word)
  for (let i = 0; i < lower.length; i += WORD_MAX) found.push(lower.slice(i, i + WORD_MAX))
}

/** Lucene lowers character by character: no final sigma, and a dotted capital I becomes a plain i. */
function lowerEach(word: string): string {
  let lower = ''
  for (const character of word) lower += character === '\u0130' ? 'i' : character.toLowerCase()
  return lower
}

/** The segments of a path, in order; empty ones do not count. */
export function segments(path: string): string[] {
  if (!path.includes('/')) return path === '' ? [] : [path]
  return path.split('/').filter(segment => segment !== '')
}
