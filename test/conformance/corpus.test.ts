import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Quantity } from '../../src/query/quantities.ts'
import { ALL, type Query, type Scalar } from '../../src/query/tree.ts'
import { type IndexDocument, walk } from '../../src/search/entry-index.ts'
import { openCorpusServices, profiles, type TestServices } from '../app.ts'
import { matches, sorted, valuesIn } from '../search/naive.ts'

/** Milliseconds: some hundred searches. */
const PATIENCE = 120_000

describe.each(profiles())('on the corpus the index of the %s profile', { timeout: PATIENCE }, profile => {
  let services: TestServices
  let documents: IndexDocument[]
  let searchable: Quantity[]

  beforeAll(async () => {
    services = await openCorpusServices(profile)
    documents = []
    for await (const hit of walk(services.index, { query: ALL, order: 'asc' })) {
      documents.push(hit.document as IndexDocument)
    }
    searchable = services.quantities.list.filter(q => q.kind !== 'none')
  })

  afterAll(() => services?.close())

  /** The query below the nested nodes of the quantity. */
  const below = (quantity: Quantity, query: Query): Query =>
    services.quantities
      .nestedAbove(quantity.nestedPath ?? '')
      .reduceRight<Query>((inner, path) => ({ kind: 'nested', path, query: inner }), query)

  const naive = (query: Query) => documents.filter(d => matches(query, d)).length

  test('holds every entry', () => {
    expect(documents.length).toBeGreaterThan(100)
  })

  test('finds the entries that have a quantity, for each of them', async () => {
    for (const quantity of searchable) {
      const query = below(quantity, { kind: 'exists', quantity })
      expect([quantity.name, await services.index.count(query)]).toEqual([quantity.name, naive(query)])
    }
  })

  test('finds the values of each quantity', async () => {
    let found = 0
    for (const quantity of searchable) {
      if (quantity.kind === 'text' || quantity.kind === 'path') continue
      const values: Scalar[] = [...new Set(documents.flatMap(d => valuesIn(quantity, d)))].slice(0, 3)
      if (values.length === 0) continue
      const query = below(quantity, { kind: 'terms', quantity, values })
      const count = await services.index.count(query)
      expect([quantity.name, values, count]).toEqual([quantity.name, values, naive(query)])
      found += count
    }
    expect(found).toBeGreaterThan(1000)
  })

  test.each(['asc', 'desc'] as const)('orders by each scalar quantity that occurs: %s', async order => {
    for (const quantity of searchable) {
      if (quantity.many || quantity.kind === 'text' || quantity.kind === 'path') continue
      if (!documents.some(d => valuesIn(quantity, d).length > 0)) continue
      const page = await services.index.search({
        query: ALL,
        orderBy: quantity,
        order,
        size: documents.length,
        source: { include: [] }
      })
      const wanted = sorted(documents, quantity, order)
      expect([quantity.name, page.hits.map(h => h.entryId)]).toEqual([
        quantity.name,
        wanted.map(h => h.entryId)
      ])
    }
  })
})
