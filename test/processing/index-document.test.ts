import { describe, expect, test } from 'vitest'
import { builtInDefinitions } from '../../src/archive/definition-registry.ts'
import type { JsonObject } from '../../src/archive/definitions.ts'
import { datasetOf, entryOf, uploadOf, userOf } from '../../src/processing/corpus-records.ts'
import { type IndexInput, indexDocument } from '../../src/processing/index-document.ts'
import { entryQuantities } from '../../src/query/quantities.ts'
import { corpusJson, inCorpus } from '../archive/corpus.ts'

const registry = builtInDefinitions()
registry.add(corpusJson('metainfo/packages.json').packages)
const quantities = entryQuantities()
const persons = new Map(
  corpusJson('users.json')
    .map(userOf)
    .map((u: { user_id: string }) => [u.user_id, u])
)
const datasets = new Map(
  corpusJson('datasets.json')
    .map(datasetOf)
    .map((d: { dataset_id: string }) => [d.dataset_id, d])
)

const cases: { mainfile: string; input: IndexInput; expected: JsonObject }[] = []
const archives = new Map<string, JsonObject>()
const mainfiles = new Map<string, string>()
for (const record of corpusJson('uploads.json')) {
  const upload = uploadOf(record)
  for (const entryRecord of record.entries) {
    const entry = entryOf(entryRecord, upload.upload_id, [])
    const folder = `uploads/${upload.upload_id}`
    const archivePath = `${folder}/archive/${entry.entry_id}.json`
    const archive: JsonObject | undefined = inCorpus(archivePath) ? corpusJson(archivePath) : undefined
    if (archive) archives.set(entry.entry_id, archive)
    mainfiles.set(entry.entry_id, entry.mainfile)
    const input = {
      entry,
      upload,
      ...(archive ? { archive } : {}),
      persons,
      datasets,
      quantities,
      definitions: registry.scope(
        {
          entryId: entry.entry_id,
          uploadId: upload.upload_id,
          definitions: archive?.definitions as JsonObject
        },
        id => archives.get(id)?.definitions as JsonObject
      ),
      mainfileOf: (id: string) => mainfiles.get(id)
    } as IndexInput
    const expected = corpusJson(`${folder}/index/${entry.entry_id}.json`)
    cases.push({ mainfile: `${entry.mainfile} ${entry.mainfile_key ?? ''}`, input, expected })
  }
}

const SETS = new Set([
  'viewers',
  'writers',
  'viewer_groups',
  'writer_groups',
  'quantities',
  'sections',
  'section_defs',
  'search_quantities',
  'text_search_contents'
])
const TIME = /^\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?$/

/** Members in order, times as instants, numbers with nine digits, hidden members left out, sets sorted. */
function normal(value: unknown, name = ''): unknown {
  if (typeof value === 'number') return Number(value.toPrecision(9))
  if (typeof value === 'string') {
    return TIME.test(value)
      ? new Date(
          /T.*(?:Z|[+-]\d\d:\d\d)$/.test(value) || !value.includes('T') ? value : `${value}Z`
        ).toISOString()
      : value
  }
  if (Array.isArray(value)) {
    const items = value.map(item => normal(item))
    return SETS.has(name) ? items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : items
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !key.endsWith('__suggestion') && key !== 'm_annotations')
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, normal(item, key)])
  )
}

/** Where Serai differs on purpose. Each gives the expected document as Serai has it. */
const EXCEPTIONS: Record<string, (expected: JsonObject, input: IndexInput) => JsonObject> = {
  // Spec README, decision 14: a list of objects. The reference has a list of lists, the same list for each element.
  'optimade.elements_ratios is a flat list': expected => {
    const optimade = expected.optimade as JsonObject | undefined
    if (!optimade) return expected
    return {
      ...expected,
      optimade: { ...optimade, elements_ratios: (optimade.elements_ratios as unknown[])[0] }
    }
  },
  // Editing the datasets of an unpublished entry sets the number to 0 in the reference's index, until it is published.
  'n_quantities survives an edit': (expected, { archive }) =>
    archive && expected.n_quantities === 0
      ? { ...expected, n_quantities: (archive.metadata as JsonObject).n_quantities }
      : expected,
  // The version that failed to process the entry is not among the data that can be imported.
  'entries without archive have no version': (expected, { archive }) => {
    if (archive) return expected
    const { nomad_version, nomad_commit, nomad_distro_commit_url, ...rest } = expected
    return rest
  }
}

describe('the index document', () => {
  test('is built for all entries of the example data', () => {
    expect(cases).toHaveLength(117)
  })

  test.each(cases)('of $mainfile is that of the reference', ({ input, expected }) => {
    const agreed = Object.values(EXCEPTIONS).reduce((document, except) => except(document, input), expected)
    expect(normal(indexDocument(input))).toEqual(normal(agreed))
  })

  test.each(Object.entries(EXCEPTIONS))('needs the exception: %s', (_name, except) => {
    const used = cases.filter(
      ({ expected, input }) => JSON.stringify(except(expected, input)) !== JSON.stringify(expected)
    )
    expect(used.length).toBeGreaterThan(0)
  })
})
