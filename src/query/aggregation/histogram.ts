/** `histogram` (`search.md` §5.2). */
import type { Aggregation } from '../../search/aggregation.ts'
import { BucketMetrics, type Given, MEASURABLE, readCommon } from './buckets.ts'
import { equalSteps, withGaps } from './gaps.ts'
import type { Members } from './members.ts'
import { type AggregationPlan, type Extent, resultOf } from './plan.ts'

/** Widens the steps of numbers with a fraction, so that the greatest is in the last bucket but one. */
const MARGIN = 1 + 1e-12

/** @throws SeraiError INVALID (422) */
export function readHistogram(given: Given): AggregationPlan {
  const { members, name } = given
  const interval = positive(members, 'interval')
  const count = members.positiveWhole('buckets')
  const offset = members.number('offset')
  const bounds = readBounds(members)
  if (interval === undefined && count === undefined) {
    throw members.wrong('Provide either interval or the number of buckets.')
  }
  const { quantity, excluded, echo } = readCommon(given, MEASURABLE, {
    loc: ['aggregations', name, 'histogram', 'quantity'],
    msg: q => `The quantity SearchQuantity(${q}) cannot be used in a histogram aggregation`
  })
  const metrics = new BucketMetrics(given, quantity)
  const isWhole = quantity.kind !== 'float' && quantity.kind !== 'double'

  /** Width of the buckets; undefined when there are no different values to tell. */
  const intervalOf = (extent: Extent | undefined): number | undefined => {
    if (count === undefined) return interval
    if (!extent) return undefined
    const span =
      Math.max(extent.max, bounds?.max ?? -Infinity) - Math.min(extent.min, bounds?.min ?? Infinity)
    const width = isWhole ? Math.ceil(span / count) : (span * MARGIN) / count
    return width > 0 ? width : undefined
  }
  const repeated = {
    ...echo,
    metrics: metrics.echo,
    ...(bounds ? { extended_bounds: bounds } : {}),
    ...(count !== undefined ? { buckets: count, offset: 0 } : offset !== undefined ? { offset } : {})
  }
  const start = count === undefined ? (offset ?? 0) : 0

  return {
    type: 'histogram',
    ...excluded,
    ...(count === undefined ? {} : { extentOf: quantity }),
    request(extent): Aggregation | undefined {
      const width = intervalOf(extent)
      const asked = { kind: 'histogram', quantity, ...metrics.asked } as const
      if (width !== undefined) return { ...asked, interval: width, offset: start }
      // All values are the same one: a bucket that begins there.
      return extent && { ...asked, interval: 1, offset: extent.min }
    },
    answer(result, extent) {
      if (!result) return { ...repeated, data: [] }
      const { buckets } = resultOf(result, 'histogram')
      const width = intervalOf(extent)
      const rows =
        width === undefined
          ? buckets.map(bucket => ({ start: bucket.value, bucket }))
          : withGaps(buckets, equalSteps(width, start), bounds)
      return {
        ...repeated,
        ...(width === undefined ? {} : { interval: width }),
        data: rows.map(row => metrics.bucket(row.start, row.bucket))
      }
    }
  }
}

function positive(members: Members, name: string): number | undefined {
  const n = members.number(name)
  if (n === undefined || n > 0) return n
  throw members.error(name, 'greater_than', 'Input should be greater than 0', { gt: 0 })
}

function readBounds(members: Members): Extent | undefined {
  const bounds = members.object('extended_bounds')
  if (!bounds) return undefined
  const extent = { min: bounds.requiredNumber('min'), max: bounds.requiredNumber('max') }
  if (extent.min > extent.max) {
    throw bounds.wrong('The maximum value should be greater than the minimum value.')
  }
  return extent
}
