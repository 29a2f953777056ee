/**
 * Synthetic index documents: the documents of the example data, varied. What facets, filters and sorting look at
 * (ids, uploads, persons, datasets, dates, composition, formulas, symmetry, functionals, band gaps, texts) is made
 * anew for every entry with distributions like those of a large installation; the rest stays as in the example, so
 * that size and shape of a document are real (about 30 kB of JSON). `documentOf(n)` depends on nothing but `n`.
 */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { IndexDocument } from '../../src/search/entry-index.ts'
import { type Material, materialOf } from './materials.ts'
import { id, pick, randomOf, share, skewed } from './random.ts'
import { SyntheticUploads } from './uploads.ts'

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

/** Makes documents; reads the example documents once. */
export class SyntheticDocuments {
  readonly #byProgram: [upTo: number, templates: Json[]][] = []
  readonly #uploads = new SyntheticUploads()

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
    const upload = this.#uploads.of(n)
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
