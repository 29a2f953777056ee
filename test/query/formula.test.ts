import fc from 'fast-check'
import { expect, test } from 'vitest'
import { normaliseFormula } from '../../src/query/formula.ts'

test.each([
  ['OH2', 'H2O', 'H2O'],
  ['ClNa', 'ClNa', 'NaCl'],
  ['Cl4Ti', 'Cl4Ti', 'TiCl4'],
  ['TiSrO3', 'O3SrTi', 'SrTiO3'],
  ['HC', 'CH', 'CH'],
  ['RhCu44H', 'Cu44HRh', 'RhCu44H'],
  ['Ca(OH)2', 'CaH2O2', 'CaH2O2'],
  ['Si8', 'Si8', 'Si'],
  ['CH3CH2OH', 'C2H6O', 'C2H6O'],
  [' Fe2 O3', undefined, undefined]
])('%s', (text, hill, iupac) => {
  expect(normaliseFormula(text, 'hill')).toBe(hill)
  expect(normaliseFormula(text, 'iupac')).toBe(iupac)
})

test.each([
  '',
  'Xy(3',
  '()',
  'H)',
  '(H',
  'h2o',
  'Si0',
  'Si2.5',
  'Qq',
  'H'.concat('9'.repeat(30)),
  '('.repeat(1e5)
])('no formula: %s', text => {
  expect(normaliseFormula(text, 'hill')).toBeUndefined()
  expect(normaliseFormula(text, 'iupac')).toBeUndefined()
})

test('however a formula is ordered, it is the same', () => {
  const elements = ['C', 'H', 'O', 'N', 'Fe', 'Ti', 'Na', 'Cl', 'Xe', 'X']
  const parts = fc.uniqueArray(fc.tuple(fc.constantFrom(...elements), fc.integer({ min: 1, max: 40 })), {
    minLength: 1,
    selector: ([element]) => element
  })
  fc.assert(
    fc.property(parts, fc.constantFrom('hill', 'iupac'), (atoms, form) => {
      const write = (list: typeof atoms) => list.map(([element, n]) => `${element}${n}`).join('')
      const formula = normaliseFormula(write(atoms), form)
      expect(formula).toBeDefined()
      expect(normaliseFormula(write(atoms.toReversed()), form)).toBe(formula)
      expect(normaliseFormula(formula as string, form)).toBe(formula)
    })
  )
})
