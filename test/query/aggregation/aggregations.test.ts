import { describe, expect, test } from 'vitest'
import {
  type Aggregations,
  aggregationAnswers,
  aggregationRequests,
  extentRequests,
  readAggregations
} from '../../../src/query/aggregation/aggregations.ts'
import { entryQuantities } from '../../../src/query/quantities.ts'
import { ALL } from '../../../src/query/tree.ts'
import type { Aggregation, AggregationResult, RangesAggregation } from '../../../src/search/aggregation.ts'

const quantities = entryQuantities()
const read = (aggregation: unknown): Aggregations => readAggregations({ a: aggregation } as never, quantities)

/** What the engine is asked for one aggregation. */
function asked(aggregation: unknown, extent?: AggregationResult): Aggregation | undefined {
  return aggregationRequests(read(aggregation), () => ALL, extent ? { a: extent } : {}).a?.aggregation
}

/** What is answered for one aggregation. */
function answer(aggregation: unknown, result: AggregationResult, extent?: AggregationResult) {
  const answers = aggregationAnswers(read(aggregation), { a: result }, extent ? { a: extent } : {})
  return Object.values(answers.a ?? {})[0] as Record<string, unknown>
}

const extent = (min: number | null, max: number | null): AggregationResult => ({ kind: 'min_max', min, max })

const TERMS = { terms: { quantity: 'upload_id' } }

test('null and missing aggregations are none, and null members are absent', () => {
  expect(readAggregations(null, quantities).size).toBe(0)
  expect(readAggregations(undefined, quantities).size).toBe(0)
  expect(asked({ statistics: null, terms: { quantity: 'upload_id', size: null, metrics: null } })).toEqual({
    kind: 'terms',
    quantity: quantities.get('upload_id'),
    size: 10
  })
})

describe('terms', () => {
  test.each([
    ['upload_id', 10],
    ['results.method.simulation.dft.jacobs_ladder', 100],
    ['results.method.simulation.program_name', 43]
  ])('of %s are %i if nothing else is asked', (quantity, size) => {
    expect(asked({ terms: { quantity } })).toMatchObject({ size })
  })

  test('of a fixed list are completed, whatever the size', () => {
    const { data } = answer(
      { terms: { quantity: 'results.method.simulation.program_name', size: 1, metrics: ['n_uploads'] } },
      {
        kind: 'terms',
        buckets: [{ value: 'VASP', objects: 3, entries: 3, metrics: { n_uploads: 2 } }]
      }
    ) as { data: Record<string, unknown>[] }
    expect(data[0]).toEqual({ value: 'VASP', count: 3, nested_count: 3, metrics: { n_uploads: 2 } })
    expect(data).toHaveLength(43)
    expect(data[1]).toEqual({ value: 'ABACUS', count: 0, metrics: { n_uploads: 0 } })
  })

  test('of nested objects count both, show objects below their path, and know nothing of their entries', () => {
    const quantity = 'results.material.topology.label'
    const aggregation = { terms: { quantity, metrics: ['n_entries'], entries: {} } }
    expect(asked(aggregation)).not.toHaveProperty('metrics')
    const bucket = { value: 'original', objects: 5, entries: 2, examples: [{ label: 'original' }] }
    expect(answer(aggregation, { kind: 'terms', buckets: [bucket] }).data).toEqual([
      {
        value: 'original',
        count: 2,
        nested_count: 5,
        metrics: { n_entries: 0 },
        entries: [{ 'results.material.topology': { label: 'original' } }]
      }
    ])
  })

  test('of booleans can include by text', () => {
    const include = (value: unknown) =>
      (asked({ terms: { quantity: 'published', include: value } }) as { include: unknown }).include
    expect(include('ru')).toEqual({ kind: 'values', values: [true] })
    expect(include(['false', 'x'])).toEqual({ kind: 'values', values: [false] })
    expect(include([])).toEqual({ kind: 'values', values: [] })
  })

  test('included members of examples win over excluded ones', () => {
    const entries = { required: { include: ['entry_id'], exclude: ['*'] } }
    expect(asked({ terms: { quantity: 'upload_id', entries } })).toMatchObject({
      examples: { size: 1, source: { include: ['entry_id'] } }
    })
  })
})

