import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { builtInDefinitions } from '../../src/archive/definition-registry.ts'
import type { JsonObject } from '../../src/archive/definitions.ts'
import { availableProperties } from '../../src/processing/derived-quantities.ts'
import { indexDocument } from '../../src/processing/index-document.ts'
import { utcTime } from '../../src/processing/indexed-members.ts'
import { textContents } from '../../src/processing/text-contents.ts'
import { entryQuantities } from '../../src/query/quantities.ts'
import type { Entry, Upload, User } from '../../src/storage/documents.ts'

const registry = builtInDefinitions()
const quantities = entryQuantities()

const entry: Entry = {
  entry_id: 'e1',
  upload_id: 'u1',
  mainfile: 'a/out.xml',
  parser_name: 'parsers/vasp',
  process_status: 'SUCCESS',
  entry_create_time: '2020-01-01T00:00:00.000Z',
  references: [],
  entry_coauthors: [],
  datasets: [],
  errors: [],
  warnings: []
}
const upload: Upload = {
  upload_id: 'u1',
  upload_create_time: '2020-01-01T00:00:00.000Z',
  main_author: 'p1',
  coauthors: ['p2'],
  coauthor_groups: ['g1'],
  reviewers: ['p3'],
  reviewer_groups: ['g1', 'g2'],
  embargo_length: 0,
  license: 'CC BY 4.0',
  process_status: 'SUCCESS',
  errors: [],
  warnings: []
}
const user = (user_id: string, first_name: string, last_name: string): User => ({
  user_id,
  username: user_id,
  first_name,
  last_name
})
const persons = new Map([user('p1', 'Ada', 'Moss'), user('p2', 'Mei-Lin', 'Zhou')].map(u => [u.user_id, u]))

// biome-ignore lint/suspicious/noExplicitAny: documents are read member by member
function documentOf(archive: JsonObject | undefined, changes: { entry?: object; upload?: object } = {}): any {
  return indexDocument({
    entry: { ...entry, ...changes.entry },
    upload: { ...upload, ...changes.upload },
    ...(archive ? { archive } : {}),
    persons,
    datasets: new Map(),
    definitions: registry.scope({ entryId: 'e1', uploadId: 'u1' }),
    quantities,
    files: ['a/out.xml', 'a/in.txt'],
    mainfileOf: id => (id === 'e2' ? 'b/out.xml' : undefined)
  })
}

describe('an archive of the older schema without metadata', () => {
  const document = documentOf({
    run: [
      {
        program: { name: 'VASP' },
        calculation: [
          { system_ref: '/run/0/system/0', calculations_ref: ['../upload/archive/e2#/run/0/calculation/3'] }
        ],
        system: [{ chemical_composition: 'TiO2', unknown_quantity: 1 }]
      }
    ],
    workflow: [{ calculation_result_ref: '../uploads/u9/raw/x.out#/run/0/calculation/0' }],
    results: {
      material: {
        elements: ['Ti', 'O'],
        chemical_formula_descriptive: 'TiO2',
        chemical_formula_reduced: 'O2Ti'
      },
      method: { method_name: 'DFT', workflow_name: 'SinglePoint', simulation: { program_name: 'VASP' } },
      properties: { mechanical: {}, electronic: { dos_electronic: [{}], band_gap: [{ value: 1 }] } }
    }
  })

  test('gets its names', () => {
    expect(document).toMatchObject({
      entry_name: 'TiO2 VASP DFT SinglePoint simulation',
      entry_type: 'VASP DFT SinglePoint',
      domain: 'dft',
      files: ['a/out.xml', 'a/in.txt']
    })
  })

  test('gets what follows from its material and properties', () => {
    expect(document.results.material).toMatchObject({
      n_elements: 2,
      elements_exclusive: 'O Ti',
      chemical_formula_reduced_fragments: ['O2', 'Ti']
    })
    expect(document.results.properties.available_properties).toEqual(['dos_electronic'])
  })

  test('gets the lists of what is in it', () => {
    expect(document.quantities).toContain('run.system.chemical_composition')
    expect(document.quantities).not.toContain('run.system.unknown_quantity')
    expect(document.sections).toContain('runschema.calculation.Calculation')
    expect(document.section_defs).toContainEqual({
      definition_qualified_name: 'runschema.calculation.BaseCalculation',
      used_directly: false
    })
    expect(document.n_quantities).toBeGreaterThan(10)
  })

  test('gets its references into other entries, with the mainfiles that are known', () => {
    expect(document.entry_references).toEqual([
      {
        target_reference: '../upload/archive/e2#/run/0/calculation/3',
        target_entry_id: 'e2',
        target_upload_id: 'u1',
        target_mainfile: 'b/out.xml',
        target_name: 'calculation',
        target_path: '/run/0/calculation/3',
        source_name: 'calculations_ref',
        source_path: 'run.calculation.calculations_ref',
        source_quantity: 'runschema.calculation.BaseCalculation.calculations_ref'
      },
      expect.objectContaining({ target_upload_id: 'u9', source_name: 'calculation_result_ref' })
    ])
  })

  test('is found by the words of its names and persons', () => {
    expect(document.text_search_contents).toEqual(
      expect.arrayContaining(['TiO2 VASP DFT SinglePoint simulation', 'dft', 'Ada Moss', 'Mei-lin Zhou'])
    )
  })
})

