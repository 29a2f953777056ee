import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { importCorpus } from '../../src/processing/corpus-import.ts'
import { reindex } from '../../src/processing/reindex.ts'
import { ALL } from '../../src/query/tree.ts'
import { openServices } from '../../src/services.ts'
import type { Entry, Upload } from '../../src/storage/documents.ts'
import { openTestServices, profiles, type TestServices } from '../app.ts'

/** An entry of the corpus. */
const ENTRY = 'Md5XkNKf02YDUcFwelslbmSlNdkj'

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

  test('takes entries of many small uploads together', async () => {
    const { documents } = services
    const entry = await documents.entry(ENTRY)
    const upload = await documents.upload(String(entry?.upload_id))
    const uploads = Array.from({ length: 250 }, (_, n) => `small-upload-number-${n}`)
    for (const upload_id of uploads) {
      await documents.putUpload({ ...(upload as Upload), upload_id, upload_name: `Upload ${upload_id}` })
      await documents.putEntries([{ ...(entry as Entry), entry_id: `entry-of-${upload_id}`, upload_id }])
    }
    const writes = vi.spyOn(services.index, 'replace')
    const imported = await services.index.count(ALL)
    const { entries, problems } = await reindex(services)
    expect({ entries, problems }).toEqual({ entries: imported + 250, problems: [] })
    expect(writes.mock.calls.length).toBeLessThan(10)
    const names = new Map([...(await all()).values()].map(d => [d.upload_id, d.upload_name]))
    for (const id of uploads) expect(names.get(id)).toBe(`Upload ${id}`)
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
