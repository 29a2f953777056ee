/**
 * Synthetic index documents: the documents of the example data, varied. What facets, filters and sorting look at
 * (ids, uploads, persons, datasets, dates, composition, formulas, symmetry, functionals, band gaps, texts) is made
 * anew for every entry with distributions like those of a large installation; the rest stays as in the example, so
 * that size and shape of a document are real (about 30 kB of JSON). `documentOf(n)` depends on nothing but `n`.
 */
import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { IndexDocument } from '../../src/search/entry-index.ts'

type Json = Record<string, unknown>

const CORPUS = join(import.meta.dirname, '../../fixtures/corpus/uploads')

/** Share of entries by program, in thousandths; what is not named shares the rest evenly. */
const PROGRAM_SHARES: Readonly<Record<string, number>> = {
  VASP: 560,
  'FHI-aims': 100,
  exciting: 60,
  'Quantum Espresso': 60,
  GPAW: 40,
  ABINIT: 30,
  CASTEP: 20,
  Gaussian: 20
}

/** Entries made from data of experiments and notebooks, in thousandths. */
const WITHOUT_PROGRAM = 50

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

const FUNCTIONALS: readonly (readonly [share: number, type: string, names: readonly string[]])[] = [
  [0.66, 'GGA', ['GGA_C_PBE', 'GGA_X_PBE']],
  [0.76, 'GGA', ['GGA_C_PBE_SOL', 'GGA_X_PBE_SOL']],
  [0.84, 'LDA', ['LDA_C_PZ', 'LDA_X_PZ']],
  [0.88, 'LDA', ['LDA_C_PW', 'LDA_X']],
  [0.93, 'hybrid', ['HYB_GGA_XC_HSE06']],
  [0.96, 'hybrid', ['HYB_GGA_XC_PBEH']],
  [0.99, 'meta-GGA', ['MGGA_C_SCAN', 'MGGA_X_SCAN']],
  [1, 'GGA', ['GGA_C_LYP', 'GGA_X_B88']]
]

const STRUCTURES: readonly (readonly [share: number, type: string, dimensionality: string])[] = [
  [0.8, 'bulk', '3D'],
  [0.88, 'molecule / cluster', '0D'],
  [0.93, 'surface', '2D'],
  [0.96, '2D', '2D'],
  [0.97, '1D', '1D'],
  [1, 'not processed', 'not processed']
]

const TOPICS =
  'perovskite oxides|thermoelectric screening|battery cathodes|surface adsorption|phonon dispersion|defect energetics|alloy design|water splitting catalysts|topological insulators|magnetic oxides|molecular crystals|high entropy alloys|hydrogen storage|organic semiconductors|nitride ceramics|grain boundaries'.split(
    '|'
  )
const FIRST = 'Ada Ben Chen Dana Emil Fatima Goran Hana Igor Jia Kofi Lena Mateo Nadia Omar Priya'.split(' ')
const LAST =
  'Abe Brandt Cruz Dvořák Eriksson Fischer García Haddad Ivanova Jensen Kaya Lopez Müller Novák Okafor Petrov Quinn Rossi Silva Tanaka Ueda Vogel Weiß Xu Yilmaz Zhang'.split(
    ' '
  )

/** Numbers of 0 to 1 from a seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A number below `n`; small ones are common, large ones rare. */
const skewed = (random: () => number, n: number): number => Math.floor(n * random() ** 3)

const pick = <T>(random: () => number, list: readonly T[]): T => list[Math.floor(random() * list.length)] as T

function share<T extends readonly [number, ...unknown[]]>(random: () => number, list: readonly T[]): T {
  const at = random()
  return (list.find(([upTo]) => at < upTo) ?? list.at(-1)) as T
}

const id = (kind: string, n: number, length: number): string =>
  createHash('sha512').update(`${kind} ${n}`).digest('base64url').slice(0, length)

/** Makes documents; reads the example documents once. */
export class SyntheticDocuments {
  readonly #byProgram: [upTo: number, templates: Json[]][] = []

