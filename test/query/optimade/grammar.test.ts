/** The filter language as text: tokens, precedence, errors and limits (`optimade.md` §2, §4.6). */
import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PARSER_FILE, parserSource } from '../../../scripts/optimade-parser.ts'
import type { Filter } from '../../../src/query/optimade/filter.ts'
import { FilterError } from '../../../src/query/optimade/filter-error.ts'
import { parseFilter } from '../../../src/query/optimade/parse-filter.ts'

const parse = (text: string) => parseFilter(text, { singleQuotes: true })
const strict = (text: string) => parseFilter(text, { singleQuotes: false })

/** The message for a text that is no filter. */
function refusal(text: string, read: (text: string) => unknown = parse): string {
  try {
    read(text)
  } catch (error) {
    if (error instanceof FilterError && error.fault === 'syntax') return error.message
    throw error
  }
  throw new Error(`${text} was read`)
}

/** The value that a filter `x = …` compares with. */
function valueIn(text: string, read = parse): unknown {
  const filter = read(text)
  if (filter?.kind !== 'compare') throw new Error(`${text} is no comparison`)
  return filter.value.type === 'number'
    ? Number(filter.value.text)
    : 'value' in filter.value && filter.value.value
}

/** A filter with brackets around everything that belongs together. */
function grouped(filter: Filter | undefined): string {
  switch (filter?.kind) {
    case 'and':
    case 'or':
      return `(${filter.of.map(grouped).join(` ${filter.kind} `)})`
    case 'not':
      return `!${grouped(filter.of)}`
    case 'compare':
      return filter.property.path.join('.')
    default:
      return '?'
  }
}

test('the committed parser is the one that the grammar makes', async () => {
  expect(await readFile(PARSER_FILE, 'utf8')).toBe(await parserSource())
})

describe('numbers', () => {
  const valid = '12345 +12 -34 1.2 .2E7 -.2E+7 +10.01E-10 6.03e23 .1E1 -.1e1 1.e-12 1. .1 007'
  test.each(valid.split(' '))('%s is one', text => {
    expect(valueIn(`x=${text}`)).toBe(Number(text))
  })

  const invalid = '1.234D12 .e1 -.E1 +.E2 1.23E+++ +-123 0.0.1 . - 1e 0x1 1_000'
  test.each(invalid.split(' '))('%s is none', text => {
    expect(refusal(`x=${text}`)).toContain('line 1, column')
  })
})

describe('strings', () => {
  test.each([
    ['""', ''],
    ['"a\\"b"', 'a"b'],
    ['"\\"q\\""', '"q"'],
    ['"\\\\"', '\\'],
    ['"\\\\\\""', '\\"'],
    ['"\\n\\\'"', "\\n\\'"],
    ['"a\nb\tc"', 'a\nb\tc'],
    ['"Å 日本 \u{1f600}"', 'Å 日本 \u{1f600}'],
    ['"it\'s"', "it's"]
  ])('%s', (text, value) => {
    expect(valueIn(`x=${text}`)).toBe(value)
    expect(valueIn(`x = ${text} `, strict)).toBe(value)
  })

  test.each([
    ["'Ti'", 'Ti'],
    ["'a\\'b'", "a'b"],
    ["'a\\\\'", 'a\\'],
    ['\'\\"a"\'', '"a"'],
    ["''", '']
  ])('%s, only where single quotes are allowed', (text, value) => {
    expect(valueIn(`x=${text}`)).toBe(value)
    expect(refusal(`x=${text}`, strict)).toContain('line 1, column 3')
  })

  test.each(['"unfinished', '"unfinished\\"', '"', "'unfinished", '"a" AND y = "'])(
    '%s is not closed',
    text => {
      expect(refusal(`x = ${text}`)).toContain('never closed')
    }
  )
})

describe('names', () => {
  test.each(['a', '_', '_foo', 'a1_b2', 'a.b', '_mp_x.gga_gga+u', '_x._y', 'a . b'])('%s is one', name => {
    expect(parse(`${name} IS KNOWN`)).toMatchObject({ property: { path: name.split(/ ?\. ?/) } })
  })

  test.each(['BadLuck', '0_kvak', '"foo bar"', 'a+b', 'a-b', 'aB', 'a.', '.a', 'a..b', 'a.0', 'ä'])(
    '%s is none',
    name => {
      expect(refusal(`${name} IS KNOWN`)).toContain('line 1, column')
    }
  )
})

