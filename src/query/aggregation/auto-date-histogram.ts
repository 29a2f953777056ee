/**
 * `auto_date_histogram` (`search.md` §5.4): the interval is chosen as Elasticsearch does, from the first and the last date:
 * the finest of its units of which there are not too many, then as many of them together as are needed.
 */
import { failure } from '../../errors.ts'
import type { RangesAggregation } from '../../search/aggregation.ts'
import { BucketMetrics, type Given, readCommon } from './buckets.ts'
import { calendarSteps, UNITS } from './calendar.ts'
import { equalSteps, type Steps } from './gaps.ts'
import { type AggregationPlan, type Extent, resultOf } from './plan.ts'

const DEFAULT_BUCKETS = 10

/** Most buckets; what Elasticsearch allows. */
const MAX_AUTO_BUCKETS = 2183

/** Units with their letter, and how many of them may be together in one bucket. */
const SCALES: readonly { letter: string; steps: Steps; multiples: readonly number[] }[] = [
  { letter: 's', steps: equalSteps(UNITS.second.milliseconds, 0), multiples: [1, 5, 10, 30] },
  { letter: 'm', steps: equalSteps(UNITS.minute.milliseconds, 0), multiples: [1, 5, 10, 30] },
  { letter: 'h', steps: equalSteps(UNITS.hour.milliseconds, 0), multiples: [1, 3, 12] },
  { letter: 'd', steps: equalSteps(UNITS.day.milliseconds, 0), multiples: [1, 7] },
  { letter: 'M', steps: calendarSteps('month'), multiples: [1, 3] },
  { letter: 'y', steps: calendarSteps('year'), multiples: [1, 5, 10, 20, 50, 100] }
]

/** Buckets that cover the dates. */
interface Choice {
  readonly interval: string
  readonly edges: readonly number[]
}

/** @throws SeraiError INVALID (422); of its methods SEARCH_REFUSED (400) for dates beyond the calendar */
export function readAutoDateHistogram(given: Given): AggregationPlan {
  const { members, name } = given
  const buckets = members.positiveWhole('buckets') ?? DEFAULT_BUCKETS
  if (buckets > MAX_AUTO_BUCKETS) {
    const msg = `Input should be less than or equal to ${MAX_AUTO_BUCKETS}`
    throw members.error('buckets', 'less_than_equal', msg, { le: MAX_AUTO_BUCKETS })
  }
  const { quantity, excluded, echo } = readCommon(given, ['date'], {
    loc: ['aggregations', name, 'histogram', 'quantity'],
    msg: q => `The quantity SearchQuantity(${q}) cannot be used in a auto date histogram aggregation`
  })
  const metrics = new BucketMetrics(given, quantity)

  return {
    type: 'auto_date_histogram',
    ...excluded,
    extentOf: quantity,
    request(extent): RangesAggregation | undefined {
      const { edges } = choice(extent, buckets)
      return edges.length > 1 ? { kind: 'ranges', quantity, edges, ...metrics.asked } : undefined
    },
    answer(result, extent) {
      const { interval, edges } = choice(extent, buckets)
      const found = new Map(
        result && resultOf(result, 'ranges').buckets.map(bucket => [bucket.value, bucket])
      )
      return {
        ...echo,
        metrics: metrics.echo,
        buckets,
        data: edges.slice(0, -1).map(edge => metrics.bucket(edge, found.get(edge))),
        interval
      }
    }
  }
}

function choice(extent: Extent | undefined, buckets: number): Choice {
  if (!extent) return { interval: '1s', edges: [] }
  for (const { letter, steps, multiples } of SCALES) {
    const first = steps.indexOf(extent.min)
    const units = steps.indexOf(extent.max) - first + 1
    const multiple = multiples.find(n => Math.ceil(units / n) <= buckets)
    // Where even centuries are too many, as many years as it takes.
    const together = multiple ?? (letter === 'y' ? Math.ceil(units / buckets) : undefined)
    if (together === undefined) continue
    const count = Math.ceil(units / together)
    const edges = Array.from({ length: count + 1 }, (_, i) => steps.startOf(first + i * together))
    if (edges.every(Number.isFinite)) return { interval: `${together}${letter}`, edges }
  }
  throw failure('SEARCH_REFUSED', { reason: 'there are dates that no calendar knows' })
}
