import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { completeUploadsOnly } from '../../src/access/complete-uploads.ts'
import { PENDING_WAIT } from '../../src/access/pending-uploads.ts'
import { failure } from '../../src/errors.ts'
import type { Quantity } from '../../src/query/quantities.ts'
import { ALL, and, type Query } from '../../src/query/tree.ts'
import { type EntryIndex, walk } from '../../src/search/entry-index.ts'
import { openTestServices, profiles, type TestServices } from '../app.ts'
import { publishedUpload } from '../upload.ts'

/** Entries by upload. */
const UPLOADS = { first: ['a', 'b', 'c'], second: ['d', 'e'], third: ['f'] } as const

describe.each(profiles())('the index without pending uploads (%s)', profile => {
  let services: TestServices

  beforeAll(async () => {
    services = await openTestServices(profile)
    await services.index.put(
      Object.entries(UPLOADS).flatMap(([upload_id, ids]) =>
        ids.map(entry_id => ({ entry_id, upload_id, mainfile: `${entry_id}.out`, domain: 'dft' }))
      )
    )
  })

  beforeEach(async () => {
    for (const id of Object.keys(UPLOADS)) await services.documents.removePendingUpload(id)
  })

  afterAll(() => services.close())

  const Q = (name: string) => services.quantities.get(name) as Quantity
  const is = (name: string, value: string): Query => ({ kind: 'terms', quantity: Q(name), values: [value] })

  /** As servers have it, anew. */
  const complete = (index: EntryIndex = services.index) =>
    completeUploadsOnly(index, services.documents, services.quantities)

  const ids = async (index: EntryIndex, query: Query = ALL) =>
    (await Array.fromAsync(walk(index, { query, order: 'asc' }))).map(hit => hit.entryId)

  test('finds, counts, aggregates and completes what is in complete uploads', async () => {
    await services.documents.addPendingUpload('first')
    await services.documents.addPendingUpload('third')
    const index = complete()
    expect(await ids(index)).toEqual(UPLOADS.second)
    expect(await ids(index, is('upload_id', 'first'))).toEqual([])
    expect(await ids(index, { kind: 'not', of: is('entry_id', 'e') })).toEqual(['d'])
    expect(await index.count(ALL)).toBe(2)
    expect(await index.count(is('entry_id', 'f'))).toBe(0)

    const domain = is('domain', 'dft')
    const everything = and(domain, is('entry_id', 'd'))
    const values = { kind: 'terms', quantity: Q('upload_id'), size: 10 } as const
    const { total, hits, aggregations } = await index.search({
      query: everything,
      order: 'asc',
      size: 10,
      aggregations: {
        found: { query: everything, aggregation: values },
        // As with `exclude_from_search`: what is counted differs from what is found.
        more: { query: domain, aggregation: values },
        all: { query: ALL, aggregation: { kind: 'statistics', metrics: [{ name: 'n', kind: 'entries' }] } }
      }
    })
    expect([total, hits.map(hit => hit.entryId)]).toEqual([1, ['d']])
    expect(aggregations).toMatchObject({
      found: { buckets: [{ value: 'second', objects: 1 }] },
      more: { buckets: [{ value: 'second', objects: 2 }] },
      all: { metrics: { n: 2 } }
    })

    const wanted = [{ quantity: Q('mainfile'), style: 'default', size: 10 }] as const
    expect(await index.suggest({ query: ALL, input: '', wanted })).toEqual([['d.out', 'e.out']])
    expect(await services.index.count(ALL)).toBe(6)
  })

  test('finds everything of an upload as soon as its document is known', async () => {
    await services.documents.addPendingUpload('third')
    const index = complete()
    expect(await index.count(ALL)).toBe(5)
    await services.documents.putUpload(publishedUpload('third'))
    await delay(PENDING_WAIT)
    expect(await index.count(ALL)).toBe(6)
  })

  test('passes on what is asked as it is while there are none', async () => {
    const asked: unknown[] = []
    const index = complete(
      new Proxy(services.index, {
        get: (_, name: keyof EntryIndex) => (request: never) => {
          asked.push(request)
          return (services.index[name] as (request: never) => unknown)(request)
        }
      })
    )
    const request = { query: is('upload_id', 'first'), order: 'asc', size: 1 } as const
    expect((await index.search(request)).total).toBe(3)
    expect(await index.count(request.query)).toBe(3)
    expect(asked[0]).toBe(request)
    expect(asked[1]).toBe(request.query)
  })

  test('a search that the engine begins late finds nothing that became pending meanwhile', async () => {
    const held = Promise.withResolvers<void>()
    const slow = new Proxy(services.index, {
      get: (_, name: keyof EntryIndex) =>
        name === 'count'
          ? async (query: Query) => {
              await held.promise
              return services.index.count(query)
            }
          : services.index[name].bind(services.index)
    })
    const count = complete(slow).count(ALL)
    await delay(100)
    await services.documents.addPendingUpload('second')
    await delay(PENDING_WAIT)
    held.resolve()
    expect(await count).toBe(4)
  })

  test('asks for the list once a second at most, and goes on with it while the store is away', async () => {
    let asked = 0
    let isAway = true
    const documents = {
      pendingUploads: async () => {
        asked++
        if (isAway) throw failure('STORE_UNAVAILABLE', { store: 'documents' })
        return services.documents.pendingUploads()
      }
    }
    const index = completeUploadsOnly(services.index, documents, services.quantities)
    await expect(index.count(ALL)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    isAway = false
    await services.documents.addPendingUpload('first')
    asked = 0
    const begun = performance.now()
    while (performance.now() < begun + 2500) {
      const counts = await Promise.all(Array.from({ length: 5 }, () => index.count(ALL)))
      expect(counts).toEqual([3, 3, 3, 3, 3])
      if (performance.now() > begun + 1500) isAway = true
    }
    expect(asked).toBeGreaterThanOrEqual(1)
    expect(asked).toBeLessThanOrEqual(1 + (performance.now() - begun) / 1000)
  })
})
