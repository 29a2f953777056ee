import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { profiles } from '../../app.ts'
import { corpusArchives, corpusJson } from '../../archive/corpus.ts'
import { type CorpusApp, openCorpusApp } from '../../corpus-app.ts'

const ELEMENT = '2e436cdbb60692a0d521c0c9343fd0da89dced90'
/** Section of a schema in an upload that is not published. */
const PRIVATE = 'fe25aad078511ad230ba541bf948daadbb9761b0'
const MEILIN = 'a45e7d90-61c2-4b8f-9f3e-c1b2d3e4f504'
const ADMIN = '0d3c6f52-9b8e-4c7a-9a55-2f6f1d0a7b01'

// biome-ignore lint/suspicious/noExplicitAny: definitions are looked into as a script would
type Json = any

/** Every `m_def_id` in an archive with its `m_def`. */
function* usedDefinitions(value: Json): Generator<{ id: string; name: string }> {
  if (typeof value !== 'object' || value === null) return
  if (typeof value.m_def_id === 'string') yield { id: value.m_def_id, name: String(value.m_def) }
  for (const inner of Object.values(value)) yield* usedDefinitions(inner)
}

function idsIn(data: Json): string[] {
  const sections = (list: Json[] = []): Json[] =>
    list.flatMap(section => [section, ...sections(section.inner_section_definitions)])
  return [data, ...sections(data.section_definitions)].map(definition => definition.definition_id)
}

describe.each(profiles())('definitions by id on %s', profile => {
  let corpus: CorpusApp

  beforeAll(async () => {
    corpus = await openCorpusApp(profile)
  })
  afterAll(() => corpus?.close())

  const get = (id: string, as?: string) => corpus.ask({ url: `/api/v1/metainfo/${id}` }, as)

  test('a schema of an upload comes as it stands in its archive', async () => {
    const { definitions } = corpusJson(
      'uploads/O4dBi2KDbQU_Q61n_3XKwl/archive/kchUNnKHrGV2_L-nShUOY8eJKmhx.json'
    )
    const response = await get(ELEMENT)
    expect([response.statusCode, response.json()]).toEqual([
      200,
      {
        entry_id: 'kchUNnKHrGV2_L-nShUOY8eJKmhx',
        upload_id: 'O4dBi2KDbQU_Q61n_3XKwl',
        snapshot_package_id: definitions.definition_id,
        snapshot_section_id: ELEMENT,
        snapshot_section_ids: [ELEMENT],
        data: definitions
      }
    ])
  })

  test('only who may see its entry gets it', async () => {
    expect((await get(PRIVATE)).statusCode).toBe(404)
    expect((await get(PRIVATE, ADMIN)).statusCode).toBe(404)
    const mine = await get(PRIVATE, MEILIN)
    expect([mine.statusCode, mine.json().snapshot_section_id]).toEqual([200, PRIVATE])
  })

  test('every definition that archives name is there for those who see the archives', async () => {
    const ids = new Map<string, string>()
    for (const { uploadId, archive } of corpusArchives()) {
      const open = corpusJson('uploads.json').find((u: Json) => u.upload_id === uploadId)
      if (!open.publish_time || open.embargo_length > 0) continue
      for (const { id, name } of usedDefinitions(archive)) ids.set(id, name)
    }
    expect(ids.size).toBeGreaterThan(50)
    for (const [id, name] of ids) {
      const response = await get(id)
      expect([id, name, response.statusCode]).toEqual([id, name, 200])
      expect(idsIn(response.json().data)).toContain(id)
    }
  })

  test('a package that all entries share has no entry', async () => {
    const response = await get('1edec8ec43c05b722826f4bd60a5a8b30a37ca1d')
    const { data, ...rest } = response.json()
    expect(rest).toEqual({
      snapshot_section_id: '1edec8ec43c05b722826f4bd60a5a8b30a37ca1d',
      snapshot_section_ids: expect.arrayContaining(['1edec8ec43c05b722826f4bd60a5a8b30a37ca1d'])
    })
    expect(data.name).toBe('simulationworkflowschema.single_point')
  })

  test.each(['xyz', 'A'.repeat(40), 'a'.repeat(41), `${'a'.repeat(39)}%20`])('%s is no id', async id => {
    const response = await get(id)
    expect(response.statusCode).toBe(422)
    expect(response.json().detail[0]).toMatchObject({
      type: 'string_pattern_mismatch',
      loc: ['path', 'definition_id']
    })
  })

  test('an unknown id', async () => {
    const response = await get('ace7b8a2'.repeat(5))
    expect([response.statusCode, response.json().detail]).toEqual([
      404,
      'Package not found. The given section definition is not contained in any packages.'
    ])
  })
})
