import { describe, expect, test } from 'vitest'
import { builtInDefinitions } from '../../src/archive/definition-registry.ts'
import type { JsonObject } from '../../src/archive/definitions.ts'
import { summariseArchive } from '../../src/processing/archive-summary.ts'
import { corpusArchives, corpusJson } from '../archive/corpus.ts'

const registry = builtInDefinitions()
registry.add(corpusJson('metainfo/packages.json').packages)
const archives = [...corpusArchives()]
const byId = new Map(archives.map(entry => [entry.entryId, entry]))

function summaryOf({ archive, entryId, uploadId }: (typeof archives)[number]) {
  const definitions = archive.definitions as JsonObject
  const scope = registry.scope(
    { entryId, uploadId, definitions },
    id => byId.get(id)?.archive.definitions as JsonObject
  )
  return summariseArchive(archive, registry.root, scope, { entryId, uploadId }, id => byId.get(id)?.mainfile)
}

// biome-ignore lint/suspicious/noExplicitAny: metadata of archives as it is
const metadataOf = ({ archive }: (typeof archives)[number]) => archive.metadata as any

/** As text with members in order, times as instants, to be compared as sets. */
function lines(list: readonly object[] = []): string[] {
  return list
    .map(item =>
      JSON.stringify(item, (key, value) => {
        if (key === 'datetime_value') return new Date(value).toISOString()
        if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
        return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      })
    )
    .sort()
}

describe('what an archive tells about itself is what the reference wrote into its metadata:', () => {
  const withSchema = archives.filter(({ archive }) => archive.definitions)
  const withoutSchema = archives.filter(({ archive }) => !archive.definitions)

  // References into other entries are kept as sections of the metadata, which tells about the processing. A class that
  // is in use and also the base of another one stands twice in the reference's list, and some in `sections` too. Of
  // classes with empty sections only, the reference left out some.
  const EMPTY =
    /^(?:runschema\.(?:method\.(?:K?Mesh)|calculation\.(?:Base)?Calculation|system\.System)|simulationworkflowschema\.molecular_dynamics\.FreeEnergyCalculationParameters|nomad\.datamodel\.metainfo\.workflow\.(?:Workflow|Task))$/
  test.each(archives)('section classes of $mainfile', entry => {
    const { sections, section_defs } = summaryOf(entry)
    const { sections: expected, section_defs: expectedDefs } = metadataOf(entry)
    const isContent = (name: string) =>
      name !== 'nomad.datamodel.datamodel.EntryArchiveReference' &&
      (expected.includes(name) || !EMPTY.test(name))
    expect(sections.filter(isContent)).toEqual([...new Set<string>(expected)].filter(isContent))
    const uses = (list: readonly { definition_qualified_name: string; used_directly: boolean }[]) =>
      Object.fromEntries(
        list
          .filter(use => isContent(use.definition_qualified_name))
          .sort((a, b) => Number(a.used_directly) - Number(b.used_directly))
          .map(use => [use.definition_qualified_name, use.used_directly])
      )
    expect(uses(section_defs)).toEqual(uses(expectedDefs))
  })

  test.each(archives)('values of custom schemas of $mainfile', entry => {
    expect(lines(summaryOf(entry).search_quantities)).toEqual(lines(metadataOf(entry).search_quantities))
  })

  // Definitions count more in the reference: each has a member `more` there, which is not part of the archive.
  test.each(withoutSchema)('number of quantities of $mainfile', entry => {
    expect(summaryOf(entry).n_quantities).toBe(metadataOf(entry).n_quantities)
  })

  // Paths below `metadata` tell about the processing; of links, the reference leaves some out that are there.
  const LINKS = /^workflow2\.(?:inputs|outputs|tasks\.outputs)\.|^run\.calculation\.band_gap\.provenance\./
  const MORE = /^definitions.*\.more$/
  test.each(archives)('paths of $mainfile', entry => {
    const content = (paths: readonly string[]) =>
      paths.filter(path => !path.startsWith('metadata') && !LINKS.test(path) && !MORE.test(path))
    const { quantities } = summaryOf(entry)
    expect(content(quantities)).toEqual(content(metadataOf(entry).quantities))
    expect(
      metadataOf(entry).quantities.filter((path: string) => LINKS.test(path) && !quantities.includes(path))
    ).toEqual([])
  })

  test.each(withSchema)('schemas in $mainfile by their ids', entry => {
    const own = (list: readonly { definition_qualified_name: string; definition_id?: string }[]) =>
      Object.fromEntries(
        list
          .filter(use => use.definition_qualified_name.startsWith(`entry_id:${entry.entryId}.`))
          .map(use => [use.definition_qualified_name, use.definition_id])
      )
    expect(own(summaryOf(entry).section_defs)).toEqual(own(metadataOf(entry).section_defs))
  })

  // The reference wrote some paths of targets before it replaced negative indices and names in the archive.
  const REWRITTEN = new Set([
    'reaction.archive.yaml',
    'data-and-package.archive.yaml',
    'sameUploadExtendedSections.schema.archive.yaml'
  ])
  test.each(archives)('references into other entries of $mainfile', entry => {
    const { entry_references: found } = summaryOf(entry)
    const { entry_references: expected = [] } = metadataOf(entry)
    expect(found).toHaveLength(expected.length)
    if (!REWRITTEN.has(entry.mainfile)) expect(lines(found)).toEqual(lines(expected))
  })
})
