import { describe, expect, test } from 'vitest'
import { SeraiError } from '../../../src/errors.ts'
import { type Aggregations, readAggregations } from '../../../src/query/aggregation/aggregations.ts'
import { entryQuantities } from '../../../src/query/quantities.ts'

const quantities = entryQuantities()
const read = (aggregation: unknown): Aggregations => readAggregations({ a: aggregation } as never, quantities)

describe('a request that is wrong says what and where', () => {
  const page = (pagination: object) => ({ terms: { quantity: 'upload_id', pagination } })
  test.each<[string, unknown, readonly (string | number)[], string]>([
    ['no type', {}, ['body', 'aggregations', 'a'], 'An aggregation needs one of terms'],
    ['an unknown type', { nope: {} }, ['body', 'aggregations', 'a'], 'An aggregation needs one of terms'],
    ['no object', 7, ['body', 'aggregations', 'a'], 'valid dictionary'],
    ['no quantity', { terms: {} }, ['body', 'aggregations', 'a', 'terms', 'quantity'], 'Field required'],
    [
      'null for the quantity',
      { terms: { quantity: null } },
      ['body', 'aggregations', 'a', 'terms', 'quantity'],
      'string'
    ],
    [
      'an unknown quantity',
      { terms: { quantity: 'x' } },
      ['aggregation', 'quantity'],
      'x is not a doc quantity'
    ],
    [
      'terms of a number',
      { terms: { quantity: 'n_quantities' } },
      ['aggregation', 'a', 'terms', 'quantity'],
      'cannot be used in a terms aggregation'
    ],
    [
      'terms of an object',
      { terms: { quantity: 'authors' } },
      ['aggregation', 'a', 'terms', 'quantity'],
      'cannot be used in a terms aggregation'
    ],
    [
      'size 0',
      { terms: { quantity: 'upload_id', size: 0 } },
      ['body', 'aggregations', 'a', 'terms', 'size'],
      'greater than 0'
    ],
    [
      'size in words',
      { terms: { quantity: 'upload_id', size: 'many' } },
      ['body', 'aggregations', 'a', 'terms', 'size'],
      'valid integer'
    ],
    [
      'a broken size',
      { terms: { quantity: 'upload_id', size: 1.5 } },
      ['body', 'aggregations', 'a', 'terms', 'size'],
      'valid integer'
    ],
    [
      'a pattern in include',
      { terms: { quantity: 'upload_id', include: '.*' } },
      ['body', 'aggregations', 'a', 'terms', 'include'],
      'match pattern'
    ],
    [
      'a number in include',
      { terms: { quantity: 'upload_id', include: [1] } },
      ['body', 'aggregations', 'a', 'terms', 'include', 0],
      'valid string'
    ],
    [
      'too many examples',
      { terms: { quantity: 'upload_id', entries: { size: 101 } } },
      ['body', 'aggregations', 'a', 'terms', 'entries', 'size'],
      'less than or equal to 100'
    ],
    [
      'an unknown metric',
      { terms: { quantity: 'upload_id', metrics: ['constructor'] } },
      ['statistic', 'metrics'],
      'metric must be'
    ],
    [
      'page',
      page({ page: 1 }),
      ['body', 'aggregations', 'a', 'terms', 'pagination', 'page'],
      'page_after_value'
    ],
    [
      'page_size 0',
      page({ page_size: 0 }),
      ['body', 'aggregations', 'a', 'terms', 'pagination', 'page_size'],
      '0 or smaller'
    ],
    [
      'another order',
      page({ order: 'up' }),
      ['body', 'aggregations', 'a', 'terms', 'pagination', 'order'],
      'asc'
    ],
    [
      'order_by count',
      page({ order_by: 'count' }),
      ['aggregation', 'pagination', 'order_by'],
      'count is not a doc quantity'
    ],
    [
      'order_by a list',
      page({ order_by: 'results.material.elements' }),
      ['aggregation', 'pagination', 'order_by'],
      'must be a scalar'
    ],
    [
      'order_by a text',
      page({ order_by: 'comment' }),
      ['aggregation', 'pagination', 'order_by'],
      'it is a text'
    ],
    [
      'order_by other objects',
      page({ order_by: 'results.material.topology.n_atoms' }),
      ['aggregation', 'pagination', 'order_by'],
      'no quantity of the objects'
    ],
    [
      'a place without colon',
      page({ order_by: 'upload_name', page_after_value: 'x' }),
      ['aggregations', 'a', 'terms', 'pagination', 'page_after_value'],
      'right format'
    ],
    [
      'a place that is no number',
      page({ order_by: 'n_quantities', page_after_value: 'x:y' }),
      ['aggregations', 'a', 'terms', 'pagination', 'page_after_value'],
      'right format'
    ],
    [
      'a page with a size',
      { terms: { quantity: 'upload_id', size: 3, pagination: {} } },
      ['aggregations', 'a', 'terms', 'pagination'],
      'extra size'
    ],
    [
      'a page with include',
      { terms: { quantity: 'upload_id', include: 'a', pagination: {} } },
      ['aggregations', 'a', 'terms', 'pagination'],
      'include some'
    ],
    [
      'a page that excludes',
      { terms: { quantity: 'upload_id', pagination: {}, exclude_from_search: true } },
      ['aggregations', 'a', 'terms', 'pagination'],
      'exclude_from_search'
    ],
    [
      'a histogram without interval',
      { histogram: { quantity: 'n_quantities' } },
      ['body', 'aggregations', 'a', 'histogram'],
      'Provide either'
    ],
    [
      'interval 0',
      { histogram: { quantity: 'n_quantities', interval: 0 } },
      ['body', 'aggregations', 'a', 'histogram', 'interval'],
      'greater than 0'
    ],
    [
      'bounds the wrong way',
      { histogram: { quantity: 'n_quantities', interval: 1, extended_bounds: { min: 1, max: 0 } } },
      ['body', 'aggregations', 'a', 'histogram', 'extended_bounds'],
      'maximum value'
    ],
    [
      'half of the bounds',
      { histogram: { quantity: 'n_quantities', interval: 1, extended_bounds: { min: 1 } } },
      ['body', 'aggregations', 'a', 'histogram', 'extended_bounds', 'max'],
      'Field required'
    ],
    [
      'a histogram of texts',
      { histogram: { quantity: 'upload_id', interval: 1 } },
      ['aggregations', 'a', 'histogram', 'quantity'],
      'SearchQuantity(upload_id)'
    ],
    [
      'two intervals',
      { date_histogram: { quantity: 'upload_create_time', interval: '1M', calendar_interval: '1M' } },
      ['body', 'aggregations', 'a', 'date_histogram'],
      'Only one of interval, calendar_interval can be given'
    ],
    [
      'dates of a number',
      { date_histogram: { quantity: 'n_quantities' } },
      ['aggregations', 'a', 'histogram', 'quantity'],
      'date histogram'
    ],
    [
      'percents beyond 100',
      { percentiles: { quantity: 'n_quantities', percents: [101] } },
      ['body', 'aggregations', 'a', 'percentiles', 'percents', 0],
      '0 and 100'
    ],
    [
      'no percents',
      { percentiles: { quantity: 'n_quantities', percents: [] } },
      ['body', 'aggregations', 'a', 'percentiles', 'percents'],
      '1 to'
    ],
    [
      'groups of a number',
      { percentiles: { quantity: 'n_quantities', group_by: 'n_quantities' } },
      ['aggregation', 'a', 'percentiles', 'group_by'],
      'group_by quantity'
    ],
    [
      'a truth that is none',
      { terms: { quantity: 'upload_id', exclude_from_search: 'maybe' } },
      ['body', 'aggregations', 'a', 'terms', 'exclude_from_search'],
      'valid boolean'
    ]
  ])('%s', (_name, aggregation, loc, msg) => {
    const error = thrown(() => read(aggregation))
    expect(error.status).toBe(422)
    expect(error.detail).toEqual([expect.objectContaining({ loc, msg: expect.stringContaining(msg) })])
  })

  test('a page does not go together with another aggregation that excludes', () => {
    const both = {
      page: { terms: { quantity: 'upload_id', pagination: {} } },
      other: { min_max: { quantity: 'n_quantities', exclude_from_search: true } }
    }
    expect(thrown(() => readAggregations(both, quantities)).detail).toEqual([
      expect.objectContaining({ loc: ['aggregations', 'page', 'terms', 'pagination'] })
    ])
  })

  test.each([
    ['interval', '1xy'],
    ['fixed_interval', '0d'],
    ['fixed_interval', '1M'],
    ['calendar_interval', '30d']
  ])('%s %s of dates is refused', (member, interval) => {
    const error = thrown(() =>
      read({ date_histogram: { quantity: 'upload_create_time', [member]: interval } })
    )
    expect(error.status).toBe(400)
    expect(error.message).toContain(`[${interval}]`)
  })

  function thrown(action: () => unknown): SeraiError {
    try {
      action()
    } catch (error) {
      expect(error).toBeInstanceOf(SeraiError)
      return error as SeraiError
    }
    throw new Error('nothing was thrown')
  }
})
