import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { entryQuantities, type Quantity } from '../../src/query/quantities.ts'
import { ALL, and, NONE, type Query } from '../../src/query/tree.ts'
import { type Aggregation, type AggregationResult, MAX_BUCKETS } from '../../src/search/aggregation.ts'
import type { EntryIndex, IndexDocument } from '../../src/search/entry-index.ts'
import { profiles } from '../app.ts'
import { openOwnIndex } from './own-index.ts'

const quantities = entryQuantities()
const Q = (name: string) => quantities.get(name) as Quantity
const LABEL = 'results.material.topology.label'

const topology = (...labels: (string | undefined)[]) => ({
  material: { topology: labels.map(label => (label === undefined ? { n_atoms: 1 } : { label, n_atoms: 2 })) }
})

const DOCUMENTS: readonly IndexDocument[] = [
  { entry_id: 'a', domain: 'x', published: true, n_quantities: 1, results: topology('o', 'o', undefined) },
  { entry_id: 'b', domain: '\u{1f600}', published: false, n_quantities: 2, results: topology('p') },
  { entry_id: 'c', domain: '\uffee', published: true, n_quantities: 4, main_author: { email: 'a@b' } },
  { entry_id: 'd', domain: 'x', n_quantities: -7, upload_create_time: '1969-12-31T23:59:59.999Z' },
  { entry_id: 'e', upload_create_time: '2024-02-29T12:00:00Z' }
]

/** Names that mean something to engines, languages or clients. */
const ODD_NAMES = ['', 'a.b', 'a>b', '[0]', 'x"y', '__proto__x', 'constructor', 'results.material:default']

