import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { entryQuantities, type Quantity } from '../../../src/query/quantities.ts'
import { type EntryIndex, type Hit, type IndexDocument, walk } from '../../../src/search/entry-index.ts'
import { openSqliteEntryIndex } from '../../../src/search/sqlite/sqlite-entry-index.ts'
import { documents, queries, sortQuantity } from '../arbitraries.ts'
import { compareValues, matches, sortValueOf } from '../naive.ts'

const quantities = entryQuantities()
let folder: string
let index: EntryIndex
/** What the index holds at the moment. */
let held: IndexDocument[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serai-'))
  index = await openSqliteEntryIndex({ file: join(folder, 'search.sqlite'), quantities, timeout: 20_000 })
})

afterAll(async () => {
  await index.close()
  await rm(folder, { recursive: true })
})

/** Brings the index to these documents by replacing, adding and removing. */
async function hold(wanted: IndexDocument[]): Promise<void> {
  const ids = new Set(wanted.map(d => d.entry_id))
  await index.remove(held.map(d => d.entry_id).filter(id => !ids.has(id)))
  await index.put(wanted)
  held = wanted
}

function expected(found: IndexDocument[], orderBy: Quantity | undefined, order: 'asc' | 'desc'): Hit[] {
  const sign = order === 'asc' ? 1 : -1
  return found
    .map(document => ({
      entryId: document.entry_id,
      document,
      ...(orderBy ? { sortValue: sortValueOf(orderBy, document) } : {})
    }))
    .sort((a, b) => {
      const [x, y] = [a.sortValue ?? null, b.sortValue ?? null]
      if (x === null && y !== null) return 1
      if (y === null && x !== null) return -1
      const values = x === null || y === null ? 0 : compareValues(x, y)
      return sign * (values || compareValues(a.entryId, b.entryId))
    })
}

describe('the embedded index, compared with looking at every document', () => {
  test('finds, counts, orders and pages the same', async () => {
    let matched = 0
    await fc.assert(
      fc.asyncProperty(
        documents(),
        fc.array(queries(quantities), { minLength: 8, maxLength: 8 }),
        sortQuantity(quantities),
        fc.constantFrom<'asc' | 'desc'>('asc', 'desc'),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 5 }),
        async (documents, asked, orderBy, order, size, offset) => {
          await hold(documents)
          for (const query of asked) {
            const wanted = expected(
              documents.filter(d => matches(query, d, quantities)),
              orderBy,
              order
            )
            matched += wanted.length
            const sorted = orderBy ? { query, order, orderBy } : { query, order }
            expect(await index.count(query)).toBe(wanted.length)
            const walked: Hit[] = []
            for await (const hit of walk(index, sorted, size)) walked.push(hit)
            expect(walked).toEqual(wanted)
            expect(await index.search({ ...sorted, size, offset })).toEqual({
              total: wanted.length,
              hits: wanted.slice(offset, offset + size)
            })
          }
        }
      ),
      { numRuns: 250 }
    )
    // A run in which hardly anything matches would prove nothing.
    expect(matched).toBeGreaterThan(1000)
  })
})
