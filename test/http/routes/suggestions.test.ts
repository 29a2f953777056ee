import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SUGGESTION_INPUT_MAX } from '../../../src/query/suggestion.ts'
import { profiles } from '../../app.ts'
import { type CorpusApp, openCorpusApp } from '../../corpus-app.ts'

/** Owner of the unpublished upload "Schema playground". */
const OWNER = 'a45e7d90-61c2-4b8f-9f3e-c1b2d3e4f504'
const ADMIN = '0d3c6f52-9b8e-4c7a-9a55-2f6f1d0a7b01'

describe.each(profiles())('suggestions, %s', profile => {
  let corpus: CorpusApp

  beforeAll(async () => {
    corpus = await openCorpusApp(profile, { folders: ['corpus'] })
  })
  afterAll(() => corpus?.close())

  const ask = (payload: unknown, as?: string) =>
    corpus.ask({ method: 'POST', url: '/api/v1/suggestions', payload: payload as object }, as)
  const values = async (name: string, input: string, as?: string, size = 50) => {
    const response = await ask({ quantities: [{ name, size }], input }, as)
    expect(response.statusCode, response.body).toBe(200)
    return (response.json<Record<string, { value: string; weight: number }[]>>()[name] ?? []).map(
      s => s.value
    )
  }

  test('come in the order of the request, and quantities without any are left out', async () => {
    const quantities = [
      { name: 'results.material.symmetry.crystal_system' },
      { name: 'upload_name' },
      { name: 'results.material.elements', size: 1 }
    ]
    const response = await ask({ quantities, input: 'c' })
    expect(Object.keys(response.json())).toEqual(quantities.map(q => q.name))
    expect(response.json()['results.material.elements']).toEqual([{ value: 'C', weight: 1 }])
    expect((await ask({ quantities, input: 'qqq' })).json()).toEqual({})
  })

  test('are five of each quantity when nothing else is said', async () => {
    const response = await ask({ quantities: [{ name: 'mainfile' }], input: '' })
    expect(response.json().mainfile).toHaveLength(5)
  })

  test('never tell what only entries have that the caller may not see', async () => {
    expect(await values('upload_name', 'schema pl')).toEqual([])
    expect(await values('upload_name', 'schema pl', OWNER)).toEqual(['Schema playground'])
    // The administrator's way is owner=admin in searches.
    expect(await values('upload_name', 'schema pl', ADMIN)).toEqual([])
  })

  test('are values that a search with owner=visible finds', async () => {
    for (const name of ['upload_name', 'entry_name', 'authors.name', 'datasets.dataset_name', 'mainfile']) {
      for (const as of [undefined, OWNER]) {
        const found = await values(name, '', as, 10_000)
        expect(found.length, name).toBeGreaterThan(0)
        for (const value of found.slice(0, 20)) {
          const { total } = (
            await corpus.ask(
              {
                method: 'POST',
                url: '/api/v1/entries/query',
                payload: { owner: 'visible', query: { [name]: value }, pagination: { page_size: 0 } }
              },
              as
            )
          ).json<{ pagination: { total: number } }>().pagination
          expect([name, value, total > 0]).toEqual([name, value, true])
        }
      }
    }
  })

  test('complete names of persons and datasets', async () => {
    expect(await values('authors.name', 'albr')).toEqual(['Ines Albrecht'])
    expect(await values('main_author.name', 'ines')).toEqual(['Ines Albrecht'])
    expect(await values('datasets.dataset_name', 's')).not.toEqual([])
  })

  test.each([
    [{ quantities: [{ name: 'comment' }], input: 'a' }, ['quantities', 0]],
    [{ quantities: [{ name: 'upload_name' }, { name: 'nope' }], input: 'a' }, ['quantities', 1]],
    [{ quantities: [{ name: 'upload_name' }] }, ['body', 'input']],
    [{ input: 'a' }, ['body', 'quantities']],
    [{ quantities: [{ size: 3 }], input: 'a' }, ['body', 'quantities', 0, 'name']],
    [{ quantities: [{ name: 'upload_name', size: 0 }], input: 'a' }, ['body', 'quantities', 0, 'size']],
    [{ quantities: [{ name: 'upload_name', size: 100_000 }], input: 'a' }, ['body', 'quantities', 0, 'size']],
    [{ quantities: [], input: 'a'.repeat(SUGGESTION_INPUT_MAX + 1) }, ['body', 'input']],
    [{ quantities: [], input: 7 }, ['body', 'input']]
  ])('%j is refused', async (body, loc) => {
    const response = await ask(body)
    expect(response.statusCode).toBe(422)
    expect(response.json().detail[0].loc).toEqual(loc)
  })

  test('a name given twice counts once, with its last size', async () => {
    const quantities = [
      { name: 'mainfile', size: 1 },
      { name: 'mainfile', size: 2 }
    ]
    expect((await ask({ quantities, input: '' })).json().mainfile).toHaveLength(2)
  })
})
