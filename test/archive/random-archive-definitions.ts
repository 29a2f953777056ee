/** The definitions of random archives, for the reader and for the naive one. */
import type { JsonObject } from '../../src/archive/definitions.ts'
import type { NaiveDefinitions } from './naive-required.ts'
import { kind, quantity, sub, text, reference as to } from './plain-definitions.ts'

const floats = kind('numpy', 'float64')

/** The definitions as the reader gets them. */
export const PACKAGES: JsonObject[] = [
  {
    name: 'test',
    section_definitions: [
      { name: 'Anything' },
      {
        name: 'System',
        quantities: [
          quantity('formula', text),
          quantity('positions', floats, ['*', '3']),
          quantity('parameters', kind('custom', 'nomad.metainfo.data_type.JSON'))
        ]
      },
      {
        name: 'Calculation',
        quantities: [
          quantity('name', text),
          quantity('energies', floats, ['*']),
          quantity('labels', text, ['*']),
          quantity('value', floats),
          quantity('author', kind('User', 'User')),
          quantity('system_ref', to('System')),
          quantity('system_refs', to('System'), ['*']),
          quantity('loop', to('Calculation')),
          quantity('e_ref', kind('quantity_reference', 'test.Calculation'))
        ]
      },
      {
        name: 'Run',
        quantities: [quantity('program', text)],
        sub_sections: [sub('system', 'test.System', true), sub('calculation', 'test.Calculation', true)]
      },
      {
        name: 'Workflow',
        quantities: [
          quantity('calc_ref', to('Calculation')),
          quantity('calc_refs', to('Calculation'), ['*']),
          quantity('anything', to('Anything'))
        ]
      },
      {
        name: 'SpecialWorkflow',
        base_sections: ['test.Workflow'],
        quantities: [quantity('special', text), quantity('result_ref', to('Calculation'))],
        sub_sections: [sub('step', 'test.Workflow')]
      }
    ]
  },
  {
    name: 'nomad.datamodel.datamodel',
    section_definitions: [
      {
        name: 'EntryArchive',
        sub_sections: [
          sub('run', 'test.Run', true),
          sub('workflow', 'test.Workflow', true),
          sub('workflow2', 'test.Workflow'),
          sub('data', 'test.Anything'),
          sub('odd', 'test.Nowhere'),
          sub('definitions', 'nomad.metainfo.metainfo.Package')
        ]
      }
    ]
  }
]

/** The schema in the archive of every entry. */
export const SCHEMA = {
  name: 'mine',
  section_definitions: [
    { name: 'Mine', quantities: [quantity('note', text), quantity('of', to('Calculation'))] }
  ]
}

const plain = { kind: 'plain' } as const
const section = (name: string) => ({ kind: 'section', section: name }) as const
const reference = (name: string) => ({ kind: 'reference', section: name }) as const
const workflow = {
  calc_ref: reference('test.Calculation'),
  calc_refs: reference('test.Calculation'),
  anything: reference('test.Anything')
}
/** The definitions as the naive reader gets them. */
export const DEFINITIONS: NaiveDefinitions = {
  EntryArchive: {
    run: section('test.Run'),
    workflow: section('test.Workflow'),
    workflow2: section('test.Workflow'),
    data: section('test.Anything'),
    odd: section('test.Nowhere'),
    definitions: { kind: 'package' }
  },
  'test.Anything': {},
  'test.System': { formula: plain, positions: plain, parameters: { kind: 'json' } },
  'test.Calculation': {
    name: plain,
    energies: plain,
    labels: plain,
    value: plain,
    author: { kind: 'person' },
    system_ref: reference('test.System'),
    system_refs: reference('test.System'),
    loop: reference('test.Calculation'),
    e_ref: { kind: 'quantity reference' }
  },
  'test.Run': { program: plain, system: section('test.System'), calculation: section('test.Calculation') },
  'test.Workflow': workflow,
  'test.SpecialWorkflow': {
    ...workflow,
    special: plain,
    result_ref: reference('test.Calculation'),
    step: section('test.Workflow')
  }
}

/** What the naive reader knows of the section in {@link SCHEMA}. */
export const MINE = { note: plain, of: reference('test.Calculation') }
