/**
 * Chemical formulas in the two forms in which quantities hold them, so that a searched formula is found however it
 * is written (`search.md` §1.5).
 */

/**
 * Elements from the most electropositive to the most electronegative: the order of formulas in the IUPAC Red Book
 * (2005), table VI. X stands for what is no element and comes last.
 */
const IUPAC_ORDER =
  'Og Rn Xe Kr Ar Ne He Fr Cs Rb K Na Li Ra Ba Sr Ca Mg Be Lr No Md Fm Es Cf Bk Cm Am Pu Np U Pa Th Ac ' +
  'Lu Yb Tm Er Ho Dy Tb Gd Eu Sm Pm Nd Pr Ce La Y Sc Rf Hf Zr Ti Db Ta Nb V Sg W Mo Cr Bh Re Tc Mn ' +
  'Hs Os Ru Fe Mt Ir Rh Co Ds Pt Pd Ni Rg Au Ag Cu Cn Hg Cd Zn Nh Tl In Ga Al B Fl Pb Sn Ge Si C ' +
  'Mc Bi Sb As P N H Lv Po Te Se S O Ts At I Br Cl F X'

const RANK = new Map(IUPAC_ORDER.split(' ').map((symbol, i) => [symbol, i]))

const TOKEN = /([A-Z][a-z]?)(\d*)|(\()|\)(\d*)/y

/** How many groups may stand in each other, and the largest number of atoms. */
const MAX_DEPTH = 20
const MAX_COUNT = 1e9

/**
 * Number of atoms by element, in the order in which they first occur; undefined when the text is no formula.
 * Groups in parentheses are multiplied out.
 */
function atoms(formula: string): Map<string, number> | undefined {
  const stack: Map<string, number>[] = [new Map()]
  const add = (symbol: string, count: number) => {
    const top = stack.at(-1) as Map<string, number>
    top.set(symbol, (top.get(symbol) ?? 0) + count)
  }
  const count = (digits: string) => (digits === '' ? 1 : Number(digits))
  TOKEN.lastIndex = 0
  for (let at = 0; at < formula.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(formula)
    if (!match) return undefined
    const [, symbol, digits = '', open, times] = match
    if (symbol !== undefined) {
      if (!RANK.has(symbol)) return undefined
      add(symbol, count(digits))
    } else if (open !== undefined) {
      if (stack.length > MAX_DEPTH) return undefined
      stack.push(new Map())
    } else {
      const group = stack.pop() as Map<string, number>
      if (stack.length === 0) return undefined
      for (const [element, n] of group) add(element, n * count(times ?? ''))
    }
  }
  const result = stack.pop() as Map<string, number>
  const valid = [...result.values()].every(n => n > 0 && n <= MAX_COUNT)
  return stack.length === 0 && result.size > 0 && valid ? result : undefined
}

function join(parts: Iterable<readonly [string, number]>): string {
  return [...parts].map(([symbol, n]) => (n === 1 ? symbol : `${symbol}${n}`)).join('')
}

/** Greatest common divisor. */
function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}

/**
 * The formula in Hill order (by the alphabet, but carbon and its hydrogen first; numbers as given) or in IUPAC order (by
 * electronegativity, numbers reduced). Undefined when the text is no formula.
 */
export function normaliseFormula(text: string, form: 'hill' | 'iupac'): string | undefined {
  const counts = atoms(text.trim())
  if (!counts) return undefined
  if (form === 'hill') {
    const first = counts.has('C') ? ['H', 'C'] : []
    const rank = (symbol: string) => -first.indexOf(symbol)
    return join([...counts].sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1)))
  }
  const divisor = [...counts.values()].reduce(gcd)
  const sorted = [...counts].sort(([a], [b]) => (RANK.get(a) as number) - (RANK.get(b) as number))
  return join(sorted.map(([symbol, n]) => [symbol, n / divisor] as const))
}
