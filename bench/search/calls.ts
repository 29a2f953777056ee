/**
 * The calls that are measured: bodies of `POST /entries/query`, and of `POST /suggestions`. Each comes with other values every time, so that no answer
 * is one that was given before; the first ones of a run are not counted.
 */
import { SyntheticDocuments } from './documents.ts'
import { randomOf } from './random.ts'

/** A request body. */
export type Body = Readonly<Record<string, unknown>>

/** One kind of call. */
export interface Call {
  readonly name: string
  /** Where it goes, below the API; `/entries/query` without. */
  readonly path?: string
  /** Milliseconds that the median may take at a million entries on two cores. */
  readonly bar: number
  /** The body of the run of this number. */
  body(run: number): Body
  /** What is prepared once: the value that a page comes after. */
  readonly after?: { readonly pages: number; readonly size: number }
}

const COMMON = [
  'O',
  'C',
  'H',
  'N',
  'Si',
  'Al',
  'Ti',
  'Fe',
  'Li',
  'S',
  'Mg',
  'Ga',
  'Na',
  'Ca',
  'P',
  'F',
  'Cu',
  'Ni'
]
const PROGRAMS = ['VASP', 'FHI-aims', 'exciting', 'Quantum Espresso', 'GPAW', 'ABINIT']
const WORDS = [
  'perovskite',
  'battery',
  'phonon',
  'catalysts',
  'magnetic',
  'hydrogen',
  'Haddad',
  'Novák',
  'nitride'
]
const SYSTEMS = ['cubic', 'hexagonal', 'trigonal', 'tetragonal', 'orthorhombic', 'monoclinic']

const M = 'results.material'
const TERMS_FACETS: readonly (readonly [quantity: string, size: number])[] = [
  [`${M}.elements`, 119],
  ['results.method.simulation.program_name', 20],
  [`${M}.symmetry.crystal_system`, 7],
  [`${M}.structural_type`, 6],
  ['results.method.simulation.dft.xc_functional_type', 6],
  ['results.properties.available_properties', 100],
  ['authors.name', 10],
  ['datasets.dataset_name', 10]
]

/** Ten facets and the figures of the explore page. */
const FACETS = {
  ...Object.fromEntries(
    TERMS_FACETS.map(([quantity, size]) => [
      `${quantity}:default`,
      { terms: { quantity, size, exclude_from_search: false } }
    ])
  ),
  [`${M}.n_elements:default`]: {
    histogram: { quantity: `${M}.n_elements`, interval: 1, exclude_from_search: true }
  },
  'upload_create_time:default': {
    histogram: { quantity: 'upload_create_time', buckets: 30, exclude_from_search: true }
  },
  statistics: {
    statistics: { metrics: ['n_entries', 'n_uploads', 'n_materials', 'n_calculations', 'n_quantities'] }
  }
}

const documents = new SyntheticDocuments()

