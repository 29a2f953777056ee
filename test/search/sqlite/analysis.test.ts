import { describe, expect, test } from 'vitest'
import { segments, words } from '../../../src/search/sqlite/analysis.ts'

/** What Elasticsearch 9 gives for the analyzer `standard`. */
const STANDARD: readonly (readonly [string, readonly string[]])[] = [
  [
    "a:b c.d 1,2 can't foo_bar _ __ x-y 3.14 a1:b2",
    ['a:b', 'c.d', '1,2', "can't", 'foo_bar', 'x', 'y', '3.14', 'a1', 'b2']
  ],
  ['TiO2 vasp.run-1, GW/BSE', ['tio2', 'vasp.run', '1', 'gw', 'bse']],
  ['Novák naïve Ⅳ', ['novák', 'naïve', 'ⅳ']],
  ['ΑΣ ς İstanbul ß', ['ας'.replace('ς', 'σ'), 'ς', 'istanbul', 'ß']],
  [
    '东京都 ひらがな カタカナ ンー 한국어',
    ['东', '京', '都', 'ひ', 'ら', 'が', 'な', 'カタカナ', 'ンー', '한국어']
  ],
  ['ภาษาไทย ไทยabc', ['ภาษาไทย', 'ไทย', 'abc']],
  ['😀 © 1️⃣', ['😀', '©', '1️⃣']],
  ['', []],
  [' - / …', []]
]

describe('words of a text', () => {
  test.each(STANDARD)('%j as Elasticsearch finds them', (text, expected) => {
    expect(words(text)).toEqual(expected)
  })

  test('are cut after 255 characters', () => {
    expect(words(`A${'b'.repeat(599)}`).map(w => w.length)).toEqual([255, 255, 90])
  })
})

test('segments of a path keep their case; empty ones do not count', () => {
  expect(segments('/Run1//a b/OUTCAR/')).toEqual(['Run1', 'a b', 'OUTCAR'])
  expect(segments('')).toEqual([])
})