describe('structure', () => {
  test.each([
    ['NOT a > b OR c = 100 AND f = "x"', '(!a or (c and f))'],
    ['a=1 OR b=1 AND c=1 OR d=1', '(a or (b and c) or d)'],
    ['(a=1 OR b=1) AND c=1', '((a or b) and c)'],
    ['NOT (a=1 AND b=1)', '!(a and b)'],
    ['NOT (NOT a=1)', '!!a'],
    ['((a=1))', 'a'],
    ['a=1AND(b=1ORNOTc=1)', '(a and (b or !c))']
  ])('%s', (text, groups) => {
    expect(grouped(parse(text))).toBe(groups)
  })

  test.each([
    ['nelements=2ANDnsites=3', 'nelements = 2 AND nsites = 3'],
    ['elementsHAS"H"', 'elements HAS "H"'],
    ['elementsHASALL"H","O"', 'elements HAS ALL "H" , "O"'],
    ['a:bHASANY"H":>1,"O":STARTSWITH"x"', 'a : b HAS ANY "H" : > 1 , "O" : STARTS WITH "x"'],
    ['aISUNKNOWNORbISKNOWN', 'a IS UNKNOWN OR b IS KNOWN'],
    ['aSTARTSWITH"x"ANDaENDS"y"', 'a STARTS "x" AND a ENDS WITH "y"'],
    ['aLENGTH>=3', '\n\na\t LENGTH\r\n>=\v3\f']
  ])('white space means nothing: %s', (tight, wide) => {
    const shape = (text: string) => JSON.stringify(parse(text)).replace(/"at":\d+/g, '')
    expect(shape(tight)).toBe(shape(wide))
  })

  test.each([
    'NOT NOT a=1',
    'a=1 b=2',
    'a=1 AND',
    'OR a=1',
    'a == 1',
    'a <> 1',
    'a => 1',
    'a = 1 and b = 2',
    'a HAS "x","y"',
    'a HAS ALL',
    'a HAS ALL "x",',
    'a HAS ONY "x"',
    'a:b HAS "x"',
    'a:b HAS ALL "x":1,"y"',
    'a:b = 1',
    'a HAS "x":1',
    'a LENGTH 2.0',
    'a LENGTH "2"',
    'a LENGTH b',
    'a LENGTH 1e2',
    'LENGTH a = 2',
    'a starts with "x"',
    'a IS known',
    'TRUE',
    'TRUE < a',
    '"x" CONTAINS a',
    '"x"',
    '5',
    '(a=1',
    'a=1)',
    '()',
    '#x'
  ])('%s is no filter', text => {
    expect(refusal(text)).toMatch(/line 1, column \d+/)
  })
})

describe('errors', () => {
  test('show what was found, where, and what could have stood there', () => {
    expect(refusal('nelements > 1\nAND elements HAS ONY "H"')).toBe(
      'unexpected ONY at line 2, column 18; expected ALL, ANY, CONTAINS, ENDS, FALSE, ONLY, STARTS, TRUE, ' +
        'a comparison operator, a number, a property name or a string\n\n' +
        'AND elements HAS ONY "H"\n' +
        '                 ^'
    )
  })

  test('show a part of long lines only, and count characters', () => {
    const message = refusal(`x = "${'\u{1f600}'.repeat(500)}" AND y = = "${'b'.repeat(500)}"`)
    const [first, , excerpt, mark] = message.split('\n')
    expect(first).toContain('line 1, column 516')
    expect([...(excerpt as string)]).toHaveLength(80)
    expect([...(excerpt as string)].at((mark as string).indexOf('^'))).toBe('=')
  })
})

describe('limits', () => {
  test('parentheses may be nested 100 deep', () => {
    const nested = (depth: number) => '('.repeat(depth) + 'a=1' + ')'.repeat(depth)
    expect(parse(nested(100))).toMatchObject({ kind: 'compare' })
    expect(refusal(nested(101))).toContain('deeper than 100 levels')
    expect(refusal('NOT('.repeat(16_000))).toContain('deeper than 100 levels')
    const flat = Array(200).fill('(a=1)').join(' AND ')
    expect(parse(flat)).toMatchObject({ kind: 'and' })
  })

  test('there may be 1024 tests, members of lists counted', () => {
    const tests = (count: number) => Array(count).fill('a=1').join(' OR ')
    const members = (count: number) => `a HAS ANY ${Array(count).fill('"x"').join(',')}`
    for (const many of [tests, members]) {
      expect(() => parse(many(1024))).not.toThrow()
      expect(refusal(many(1025))).toContain('more than 1024 tests')
    }
  })

  test('there may be 64 KiB', () => {
    const text = (bytes: number) => `a="${'å'.repeat((bytes - 4) / 2)}"`
    expect(() => parse(text(65_536))).not.toThrow()
    expect(refusal(text(65_538))).toContain('longer than 65536 bytes')
  })

  test('whatever the text is, it is read or refused', () => {
    const tokens =
      'a _mp_x b.c "x" \'y\' 1 -2.5 TRUE FALSE AND OR NOT ( ) , : . = != < >= IS KNOWN UNKNOWN CONTAINS STARTS ENDS WITH HAS ALL ANY ONLY LENGTH " \\ # ä'
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.array(fc.constantFrom(...tokens.split(' '), ' '), { maxLength: 20 }).map(parts => parts.join(''))
    )
    let read = 0
    fc.assert(
      fc.property(text, given => {
        try {
          parse(given)
          read++
        } catch (error) {
          expect(error).toBeInstanceOf(FilterError)
        }
      }),
      { numRuns: 5000 }
    )
    expect(read).toBeGreaterThan(20)
  })
})