describe('pages of values', () => {
  const page = (pagination: object, quantity = 'upload_id') => ({ terms: { quantity, pagination } })
  const result = (...buckets: object[]): AggregationResult => ({
    kind: 'terms_page',
    distinct: 7,
    buckets: buckets.map(bucket => ({ objects: 1, entries: 1, ...bucket })) as never
  })

  test('go on after the last value', () => {
    const { pagination } = answer(
      page({ page_size: 2, total: 3, page_offset: 5 }),
      result({ value: 'a' }, { value: 'b' })
    )
    expect(pagination).toEqual({ page_size: 2, order: 'asc', total: 7, next_page_after_value: 'b' })
    expect(answer(page({ order_by: 'value', order: 'desc' }), result()).pagination).toEqual({
      page_size: 10,
      order: 'desc',
      total: 7
    })
    expect(asked(page({ page_after_value: 'a:b' }))).toMatchObject({ after: { value: 'a:b' } })
    expect(asked(page({ page_after_value: 'false' }, 'published'))).toMatchObject({ after: { value: false } })
  })

  test.each([
    ['upload_name', 'Notebook: films', 'x', 'Notebook: films:x'],
    ['upload_name', 'a:b', 'c:d%', 'a:b:c%3Ad%25'],
    ['upload_create_time', 1719813900000, 'x', '1719813900000:x'],
    ['n_quantities', -3, 'x', '-3:x'],
    ['published', true, 'x', 'true:x']
  ])('ordered by %s find back after %s, %s', (order_by, orderValue, value, text) => {
    const { pagination } = answer(page({ order_by }), result({ value, orderValue })) as {
      pagination: { next_page_after_value: string }
    }
    expect(pagination.next_page_after_value).toBe(text)
    expect(asked(page({ order_by, page_after_value: text }))).toMatchObject({ after: { value, orderValue } })
  })
})

describe('histograms', () => {
  const histogram = (members: object, quantity = 'n_quantities') => ({ histogram: { quantity, ...members } })
  const result = (...buckets: [number, number][]): AggregationResult => ({
    kind: 'histogram',
    buckets: buckets.map(([value, objects]) => ({ value, objects }))
  })
  const values = ({ data }: Record<string, unknown>) =>
    (data as { value: number }[]).map(({ value }) => value)

  test('have buckets without anything in them', () => {
    const { data, ...rest } = answer(
      histogram({ interval: 20, metrics: ['n_entries'] }),
      result([0, 5], [60, 1])
    )
    expect(rest).toEqual({
      quantity: 'n_quantities',
      exclude_from_search: false,
      metrics: ['n_entries'],
      interval: 20
    })
    expect(data).toHaveLength(4)
    expect((data as unknown[])[1]).toEqual({
      value: 20,
      count: 0,
      nested_count: 0,
      metrics: { n_entries: 0 }
    })
  })

  test('span the bounds, also without any data', () => {
    const bounds = { interval: 2, offset: 1, extended_bounds: { min: -2, max: 4 } }
    expect(values(answer(histogram(bounds), result([1, 1])))).toEqual([-3, -1, 1, 3])
    expect(values(answer(histogram(bounds), result()))).toEqual([-3, -1, 1, 3])
    expect(values(answer(histogram({ interval: 2 }), result()))).toEqual([])
  })

  test('with odd fractions keep the numbers of the engine', () => {
    const interval = 0.1
    const found = [0, 3, 7, 12].map<[number, number]>(k => [k * interval, 1])
    const data = answer(
      histogram({ interval }, 'results.method.simulation.dft.smearing_width'),
      result(...found)
    )
    expect(values(data)).toEqual(Array.from({ length: 13 }, (_, k) => k * interval))
    expect((data.data as { count: number }[]).filter(({ count }) => count > 0)).toHaveLength(4)
  })

  test('by number of buckets ask for the extent first', () => {
    const first = extentRequests(read(histogram({ buckets: 5 })), () => ALL)
    expect(first.a?.aggregation).toEqual({ kind: 'min_max', quantity: quantities.get('n_quantities') })
    expect(extentRequests(read(histogram({ interval: 5 })), () => ALL)).toEqual({})
  })

  test.each<[string, string, object, [number, number], number]>([
    ['whole numbers', 'n_quantities', { buckets: 5 }, [0, 2074], 415],
    ['dates', 'upload_create_time', { buckets: 3 }, [1707127920000, 1725361860000], 6077980000],
    ['with bounds', 'n_quantities', { buckets: 3, extended_bounds: { min: 0, max: 9 } }, [0, 4], 3],
    [
      'fractions',
      'results.method.simulation.dft.smearing_width',
      { buckets: 2, interval: 7 },
      [0, 1],
      0.5 * (1 + 1e-12)
    ]
  ])('choose the interval: %s', (_name, quantity, members, [min, max], interval) => {
    const aggregation = histogram(members, quantity)
    expect(asked(aggregation, extent(min, max))).toMatchObject({ interval, offset: 0 })
    expect(answer(aggregation, result(), extent(min, max))).toMatchObject({ interval, offset: 0 })
  })

  test('of one value have one bucket, of none no bucket', () => {
    const one = answer(histogram({ buckets: 4 }), result([101, 3]), extent(101, 101))
    expect(one).not.toHaveProperty('interval')
    expect(one).toMatchObject({ buckets: 4, offset: 0, data: [{ value: 101, count: 3, nested_count: 3 }] })
    expect(asked(histogram({ buckets: 4 }), extent(101, 101))).toMatchObject({ interval: 1, offset: 101 })
    expect(asked(histogram({ buckets: 4 }), extent(null, null))).toBeUndefined()
  })

  test.each([
    ['too many buckets', [0, 1e6]],
    ['steps too small to tell', [1e300, 1e301]]
  ])('%s are refused', (_name, [a, b]) => {
    const action = () => answer(histogram({ interval: 1 }), result([a as number, 1], [b as number, 1]))
    expect(action).toThrow(expect.objectContaining({ code: 'SEARCH_REFUSED' }))
  })
})

