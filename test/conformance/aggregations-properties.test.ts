import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { entryQuantities } from '../../src/query/quantities.ts'
import type { AggregationRequest, AggregationResult } from '../../src/search/aggregation.ts'
import type { EntryIndex, IndexDocument } from '../../src/search/entry-index.ts'
import { profiles } from '../app.ts'
import { aggregations, countedDocuments, relatedQueries } from '../search/aggregation-arbitraries.ts'
import { answered, matches } from '../search/naive.ts'
import { aggregated, placesOf } from '../search/naive-aggregations.ts'
import { bringTo, openOwnIndex } from './own-index.ts'

const quantities = entryQuantities()

/** Runs for each profile: one of Elasticsearch is some requests that wait for the index. */
const RUNS = { embedded: 150, cluster: 40 }

/** Milliseconds. */
const PATIENCE = 120_000

/** The result without examples, numbers to nine digits: engines may add and divide in another order. */
function compared(result: AggregationResult | undefined): unknown {
  return JSON.parse(JSON.stringify(result), (name, value) => {
    if (name === 'examples') return undefined
    return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(9)) : value
  })
}

describe.each(profiles())('aggregations of the %s profile', profile => {
  let index: EntryIndex
  let held: readonly IndexDocument[] = []

  beforeAll(async () => {
    index = await openOwnIndex(profile)
  })
  afterAll(() => index?.close())

  /** Examples of entries are the first of the bucket, those of nested objects any of it. */
  function checkExamples(request: AggregationRequest, result: AggregationResult | undefined): void {
    const { aggregation } = request
    if (aggregation.kind !== 'terms' && aggregation.kind !== 'terms_page') return
    if (result?.kind !== 'terms' && result?.kind !== 'terms_page') return
    for (const bucket of result.buckets) {
      if (!aggregation.examples) {
        expect(bucket.examples).toBeUndefined()
        continue
      }
      const places = placesOf(request, bucket, held)
      const count = Math.min(aggregation.examples.size, places.length)
      expect(bucket.examples).toHaveLength(count)
      const objects = places.map(({ object }) => answered(object))
      if (aggregation.quantity.nestedPath === undefined) {
        const byId = (a: unknown, b: unknown) =>
          Buffer.compare(
            Buffer.from((a as IndexDocument).entry_id),
            Buffer.from((b as IndexDocument).entry_id)
          )
        expect(bucket.examples).toEqual(objects.sort(byId).slice(0, count))
      } else {
        for (const example of bucket.examples ?? []) expect(objects).toContainEqual(example)
      }
    }
  }

  test(
    'are those of looking at every object',
    async () => {
      let counted = 0
      await fc.assert(
        fc.asyncProperty(
          countedDocuments(),
          fc.array(
            fc.tuple(
              relatedQueries(quantities),
              fc.array(aggregations(quantities), { minLength: 1, maxLength: 5 })
            ),
            { minLength: 6, maxLength: 6 }
          ),
          async (documents, searches) => {
            held = await bringTo(index, held, documents)
            for (const [{ hits, others }, asked] of searches) {
              const requests = Object.fromEntries(
                asked.map((aggregation, i) => [
                  `name > of[${i}]`,
                  { query: others[i % others.length] ?? hits, aggregation }
                ])
              )
              const page = await index.search({ query: hits, order: 'asc', size: 20, aggregations: requests })
              const found = documents.filter(d => matches(hits, d)).map(d => d.entry_id)
              expect(page.total).toBe(found.length)
              expect(new Set(page.hits.map(hit => hit.entryId))).toEqual(new Set(found))
              expect(Object.keys(page.aggregations ?? {})).toEqual(Object.keys(requests))
              for (const [name, request] of Object.entries(requests)) {
                const wanted = aggregated(request, documents)
                const result = page.aggregations?.[name]
                expect(compared(result)).toEqual(compared(wanted))
                checkExamples(request, result)
                if ('buckets' in wanted) counted += wanted.buckets.length
              }
            }
          }
        ),
        { numRuns: RUNS[profile] }
      )
      // A run that counts hardly anything would prove nothing.
      expect(counted).toBeGreaterThan(5 * RUNS[profile])
    },
    PATIENCE
  )
})
