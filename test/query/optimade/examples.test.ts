/** The worked examples of `optimade.md` §10 and further ones, on the engines and by looking at every entry. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  ENDPOINT_DIALECT,
  type FilterDialect,
  filterCompiler,
  QUERY_DIALECT
} from '../../../src/query/optimade/compile-filter.ts'
import { FilterError } from '../../../src/query/optimade/filter-error.ts'
import { entryQuantities } from '../../../src/query/quantities.ts'
import { type EntryIndex, walk } from '../../../src/search/entry-index.ts'
import { openTestServices, profiles } from '../../app.ts'
import { matches } from '../../search/naive.ts'
import { STRUCTURES } from './structures.ts'

const quantities = entryQuantities()
const compileQuery = filterCompiler(quantities, QUERY_DIALECT)
const compileEndpoint = filterCompiler(quantities, ENDPOINT_DIALECT)

const ALL = 's1 s2 s3 s4 s5'
const EVERYTHING = 's1 s2 s3 s4 s5 s6'

/** Filters that both dialects know, with the ids that v1 finds; numbers are those of the table. */
const EXAMPLES: readonly (readonly [filter: string, found: string])[] = [
  ['nelements = 2', 's1'], // 1
  ['nelements != 2', 's2 s3 s4 s5'],
  ['2 != nelements', 's2 s3 s4 s5'],
  ['nelements < 3', 's1 s2 s4'],
  ['1 < nelements', 's1 s3 s5'],
  ['3 >= nelements', ALL],
  ['nelements = 2.0', 's1'],
  ['nsites > 5.5', 's1 s3'],
  ['elements HAS "O"', 's1 s3 s5'], // 10
  ['elements HAS ALL "Ti","O" AND nelements>=2', 's1 s5'],
  ['elements HAS ALL "O","O"', 's1 s3 s5'],
  ['elements HAS ANY "Si","C"', 's2 s3 s4'],
  ['elements HAS ONLY "O","Ti"', 's1'],
  ['elements HAS ONLY "C","H","O","N"', 's3 s4'],
  ['elements HAS ONLY "Si","Si"', 's2'],
  ['elements HAS >= "Si"', 's1 s2 s5'],
  ['elements LENGTH 3', 's3 s5'], // 19
  ['elements LENGTH != 1', 's1 s3 s5'],
  ['elements LENGTH >= 2', 's1 s3 s5'],
  ['elements_ratios LENGTH 3', 's3 s5'],
  ['NOT elements HAS "O"', 's2 s4'], // 24
  ['NOT elements HAS ANY "O","Si"', 's4'],
  ['NOT (elements HAS "O" AND nelements = 3)', 's1 s2 s4'],
  ['elements HAS "O" OR elements HAS "Si" AND nelements = 1', 's1 s2 s3 s5'],
  ['(elements HAS "O" OR elements HAS "Si") AND nelements = 1', 's2'],
  ['NOT nelements = 3 AND elements HAS "O"', 's1'],
  ['NOT (NOT nelements = 2)', 's1'], // 31
  ['"O2Ti" = chemical_formula_reduced', 's1'],
  ['chemical_formula_reduced != "O2Ti"', 's2 s3 s4 s5'],
  ['chemical_formula_reduced CONTAINS "O"', 's1 s3 s5'],
  ['chemical_formula_reduced STARTS WITH "C"', 's3 s4'],
  ['chemical_formula_reduced STARTS "Ba"', 's5'],
  ['chemical_formula_reduced ENDS WITH "Ti"', 's1 s5'],
  ['chemical_formula_reduced CONTAINS "*"', ''],
  ['chemical_formula_reduced CONTAINS "?"', ''],
  ['chemical_formula_hill CONTAINS "2"', 's1 s2 s4'], // 40
  ['chemical_formula_reduced >= "C"', 's1 s2 s3 s4'],
  ['elements:elements_ratios HAS "O":>0.5', 's1 s5'],
  ['elements:elements_ratios HAS ALL "O":>0.5,"Ti":<0.25', 's5'],
  ['elements:elements_ratios HAS ANY "H":>0.6,"Ba":>0.1', 's3 s5'],
  ['elements_ratios:elements HAS >0.9:"Si"', 's2'],
  ['nperiodic_dimensions != 3', 's3 s4'], // 48
  ['elements IS KNOWN', ALL],
  ['elements IS UNKNOWN', 's6'],
  ['structure_features HAS "disorder"', 's4'],
  ['NOT structure_features HAS "disorder"', 's1 s2 s3 s5'],
  ['last_modified >= "2022-01-01T00:00:00Z"', 's3 s5'],
  ['"2020-06-01T00:00:00Z" > last_modified', 's1 s4'],
  ['id = "s3"', 's3'], // 56
  ['type = "structures"', ALL],
  ['_mp_band_gap > 1', ''],
  ['_mp_band_gap = 1', ''],
  ['_mp_band_gap IS UNKNOWN', EVERYTHING], // 60
  ['_zzz_x = 1 OR nelements = 2', 's1'],
  ['NOT _zzz_x = 1', ''],
  ['1 < _zzz_x', ''],
  ['_nmd_results_material_elements HAS ALL "O","Ti"', 's1 s5'], // 66
  ['nelements=1ORnelements=2', 's1 s2 s4'], // 71
  ['NOTnelements=1', 's1 s3 s5'],
  ['', EVERYTHING], // 78
  [' \t\n\r\v\f', EVERYTHING],
  ['_nmd_published = TRUE', ALL], // 80
  ['elements HAS STARTS WITH "T"', 's1 s5'],

  // Members of lists
  ['elements HAS = "O"', 's1 s3 s5'],
  ['elements HAS ALL > "B", < "C"', 's5'],
  ['elements HAS ANY "Si", CONTAINS "i", ENDS "a"', 's1 s2 s5'],
  ['elements HAS ANY "Si", "Ba", < "Bb"', 's2 s5'],
  ['NOT elements HAS ONLY "C","H","O"', 's1 s2 s5'],
  ['NOT elements HAS ALL "O","Ti"', 's2 s3 s4'],
  ['structure_features HAS ONLY "disorder"', ALL],
  ['NOT structure_features HAS ONLY "assemblies"', 's4'],
  ['structure_features IS UNKNOWN', 's6'],
  ['NOT elements LENGTH 3', 's1 s2 s4'],
  ['NOT elements LENGTH != 1', 's2 s4'],
  ['elements LENGTH < +2', 's2 s4'],
  ['species_at_sites LENGTH 2', 's2 s4'],
  ['cartesian_site_positions LENGTH >= 6', 's1 s3'],
  ['elements_ratios HAS > 0.9', 's2 s4'],
  ['elements_ratios HAS 0.2', 's5'],
  ['NOT elements_ratios HAS > 0.9', 's1 s3 s5'],
  ['elements_ratios HAS ONLY 1', 's2 s4'],
  ['elements_ratios IS UNKNOWN', 's6'],

  // Lists that belong together
  ['elements:elements_ratios HAS "Si":1.0', 's2'],
  ['elements:elements_ratios HAS "O":!=0.6', 's1 s3'],
  ['elements:elements_ratios HAS != "C":1', 's2'],
  ['elements:elements_ratios HAS STARTS WITH "B":<0.5', 's5'],
  ['elements:elements HAS >"B":<"C"', 's5'],
  ['elements_ratios:elements_ratios HAS >0.6:<0.7', 's1 s3'],
  ['NOT elements:elements_ratios HAS "O":>0.5', 's2 s3 s4'],
  ['elements:elements_ratios:elements HAS "O":>0.1:CONTAINS "O"', 's1 s3 s5'],

  // Texts
  ['chemical_formula_reduced CONTAINS ""', ALL],
  ['NOT chemical_formula_reduced STARTS ""', ''],
  ['NOT chemical_formula_reduced CONTAINS "O"', 's2 s4'],
  ['chemical_formula_anonymous STARTSWITH"A"', ALL],
  ['id ENDS WITH "3" OR id STARTS "s4"', 's3 s4'],
  ['id CONTAINS "s"', EVERYTHING],
  ['immutable_id != "s1"', 's2 s3 s4 s5 s6'],
  ['_nmd_entry_id < "s3"', 's1 s2'],

  // Times
  ['last_modified = "2020-01-01T00:00:00Z"', 's1'],
  ['last_modified = "2020-01-01"', 's1'],
  ['last_modified = "2020-01-01T01:30:00+01:30"', 's1'],
  ['last_modified = "2020-01-01T00:00:00.000000"', 's1'],
  ['last_modified = "2020-01-01t00:00:00z"', 's1'],
  ['last_modified != "2020-01-01T00:00:00.5Z"', ALL],
  ['last_modified > "2020-01-01" AND last_modified <= "2021-06-01"', 's2 s4'],
  ['_nmd_upload_create_time > "2022-06-01T00:00:00Z"', 's5'],

  // Booleans
  ['_nmd_published', ALL],
  ['NOT _nmd_published', 's6'],
  ['_nmd_published = FALSE', 's6'],
  ['TRUE != _nmd_published', 's6'],
  ['_nmd_readonly = TRUE', ''],
  ['NOT _nmd_readonly', ''],

  // A constant of all structures
  ['type != "references"', ALL],
  ['NOT type = "structures"', ''],
  ['type STARTS "struct" AND type ENDS "s" AND type CONTAINS "uct" AND type >= "s" AND type < "t"', ALL],
  ['type IS UNKNOWN', 's6'],
  ['"structures" = type AND nsites = 2', 's2 s4'],

  // Properties of others
  ['_zzz_x IS KNOWN', ''],
  ['NOT _zzz_x IS KNOWN', EVERYTHING],
  ['_zzz_x HAS "a" OR _zzz_x HAS ONLY "a" OR _zzz_x LENGTH 3 OR _zzz_x CONTAINS "a" OR _zzz_x', ''],
  ['_zzz_x:elements HAS "a":"O"', ''],
  ['NOT (_zzz_x = 1 AND nelements = 2)', 's2 s3 s4 s5'],
  ['_zzz_x.y.gga+u = 1 OR _foo = 1 OR _ = 1', ''],

  // Nested objects
  ['_nmd_results_material_topology_label = "Si"', 's2'],
  ['_nmd_results_material_topology_label != "O"', 's2 s4'],
  ['_nmd_results_material_topology_label STARTS "B"', 's5'],
  ['_nmd_results_material_topology_n_atoms > 5', 's1 s3'],
  ['_nmd_results_material_topology_label IS UNKNOWN', 's6'],

  // Logic of what is not known
  ['NOT (nelements = 2 OR NOT nsites = 2)', 's2 s4'],
  ['NOT nelements IS KNOWN', 's6'],
  ['NOT nelements IS UNKNOWN', ALL],
  ['nelements = 2 OR NOT nelements = 2', ALL],
  ['nelements = 2 OR NOT nelements = 2 OR nelements IS UNKNOWN', EVERYTHING],
  ['id = "s6" AND NOT nelements = 2', ''],
  ['NOT (nelements = 2 AND id = "s1")', 's2 s3 s4 s5 s6'],
  ['nelements = 100000000000', ''],
  ['nelements < 100000000000', ALL],
  ['nelements = 2.5 OR nelements > 1e300', '']
]

