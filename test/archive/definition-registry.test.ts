import { describe, expect, test } from 'vitest'
import { builtInDefinitions } from '../../src/archive/definition-registry.ts'
import type {
  DefinitionScope,
  JsonObject,
  QuantityDefinition,
  SectionDefinition,
  SubSectionDefinition
} from '../../src/archive/definitions.ts'
import { entryIdOf } from '../../src/archive/entry-id.ts'
import { corpusArchives, corpusJson } from './corpus.ts'

const registry = builtInDefinitions()
const all = builtInDefinitions()
all.add(corpusJson('metainfo/packages.json').packages)

const quantity = (section: SectionDefinition | undefined, name: string) =>
  section?.property(name) as QuantityDefinition | undefined
const subSection = (section: SectionDefinition | undefined, name: string) =>
  section?.property(name) as SubSectionDefinition | undefined

describe('built-in definitions', () => {
  test('describe a whole archive', () => {
    expect(registry.root.name).toBe('nomad.datamodel.datamodel.EntryArchive')
    expect(subSection(registry.root, 'run')).toMatchObject({ kind: 'sub_section', repeats: true })
    expect(subSection(registry.root, 'results')?.section()?.name).toBe('nomad.datamodel.results.Results')
    expect(registry.root.property('nothing')).toBeUndefined()
  })

  test.each([
    ['nomad.datamodel.results.Results', 'nomad.datamodel.results.Results'],
    [`nomad.datamodel.results.Results@${'a1'.repeat(20)}`, 'nomad.datamodel.results.Results'],
    ['nomad.datamodel.EntryArchive', 'nomad.datamodel.datamodel.EntryArchive'],
    ['nomad.datamodel.EntryData', 'nomad.datamodel.data.EntryData'],
    ['nomad.datamodel.metainfo.basesections.Entity', 'nomad.datamodel.metainfo.basesections.v1.Entity'],
    [
      'nomad.datamodel.metainfo.measurements.Spectrum.SpectrumChannel',
      'nomad.datamodel.metainfo.measurements.Spectrum.SpectrumChannel'
    ]
  ])('%s is found', (reference, name) => {
    expect(registry.section(reference)?.name).toBe(name)
  })

  test.each(['', '.', 'Results', 'some.plugin.Section', 'nomad.datamodel.results', '#/', '@'])(
    '%j is unknown, which is no error',
    reference => {
      expect(registry.section(reference)).toBeUndefined()
      expect(registry.scope({ entryId: 'e', uploadId: 'u' }).section(reference)).toBeUndefined()
    }
  )

  test('inherit the properties of their bases', () => {
    const md = registry.section('simulationworkflowschema.molecular_dynamics.MolecularDynamics')
    expect(md?.lineage().map(section => section.name)).toContain('nomad.datamodel.metainfo.workflow.Workflow')
    expect(md?.lineage()[0]).toBe(md)
    expect(quantity(md, 'name')?.valueKind).toBe('string')
    expect(subSection(md, 'inputs')?.qualifiedName).toBe('nomad.datamodel.metainfo.workflow.Task.inputs')
  })

  test('say what a quantity holds and where a reference leads', () => {
    const material = registry.section('nomad.datamodel.results.Material')
    expect(quantity(material, 'elements')).toMatchObject({ valueKind: 'enum', scalar: false })
    expect(quantity(material, 'material_id')).toMatchObject({ valueKind: 'string', scalar: true })
    const calculation = registry.section('runschema.calculation.Calculation')
    expect(quantity(calculation, 'system_ref')).toMatchObject({ reference: 'section', scalar: true })
    expect(quantity(calculation, 'system_ref')?.target()?.name).toBe('runschema.system.System')
    const dos = quantity(registry.section('nomad.datamodel.results.DOS'), 'energies')
    expect(dos).toMatchObject({ reference: 'quantity' })
    expect(dos?.target()?.name).toBe('runschema.calculation.Dos')
    const metadata = registry.section('nomad.datamodel.datamodel.EntryMetadata')
    for (const name of ['main_author', 'reviewers', 'datasets']) {
      expect(quantity(metadata, name)).toMatchObject({ reference: 'person' })
    }
    expect(quantity(metadata, 'last_processing_time')).toMatchObject({ valueKind: 'datetime' })
  })
})

