/** Numbers and dates of objects in buckets: equal steps, parts of the calendar, or given ranges. */
import { type Bucket, MAX_BUCKETS, requireBuckets } from '../aggregation.ts'
import type { WireOf } from './aggregation-wire.ts'
import type { Columns } from './columns.ts'
import type { Metrics } from './metrics.ts'
import { hasPlace, RowSet } from './row-set.ts'

type NumberAggregation = WireOf<'histogram' | 'calendar' | 'ranges'>

/** Tells where the bucket of a number begins; undefined where there is none. */
type Locate = (value: number) => number | undefined

/** Counts numbers within one request. */
export class NumberBuckets {
  readonly #columns: Columns
  readonly #metrics: Metrics

  constructor(columns: Columns, metrics: Metrics) {
    this.#columns = columns
    this.#metrics = metrics
  }

  /**
   * The buckets that hold objects, rising.
   * @throws Stopped; SeraiError SEARCH_REFUSED for too many buckets
   */
  of(aggregation: NumberAggregation, objects: RowSet): Bucket<number>[] {
    const { quantity, metrics } = aggregation
    const locate = locator(aggregation)
    const counts = new Map<number, number>()
    const members: [row: number, bucket: number][] | undefined = metrics ? [] : undefined
    for (const { base, bits, places, values } of this.#columns.parts(quantity.name, objects)) {
      let [lastPlace, lastBucket, run] = [-1, Number.NaN, 0]
      let seen: number[] | undefined
      for (let i = 0; i < places.length; i++) {
        const place = places[i] as number
        if (!hasPlace(bits, place)) continue
        const bucket = locate(values[i] as number)
        if (bucket === undefined) continue
        // An object with several values in one bucket counts once.
        if (place === lastPlace) {
          seen ??= [lastBucket]
          if (seen.includes(bucket)) continue
          seen.push(bucket)
        } else seen = undefined
        lastPlace = place
        members?.push([base + place, bucket])
        // Neighbours are often in one bucket.
        if (bucket === lastBucket) run++
        else {
          if (run > 0) counts.set(lastBucket, (counts.get(lastBucket) ?? 0) + run)
          lastBucket = bucket
          run = 1
        }
      }
      if (run > 0) counts.set(lastBucket, (counts.get(lastBucket) ?? 0) + run)
      if (counts.size > MAX_BUCKETS) requireBuckets(counts.size)
    }
    const buckets = [...counts].sort(([a], [b]) => a - b)
    if (!metrics || !members) return buckets.map(([value, count]) => ({ value, objects: count }))
    // The rows of one bucket at a time: sets of all of them would not fit into memory.
    members.sort(([, a], [, b]) => a - b)
    let next = 0
    return buckets.map(([value, count]) => {
      const rows = new RowSet()
      for (; members[next]?.[1] === value; next++) rows.add((members[next] as [number, number])[0])
      return { value, objects: count, metrics: this.#metrics.of(metrics, rows) }
    })
  }
}

function locator(aggregation: NumberAggregation): Locate {
  if (aggregation.kind === 'histogram') {
    const { interval, offset } = aggregation
    return value => Math.floor((value - offset) / interval) * interval + offset
  }
  return remembering(
    aggregation.kind === 'calendar' ? calendarPart(aggregation.unit) : rangeAmong(aggregation.edges)
  )
}

type Range = readonly [from: number, to: number] | undefined

/** Neighbours are often in one bucket: the last one is tried first. */
function remembering(rangeOf: (value: number) => Range): Locate {
  let [from, to] = [Number.NaN, Number.NaN]
  return value => {
    if (value >= from && value < to) return from
    const range = rangeOf(value)
    if (!range) return undefined
    ;[from, to] = range
    return from
  }
}

function calendarPart(unit: WireOf<'calendar'>['unit']): (value: number) => Range {
  const months = { month: 1, quarter: 3, year: 12 }[unit]
  return value => {
    const date = new Date(value)
    const year = date.getUTCFullYear()
    const month = Math.floor(date.getUTCMonth() / months) * months
    return [firstOf(year, month), firstOf(year, month + months)]
  }
}

/** The first millisecond of a month; months from 12 on are those of the next year. */
function firstOf(year: number, month: number): number {
  // Date.UTC takes the years 0 to 99 for those of the last century.
  const date = new Date(0)
  return date.setUTCFullYear(year, month, 1)
}

function rangeAmong(edges: readonly number[]): (value: number) => Range {
  return value => {
    let [low, high] = [0, edges.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((edges[middle] as number) <= value) low = middle + 1
      else high = middle
    }
    return low === 0 || low === edges.length ? undefined : [edges[low - 1] as number, edges[low] as number]
  }
}
