import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { profiles } from '../../app.ts'
import { type CorpusApp, openCorpusApp } from '../../corpus-app.ts'

/** The administrator of the example data. */
const ADMIN = '0d3c6f52-9b8e-4c7a-9a55-2f6f1d0a7b01'

interface Bucket {
  readonly value: unknown
  readonly count: number
  readonly nested_count?: number
  readonly entries?: readonly Record<string, unknown>[]
}

type Answer = Readonly<Record<string, unknown>> & {
  readonly data: readonly Bucket[]
  readonly pagination?: { readonly total: number; readonly next_page_after_value?: string }
}

describe.each(profiles())('aggregations, %s', profile => {
  let corpus: CorpusApp

  beforeAll(async () => {
    corpus = await openCorpusApp(profile, { folders: ['corpus'] })
  })
  afterAll(() => corpus?.close())

  const post = (payload: object, as?: string) =>
    corpus.ask({ method: 'POST', url: '/api/v1/entries/query', payload }, as)
  const search = async (body: object, as?: string) => {
    const response = await post({ pagination: { page_size: 0 }, ...body }, as)
    expect(response.statusCode, response.body).toBe(200)
    return response.json()
  }
  /** The answer to one aggregation. */
  const aggregate = async (aggregation: object, body: object = {}, as?: string): Promise<Answer> => {
    const { aggregations } = await search({ ...body, aggregations: { 'any name: [1] > 2': aggregation } }, as)
    return Object.values(aggregations['any name: [1] > 2'])[0] as Answer
  }
  const valuesOf = ({ data }: Answer) => data.filter(({ count }) => count > 0).map(({ value }) => value)

  describe('nothing of what the caller may not see', () => {
    // What every quantity of this kind takes in all entries, and in those that everybody sees.
    const QUANTITIES = [
      'entry_id',
      'upload_id',
      'mainfile',
      'entry_name',
      'files',
      'main_author.name',
      'viewers.user_id',
      'datasets.dataset_name',
      'results.material.elements',
      'results.material.topology.label',
      'section_defs.definition_qualified_name',
      'search_quantities.id',
      'search_quantities.str_value.keyword'
    ]
    const terms = (quantity: string, more: object = {}) => ({ terms: { quantity, size: 10_000, ...more } })

    test.each(QUANTITIES)('is counted: %s', async quantity => {
      const visible = await search({ pagination: { page_size: 1000 } })
      const text = JSON.stringify(visible.data)
      const all = valuesOf(await aggregate(terms(quantity), { owner: 'admin' }, ADMIN))
      const open = valuesOf(await aggregate(terms(quantity)))
      expect(open.length).toBeGreaterThan(0)
      for (const value of open) expect(text).toContain(JSON.stringify(value))
      // What is nowhere in visible entries is nowhere in the counts, also without the caller's own criteria.
      const hidden = all.filter(value => !text.includes(JSON.stringify(value)))
      for (const body of [
        {},
        { query: { [quantity]: all[0] } },
        { query: { not: { [quantity]: all[0] } } }
      ]) {
        const excluding = valuesOf(await aggregate(terms(quantity, { exclude_from_search: true }), body))
        expect(excluding.filter(value => hidden.includes(value))).toEqual([])
      }
      const paged = valuesOf(await aggregate({ terms: { quantity, pagination: { page_size: 10_000 } } }))
      expect(paged.toSorted()).toEqual(open.toSorted())
    })

    test('among them are values that only hidden entries have', async () => {
      const all = valuesOf(await aggregate(terms('mainfile'), { owner: 'admin' }, ADMIN))
      const open = valuesOf(await aggregate(terms('mainfile')))
      expect(all.length).toBeGreaterThan(open.length)
    })

    test.each(['published', 'with_embargo'])('is found by leaving out criteria on %s', async quantity => {
      const query = { [quantity]: quantity === 'with_embargo' }
      const { data } = await aggregate({ terms: { quantity, exclude_from_search: true } }, { query })
      expect(data).toEqual([{ value: quantity === 'published', count: 60, nested_count: 60 }])
    })

    test('is in example entries', async () => {
      const aggregation = terms('upload_id', { entries: { size: 100 } })
      const { data } = await aggregate(aggregation)
      const entries = data.flatMap(bucket => bucket.entries ?? [])
      expect(entries).toHaveLength(60)
      expect(entries.every(({ published, with_embargo }) => published && !with_embargo)).toBe(true)
      expect(JSON.stringify(entries)).not.toMatch(/__suggestion|m_annotations|"email"/)
    })

    test('is in the numbers', async () => {
      const statistics = { statistics: { metrics: ['n_entries', 'n_uploads', 'n_authors'] } }
      expect((await aggregate(statistics)).data).toMatchObject({ n_entries: 60, n_uploads: 5 })
      expect((await aggregate(statistics, { owner: 'admin' }, ADMIN)).data).toMatchObject({ n_entries: 117 })
    })
  })

  test('several at once, beside a page of entries', async () => {
    const answer = await search({
      pagination: { page_size: 2 },
      required: { include: ['entry_id'] },
      aggregations: {
        codes: { terms: { quantity: 'results.method.simulation.program_name', type: 'terms', update: true } },
        sizes: {
          histogram: { quantity: 'results.material.n_elements', buckets: 30, exclude_from_search: true }
        },
        constructor: { min_max: { quantity: 'upload_create_time' } },
        dates: { auto_date_histogram: { quantity: 'upload_create_time' } },
        nothing: { statistics: {} }
      }
    })
    expect(answer.data).toHaveLength(2)
    expect(Object.keys(answer.aggregations)).toEqual(['codes', 'sizes', 'constructor', 'dates', 'nothing'])
    expect(answer.aggregations.constructor.min_max.data).toHaveLength(2)
    expect(answer.aggregations.codes.terms).not.toHaveProperty('update')
  })

  test('an empty object of them is no aggregations', async () => {
    expect(await search({ aggregations: {} })).not.toHaveProperty('aggregations')
  })

  test('the hits and their total know nothing of what an aggregation leaves out', async () => {
    const query = { 'results.material.n_elements:gte': 3, domain: 'dft' }
    const body = { query, pagination: { page_size: 100 }, required: { include: ['entry_id'] } }
    const plain = await search(body)
    const excluding = await search({
      ...body,
      aggregations: {
        own: { min_max: { quantity: 'results.material.n_elements', exclude_from_search: true } },
        all: { min_max: { quantity: 'results.material.n_elements' } }
      }
    })
    expect(excluding.data).toEqual(plain.data)
    expect(excluding.pagination).toEqual(plain.pagination)
    expect(plain.pagination.total).toBeGreaterThan(0)
    expect(excluding.aggregations.own.min_max.data[0]).toBeLessThan(3)
    expect(excluding.aggregations.all.min_max.data[0]).toBe(3)
  })

  test.each([
    ['upload_id', {}],
    ['upload_id', { order: 'desc' }],
    ['entry_id', { order_by: 'upload_name' }],
    ['mainfile', { order_by: 'upload_create_time', order: 'desc' }],
    ['upload_id', { order_by: 'n_quantities' }],
    ['entry_name', { order_by: 'published' }],
    ['section_defs.definition_qualified_name', {}]
  ])('pages of %s by %j are all of its values, once', async (quantity, order) => {
    const whole = await aggregate({ terms: { quantity, pagination: { ...order, page_size: 10_000 } } })
    const buckets: Bucket[] = []
    let page_after_value: string | undefined
    do {
      const pagination = { ...order, page_size: 7, ...(page_after_value ? { page_after_value } : {}) }
      const page = await aggregate({ terms: { quantity, pagination } })
      buckets.push(...page.data)
      page_after_value = page.pagination?.next_page_after_value
    } while (page_after_value !== undefined && buckets.length <= whole.data.length)
    expect(buckets).toEqual(whole.data)
    expect(new Set(buckets.map(({ value }) => value)).size).toBe(whole.pagination?.total)
  })

  test('whatever is asked, it is answered or refused', async () => {
    const names = [
      'upload_id',
      'published',
      'n_quantities',
      'upload_create_time',
      'comment',
      'authors',
      'nope'
    ]
    const more = [
      'results.material.topology.label',
      'results.material.topology.n_atoms',
      'results',
      '',
      'a b',
      '*'
    ]
    const odd = fc.oneof(
      fc.constantFrom(...names, ...more),
      fc.constantFrom(
        '1',
        '1M',
        '10d',
        '0',
        '-1',
        'asc',
        'desc',
        'a:b',
        'true',
        'n_entries',
        'value',
        'count'
      ),
      fc.constantFrom(-1, 0, 1, 3, 0.5, 1e-300, 1e9, 1e300, 70_000, true, false, null),
      fc.constantFrom(
        [],
        {},
        ['upload_id'],
        [0, 50, 50],
        { min: -1, max: 1e9 },
        { include: ['*'] },
        { size: 2 }
      )
    )
    const members = fc.dictionary(
      fc.constantFrom(
        ...['size', 'include', 'metrics', 'exclude_from_search', 'interval', 'buckets', 'offset', 'percents'],
        ...['extended_bounds', 'calendar_interval', 'fixed_interval', 'group_by', 'group_by_size', 'entries']
      ),
      odd,
      { maxKeys: 3 }
    )
    const pagination = fc.dictionary(
      fc.constantFrom('page_size', 'order', 'order_by', 'page_after_value', 'page', 'page_offset'),
      odd,
      { maxKeys: 3 }
    )
    const type = fc.constantFrom(
      ...[
        'terms',
        'histogram',
        'date_histogram',
        'auto_date_histogram',
        'min_max',
        'percentiles',
        'statistics'
      ]
    )
    const aggregation = fc
      .tuple(
        type,
        fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...names) }, odd),
        members,
        fc.option(pagination, { nil: undefined })
      )
      .map(([name, quantity, given, pagination]) => ({
        [name]: { quantity, ...given, ...(pagination ? { pagination } : {}) }
      }))
    const statuses = new Map<number, number>()
    await fc.assert(
      fc.asyncProperty(fc.array(aggregation, { minLength: 1, maxLength: 2 }), async all => {
        const response = await post({
          pagination: { page_size: 0 },
          query: { 'n_quantities:gte': 10 },
          aggregations: Object.fromEntries(all.map((one, i) => [`a${i}`, one]))
        })
        const { statusCode, body } = response
        statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1)
        expect([200, 400, 422], body).toContain(statusCode)
      }),
      { numRuns: 1000 }
    )
    expect(statuses.get(200)).toBeGreaterThan(40)
    expect(statuses.get(422)).toBeGreaterThan(40)
  }, 60_000)
})