describe('added packages', () => {
  test('extend sections of other packages', () => {
    const run = () => subSection(all.root, 'run')?.section()
    expect(run()?.property('x_abinit_start_date')).toMatchObject({ kind: 'quantity' })
    expect(subSection(registry.root, 'run')?.section()?.property('x_abinit_start_date')).toBeUndefined()
  })

  test('may share bases: each section stands before its own bases, and wins over them', () => {
    const own = builtInDefinitions()
    const section = (name: string, bases: string[], quantities: object[] = []) => ({
      name,
      base_sections: bases.map(base => `d.${base}`),
      quantities
    })
    const text = { name: 'q', type: 'str' }
    const number = { name: 'q', type: 'int' }
    own.add([
      {
        name: 'd',
        section_definitions: [
          section('A', ['B', 'C']),
          section('B', ['D']),
          section('C', ['D'], [text]),
          section('D', [], [number])
        ]
      }
    ])
    const a = own.section('d.A')
    expect(a?.lineage().map(({ name }) => name)).toEqual(['d.A', 'd.B', 'd.C', 'd.D'])
    expect(quantity(a, 'q')?.valueKind).toBe('string')
  })

  test('replace packages of the same name', () => {
    const own = builtInDefinitions()
    own.add([{ name: 'my.schema', section_definitions: [{ name: 'A' }] }])
    expect(own.section('my.schema.A')?.name).toBe('my.schema.A')
    own.add([{ name: 'my.schema', section_definitions: [{ name: 'B', base_sections: ['my.schema.B'] }] }])
    expect(own.section('my.schema.A')).toBeUndefined()
    expect(own.section('my.schema.B')?.lineage()).toHaveLength(1)
  })
})

