/** Units of time that dates are grouped by, in UTC. */
import type { Steps } from './gaps.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Units that always have the same length, in milliseconds; weeks begin on Mondays, the first on 1970-01-05. */
export const UNITS = {
  second: { milliseconds: SECOND, offset: 0 },
  minute: { milliseconds: MINUTE, offset: 0 },
  hour: { milliseconds: HOUR, offset: 0 },
  day: { milliseconds: DAY, offset: 0 },
  week: { milliseconds: 7 * DAY, offset: 4 * DAY }
} as const

/** Units of the calendar that have not. */
export type CalendarUnit = 'month' | 'quarter' | 'year'

/** What calendar intervals are called (`search.md` §5.3). */
export const CALENDAR: ReadonlyMap<string, keyof typeof UNITS | CalendarUnit> = new Map(
  (
    [
      ['second', '1s'],
      ['minute', '1m'],
      ['hour', '1h'],
      ['day', '1d'],
      ['week', '1w'],
      ['month', '1M'],
      ['quarter', '1q'],
      ['year', '1y']
    ] as const
  ).flatMap(([unit, short]) => [[unit, unit] as const, [short, unit] as const])
)

/** Suffixes of fixed intervals, in milliseconds. */
const FIXED: Readonly<Record<string, number>> = { ms: 1, s: SECOND, m: MINUTE, h: HOUR, d: DAY }

/** Milliseconds of a fixed interval such as `45d`; undefined when it is none, or nothing. */
export function fixedUnit(interval: string): number | undefined {
  const [, n, unit = ''] = /^([1-9]\d{0,8})(ms|s|m|h|d)$/.exec(interval.trim()) ?? []
  const milliseconds = FIXED[unit]
  return n === undefined || milliseconds === undefined ? undefined : Number(n) * milliseconds
}

const MONTHS: Readonly<Record<CalendarUnit, number>> = { month: 1, quarter: 3, year: 12 }

/** The months, quarters or years, counted from the year 0 on. */
export function calendarSteps(unit: CalendarUnit): Steps {
  const months = MONTHS[unit]
  return {
    indexOf: moment => Math.floor(monthOf(moment) / months),
    startOf: index => startOfMonth(index * months)
  }
}

/** The month of a moment, counted from January of the year 0 on. */
export function monthOf(moment: number): number {
  const date = new Date(moment)
  return date.getUTCFullYear() * 12 + date.getUTCMonth()
}

/** The first millisecond of a month. */
export function startOfMonth(month: number): number {
  // Date.UTC takes years below 100 for those of the 20th century.
  return new Date(0).setUTCFullYear(Math.floor(month / 12), ((month % 12) + 12) % 12, 1)
}
