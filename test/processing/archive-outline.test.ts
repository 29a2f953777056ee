import { describe, expect, test } from 'vitest'
import { builtInDefinitions } from '../../src/archive/definition-registry.ts'
import type { JsonObject } from '../../src/archive/definitions.ts'
import { jsonParts } from '../../src/archive/json-parts.ts'
import { ArchiveOutline, withoutReferenceTargets } from '../../src/processing/archive-outline.ts'
import { datasetOf, entryOf, uploadOf, userOf } from '../../src/processing/corpus-records.ts'
import { indexDocument } from '../../src/processing/index-document.ts'
import { entryQuantities } from '../../src/query/quantities.ts'
import { corpusJson, inCorpus } from '../archive/corpus.ts'

/** So few bytes wait that all archives come in parts. */
const LIMITS = { whole: 2000, waiting: 1000 }

function* inChunks(text: string): Generator<Buffer> {
  const bytes = Buffer.from(text)
  for (let i = 0; i < bytes.length; i += 1000) yield bytes.subarray(i, i + 1000)
}

async function outlineOf(archive: JsonObject, limits?: typeof LIMITS): Promise<JsonObject> {
  const outline = new ArchiveOutline()
  const parts = withoutReferenceTargets(jsonParts(inChunks(JSON.stringify(archive)), limits))
  for await (const _ of outline.watch(parts));
  return outline.archive
}

const registry = builtInDefinitions()
registry.add(corpusJson('metainfo/packages.json').packages)
const quantities = entryQuantities(registry)
const byId = <T>(records: T[], id: (record: T) => string) => new Map(records.map(r => [id(r), r] as const))
const persons = byId(corpusJson('users.json').map(userOf), (u: ReturnType<typeof userOf>) => u.user_id)
const datasets = byId(
  corpusJson('datasets.json').map(datasetOf),
  (d: ReturnType<typeof datasetOf>) => d.dataset_id
)

const { entries, ...uploadRecord } = corpusJson('uploads.json').find(
  (u: { upload_name: string }) => u.upload_name === 'Molecular dynamics runs'
)

describe('the outline of an archive', () => {
  // Without the lists in its metadata, all of the archive is looked through.
  test.each(['as it is', 'without lists in its metadata'])('gives the same index document, %s', async how => {
    let small = 0
    for (const record of entries) {
      const upload = uploadOf({ ...uploadRecord, entries: [] })
      const entry = entryOf(record, upload.upload_id, [])
      const path = `uploads/${upload.upload_id}/archive/${entry.entry_id}.json`
      if (!inCorpus(path)) continue
      const { m_ref_archives: _, ...archive } = corpusJson(path)
      if (how !== 'as it is') {
        for (const name of ['quantities', 'sections', 'section_defs']) delete archive.metadata[name]
      }
      const outline = await outlineOf(archive, LIMITS)
      const documentOf = (given: JsonObject) =>
        indexDocument({
          entry,
          upload,
          archive: given,
          persons,
          datasets,
          quantities,
          definitions: registry.scope({ entryId: entry.entry_id, uploadId: upload.upload_id })
        })
      expect(documentOf(outline)).toEqual(documentOf(archive))
      expect(documentOf(await outlineOf(archive))).toEqual(documentOf(archive))
      if (JSON.stringify(outline).length < JSON.stringify(archive).length / 5) small++
    }
    expect(small).toBeGreaterThan(0)
  })

  test('leaves out the targets of references that answers bring', async () => {
    const long = Array.from({ length: 300 }, (_, i) => ({ text: `text ${i}` }))
    const rest = { data: { steps: long }, metadata: { entry_name: 'a' } }
    for (const m_ref_archives of [
      { '../uploads/u/archive/e': { data: { long: [long, [long]] } } },
      {},
      [long]
    ]) {
      const { data, metadata } = rest
      for (const archive of [
        { m_ref_archives, data, metadata },
        { data, m_ref_archives, metadata },
        { data, metadata, m_ref_archives }
      ]) {
        expect(await outlineOf(archive, LIMITS)).toEqual(rest)
        expect(await outlineOf(archive)).toEqual(rest)
      }
    }
    expect(await outlineOf({ data: { m_ref_archives: 1 } }, LIMITS)).toEqual({ data: { m_ref_archives: 1 } })
  })
})