/** What only v1 queries know. */
const QUERY_EXAMPLES: readonly (readonly [filter: string, found: string])[] = [
  ['results_material_elements HAS ALL "O","Ti"', 's1 s5'], // 67
  ["elements HAS ALL 'Ti', 'O'", 's1 s5'],
  ["chemical_formula_reduced = 'C'", 's4'],
  ['published', ALL]
]

/** Refused everywhere: `400` for what is wrong, `501` for what is only not answered. */
const REFUSED: readonly (readonly [filter: string, status: 400 | 501, says: string])[] = [
  ['nelements = "2"', 501, 'nelements'], // 9
  ['elements HAS != "C"', 501, 'elements'], // 18
  ['elements LENGTH 2.0', 400, 'line 1, column 17'], // 23
  ['NOT NOT nelements = 2', 400, 'line 1, column 5'], // 30
  ['elements:elements_ratios HAS ONLY "C":1', 501, 'elements:elements_ratios'], // 46
  ['elements:elements_ratios HAS "C"', 400, 'expected :'],
  ['last_modified >= "soon"', 400, 'soon'], // 55
  ['doesnotexist = 1', 400, 'doesnotexist'], // 64
  ['_nmd_doesnotexist = 1', 400, '_nmd_doesnotexist'],
  ['nelements = nsites', 501, 'two properties'], // 68
  ['"a" = "b"', 501, 'two constants'],
  ['references.id HAS "x"', 501, 'references.id'],
  ['elements HAS "H","O"', 400, 'unexpected ,'], // 73
  ['nelements == 2', 400, 'line 1, column 12'],
  ['Nelements = 2', 400, 'unexpected Nelements at line 1, column 1'],
  ['nelements = 2 and nsites = 6', 400, 'unexpected and at line 1, column 15'],
  ['(nelements = 2', 400, 'unexpected end of the filter at line 1, column 15'],
  ['nelements = 2 nsites = 6', 400, 'expected AND, OR or the end of the filter'], // 75
  ['nsites = 1000000000.E1000000000', 501, 'range'], // 79
  ['chemical_formula_reduced CONTAINS 2', 501, 'chemical_formula_reduced'], // 82
  ['elements.foo HAS "O"', 400, 'elements.foo'],
  ['5 < 7', 501, 'two constants'],
  ['TRUE = FALSE', 501, 'two constants'],
  ['structures.id = "x"', 501, 'structures.id'],
  ['structures HAS "x"', 501, 'structures'],
  ['nsites = 9007199254740993', 501, 'range'],
  ['nsites = -9007199254740993', 501, 'range'],
  ['nelements CONTAINS "2"', 501, 'nelements'],
  ['elements CONTAINS "O"', 501, 'HAS'],
  ['elements = "O"', 501, 'HAS'],
  ['nelements HAS 2', 501, 'nelements'],
  ['nelements LENGTH 2', 501, 'nelements'],
  ['structure_features LENGTH 1', 501, 'structure_features'],
  ['structure_features:elements HAS "disorder":"O"', 501, 'structure_features:elements'],
  ['elements:nelements HAS "O":2', 501, 'nelements'],
  ['elements:elements_ratios HAS "O":1:2', 400, 'takes 2 values'],
  ['elements HAS ONLY > "B"', 501, 'HAS ONLY'],
  ['elements HAS nelements', 501, 'two properties'],
  ['nelements', 501, 'nelements'],
  ['elements', 501, 'elements'],
  ['type', 501, 'type'],
  ['type = 1', 501, 'type'],
  ['_nmd_published < TRUE', 501, '_nmd_published'],
  ['_nmd_published = "TRUE"', 501, '_nmd_published'],
  ['_nmd_published = 1', 501, '_nmd_published'],
  ['chemical_formula_reduced = TRUE', 501, 'chemical_formula_reduced'],
  ['last_modified = 2020', 501, 'last_modified'],
  ['last_modified = "2020-02-30"', 400, '2020-02-30'],
  ['last_modified = "2020-01-01T00:00:00.Z"', 400, 'RFC 3339'],
  ['last_modified = "2020-01-01Z"', 400, 'RFC 3339'],
  ['last_modified = "2020"', 400, 'RFC 3339'],
  ['dimension_types HAS 1', 501, 'dimension_types'],
  ['dimension_types LENGTH 3', 501, 'dimension_types'],
  ['species.name HAS "O"', 501, 'species.name'],
  ['lattice_vectors IS KNOWN', 501, 'lattice_vectors'],
  ['space_group_it_number = 225', 501, 'space_group_it_number'],
  ['_nmd_archive_url = "x"', 501, '_nmd_archive_url'],
  ['_nmd_comment CONTAINS "x"', 501, '_nmd_comment'],
  ['_nmd_comment < "x"', 501, '_nmd_comment'],
  ['_nmd_results_material_elements LENGTH 2', 501, '_nmd_results_material_elements'],
  ['_nmd_results_material_elements__suggestion = "O"', 400, '_nmd_results_material_elements__suggestion'],
  ['_nmd = 1', 400, '_nmd'],
  ['_nmd_optimade_nelements = 1', 400, '_nmd_optimade_nelements'],
  ['_nmd_authors IS KNOWN', 400, '_nmd_authors'],
  [`chemical_formula_hill CONTAINS "${'a'.repeat(257)}"`, 501, '256']
]