describe('date histograms', () => {
  const dates = (members: object) => ({ date_histogram: { quantity: 'upload_create_time', ...members } })
  const days = (members: object, kind: 'histogram' | 'calendar', ...starts: string[]) => {
    const buckets = starts.map(start => ({ value: Date.parse(start), objects: 1 }))
    return (answer(dates(members), { kind, buckets }).data as { value: string }[]).map(({ value }) => value)
  }

  test('are by month if nothing else is asked', () => {
    expect(asked(dates({}))).toMatchObject({ kind: 'calendar', unit: 'month' })
    expect(days({}, 'calendar', '2023-11-01', '2024-02-01')).toEqual([
      '2023-11-01',
      '2023-12-01',
      '2024-01-01',
      '2024-02-01'
    ])
  })

  test.each<[object, object]>([
    [{ calendar_interval: '1w' }, { kind: 'histogram', interval: 604_800_000, offset: 345_600_000 }],
    [{ calendar_interval: 'day' }, { kind: 'histogram', interval: 86_400_000, offset: 0 }],
    [{ interval: '1q' }, { kind: 'calendar', unit: 'quarter' }],
    [{ interval: '45d' }, { kind: 'histogram', interval: 3_888_000_000, offset: 0 }],
    [{ fixed_interval: '1m' }, { kind: 'histogram', interval: 60_000, offset: 0 }]
  ])('%j', (members, wanted) => {
    expect(asked(dates(members))).toMatchObject(wanted)
  })

  test('repeat only the interval that applied', () => {
    const none: AggregationResult = { kind: 'histogram', buckets: [] }
    const echoOf = (members: object) => {
      const { data, ...echo } = answer(dates(members), none)
      return echo
    }
    const common = { quantity: 'upload_create_time', exclude_from_search: false, metrics: [] }
    expect(echoOf({ interval: '1d' })).toEqual({ ...common, calendar_interval: '1d' })
    expect(echoOf({ interval: '2d' })).toEqual({ ...common, fixed_interval: '2d' })
  })

  test('have gaps, over the turn of years and before 1970', () => {
    expect(days({ calendar_interval: 'quarter' }, 'calendar', '1969-07-01', '1970-01-01')).toEqual([
      '1969-07-01',
      '1969-10-01',
      '1970-01-01'
    ])
    expect(days({ calendar_interval: 'week' }, 'histogram', '2024-01-01', '2024-01-15')).toEqual([
      '2024-01-01',
      '2024-01-08',
      '2024-01-15'
    ])
    expect(days({ calendar_interval: 'year' }, 'calendar', '0050-01-01', '0052-01-01')).toHaveLength(3)
  })
})