  constructor() {
    const groups = new Map<string, Json[]>()
    for (const file of globSync('*/index/*.json.gz', { cwd: CORPUS }).sort()) {
      const document = JSON.parse(gunzipSync(readFileSync(join(CORPUS, file))).toString()) as Json
      const program = at(document, 'results', 'method', 'simulation')?.program_name
      const name = typeof program === 'string' && at(document, 'results', 'material') ? program : ''
      groups.set(name, [...(groups.get(name) ?? []), document])
    }
    const rest = [...groups.keys()].filter(name => name !== '' && !(name in PROGRAM_SHARES))
    const named = Object.values(PROGRAM_SHARES).reduce((a, b) => a + b, WITHOUT_PROGRAM)
    let upTo = 0
    for (const [name, templates] of groups) {
      upTo += (name === '' ? WITHOUT_PROGRAM : (PROGRAM_SHARES[name] ?? (1000 - named) / rest.length)) / 1000
      this.#byProgram.push([upTo, templates])
    }
  }

  /** The document of one entry. */
  documentOf(n: number): IndexDocument {
    const random = randomOf(n)
    const template = pick(random, share(random, this.#byProgram)[1])
    const entryId = id('entry', n, 28)
    const upload = uploadOf(n)
    const material = at(template, 'results', 'material') ? materialOf(random, n) : undefined
    const results = { ...(template.results as Json) }
    if (material) results.material = materialSection(results.material as Json, material)
    const method = results.method as Json | undefined
    if (method) results.method = methodSection(method, random)
    if (results.properties) results.properties = propertiesSection(results.properties as Json, random)
    const program = at(results, 'method', 'simulation')?.program_name as string | undefined
    const entryName = material
      ? `${material.descriptive} ${program} ${method?.method_name ?? ''} simulation`
      : `${template.entry_name} ${n}`
    const folder = `run${Math.floor(random() * 50)}/calc${n % 1000}`
    const name = String(template.mainfile).split('/').at(-1) as string
    const others = Array.from({ length: skewed(random, 8) }, (_, i) => `${folder}/output.${i}.dat`)
    const created = upload.time + Math.floor(random() * 3_600_000)
    return {
      ...template,
      ...upload.members,
      results,
      entry_id: entryId,
      calc_id: entryId,
      entry_name: entryName,
      entry_name__suggestion: [entryName],
      entry_create_time: new Date(created).toISOString(),
      last_processing_time: new Date(created + 60_000).toISOString(),
      mainfile: `${folder}/${name}`,
      mainfile__suggestion: [`${folder}/${name}`],
      files: [`${folder}/${name}`, ...others],
      text_search_contents: [entryName, ...upload.texts],
      n_quantities: 50 + skewed(random, 5000),
      ...(template.optimade && material
        ? { optimade: optimadeSection(template.optimade as Json, material) }
        : {})
    } as unknown as IndexDocument
  }
}

function at(value: unknown, ...path: readonly string[]): Json | undefined {
  let current = value
  for (const name of path) current = (current as Json | undefined)?.[name]
  return current as Json | undefined
}

interface Upload {
  readonly time: number
  readonly members: Json
  readonly texts: readonly string[]
}

let lastUpload: { number: number; upload: Upload } | undefined

/** A thousand entries belong to ten uploads of 500, 250, 125, … entries; neighbours are of one upload. */
function uploadOf(n: number): Upload {
  let place = n % 1000
  let k = 0
  for (let size = 500; k < 9 && place >= size; size = Math.ceil(size / 2)) {
    place -= size
    k++
  }
  const number = Math.floor(n / 1000) * 10 + k
  if (lastUpload?.number === number) return lastUpload.upload
  const random = randomOf(number + 1_000_000_000)
  const person = (i: number) => ({
    user_id: id('user', i, 22),
    name: `${FIRST[i % FIRST.length]} ${LAST[Math.floor(i / FIRST.length) % LAST.length]}`
  })
  const main = person(skewed(random, 416))
  const authors = [main]
  for (let i = skewed(random, 4); i > 0; i--) authors.push(person(skewed(random, 416)))
  const topic = pick(random, TOPICS)
  const uploadName = `Study ${number} of ${topic}`
  const time = Date.UTC(2014, 0, 1) + Math.floor(random() * 11 * 365.25 * 86_400) * 1000
  const uploadTime = new Date(time).toISOString()
  const datasets = Array.from({ length: random() < 0.35 ? 1 + skewed(random, 3) : 0 }, () => {
    const dataset = skewed(random, 3000)
    return {
      dataset_type: 'owned',
      dataset_id: id('dataset', dataset, 22),
      dataset_name: `Dataset ${dataset}: ${pick(random, TOPICS)}`,
      dataset_create_time: uploadTime,
      dataset_modified_time: uploadTime,
      ...(dataset % 2 ? { doi: `10.17172/NOMAD/2024.01.01-${dataset}` } : {})
    }
  })
  const published = random() < 0.97
  const upload = {
    time,
    members: {
      upload_id: id('upload', number, 22),
      upload_name: uploadName,
      upload_name__suggestion: [uploadName],
      upload_create_time: uploadTime,
      published,
      with_embargo: published && random() < 0.04,
      main_author: main,
      authors,
      writers: authors,
      viewers: authors,
      datasets,
      origin: main.name,
      ...(random() < 0.2 ? { comment: `Calculations of ${topic}, see the dataset for details` } : {}),
      ...(random() < 0.3 ? { references: [`https://doi.org/10.1000/${number}`] } : { references: [] })
    },
    texts: [uploadName, ...authors.map(a => a.name), ...datasets.map(d => d.dataset_name)]
  }
  lastUpload = { number, upload }
  return upload
}

interface Material {
  readonly members: Json
  readonly formulas: Json
  readonly composition: readonly Json[]
  readonly symmetry: Json
  readonly structure: Json
  readonly descriptive: string
}

/** About one material for five entries, some of them with very many. */
function materialOf(random: () => number, n: number): Material {
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

function materialSection(template: Json, material: Material): Json {
  const { members, formulas, composition, symmetry, structure } = material
  const suggestions = Object.fromEntries(
    Object.entries(formulas).map(([name, value]) => [`${name}__suggestion`, [value]])
  )
  const topology = template.topology as Json[] | undefined
  return {
    ...template,
    ...members,
    ...formulas,
    ...suggestions,
    ...structure,
    elemental_composition: composition,
    ...(structure.structural_type === 'bulk'
      ? { symmetry: { ...(template.symmetry as Json), ...symmetry } }
      : { symmetry: undefined }),
    ...(topology
      ? {
          topology: topology.map(system => ({
            ...system,
            ...members,
            ...formulas,
            ...suggestions,
            elemental_composition: composition
          }))
        }
      : {})
  }
}

function methodSection(template: Json, random: () => number): Json {
  const simulation = template.simulation as Json | undefined
  if (!simulation) return template
  const dft = simulation.dft as Json | undefined
  const [, type, names] = share(random, FUNCTIONALS)
  return {
    ...template,
    simulation: {
      ...simulation,
      program_version: `${1 + skewed(random, 6)}.${skewed(random, 10)}.${skewed(random, 5)}`,
      ...(dft
        ? {
            dft: {
              ...dft,
              jacobs_ladder: type,
              xc_functional_type: type,
              xc_functional_names: names,
              xc_functional_names__suggestion: names
            }
          }
        : {})
    }
  }
}

function propertiesSection(template: Json, random: () => number): Json {
  const electronic = template.electronic as Json | undefined
  const bandGaps = electronic?.band_gap as Json[] | undefined
  return {
    ...template,
    n_calculations: 1 + skewed(random, 200),
    ...(bandGaps
      ? {
          electronic: {
            ...electronic,
            band_gap: bandGaps.map(gap => ({
              ...gap,
              value: random() < 0.4 ? 0 : 1.602176634e-19 * 9 * random() ** 2,
              ...(gap.type || random() < 0.5 ? { type: random() < 0.6 ? 'indirect' : 'direct' } : {})
            }))
          }
        }
      : {})
  }
}

function optimadeSection(template: Json, { members, formulas, composition }: Material): Json {
  return {
    ...template,
    elements: members.elements,
    nelements: members.n_elements,
    elements_ratios: composition.map(c => ({ elements: c.element, elements_ratios: c.atomic_fraction })),
    chemical_formula_descriptive: formulas.chemical_formula_descriptive,
    chemical_formula_reduced: formulas.chemical_formula_reduced,
    chemical_formula_hill: formulas.chemical_formula_hill,
    chemical_formula_anonymous: formulas.chemical_formula_anonymous
  }
}