describe('the scope of an archive', () => {
  const definitions: JsonObject = {
    section_definitions: [
      {
        name: 'Step',
        definition_id: 'b'.repeat(40),
        base_sections: ['nomad.datamodel.data.ArchiveSection'],
        quantities: [
          { name: 'temperature', type: { type_kind: 'numpy', type_data: 'float64' } },
          { name: 'previous', type: 'Step' },
          { name: 'label', type: 'string', shape: ['*'] }
        ]
      },
      {
        name: 'Process',
        base_sections: ['nomad.datamodel.EntryData', '/section_definitions/0'],
        sub_sections: [
          { name: 'steps', sub_section: 'Step', repeats: true },
          { name: 'inner', sub_section: 'Details' }
        ],
        inner_section_definitions: [
          { name: 'Details', sub_sections: [{ name: 'up', sub_section: 'Process' }] }
        ]
      }
    ]
  }
  const other: JsonObject = {
    section_definitions: [
      {
        name: 'Special',
        base_sections: ['../upload/raw/schema.archive.yaml#/definitions/section_definitions/1']
      }
    ]
  }
  const uploadId = 'upload-a'
  const entryId = entryIdOf(uploadId, 'schema.archive.yaml')
  const otherId = entryIdOf('upload-b', 'other.archive.yaml')
  const asked: string[] = []
  const lookup = (id: string) => {
    asked.push(id)
    return id === entryId ? definitions : id === otherId ? other : undefined
  }
  const own = registry.scope({ entryId, uploadId, definitions })
  const fromData = registry.scope({ entryId: 'data-entry', uploadId }, lookup)

  test.each([
    ['#/definitions/section_definitions/1', own],
    ['/definitions/section_definitions/1', own],
    ['/section_definitions/1', own],
    ['Process', own],
    [`entry_id:${entryId}.Process`, fromData],
    [`../upload/archive/${entryId}#/definitions/section_definitions/1`, fromData],
    [`../uploads/${uploadId}/archive/${entryId}#definitions/section_definitions/1`, fromData],
    ['../upload/raw/schema.archive.yaml#/definitions/section_definitions/1', fromData],
    [
      `../uploads/${uploadId}/raw/schema.archive.yaml#/definitions/section_definitions/1@${'0f'.repeat(20)}`,
      fromData
    ],
    ['../upload/archive/mainfile/schema.archive.yaml#/definitions/section_definitions/1', fromData],
    [`../entries/${entryId}/archive#/definitions/section_definitions/1`, fromData]
  ] as [string, DefinitionScope][])('%s leads to the schema', (reference, scope) => {
    const section = scope.section(reference)
    expect(section?.name).toBe(`entry_id:${entryId}.Process`)
    expect(subSection(section, 'steps')?.section()?.id).toBe('b'.repeat(40))
    expect(quantity(section, 'temperature')).toMatchObject({ valueKind: 'float', scalar: true })
    expect(quantity(section, 'previous')?.target()?.name).toBe(`entry_id:${entryId}.Step`)
    expect(quantity(section, 'label')).toMatchObject({ valueKind: 'string', scalar: false })
  })

  test('finds inner sections by path and by the names around them', () => {
    const path = '#/definitions/section_definitions/1/inner_section_definitions/0'
    const details = own.section(path)
    expect(details?.name).toBe(`entry_id:${entryId}.Process.Details`)
    expect(subSection(own.section('Process'), 'inner')?.section()).toBe(details)
    expect(subSection(details, 'up')?.section()).toBe(own.section('Process'))
  })

  test('reads URLs of another schema from the upload it stands in', () => {
    const section = registry
      .scope({ entryId: 'x', uploadId: 'upload-c' }, id =>
        id === entryIdOf('upload-b', 'schema.archive.yaml') ? definitions : lookup(id)
      )
      .section('../uploads/upload-b/raw/other.archive.yaml#/definitions/section_definitions/0')
    expect(section?.property('steps')).toBeDefined()
  })

  test.each([
    '#/definitions/section_definitions/7',
    '#/definitions/section_definitions/x',
    '#/definitions/quantities/0',
    'entry_id:unknown.Process',
    'entry_id:unknown',
    `https://example.org/uploads/${uploadId}/archive/${entryId}#/definitions/section_definitions/1`,
    `../upload/archive/${entryId}?x=1#/definitions/section_definitions/1`,
    `../upload/archive/${entryId}`
  ])('%s is unknown', reference => {
    expect(own.section(reference)).toBeUndefined()
    expect(fromData.section(reference)).toBeUndefined()
  })

  test('asks for a schema once', () => {
    asked.length = 0
    const scope = registry.scope({ entryId: 'x', uploadId }, lookup)
    for (let i = 0; i < 3; i++) scope.section(`entry_id:${entryId}.Process`)
    expect(asked).toEqual([entryId])
  })
})

test('every member of every archive of the example data is defined', () => {
  const archives = [...corpusArchives()]
  const schemas = new Map(
    archives.map(({ entryId, archive }) => [entryId, archive.definitions as JsonObject])
  )
  const unknown = new Set<string>()

  const visit = (
    node: unknown,
    definition: SectionDefinition | undefined,
    scope: DefinitionScope,
    path: string
  ) => {
    const object = node as JsonObject
    const section = typeof object.m_def === 'string' ? scope.section(object.m_def) : definition
    if (!section) unknown.add(`${path}: ${object.m_def}`)
    for (const [name, value] of Object.entries(object)) {
      if (/^m_|^definition_id$/.test(name)) continue
      const property = section?.property(name)
      if (!property) unknown.add(`${path}.${name}`)
      if (property?.kind !== 'sub_section') continue
      for (const item of Array.isArray(value) ? value : [value]) {
        if (item !== null) visit(item, property.section(), scope, `${path}.${name}`)
      }
    }
  }
  for (const { entryId, uploadId, archive } of archives) {
    const scope = all.scope({ entryId, uploadId, definitions: archive.definitions as JsonObject }, id =>
      schemas.get(id)
    )
    visit(archive, all.root, scope, entryId)
  }
  expect(archives.length).toBe(116)
  expect([...unknown]).toEqual([])
})
