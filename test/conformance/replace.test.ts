import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ALL } from '../../src/query/tree.ts'
import type { EntryIndex } from '../../src/search/entry-index.ts'
import { openTestServices, profiles, type TestServices } from '../app.ts'

describe.each(profiles())('replacing what nobody has changed, %s profile', profile => {
  let services: TestServices
  let index: EntryIndex

  beforeAll(async () => {
    services = await openTestServices(profile)
    index = services.index
  })

  afterAll(() => services.close())

  const IDS = ['a', 'b', 'c', 'new']
  const document = (entry_id: string, n_quantities: number) => ({ entry_id, n_quantities })
  const stored = async () => {
    const { hits } = await index.search({ query: ALL, order: 'asc', size: 10 })
    return Object.fromEntries(hits.map(hit => [hit.entryId, hit.document.n_quantities]))
  }

  beforeEach(async () => {
    await index.remove(IDS)
    await index.put(['a', 'b', 'c'].map(id => document(id, 1)))
  })

  test('replaces and adds', async () => {
    const versions = await index.versions(IDS)
    expect([...versions.keys()].sort()).toEqual(['a', 'b', 'c'])
    const documents = IDS.map(id => document(id, 2))
    expect(await index.replace(documents, versions)).toEqual([])
    expect(await stored()).toEqual({ a: 2, b: 2, c: 2, new: 2 })
  })

  test('leaves alone what was written, removed or added meanwhile', async () => {
    const versions = await index.versions(IDS)
    await index.put([document('a', 3), document('new', 3)])
    await index.remove(['b'])
    const left = await index.replace(
      IDS.map(id => document(id, 2)),
      versions
    )
    expect([...left].sort()).toEqual(['a', 'b', 'new'])
    expect(await stored()).toEqual({ a: 3, c: 2, new: 3 })
  })

  test('tells each of several at once what it left alone', async () => {
    const versions = await index.versions(IDS)
    await index.put([document('b', 3)])
    const left = await Promise.all(IDS.map(id => index.replace([document(id, 2)], versions)))
    expect(left).toEqual([[], ['b'], [], []])
    expect(await stored()).toEqual({ a: 2, b: 3, c: 2, new: 2 })
  })

  test('goes on with the versions that count then', async () => {
    await index.replace([document('a', 2)], await index.versions(['a']))
    await index.replace([document('a', 3)], await index.versions(['a']))
    expect((await stored()).a).toBe(3)
    expect(await index.versions([])).toEqual(new Map())
    expect(await index.replace([], new Map())).toEqual([])
  })

  test('an index that is renewed has the same documents, and takes new ones', async () => {
    const before = await index.search({ query: ALL, order: 'asc', size: 10 })
    await index.renew()
    expect(await index.search({ query: ALL, order: 'asc', size: 10 })).toEqual(before)
    await index.put([document('a', 5)])
    expect((await stored()).a).toBe(5)
  })
})