/** The fault of a filter; undefined when it is none. */
function faultOf(filter: string, dialect: FilterDialect): FilterError | undefined {
  try {
    filterCompiler(quantities, dialect)(filter)
    return undefined
  } catch (error) {
    if (error instanceof FilterError) return error
    throw error
  }
}

describe.each(profiles())('in the %s profile', profile => {
  let services: Awaited<ReturnType<typeof openTestServices>>
  let index: EntryIndex

  beforeAll(async () => {
    services = await openTestServices(profile)
    index = services.index
    await index.put(STRUCTURES)
  })

  afterAll(() => services.close())

  test.each([...EXAMPLES, ...QUERY_EXAMPLES])('%j finds %s', async (filter, found) => {
    const { query } = compileQuery(filter)
    const hits: string[] = []
    for await (const { entryId } of walk(index, { query, order: 'asc' })) hits.push(entryId)
    expect(hits.join(' ')).toBe(found)
  })

  test.each(LARGE)('%s', async (_, filter, found) => {
    const { query } = compileQuery(filter)
    const { hits } = await index.search({ query, order: 'asc', size: 10 })
    expect(hits.map(hit => hit.entryId).join(' ')).toBe(found)
  })
})

/** As deep as filters may be, every level of another kind than the one above. */
function deep(levels: number): string {
  return Array.from({ length: levels }).reduce<string>(
    (inner, _, i) => (i % 2 === 0 ? `elements HAS "Ba" OR (${inner})` : `nelements = 1 AND (${inner})`),
    'nsites = 2'
  )
}

