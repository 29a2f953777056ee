import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { entryQuantities } from '../../src/query/quantities.ts'
import { type EntryIndex, type Hit, type IndexDocument, walk } from '../../src/search/entry-index.ts'
import { profiles } from '../app.ts'
import { documents, queries, sortQuantity } from '../search/arbitraries.ts'
import { answered, matches, sorted } from '../search/naive.ts'
import { bringTo, openOwnIndex } from './own-index.ts'

const quantities = entryQuantities()
/** Queries on the documents of one run. */
const QUERIES = 8

/** Runs for each profile: one of Elasticsearch is some dozens of requests. `SERAI_TEST_RUNS` asks for so many queries. */
const ASKED = Number(process.env.SERAI_TEST_RUNS ?? 0)
const RUNS = ASKED
  ? { embedded: Math.ceil(ASKED / QUERIES), cluster: Math.ceil(ASKED / QUERIES) }
  : { embedded: 250, cluster: 40 }

/** Milliseconds. */
const PATIENCE = 120_000 + ASKED * 1000

describe.each(profiles())('the index of the %s profile, compared with looking at every document', profile => {
  let index: EntryIndex
  /** What the index holds at the moment. */
  let held: readonly IndexDocument[] = []

  beforeAll(async () => {
    index = await openOwnIndex(profile)
  })
  afterAll(() => index?.close())

  test(
    'finds, counts, orders and pages the same',
    async () => {
      let matched = 0
      await fc.assert(
        fc.asyncProperty(
          documents(),
          fc.array(queries(quantities), { minLength: QUERIES, maxLength: QUERIES }),
          sortQuantity(quantities),
          fc.constantFrom<'asc' | 'desc'>('asc', 'desc'),
          fc.integer({ min: 2, max: 6 }),
          fc.integer({ min: 0, max: 5 }),
          async (documents, asked, orderBy, order, size, offset) => {
            held = await bringTo(index, held, documents)
            for (const query of asked) {
              const wanted = sorted(
                documents.filter(d => matches(query, d)),
                orderBy,
                order
              ).map(hit => ({ ...hit, document: answered(hit.document) }))
              matched += wanted.length
              const request = orderBy ? { query, order, orderBy } : { query, order }
              expect(await index.count(query)).toBe(wanted.length)
              const walked: Hit[] = []
              for await (const hit of walk(index, request, size)) walked.push(hit)
              expect(walked).toEqual(wanted)
              expect(await index.search({ ...request, size, offset })).toEqual({
                total: wanted.length,
                hits: wanted.slice(offset, offset + size)
              })
            }
          }
        ),
        { numRuns: RUNS[profile] }
      )
      // A run in which hardly anything matches would prove nothing.
      expect(matched).toBeGreaterThan(4 * RUNS[profile])
    },
    PATIENCE
  )
})
