/** `percentiles` (`search.md` §5.7). */
import { invalid } from '../../errors.ts'
import { MAX_BUCKETS, type PercentilesAggregation } from '../../search/aggregation.ts'
import { findQuantity } from '../custom-names.ts'
import type { Quantity } from '../quantities.ts'
import { COUNTABLE, type Given, MEASURABLE, readCommon } from './buckets.ts'
import { number } from './members.ts'
import { type AggregationPlan, resultOf } from './plan.ts'
import { requireTogether } from './together.ts'

const DEFAULT_PERCENTS = [0, 25, 50, 75, 100]
const DEFAULT_GROUPS = 10
const MAX_PERCENTS = 1000

/** @throws SeraiError INVALID (422) */
export function readPercentiles(given: Given): AggregationPlan {
  const { members, name } = given
  const chosen = members.list('percents', (item, loc) => {
    const percent = number(item, loc)
    if (percent >= 0 && percent <= 100) return percent
    throw invalid(loc, 'Input should be between 0 and 100', { input: item })
  })
  if (chosen && (chosen.length === 0 || chosen.length > MAX_PERCENTS)) {
    throw invalid(members.at('percents'), `List should have 1 to ${MAX_PERCENTS} items`, {
      input: chosen.length
    })
  }
  const percents = chosen ?? DEFAULT_PERCENTS
  const size = members.positiveWhole('group_by_size') ?? DEFAULT_GROUPS
  const { quantity, excluded, echo } = readCommon(given, MEASURABLE, {
    loc: ['aggregations', name, 'percentiles', 'quantity'],
    msg: q => `The quantity SearchQuantity(${q}) cannot be used in a percentiles aggregation`
  })
  const groupName = members.text('group_by')
  const groupBy = groupName === undefined ? undefined : groupQuantity(groupName, quantity, given)
  const asked: PercentilesAggregation = {
    kind: 'percentiles',
    quantity,
    percents,
    ...(groupBy ? { groupBy: { quantity: groupBy, size: Math.min(size, MAX_BUCKETS) } } : {})
  }
  const keys = percents.map(chosen ? floatText : String)

  return {
    type: 'percentiles',
    ...excluded,
    request: () => asked,
    answer(result) {
      const { groups } = resultOf(result, 'percentiles')
      return {
        ...echo,
        percents,
        ...(groupBy ? { group_by: groupBy.name } : {}),
        group_by_size: size,
        data: groups.map(({ value, count, percentiles }) => ({
          label: value === undefined ? 'all' : String(value),
          percentiles: Object.fromEntries(percentiles.map((p, i) => [keys[i], p])),
          count
        }))
      }
    }
  }
}

function groupQuantity(groupName: string, quantity: Quantity, { name, quantities }: Given): Quantity {
  const loc = ['aggregation', name, 'percentiles', 'group_by']
  const groupBy = findQuantity(groupName, quantities, loc)
  if (!COUNTABLE.includes(groupBy.kind)) {
    throw invalid(loc, 'The group_by quantity cannot be used in a terms aggregation.')
  }
  requireTogether(groupBy, quantity, loc)
  return groupBy
}

/** A number as the reference writes it in keys: `10` is `10.0`. */
function floatText(n: number): string {
  return Number.isInteger(n) ? n.toFixed(1) : String(n)
}