describe('current values', () => {
  test('win over those of the time of processing', () => {
    const archive = {
      metadata: {
        published: false,
        with_embargo: false,
        comment: 'old',
        references: ['old'],
        process_status: 'READY'
      }
    }
    const changes = {
      upload: { publish_time: '2021-01-01T00:00:00.000Z', embargo_length: 3 },
      entry: { references: ['new'] }
    }
    const document = documentOf(archive, changes)
    expect(document).toMatchObject({
      published: true,
      with_embargo: true,
      references: ['new'],
      process_status: 'SUCCESS',
      processed: true
    })
    expect(document).not.toHaveProperty('comment')
  })

  test('say who may read and write', () => {
    const ids = (list: { user_id: string }[]) => list.map(person => person.user_id)
    const document = documentOf(undefined)
    expect(ids(document.writers)).toEqual(['p1', 'p2'])
    expect(document.writer_groups).toEqual(['g1'])
    expect(document.viewers).toEqual([
      { user_id: 'p1', name: 'Ada Moss' },
      { user_id: 'p2', name: 'Mei-lin Zhou' },
      { user_id: 'p3' }
    ])
    expect(document.viewer_groups).toEqual(['g1', 'g2'])
  })

  test('say where an entry is from', () => {
    expect(documentOf(undefined).origin).toBe('Ada Moss')
    expect(documentOf(undefined, { upload: { external_db: 'OQMD' } }).origin).toBe('OQMD')
  })

  test.each([
    [{ entry: { entry_coauthors: ['p3'] } }, ['p1', 'p2', 'p3']],
    [{ entry: { entry_coauthors: ['p3'] }, upload: { external_db: 'EELS Data Base' } }, ['p3']],
    [{ upload: { external_db: 'EELS Data Base' } }, ['p1', 'p2']]
  ])('name the authors: %j', (changes, expected) => {
    const { authors } = documentOf(undefined, changes)
    expect(authors.map((person: { user_id: string }) => person.user_id)).toEqual(expected)
  })
})

test('values that a field cannot hold are left out', () => {
  const metadata = {
    quantities: [],
    sections: [],
    section_defs: [],
    n_quantities: 2 ** 31,
    nomad_version: 7,
    files: ['a', {}]
  }
  const results = {
    properties: { n_calculations: 1.5, electronic: { band_gap: [{ value: '1', index: 0 }] } }
  }
  const document = documentOf({ metadata, results })
  expect(document).not.toHaveProperty('n_quantities')
  expect(document).toMatchObject({ nomad_version: '7', files: ['a'] })
  expect(document.results.properties).toEqual({
    available_properties: [],
    electronic: { band_gap: [{ index: 0 }] }
  })
})

test.each([
  ['2024-06-25T19:45:00+00:00', '2024-06-25T19:45:00.000Z'],
  ['2024-06-25T19:45:00.123456', '2024-06-25T19:45:00.123Z'],
  ['2024-06-25 19:45', '2024-06-25T19:45:00.000Z'],
  ['2024-06-25T19:45:00+0200', '2024-06-25T17:45:00.000Z'],
  ['2024-06-25', '2024-06-25T00:00:00.000Z'],
  ['2024-13-25', undefined],
  ['7', undefined],
  ['yesterday', undefined],
  [7, undefined]
])('the time %j is %j', (text, expected) => {
  expect(utcTime(text)).toBe(expected)
})

test('available properties are sections that hold something, and the band gap of a band structure', () => {
  const definition = registry.section('nomad.datamodel.results.Properties')!
  const properties = {
    electronic: { band_structure_electronic: [{ band_gap: [{}] }], band_gap: [{}] },
    structures: { structure_original: {} },
    geometry_optimization: {},
    mechanical: { bulk_modulus: [] },
    n_calculations: 3
  }
  expect(availableProperties(properties, definition)).toEqual([
    'band_structure_electronic',
    'electronic.band_structure_electronic.band_gap',
    'geometry_optimization'
  ])
})

test('texts are distinct and cut by characters', () => {
  const long = '😀'.repeat(600)
  expect(
    textContents({ entry_name: 'a', comment: 'a', datasets: [{ dataset_name: 'd', doi: 'x' }] }, [long])
  ).toEqual(['a', 'd', 'x', '😀'.repeat(500)])
})

test('no archive, however odd, makes it throw', () => {
  const names = [
    'metadata',
    'results',
    'data',
    'run',
    'm_def',
    'definitions',
    'properties',
    'material',
    'elements',
    'optimade',
    'section_defs',
    'electronic',
    'topology',
    'workflow2',
    'tasks',
    'inputs',
    'section',
    'elements_ratios'
  ]
  const { archive } = fc.letrec(tie => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom<unknown>(
        null,
        true,
        1,
        -1.5,
        '',
        'nomad.datamodel.results.Results',
        '#/definitions/section_definitions/0',
        '../upload/archive/e2#/data'
      ),
      fc.array(tie('value'), { maxLength: 3 }),
      tie('archive')
    ),
    archive: fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 6 })
  }))
  fc.assert(
    fc.property(archive as fc.Arbitrary<JsonObject>, value => {
      expect(documentOf(value).entry_id).toBe('e1')
    }),
    { numRuns: 500 }
  )
})
