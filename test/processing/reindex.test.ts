import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { importCorpus } from '../../src/processing/corpus-import.ts'
import { reindex } from '../../src/processing/reindex.ts'
import { ALL } from '../../src/query/tree.ts'
import { openServices } from '../../src/services.ts'
import { openTestServices, profiles, type TestServices } from '../app.ts'

describe.each(profiles())('indexing anew, %s profile', profile => {
  let services: TestServices

  beforeEach(async () => {
    services = await openTestServices(profile)
    for (const folder of ['corpus', 'guide']) {
      await importCorpus(join(import.meta.dirname, '../../fixtures', folder), services)
    }
  }, 120_000)

  afterEach(() => services.close())

  const all = async () => {
    const { hits } = await services.index.search({ query: ALL, order: 'asc', size: 1000 })
    return new Map(hits.map(hit => [hit.entryId, hit.document]))
  }

  test('makes the same documents as the import, and leaves out what is gone', async () => {
    const imported = await all()
    const [first, second, third] = [...imported.keys()] as [string, string, string]
    await services.index.remove([first])
    await services.index.put([
      { entry_id: second, n_quantities: 1 },
      { entry_id: 'gone', n_quantities: 1 }
    ])
    expect(third).toBeDefined()
    const told: number[] = []
    const report = await reindex(services, ({ done }) => told.push(done))
    expect(report).toEqual({ entries: imported.size, removed: 1, problems: [] })
    expect(told.at(-1)).toBe(imported.size)
    expect(await all()).toEqual(imported)
  }, 120_000)

  test('finds everything all the time, also while another process writes', async () => {
    const before = await all()
    const other = await openServices(services.config)
    const ids = [...before.keys()]
    let done = false
    let writes = 0
    const others = (async () => {
      while (!done) {
        const entryId = ids[writes % ids.length] as string
        const written = { ...before.get(entryId), entry_id: entryId, comment: 'by another process' }
        await other.index.put([written])
        before.set(entryId, written)
        writes++
        expect(await other.index.count(ALL)).toBe(before.size)
      }
    })()
    try {
      const { problems } = await reindex(services)
      expect(problems).toEqual([])
    } finally {
      done = true
      await others
      await other.close()
    }
    expect(writes).toBeGreaterThan(0)
    expect(await services.index.count(ALL)).toBe(before.size)
  }, 120_000)
})
