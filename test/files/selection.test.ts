import { describe, expect, it } from 'vitest'
import { fileSelection, type SelectionParameters } from '../../src/files/selection.ts'

const PATHS = [
  'elk/Al/INFO.OUT',
  'elk/Al/elk.in',
  'exciting/Ag/Ag.xml',
  'exciting/GW/INFO.OUT',
  'a[1].txt',
  '11.aux',
  'x\ny'
]

function selected(parameters: SelectionParameters): string[] {
  return PATHS.filter(fileSelection(parameters, ['query']))
}

describe('the selection of files', () => {
  it('takes everything without parameters', () => {
    expect(selected({})).toEqual(PATHS)
    expect(selected({ glob_pattern: '', re_pattern: null, include_files: [] })).toEqual(PATHS)
  })

  const globs: [string, string[]][] = [
    ['*.xml', ['exciting/Ag/Ag.xml']],
    ['elk/*/*.OUT', ['elk/Al/INFO.OUT']],
    ['e*.OUT', ['elk/Al/INFO.OUT', 'exciting/GW/INFO.OUT']],
    ['INFO.OU?', ['elk/Al/INFO.OUT', 'exciting/GW/INFO.OUT']],
    ['INFO', []],
    ['.', []],
    ['INFO.[A-O]UT', ['elk/Al/INFO.OUT', 'exciting/GW/INFO.OUT']],
    ['INFO.[!A-N]UT', ['elk/Al/INFO.OUT', 'exciting/GW/INFO.OUT']],
    ['INFO.[!O]UT', []],
    ['a[[]1[]].txt', ['a[1].txt']],
    ['a[1].txt', []],
    ['x?y', ['x\ny']],
    ['x*', ['exciting/Ag/Ag.xml', 'exciting/GW/INFO.OUT', 'a[1].txt', '11.aux', 'x\ny']],
    ['\\', []],
    ['[', []],
    ['(', []]
  ]
  for (const [glob, paths] of globs) {
    it(`reads the glob ${JSON.stringify(glob)}`, () =>
      expect(selected({ glob_pattern: glob })).toEqual(paths))
  }

  it('searches regular expressions anywhere', () => {
    expect(selected({ re_pattern: 'INFO' })).toEqual(['elk/Al/INFO.OUT', 'exciting/GW/INFO.OUT'])
    expect(selected({ re_pattern: '^elk/.*\\.in$' })).toEqual(['elk/Al/elk.in'])
  })

  it('lets names be the end of paths', () => {
    expect(selected({ include_files: ['1.aux', 'elk.in'] })).toEqual(['elk/Al/elk.in', '11.aux'])
  })

  it('prefers names to expressions and expressions to globs', () => {
    const all = { glob_pattern: '*.xml', re_pattern: '\\.in$', include_files: ['INFO.OUT'] }
    expect(selected(all)).toEqual(['elk/Al/INFO.OUT', 'exciting/GW/INFO.OUT'])
    expect(selected({ ...all, include_files: [] })).toEqual(['elk/Al/elk.in'])
  })

  const bad: SelectionParameters[] = [
    ...['**', '[', '(?=x)', '(a', 'a{1001}', '\\', '(a)\\1', 'x'.repeat(2001)].map(p => ({ re_pattern: p })),
    { glob_pattern: '[z-a]' },
    { glob_pattern: 'x'.repeat(2001) }
  ]
  for (const parameters of bad) {
    it(`refuses ${JSON.stringify(parameters).slice(0, 40)} and says where`, () => {
      const name = Object.keys(parameters)[0]
      expect(() => fileSelection(parameters, ['body', 'files'])).toThrow(
        expect.objectContaining({
          status: 422,
          detail: [expect.objectContaining({ type: 'invalid_pattern', loc: ['body', 'files', name] })]
        })
      )
    })
  }

  it('takes linear time for expressions made to hang', () => {
    const begin = performance.now()
    const matches = fileSelection({ re_pattern: '^(a+)+$' }, [])
    expect(matches(`${'a'.repeat(4000)}!`)).toBe(false)
    expect(performance.now() - begin).toBeLessThan(1000)
  })
})
