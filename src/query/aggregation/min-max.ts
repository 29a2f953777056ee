/** `min_max` (`search.md` §5.5). */
import { type Given, MEASURABLE, readCommon } from './buckets.ts'
import { type AggregationPlan, resultOf } from './plan.ts'

/** @throws SeraiError INVALID (422) */
export function readMinMax(given: Given): AggregationPlan {
  const { quantity, excluded, echo } = readCommon(given, MEASURABLE, {
    loc: ['aggregations', given.name, 'min_max', 'quantity'],
    msg: q => `The quantity SearchQuantity(${q}) cannot be used in a mix-max aggregation`
  })
  return {
    type: 'min_max',
    ...excluded,
    request: () => ({ kind: 'min_max', quantity }),
    answer(result) {
      const { min, max } = resultOf(result, 'min_max')
      return { ...echo, data: [min, max] }
    }
  }
}