const pick = <T>(random: () => number, list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
const include = ['entry_id', 'upload_id', `${M}.chemical_formula_reduced`]
const page = (query: unknown, rest: object = {}): Body => ({
  owner: 'visible',
  query,
  pagination: { page_size: 10 },
  required: { include },
  ...rest
})

/** Every kind of call. */
export const CALLS: readonly Call[] = [
  {
    name: 'two elements and a program',
    bar: 150,
    body: run => {
      const random = randomOf(run + 1)
      return page({
        [`${M}.elements:all`]: [pick(random, COMMON), pick(random, COMMON)],
        'results.method.simulation.program_name': pick(random, PROGRAMS)
      })
    }
  },
  {
    name: 'not and or, three levels',
    bar: 150,
    body: run => {
      const random = randomOf(run + 2)
      return page({
        and: [
          {
            or: [
              { [`${M}.symmetry.crystal_system`]: pick(random, SYSTEMS) },
              { and: [{ [`${M}.n_elements:gte`]: 4 }, { not: { [`${M}.elements`]: pick(random, COMMON) } }] }
            ]
          },
          { not: { [`${M}.elements:any`]: [pick(random, COMMON), pick(random, COMMON)] } },
          { not: { 'results.method.simulation.program_name': pick(random, PROGRAMS) } }
        ]
      })
    }
  },
  {
    name: 'range, sorted by another quantity',
    bar: 150,
    body: run => {
      const random = randomOf(run + 3)
      const year = 2014 + Math.floor(random() * 10)
      return page(
        {
          upload_create_time: {
            gte: `${year}-01-01T00:00:00Z`,
            lt: `${year + 1}-0${1 + (run % 9)}-01T00:00:00Z`
          }
        },
        { pagination: { page_size: 10, order_by: 'n_quantities', order: run % 2 ? 'asc' : 'desc' } }
      )
    }
  },
  {
    name: 'nested: band gap between two values, sorted by formula',
    bar: 150,
    body: run =>
      page(
        {
          'results.properties.electronic.band_gap': {
            value: { gte: (1 + run / 100) * 1.6e-19, lte: (2 + run / 100) * 1.6e-19 },
            type: 'direct'
          }
        },
        { pagination: { page_size: 10, order_by: `${M}.chemical_formula_reduced`, order: 'asc' } }
      )
  },
  {
    name: 'page 500 by after-value, all entries by upload time',
    bar: 150,
    after: { pages: 500, size: 20 },
    body: () => page({}, { pagination: { page_size: 20, order_by: 'upload_create_time', order: 'desc' } })
  },
  {
    name: 'free text',
    bar: 150,
    body: run => {
      const random = randomOf(run + 5)
      return page({ text_search_contents: `${pick(random, WORDS)} ${pick(random, WORDS).slice(0, 4)}` })
    }
  },
  {
    name: 'optimade filter',
    bar: 150,
    body: run => {
      const random = randomOf(run + 6)
      return page({
        optimade_filter: `elements HAS ALL "${pick(random, COMMON)}", "${pick(random, COMMON)}" AND nelements <= ${
          3 + (run % 3)
        } AND NOT chemical_formula_anonymous = "AB"`
      })
    }
  },
  {
    name: 'ten facets and statistics, all entries',
    bar: 1000,
    body: () => page({}, { pagination: { page_size: 0 }, aggregations: FACETS })
  },
  {
    name: 'ten facets, statistics and a page, one element',
    bar: 1000,
    body: run =>
      page(
        { [`${M}.elements:all`]: [COMMON[run % COMMON.length]], [`${M}.n_elements:lte`]: 3 + (run % 3) },
        { pagination: { page_size: 20, order_by: 'upload_create_time', order: 'desc' }, aggregations: FACETS }
      )
  },
  {
    name: 'one facet of few entries',
    bar: 150,
    body: run =>
      page(
        { upload_id: documents.documentOf(run * 997).upload_id },
        {
          pagination: { page_size: 0 },
          aggregations: { types: { terms: { quantity: 'entry_type', size: 10_000 } } }
        }
      )
  },
  {
    name: 'facet of file names, one element',
    bar: 1000,
    body: run =>
      page(
        { [`${M}.elements:all`]: [COMMON[run % COMMON.length]] },
        { pagination: { page_size: 0 }, aggregations: { files: { terms: { quantity: 'files', size: 10 } } } }
      )
  },
  {
    name: 'suggestions for two letters: authors, datasets, formulas, program names',
    path: '/suggestions',
    bar: 150,
    body: run => ({
      input: (WORDS[run % WORDS.length] as string).slice(0, 2 + (run % 2)),
      quantities: [
        { name: 'authors.name', size: 10 },
        { name: 'datasets.dataset_name', size: 10 },
        { name: `${M}.chemical_formula_reduced`, size: 10 },
        { name: 'results.method.simulation.program_name', size: 10 }
      ]
    })
  }
]
