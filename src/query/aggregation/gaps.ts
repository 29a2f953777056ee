/** Histograms as they are answered: with the buckets that have nothing in them. */
import { failure } from '../../errors.ts'
import { type Bucket, requireBuckets } from '../../search/aggregation.ts'
import type { Extent } from './plan.ts'

/** A way to number the buckets of a histogram. */
export interface Steps {
  /** The number of the bucket that a value is in, whole. */
  indexOf(value: number): number
  /** Where the bucket of a number begins. */
  startOf(index: number): number
}

/** Buckets of equal width. */
export function equalSteps(interval: number, offset: number): Steps {
  return {
    indexOf: value => Math.floor((value - offset) / interval),
    startOf: index => index * interval + offset
  }
}

/**
 * All buckets from the first to the last that has something in it, and over the bounds if there are any.
 * @throws SeraiError SEARCH_REFUSED when they are too many
 */
export function withGaps(
  buckets: readonly Bucket<number>[],
  steps: Steps,
  bounds: Extent | undefined
): { start: number; bucket: Bucket | undefined }[] {
  // A bucket begins where it begins, give or take the last digit.
  const number = (start: number) => nearest(steps, start)
  const found = new Map(buckets.map(bucket => [number(bucket.value), bucket]))
  const ends = [...found.keys(), ...(bounds ? [steps.indexOf(bounds.min), steps.indexOf(bounds.max)] : [])]
  if (ends.length === 0) return []
  const first = ends.reduce((a, b) => Math.min(a, b))
  const last = ends.reduce((a, b) => Math.max(a, b))
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last)) {
    throw failure('SEARCH_REFUSED', { reason: 'the interval of the histogram is too small for the values' })
  }
  requireBuckets(last - first + 1)
  return Array.from({ length: last - first + 1 }, (_, i) => {
    const bucket = found.get(first + i)
    return { start: bucket?.value ?? steps.startOf(first + i), bucket }
  })
}

function nearest(steps: Steps, start: number): number {
  const index = steps.indexOf(start)
  const distance = (i: number) => Math.abs(steps.startOf(i) - start)
  return distance(index + 1) < distance(index) ? index + 1 : index
}
