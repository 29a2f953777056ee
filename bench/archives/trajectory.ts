/**
 * A large archive as a long molecular dynamics run gives: steps with positions, velocities and forces of every atom, the
 * energies of every step, and the small sections about the whole (metadata, results, workflow) around them.
 */
import { entryIdOf } from '../../src/archive/entry-id.ts'

/** Id of the upload. */
export const UPLOAD = 'benchLargeArchive00001'
/** Path of its only mainfile. */
export const MAINFILE = 'md/trajectory.traj'
/** Id of its only entry. */
export const ENTRY = entryIdOf(UPLOAD, MAINFILE)

/** Content of the mainfile. */
export const RAW = 'a trajectory\n'

/** Atoms of the simulated cell. */
const ATOMS = 200
/** Bytes of a step in the archive, about; what of it is positions, velocities and forces is 600 numbers each. */
export const STEP_BYTES = 36_600

const AUTHOR = { user_id: 'bench-author', username: 'bench', first_name: 'Bea', last_name: 'Nchmark' }

const SECTIONS = {
  metadata: {
    upload_id: UPLOAD,
    entry_id: ENTRY,
    entry_name: 'Au54Cu146 ASE molecular dynamics simulation',
    entry_type: 'ASE MolecularDynamics',
    mainfile: MAINFILE,
    parser_name: 'parsers/ase',
    domain: 'dft',
    quantities: ['', 'run', 'run.system', 'run.calculation', 'results', 'metadata', 'workflow2'],
    sections: ['nomad.datamodel.datamodel.EntryArchive'],
    section_defs: [
      { definition_qualified_name: 'nomad.datamodel.datamodel.EntryArchive', used_directly: true }
    ]
  },
  results: {
    material: { elements: ['Au', 'Cu'], n_elements: 2, chemical_formula_hill: 'Au54Cu146' },
    method: { method_name: 'ForceField', simulation: { program_name: 'ASE' } },
    properties: {}
  }
} as const

/** Numbers that look random and are the same every time. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed || 1; ; ) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    yield (state >>> 0) / 2 ** 32
  }
}

function vectors(seed: number, scale: number): number[][] {
  const next = numbers(seed)
  const number = () => (next.next().value - 0.5) * scale
  return Array.from({ length: ATOMS }, () => [number(), number(), number()])
}

const labels = Array.from({ length: ATOMS }, (_, i) => (i % 4 === 0 ? 'Au' : 'Cu'))

function system(i: number): unknown {
  return {
    atoms: {
      ...(i === 0 ? { labels } : {}),
      lattice_vectors: [
        [1.5e-9, 0, 0],
        [0, 1.5e-9, 0],
        [0, 0, 1.5e-9]
      ],
      positions: vectors(3 * i + 1, 1.5e-9),
      velocities: vectors(3 * i + 2, 900)
    }
  }
}

function calculation(i: number): unknown {
  const [energy] = numbers(7 * i + 5)
  return {
    system_ref: `/run/0/system/${i}`,
    energy: { total: { value: -4.9e-18 + energy! * 1e-20 }, kinetic: { value: energy! * 1e-20 } },
    forces: { total: { value: vectors(3 * i + 3, 1e-10) } },
    temperature: 300 + energy!,
    step: i
  }
}

/**
 * The archive as JSON text, part by part.
 * @param steps of the run; an archive has about `STEP_BYTES` times as many bytes
 */
export function* trajectory(steps: number): Generator<string> {
  const { metadata, results } = SECTIONS
  yield `{"run":[{"program":{"name":"ASE","version":"3.29.0"},"system":[`
  for (let i = 0; i < steps; i++) yield (i > 0 ? ',' : '') + JSON.stringify(system(i))
  yield '],"calculation":['
  for (let i = 0; i < steps; i++) yield (i > 0 ? ',' : '') + JSON.stringify(calculation(i))
  yield ']}],"workflow2":'
  yield JSON.stringify({
    m_def: 'simulationworkflowschema.molecular_dynamics.MolecularDynamics',
    results: { n_steps: steps, calculation_result_ref: `/run/0/calculation/${steps - 1}` }
  })
  yield `,"metadata":${JSON.stringify(metadata)},"results":${JSON.stringify(results)}}`
}

/** What the folder of the upload needs beside the archive. */
export function descriptions(): Readonly<Record<string, unknown>> {
  return {
    'users.json': [AUTHOR],
    'uploads.json': [
      {
        upload_id: UPLOAD,
        upload_name: 'A long run',
        upload_create_time: '2026-01-01T00:00:00Z',
        main_author: AUTHOR.user_id,
        publish_time: '2026-01-02T00:00:00Z',
        entries: [
          {
            entry_id: ENTRY,
            mainfile: MAINFILE,
            parser_name: 'parsers/ase',
            process_status: 'SUCCESS',
            entry_create_time: '2026-01-01T00:00:01Z',
            has_archive: true
          }
        ],
        raw_files: [{ path: MAINFILE, size: RAW.length }]
      }
    ]
  }
}
