import { describe, expect, test } from 'vitest'
import { entryQuantities, type SuggestionStyle } from '../../src/query/quantities.ts'
import { suggestionPatterns } from '../../src/query/suggestion.ts'

const quantities = entryQuantities()

/** 1 for values that begin with the text, 2 for those of which a part does, 0 for others. */
function rank(style: SuggestionStyle, input: string, value: string): number {
  const at = suggestionPatterns(style, input).findIndex(
    pattern => pattern !== undefined && new RegExp(`^(?:${pattern})$`, 's').test(value)
  )
  return at + 1
}

describe('where a typed text may begin in a value', () => {
  test.each([
    ['simple', 'te', 'tetragonal', 1],
    ['simple', 'TE', 'tetragonal', 1],
    ['simple', 'bic', 'cubic', 0],
    ['simple', 'b', 'a b', 0],
    ['default', 'pbe', 'GGA_C_PBE', 2],
    ['default', 'gga_c', 'GGA_C_PBE', 1],
    ['default', 'ga', 'GGA_C_PBE', 0],
    ['default', 'info', 'exciting/Ag/INFO.OUT', 2],
    ['default', '/info', 'exciting/Ag/INFO.OUT', 2],
    ['default', 'ag/info.out', 'exciting/Ag/INFO.OUT', 2],
    ['default', 'out', 'exciting/Ag/INFO.OUT', 2],
    ['default', 'infoxout', 'exciting/Ag/INFO.OUT', 0],
    ['default', 'si vasp', 'Si VASP DFT', 1],
    ['default', '  si vasp ', 'Si VASP DFT', 1],
    ['default', 'vasp dft', 'Si VASP DFT', 2],
    ['default', 'b', 'a\nb', 2],
    ['default', 'nová', 'Jan NOVÁK', 2],
    ['default', 'ß', 'Straße/ßig', 2],
    ['default', '', 'anything', 1],
    ['formula', 'c2', 'C2H5Br', 1],
    ['formula', 'h5', 'C2H5Br', 2],
    ['formula', 'H5br', 'C2H5Br', 2],
    ['formula', 'r', 'C2H5Br', 0],
    ['formula', '5', 'C2H5Br', 0],
    ['formula', 'o', 'Co', 0],
    ['formula', 'o', 'CoO', 2]
  ] as const)('%s: %j in %j', (style, input, value, wanted) => {
    expect(rank(style, input, value)).toBe(wanted)
  })

  test('every character that means something in an expression is itself', () => {
    const odd = '.?+*|{}[]()"\\#@&<>~^$%_'
    for (const character of odd) {
      for (const other of ['x', ...odd]) {
        expect([character, other, rank('default', character, other)]).toEqual([
          character,
          other,
          character === other ? 1 : 0
        ])
      }
    }
  })
})

test('quantities know how they are completed', () => {
  const styleOf = (name: string) => quantities.get(name)?.suggestion
  expect(styleOf('results.material.elements')).toBe('simple')
  expect(styleOf('results.material.topology.symmetry.crystal_system')).toBe('simple')
  expect(styleOf('results.material.chemical_formula_hill')).toBe('formula')
  expect(styleOf('authors.name')).toBe('default')
  expect(styleOf('datasets.dataset_name')).toBe('default')
  expect(styleOf('comment')).toBeUndefined()
  const suggestable = quantities.list.filter(q => q.suggestion)
  expect(suggestable).toHaveLength(115)
  expect(suggestable.filter(q => q.kind !== 'keyword')).toEqual([])
})
