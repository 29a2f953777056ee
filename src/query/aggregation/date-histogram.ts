/** `date_histogram` (`search.md` §5.3). */
import { failure } from '../../errors.ts'
import type { Aggregation } from '../../search/aggregation.ts'
import { BucketMetrics, type Given, readCommon } from './buckets.ts'
import { CALENDAR, calendarSteps, fixedUnit, UNITS } from './calendar.ts'
import { equalSteps, type Steps, withGaps } from './gaps.ts'
import { type AggregationPlan, resultOf } from './plan.ts'

const INTERVALS = ['interval', 'calendar_interval', 'fixed_interval'] as const

/** What dates are grouped by. */
interface Grouping {
  readonly asked: { kind: 'histogram'; interval: number; offset: number } | { kind: 'calendar'; unit: Unit }
  readonly steps: Steps
}

type Unit = 'month' | 'quarter' | 'year'

/** @throws SeraiError INVALID (422), SEARCH_REFUSED (400) for an interval that is none */
export function readDateHistogram(given: Given): AggregationPlan {
  const { members, name } = given
  const intervals = INTERVALS.flatMap(member => {
    const text = members.text(member)
    return text === undefined ? [] : [[member, text] as const]
  })
  if (intervals.length > 1) {
    const both = intervals.map(([member]) => member).join(', ')
    throw members.wrong(`Only one of ${both} can be given for date histogram aggregation.`)
  }
  const { quantity, excluded, echo } = readCommon(given, ['date'], {
    loc: ['aggregations', name, 'histogram', 'quantity'],
    msg: q => `The quantity SearchQuantity(${q}) cannot be used in a date histogram aggregation`
  })
  const metrics = new BucketMetrics(given, quantity)
  const [member, interval] = intervals[0] ?? ['calendar_interval', '1M']
  const isCalendar = member === 'calendar_interval' || (member === 'interval' && CALENDAR.has(interval))
  const { asked, steps } = isCalendar ? calendarGrouping(interval) : fixedGrouping(interval)

  return {
    type: 'date_histogram',
    ...excluded,
    request: () => ({ quantity, ...metrics.asked, ...asked }) satisfies Aggregation,
    answer(result) {
      const { buckets } = resultOf(result, asked.kind)
      return {
        ...echo,
        metrics: metrics.echo,
        [isCalendar ? 'calendar_interval' : 'fixed_interval']: interval,
        data: withGaps(buckets, steps, undefined).map(({ start, bucket }) =>
          metrics.bucket(day(start), bucket)
        )
      }
    }
  }
}

function calendarGrouping(interval: string): Grouping {
  const unit = CALENDAR.get(interval)
  if (!unit)
    throw refused(
      `The supplied interval [${shortened(interval)}] could not be parsed as a calendar interval.`
    )
  if (unit === 'month' || unit === 'quarter' || unit === 'year') {
    return { asked: { kind: 'calendar', unit }, steps: calendarSteps(unit) }
  }
  const { milliseconds, offset } = UNITS[unit]
  return equalGrouping(milliseconds, offset)
}

function fixedGrouping(interval: string): Grouping {
  const milliseconds = fixedUnit(interval)
  if (milliseconds !== undefined) return equalGrouping(milliseconds, 0)
  throw refused(
    `failed to parse setting [date_histogram.fixedInterval] with value [${shortened(interval)}] as a time value: unit is missing or unrecognized`
  )
}

function equalGrouping(interval: number, offset: number): Grouping {
  return { asked: { kind: 'histogram', interval, offset }, steps: equalSteps(interval, offset) }
}

/** The day of a moment; moments that no calendar knows stay numbers. */
function day(moment: number): string {
  const date = new Date(moment)
  return Number.isNaN(date.getTime()) ? String(moment) : (date.toISOString().split('T')[0] as string)
}

function shortened(text: string): string {
  return text.slice(0, 100)
}

function refused(reason: string) {
  return failure('SEARCH_REFUSED', { reason })
}