/** As large as filters may be. */
const LARGE: readonly (readonly [name: string, filter: string, found: string])[] = [
  ['many levels', deep(100), 's2 s4'],
  ['many negated levels', `NOT (${deep(99)})`, 's1 s3'],
  ['many tests', Array.from({ length: 1024 }, (_, i) => `nsites != ${i + 6}`).join(' AND '), 's2 s4 s5'],
  [
    'many members',
    `elements HAS ONLY "C", ${Array.from({ length: 1023 }, (_, i) => `"X${i}"`).join()}`,
    's4'
  ],
  [
    'many pairs',
    `elements:elements_ratios HAS ANY ${Array.from({ length: 512 }, (_, i) => `"O":${i / 1000}`).join()}`,
    ''
  ],
  ['a long part', `id CONTAINS "${'s'.repeat(256)}" OR id ENDS "${'.*'.repeat(128)}"`, ''],
  ['characters with a meaning in patterns', 'id CONTAINS "~&@<>#[]{}()|+^$-_.,*?\\\\"', '']
]

describe('looking at every entry', () => {
  test.each(EXAMPLES)('%j means the same in both dialects', (filter, found) => {
    for (const compile of [compileQuery, compileEndpoint]) {
      const { query } = compile(filter)
      const hits = STRUCTURES.filter(document => matches(query, document))
      expect(hits.map(hit => hit.entry_id).join(' ')).toBe(found)
    }
  })
})

describe('what cannot be answered', () => {
  test.each(REFUSED)('%j is refused', (filter, status, says) => {
    for (const dialect of [QUERY_DIALECT, ENDPOINT_DIALECT]) {
      const fault = faultOf(filter, dialect)
      expect(fault && (fault.fault === 'unsupported' ? 501 : 400)).toBe(status)
      expect(fault?.message).toContain(says)
      expect(fault?.message).toMatch(/line \d+, column \d+/)
    }
  })

  test.each(QUERY_EXAMPLES)('%j is known to v1 queries only', filter => {
    expect(faultOf(filter, QUERY_DIALECT)).toBeUndefined()
    expect(faultOf(filter, ENDPOINT_DIALECT)?.fault).toMatch(/^(?:syntax|semantic)$/)
  })

  test('names with unregistered prefixes are told, others are not', () => {
    const filter =
      '_zzz_x = 1 OR _mp_band_gap > 1 OR NOT _zzz_x = 2 OR _foo IS KNOWN OR _ = 1 OR nelements = 2'
    expect(compileEndpoint(filter).foreignNames).toEqual(['_zzz_x', '_foo', '_'])
  })
})
