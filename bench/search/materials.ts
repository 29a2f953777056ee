/** Synthetic materials. */
import { id, pick, randomOf, share, skewed } from './random.ts'

type Json = Record<string, unknown>

/** Elements, commonest first: the first ones occur in a third of all compositions, the last ones in very few. */
const ELEMENTS =
  'O C H N Si Al Ti Fe Li S Mg Ga Na Ca P F Cu Ni Zn Mn Co As Zr Sr Ba K La Se Te Sn Cl V Cr Mo B Nb Y In Ge Pb Bi Sb W Ta Hf Br I Cd Ag Au Pt Pd Rh Ru Ce Nd Gd Sm Pr Eu Dy Er Ho Tb Yb Tm Lu Sc Rb Cs Hg Tl Ir Os Re Tc Be U Th Np Pu Ar Kr Xe He Ne Pa Ac Po Rn'.split(
    ' '
  )

/** Crystal system, first and last space group, lattices. */
const SYSTEMS: readonly (readonly [string, number, number, readonly string[]])[] = [
  ['triclinic', 1, 2, ['aP']],
  ['monoclinic', 3, 15, ['mP', 'mS']],
  ['orthorhombic', 16, 74, ['oP', 'oS', 'oI', 'oF']],
  ['tetragonal', 75, 142, ['tP', 'tI']],
  ['trigonal', 143, 167, ['hP', 'hR']],
  ['hexagonal', 168, 194, ['hP']],
  ['cubic', 195, 230, ['cP', 'cI', 'cF']]
]

const STRUCTURES: readonly (readonly [share: number, type: string, dimensionality: string])[] = [
  [0.8, 'bulk', '3D'],
  [0.88, 'molecule / cluster', '0D'],
  [0.93, 'surface', '2D'],
  [0.96, '2D', '2D'],
  [0.97, '1D', '1D'],
  [1, 'not processed', 'not processed']
]

/** A material, as members of sections. */
export interface Material {
  readonly members: Json
  readonly formulas: Json
  readonly composition: readonly Json[]
  readonly symmetry: Json
  readonly structure: Json
  readonly descriptive: string
}

/** About one material for five entries, some of them with very many. */
export function materialOf(random: () => number, n: number): Material {
  const number = random() < 0.3 ? skewed(random, 2000) : Math.floor(n / 5) * 7 + Math.floor(random() * 2)
  return materialNumber(number)
}

function materialNumber(number: number): Material {
  const random = randomOf(number + 2_000_000_000)
  const count = [1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 6][Math.floor(random() * 12)] as number
  const symbols = new Set<string>()
  while (symbols.size < count) symbols.add(ELEMENTS[skewed(random, ELEMENTS.length)] as string)
  const elements = [...symbols].sort()
  const amounts = elements.map(() => 1 + skewed(random, 12))
  const divisor = amounts.reduce(gcd)
  const factor = 1 + skewed(random, 4)
  const reducedAmounts = amounts.map(a => a / divisor)
  const write = (numbers: readonly number[]) =>
    elements.map((e, i) => e + (numbers[i] === 1 ? '' : numbers[i])).join('')
  const reduced = write(reducedAmounts)
  const full = write(reducedAmounts.map(a => a * factor))
  const anonymous = [...reducedAmounts]
    .sort((a, b) => b - a)
    .map((a, i) => `${'ABCDEFGH'[i]}${a === 1 ? '' : a}`)
    .join('')
  const total = reducedAmounts.reduce((a, b) => a + b, 0)
  const composition = elements.map((element, i) => ({
    element,
    atomic_fraction: (reducedAmounts[i] as number) / total,
    mass_fraction: (reducedAmounts[i] as number) / total
  }))
  const [system, from, to, lattices] = SYSTEMS[Math.floor(7 * random() ** 0.7)] as (typeof SYSTEMS)[number]
  const group = from + skewed(random, to - from + 1)
  const [, type, dimensionality] = share(random, STRUCTURES)
  return {
    members: { elements, n_elements: count, elements_exclusive: elements.join(' ') },
    formulas: {
      chemical_formula_descriptive: full,
      chemical_formula_reduced: reduced,
      chemical_formula_hill: full,
      chemical_formula_iupac: reduced,
      chemical_formula_anonymous: anonymous
    },
    composition,
    symmetry: {
      crystal_system: system,
      bravais_lattice: pick(random, lattices),
      space_group_number: group,
      space_group_symbol: `G${group}`,
      hall_number: group * 2,
      point_group: `P${Math.ceil(group / 8)}`
    },
    structure: { material_id: id('material', number, 28), structural_type: type, dimensionality },
    descriptive: full
  }
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}
