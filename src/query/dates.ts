/**
 * Times in queries (`search.md` §1.7): ISO 8601 of every length, or milliseconds since 1970. A form without the time
 * of day stands for the whole day, one without seconds for the whole minute, which decides where ranges begin
 * and end. As in Elasticsearch, a month or a year alone stands for its first day.
 */

/** The first and the last millisecond (UTC, since 1970) that a text stands for. */
export interface TimeSpan {
  readonly first: number
  readonly last: number
}

const ISO =
  /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](?:(\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?)?(Z|[+-]\d\d(?::?\d\d)?)?)?)?)?$/i
const EPOCH = /^-?\d{1,15}(?:\.\d+)?$/

const MINUTE = 60_000

/** Minutes east of UTC; no zone means UTC. */
function zoneMinutes(zone: string | undefined): number {
  const match = /^([+-])(\d\d):?(\d\d)?$/.exec(zone ?? '')
  if (!match) return 0
  const minutes = Number(match[2]) * 60 + Number(match[3] ?? 0)
  return match[1] === '-' ? -minutes : minutes
}

/** The moments of a date; undefined when the text is neither ISO 8601 nor milliseconds. */
export function timeSpan(value: string | number): TimeSpan | undefined {
  const text = String(value)
  const iso = ISO.exec(text)
  if (!iso) {
    if (!EPOCH.test(text)) return undefined
    const moment = Math.trunc(Number(text))
    return { first: moment, last: moment }
  }
  const [, year, month, day, hour, minute, second, fraction, zone] = iso
  const n = (part: string | undefined, absent: number) => (part === undefined ? absent : Number(part))
  if (n(month, 1) < 1 || n(month, 1) > 12 || n(hour, 0) > 23 || n(minute, 0) > 59 || n(second, 0) > 59)
    return undefined
  const monthIndex = n(month, 1) - 1
  // Date.UTC takes years below 100 for those of the 20th century, hence setUTCFullYear.
  const utc = (m: number, d: number) => new Date(0).setUTCFullYear(Number(year), m, d)
  const daysInMonth = new Date(utc(monthIndex + 1, 0)).getUTCDate()
  if (n(day, 1) < 1 || n(day, 1) > daysInMonth) return undefined

  const milliseconds = fraction === undefined ? undefined : Number(fraction.padEnd(3, '0').slice(0, 3))
  const at = (h: number, min: number, s: number, ms: number) =>
    utc(monthIndex, n(day, 1)) + ((h * 60 + min) * 60 + s) * 1000 + ms - zoneMinutes(zone) * MINUTE
  return {
    first: at(n(hour, 0), n(minute, 0), n(second, 0), milliseconds ?? 0),
    last: at(n(hour, 23), n(minute, 59), n(second, 59), milliseconds ?? 999)
  }
}

/**
 * A date of a URL in the full form in which it is echoed (`search.md` §1.9): `2020-01-01` is `2020-01-01T00:00:00`.
 * Undefined when it is not ISO 8601.
 */
export function fullIsoDate(text: string): string | undefined {
  const iso = ISO.exec(text)
  if (!iso || !timeSpan(text)) return undefined
  const [, year, month = '01', day = '01', hour = '00', minute = '00', second = '00', fraction, zone = ''] =
    iso
  const offset = zone
    .replace(/^z$/i, '+00:00')
    .replace(/^([+-]\d\d):?(\d\d)?$/, (_, h: string, m = '00') => `${h}:${m}`)
  const micro = fraction === undefined ? '' : `.${fraction.padEnd(6, '0').slice(0, 6)}`
  return `${year}-${month}-${day}T${hour}:${minute}:${second}${micro}${offset}`
}
