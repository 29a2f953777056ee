import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { entryQuantities, type Quantity } from '../../src/query/quantities.ts'
import type { Query } from '../../src/query/tree.ts'
import { type EntryIndex, type IndexDocument, walk } from '../../src/search/entry-index.ts'
import { profiles } from '../app.ts'
import { openOwnIndex } from './own-index.ts'

const quantities = entryQuantities()
const Q = (name: string) => quantities.get(name) as Quantity

const id = (n: number) => `e${String(n).padStart(5, '0')}`

/** Values with ties, and for every fifth entry none. */
function entry(n: number, domain: string): IndexDocument {
  const missing = n % 5 === 0
  return {
    entry_id: id(n),
    domain,
    ...(missing ? {} : { n_quantities: n % 7, mainfile: `f${n % 11}`, upload_create_time: 1e12 + (n % 3) })
  }
}

describe.each(profiles())('a walk over the index of the %s profile', profile => {
  let index: EntryIndex

  beforeAll(async () => {
    index = await openOwnIndex(profile)
  })
  afterAll(() => index?.close())

  test.each(
    (['entry_id', 'n_quantities', 'mainfile', 'upload_create_time'] as const).flatMap(by =>
      (['asc', 'desc'] as const).map(order => [by, order] as const)
    )
  )('by %s, %s, gives every entry once while others come and go', async (by, order) => {
    const domain = `${by} ${order}`
    const query: Query = { kind: 'terms', quantity: Q('domain'), values: [domain] }
    const first = Array.from({ length: 200 }, (_, i) => 2 * i)
    await index.put(first.map(n => entry(n, domain)))
    const [removed, kept] = [first.filter(n => n % 20 === 18), first.filter(n => n % 20 !== 18)]

    const seen: string[] = []
    let added = 1
    const request = {
      query,
      order,
      ...(by === 'entry_id' ? {} : { orderBy: Q(by) }),
      source: { include: [] }
    }
    for await (const { entryId } of walk(index, request, 23)) {
      seen.push(entryId)
      if (seen.length % 23 !== 0) continue
      // Between two pages: new ones before and behind, and some that leave.
      await index.put([entry(added, domain), entry(added + 100, domain), entry(added + 301, domain)])
      await index.remove([id(removed.pop() ?? -1)])
      added += 2
    }
    expect(seen).toHaveLength(new Set(seen).size)
    expect(kept.map(id).filter(one => !seen.includes(one))).toEqual([])
    expect(added).toBeGreaterThan(15)
    await index.remove(Array.from({ length: 1000 }, (_, n) => id(n)))
  })
})