describe.each(profiles())('aggregations of the %s profile', profile => {
  let index: EntryIndex

  beforeAll(async () => {
    index = await openOwnIndex(profile)
    await index.put(DOCUMENTS)
  })

  afterAll(() => index?.close())

  const aggregate = async (aggregation: Aggregation, query: Query = ALL): Promise<AggregationResult> => {
    const page = await index.search({
      query: ALL,
      order: 'asc',
      size: 0,
      aggregations: { it: { query, aggregation } }
    })
    expect(page).toMatchObject({ total: DOCUMENTS.length, hits: [] })
    return page.aggregations?.it as AggregationResult
  }
  const terms = (name: string, size = 10): Aggregation => ({ kind: 'terms', quantity: Q(name), size })
  const values = (result: AggregationResult) => ('buckets' in result ? result.buckets.map(b => b.value) : [])

  test('are there when asked for, under the names of the request', async () => {
    const request = { query: ALL, order: 'asc', size: 1 } as const
    expect(await index.search(request)).not.toHaveProperty('aggregations')
    expect((await index.search({ ...request, aggregations: {} })).aggregations).toEqual({})
    const aggregations = Object.fromEntries(
      ODD_NAMES.map(name => [name, { query: ALL, aggregation: terms('published') }])
    )
    const page = await index.search({ ...request, aggregations })
    expect(page.hits.map(hit => hit.entryId)).toEqual(['a'])
    expect(Object.keys(page.aggregations ?? {})).toEqual(ODD_NAMES)
    for (const name of ODD_NAMES) expect(values(page.aggregations?.[name] as never)).toEqual([true, false])
  })

  test('terms come by count, then in the order of code points', async () => {
    expect(values(await aggregate(terms('domain')))).toEqual(['x', '\uffee', '\u{1f600}'])
    expect(values(await aggregate(terms('domain', 2)))).toEqual(['x', '\uffee'])
  })

  test('nested objects and their entries are counted apart, whatever the query demands of them', async () => {
    const nested: Query = {
      kind: 'nested',
      path: 'results.material.topology',
      query: { kind: 'terms', quantity: Q('results.material.topology.n_atoms'), values: [1] }
    }
    expect(await aggregate(terms(LABEL), nested)).toEqual({
      kind: 'terms',
      buckets: [{ value: 'o', objects: 2, entries: 1 }]
    })
    expect(await aggregate({ ...terms(LABEL), quantity: { ...Q(LABEL), within: NONE } } as never)).toEqual({
      kind: 'terms',
      buckets: []
    })
  })

  test('each sees its own entries, and the hits theirs', async () => {
    const published: Query = { kind: 'terms', quantity: Q('published'), values: [true] }
    const x: Query = { kind: 'terms', quantity: Q('domain'), values: ['x'] }
    const aggregation: Aggregation = { kind: 'statistics', metrics: [{ name: 'n', kind: 'entries' }] }
    const page = await index.search({
      query: and(published, x),
      order: 'asc',
      size: 10,
      aggregations: {
        same: { query: and(published, x), aggregation },
        published: { query: published, aggregation },
        x: { query: x, aggregation },
        all: { query: ALL, aggregation },
        none: { query: NONE, aggregation }
      }
    })
    expect(page).toMatchObject({ total: 1, hits: [{ entryId: 'a' }] })
    const counts = Object.entries(page.aggregations ?? {}).map(([name, result]) => [
      name,
      result.kind === 'statistics' ? result.metrics.n : undefined
    ])
    expect(counts).toEqual([
      ['same', 1],
      ['published', 2],
      ['x', 2],
      ['all', 5],
      ['none', 0]
    ])
  })

  test('without values there is nothing', async () => {
    const quantity = Q('results.method.simulation.dft.smearing_width')
    expect(await aggregate({ kind: 'min_max', quantity })).toEqual({ kind: 'min_max', min: null, max: null })
    expect(await aggregate({ kind: 'histogram', quantity, interval: 1, offset: 0 })).toEqual({
      kind: 'histogram',
      buckets: []
    })
    expect(await aggregate({ kind: 'percentiles', quantity, percents: [50] })).toEqual({
      kind: 'percentiles',
      groups: []
    })
    const sum: Aggregation = { kind: 'statistics', metrics: [{ name: 's', kind: 'sum', quantity }] }
    expect(await aggregate(sum)).toEqual({ kind: 'statistics', metrics: { s: 0 } })
  })

  test('dates before 1970 and leap days fall into their months', async () => {
    const quantity = Q('upload_create_time')
    expect(values(await aggregate({ kind: 'calendar', quantity, unit: 'quarter' }))).toEqual([
      Date.parse('1969-10-01'),
      Date.parse('2024-01-01')
    ])
    const day = 86_400_000
    expect(values(await aggregate({ kind: 'histogram', quantity, interval: day, offset: 0 }))).toEqual([
      -day,
      Date.parse('2024-02-29')
    ])
  })

  test('examples are whole entries or what is asked of them', async () => {
    const examples = { size: 1, source: { include: ['main_author.*', 'n_quantities'] } }
    const result = await aggregate({ ...terms('domain', 2), examples } as Aggregation)
    expect(result.kind === 'terms' && result.buckets.map(bucket => bucket.examples)).toEqual([
      [{ n_quantities: 1 }],
      [{ n_quantities: 4, main_author: { email: 'a@b' } }]
    ])
  })

  test('a signal that was given ends them', async () => {
    const reason = new Error('gone')
    const search = index.search({
      query: ALL,
      order: 'asc',
      size: 0,
      aggregations: { it: { query: ALL, aggregation: terms('domain') } },
      signal: AbortSignal.abort(reason)
    })
    await expect(search).rejects.toBe(reason)
  })

  describe('many values', () => {
    const COUNT = MAX_BUCKETS + 100
    let many: EntryIndex

    beforeAll(async () => {
      many = await openOwnIndex(profile)
      const files = Array.from({ length: COUNT }, (_, i) => `f${i}`)
      const temperature = Array.from({ length: 9001 }, (_, i) => (i * 4001) % 9001)
      const results = {
        properties: { catalytic: { reaction: { reaction_conditions: { temperature } } } }
      }
      await many.put([{ entry_id: 'a', files, results }])
    }, 60_000)

    afterAll(() => many?.close())

    const search = (...aggregations: Aggregation[]) =>
      many.search({
        query: ALL,
        order: 'asc',
        size: 0,
        aggregations: Object.fromEntries(
          aggregations.map((aggregation, i) => [i, { query: ALL, aggregation }])
        )
      })

    test('are counted up to a limit, and refused beyond', async () => {
      const page = await search(terms('files', MAX_BUCKETS))
      expect(values(page.aggregations?.[0] as never)).toHaveLength(MAX_BUCKETS)
      await expect(search(terms('files', MAX_BUCKETS), terms('files', 10))).rejects.toMatchObject({
        code: 'SEARCH_REFUSED'
      })
    }, 60_000)

    test('have exact percentiles as far as promised', async () => {
      const quantity = Q('results.properties.catalytic.reaction.reaction_conditions.temperature')
      const page = await search({ kind: 'percentiles', quantity, percents: [0, 12.5, 50, 99, 100] })
      expect(page.aggregations?.[0]).toEqual({
        kind: 'percentiles',
        groups: [{ count: 9001, percentiles: [0, 1125, 4500, 8910, 9000] }]
      })
    })
  })
})
