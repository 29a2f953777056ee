/** The entries of the worked examples of the filter language (`optimade.md` §10), as index documents. */
import type { IndexDocument } from '../../../src/search/entry-index.ts'

interface Row {
  id: string
  ratios: Record<string, number>
  reduced: string
  hill: string
  anonymous: string
  descriptive: string
  nsites: number
  periodic: number
  features?: string[]
  modified: string
}

const ROWS: Row[] = [
  {
    id: 's1',
    ratios: { O: 2 / 3, Ti: 1 / 3 },
    reduced: 'O2Ti',
    hill: 'O2Ti',
    anonymous: 'A2B',
    descriptive: 'TiO2',
    nsites: 6,
    periodic: 3,
    modified: '2020-01-01'
  },
  {
    id: 's2',
    ratios: { Si: 1 },
    reduced: 'Si',
    hill: 'Si2',
    anonymous: 'A',
    descriptive: 'Si2',
    nsites: 2,
    periodic: 3,
    modified: '2021-06-01'
  },
  {
    id: 's3',
    ratios: { C: 1 / 6, H: 4 / 6, O: 1 / 6 },
    reduced: 'CH4O',
    hill: 'CH4O',
    anonymous: 'A4BC',
    descriptive: 'CH3OH',
    nsites: 6,
    periodic: 0,
    modified: '2022-01-01'
  },
  {
    id: 's4',
    ratios: { C: 1 },
    reduced: 'C',
    hill: 'C2',
    anonymous: 'A',
    descriptive: 'C2',
    nsites: 2,
    periodic: 2,
    features: ['disorder'],
    modified: '2020-05-05'
  },
  {
    id: 's5',
    ratios: { Ba: 0.2, O: 0.6, Ti: 0.2 },
    reduced: 'BaO3Ti',
    hill: 'BaO3Ti',
    anonymous: 'A3BC',
    descriptive: 'BaTiO3',
    nsites: 5,
    periodic: 3,
    modified: '2023-01-01'
  }
]

function document(row: Row): IndexDocument {
  const elements = Object.keys(row.ratios)
  return {
    entry_id: row.id,
    published: true,
    upload_create_time: `${row.modified}T00:00:00Z`,
    results: {
      material: {
        elements,
        topology: elements.map(label => ({ label, n_atoms: row.nsites }))
      }
    },
    optimade: {
      elements,
      nelements: elements.length,
      elements_ratios: elements.map(symbol => ({ elements: symbol, elements_ratios: row.ratios[symbol] })),
      chemical_formula_reduced: row.reduced,
      chemical_formula_hill: row.hill,
      chemical_formula_anonymous: row.anonymous,
      chemical_formula_descriptive: row.descriptive,
      nsites: row.nsites,
      nperiodic_dimensions: row.periodic,
      structure_features: row.features ?? []
    }
  }
}

/** s1 to s5, which have a structure, and s6, which has none. */
export const STRUCTURES: readonly IndexDocument[] = [
  ...ROWS.map(document),
  { entry_id: 's6', published: false }
]
