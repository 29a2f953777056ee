/** `statistics` (`search.md` §5.6). */
import type { Given } from './buckets.ts'
import { readMetrics } from './metrics.ts'
import { type AggregationPlan, resultOf } from './plan.ts'

/** @throws SeraiError INVALID (422) */
export function readStatistics({ members, quantities }: Given): AggregationPlan {
  const { names, metrics } = readMetrics(members, quantities)
  return {
    type: 'statistics',
    request: () => (metrics.length > 0 ? { kind: 'statistics', metrics } : undefined),
    answer: result => ({
      metrics: names,
      data: result ? resultOf(result, 'statistics').metrics : {}
    })
  }
}