describe('auto date histograms', () => {
  const auto = (buckets?: unknown) => ({ auto_date_histogram: { quantity: 'upload_create_time', buckets } })
  const between = (from: string, to: string) => extent(Date.parse(from), Date.parse(to))

  test.each<[number, string, string, string, string, number]>([
    [10, '2024-02-05T10:12:00Z', '2024-09-03T11:11:00Z', '1M', '2024-02-01', 8],
    [3, '2024-02-05T10:12:00Z', '2024-09-03T11:11:00Z', '3M', '2024-02-01', 3],
    [10, '2024-01-03T01:00:00.5Z', '2024-03-03T01:00:00.5Z', '7d', '2024-01-03', 9],
    [1, '2024-01-03', '2024-03-03', '3M', '2024-01-01', 1],
    [10, '2024-01-03T10:00:00.7Z', '2024-01-03T10:00:00.7Z', '1s', '2024-01-03T10:00:00Z', 1],
    [5, '2024-01-03T10:17:00Z', '2024-01-03T23:01:00Z', '3h', '2024-01-03T10:00:00Z', 5],
    [2, '1907-05-05', '2024-01-01', '100y', '1907-01-01', 2],
    [2, '0100-01-01', '2024-01-01', '963y', '0100-01-01', 2]
  ])('of %i buckets from %s to %s take %s', (buckets, from, to, interval, first, count) => {
    const { edges } = asked(auto(buckets), between(from, to)) as RangesAggregation
    expect(edges[0]).toBe(Date.parse(first))
    expect(edges.length - 1).toBe(count)
    expect(edges.at(-1)).toBeGreaterThan(Date.parse(to))
    const result: AggregationResult = { kind: 'ranges', buckets: [{ value: edges[0] as number, objects: 4 }] }
    const { data, ...rest } = answer(auto(buckets), result, between(from, to)) as { data: object[] }
    expect(rest).toMatchObject({ buckets, interval })
    expect(data[0]).toEqual({ value: Date.parse(first), count: 4, nested_count: 4 })
    expect(data).toHaveLength(count)
  })

  test('without data have none, and numbers may be texts', () => {
    expect(asked(auto('4'), extent(null, null))).toBeUndefined()
    const answers = aggregationAnswers(read(auto('4')), {}, { a: extent(null, null) })
    expect(answers.a?.auto_date_histogram).toMatchObject({ buckets: 4, data: [] })
  })
})

describe('numbers about a quantity', () => {
  test('min_max and statistics', () => {
    expect(answer({ min_max: { quantity: 'n_quantities' } }, extent(null, null)).data).toEqual([null, null])
    expect(asked({ statistics: {} })).toBeUndefined()
    expect(asked({ statistics: { metrics: ['n_authors'] } })).toEqual({
      kind: 'statistics',
      metrics: [{ name: 'n_authors', kind: 'cardinality', quantity: quantities.get('authors.name') }]
    })
  })

  test('percentiles are called as the reference calls them', () => {
    const result: AggregationResult = {
      kind: 'percentiles',
      groups: [{ value: false, count: 3, percentiles: [1, 2] }]
    }
    const given = { quantity: 'n_quantities', percents: [10, 12.5], group_by: 'published' }
    expect(answer({ percentiles: given }, result)).toEqual({
      quantity: 'n_quantities',
      exclude_from_search: false,
      percents: [10, 12.5],
      group_by: 'published',
      group_by_size: 10,
      data: [{ label: 'false', percentiles: { '10.0': 1, '12.5': 2 }, count: 3 }]
    })
    const all = { kind: 'percentiles', groups: [{ count: 1, percentiles: [1, 1, 1, 1, 1] }] } as const
    expect(answer({ percentiles: { quantity: 'n_quantities' } }, all).data).toEqual([
      { label: 'all', percentiles: { 0: 1, 25: 1, 50: 1, 75: 1, 100: 1 }, count: 1 }
    ])
  })
})

test('names that all objects have members of are names like others', () => {
  const names = ['constructor', 'toString', 'hasOwnProperty']
  const given = Object.fromEntries(names.map(name => [name, { statistics: {} }]))
  const answers = aggregationAnswers(readAggregations(given, quantities), {}, {})
  expect(Object.keys(answers)).toEqual(names)
  expect(answers.toString).toEqual({ statistics: { metrics: [], data: {} } })
})

test('of several types the first counts', () => {
  expect(asked({ min_max: { quantity: 'n_quantities' }, ...TERMS })).toMatchObject({ kind: 'terms' })
})
