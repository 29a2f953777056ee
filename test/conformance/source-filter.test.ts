import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ALL } from '../../src/query/tree.ts'
import type { SourceFilter } from '../../src/search/entry-index.ts'
import { openTestServices, profiles, type TestServices } from '../app.ts'

const topology = [
  { label: 'a', cell: {} },
  {},
  { child: [] },
  { label: 'b', atoms: [{}, { z: 1 }, [], [{}]] },
  null
]
const rest = {
  entry_id: 'x',
  n_quantities: 1,
  datasets: [],
  authors: [{ user_id: 'u', name: 'n', email: 'e' }],
  comment: null,
  empty: {},
  a: { b: { c: [] } },
  text: ',{} and [[] and {"entry_id":"y"},"sort":[1] and "hits":[ are only text'
}
const document = { ...rest, results: { material: { elements: ['A'], topology } } }

/** As it comes back. */
const left = [{ label: 'a', cell: {} }, { child: [] }, { label: 'b', atoms: [{ z: 1 }] }, null]
const whole = { ...rest, results: { material: { elements: ['A'], topology: left } } }

const labels = { results: { material: { topology: [{ label: 'a' }, { label: 'b' }] } } }
const CASES: readonly (readonly [SourceFilter | undefined, object])[] = [
  [undefined, whole],
  [{ include: ['*'] }, whole],
  [{ include: ['results*'] }, { results: whole.results }],
  [{ include: ['results.material.topology'] }, { results: { material: { topology: left } } }],
  [{ include: ['results.material.topology.label'] }, labels],
  [{ include: ['results.material.topology.*label'] }, labels],
  [{ include: ['results.*.*.label'] }, labels],
  [{ include: ['results.*.topology.*b*'] }, labels],
  [
    { include: ['results.material.topology.atoms.z'] },
    { results: { material: { topology: [{ atoms: [{ z: 1 }] }] } } }
  ],
  [{ include: ['datasets', 'empty', 'a', 'comment'] }, { datasets: [], empty: {}, a: rest.a, comment: null }],
  [{ include: ['datasets.x', 'authors.x', 'a.b.c', 'comment'] }, { a: rest.a, comment: null }],
  [{ exclude: ['results', 'a.b'] }, { ...rest, a: {} }],
  [{ exclude: ['authors.email'] }, { ...whole, authors: [{ user_id: 'u', name: 'n' }] }],
  [
    { include: ['results'], exclude: ['results.material.topology.*'] },
    { results: { material: { elements: ['A'], topology: [null] } } }
  ],
  [{ include: ['authors'], exclude: ['authors.email', 'authors.name', 'authors.user_id'] }, { authors: [] }],
  [{ include: ['entry_id'] }, { entry_id: 'x' }],
  [{ include: ['entry_id', 'n_quantities'] }, { entry_id: 'x', n_quantities: 1 }],
  [{ include: [] }, {}],
  [{ include: ['nope'] }, {}],
  [{ exclude: ['*'] }, {}]
]

describe.each(profiles())('what comes back of documents from the %s profile', profile => {
  let services: TestServices

  beforeAll(async () => {
    services = await openTestServices(profile)
    await services.index.put([document, { entry_id: 'y', results: { material: { elements: [] } } }])
  })

  afterAll(() => services.close())

  test.each(CASES)('%j', async (source, expected) => {
    const { total, hits } = await services.index.search({
      query: ALL,
      order: 'asc',
      size: 2,
      ...(source ? { source } : {})
    })
    expect(total).toBe(2)
    expect(hits.map(hit => hit.entryId)).toEqual(['x', 'y'])
    expect(hits[0]?.document).toEqual(expected)
    if (hits[0]?.text !== undefined) expect(JSON.parse(hits[0].text)).toEqual(expected)
  })

  test('a page and what is counted come together, in every size of page', async () => {
    const quantity = services.quantities.get('n_quantities')
    if (!quantity) throw new Error('no such quantity')
    for (const size of [0, 1, 5]) {
      const page = await services.index.search({
        query: ALL,
        orderBy: quantity,
        order: 'desc',
        size,
        aggregations: { extent: { query: ALL, aggregation: { kind: 'min_max', quantity } } }
      })
      expect(page.hits.map(hit => [hit.entryId, hit.sortValue])).toEqual(
        [
          ['x', 1],
          ['y', null]
        ].slice(0, size)
      )
      expect(page.aggregations).toEqual({ extent: { kind: 'min_max', min: 1, max: 1 } })
    }
  })
})
