/** The `aggregations` of a search (`search.md` §5): read and checked, asked for, answered. */
import { invalid } from '../../errors.ts'
import type { AggregationRequest, AggregationResult } from '../../search/aggregation.ts'
import type { Quantities, Quantity } from '../quantities.ts'
import type { Query } from '../tree.ts'
import { readAutoDateHistogram } from './auto-date-histogram.ts'
import type { Given } from './buckets.ts'
import { readDateHistogram } from './date-histogram.ts'
import { readHistogram } from './histogram.ts'
import { Members } from './members.ts'
import { readMinMax } from './min-max.ts'
import { readPercentiles } from './percentiles.ts'
import type { AggregationPlan, Extent } from './plan.ts'
import { readStatistics } from './statistics.ts'
import { readTerms } from './terms.ts'

/** Most aggregations in one search. */
export const MAX_AGGREGATIONS = 500

/** The types; of several in one aggregation the first counts. */
const READERS: Readonly<Record<string, (given: Given) => AggregationPlan>> = {
  terms: readTerms,
  histogram: readHistogram,
  date_histogram: readDateHistogram,
  auto_date_histogram: readAutoDateHistogram,
  min_max: readMinMax,
  percentiles: readPercentiles,
  statistics: readStatistics
}

/** The names of the types. */
export const AGGREGATION_TYPES: readonly string[] = Object.keys(READERS)

/** Checked aggregations by their names. */
export type Aggregations = ReadonlyMap<string, AggregationPlan>

/** Results of an engine by the names of the aggregations. */
type Results = Readonly<Record<string, AggregationResult>>

/**
 * The aggregations of a body; null is none.
 * @throws SeraiError INVALID (422), SEARCH_REFUSED (400)
 */
export function readAggregations(
  json: Readonly<Record<string, unknown>> | null | undefined,
  quantities: Quantities
): Aggregations {
  const entries = Object.entries(json ?? {})
  if (entries.length > MAX_AGGREGATIONS) {
    throw invalid(['body', 'aggregations'], `There are more than ${MAX_AGGREGATIONS} aggregations`)
  }
  const plans = new Map(
    entries.map(([name, value]) => [name, readAggregation(name, value, quantities)] as const)
  )
  const pages = [...plans].find(([, { isPage }]) => isPage)
  if (pages && isExcluding(plans)) {
    const msg = 'Aggregation pagination cannot be used with exclude_from_search in the same request'
    throw invalid(['aggregations', pages[0], 'terms', 'pagination'], msg)
  }
  return plans
}

function readAggregation(name: string, value: unknown, quantities: Quantities): AggregationPlan {
  const given = new Members(value, ['body', 'aggregations', name])
  for (const [type, read] of Object.entries(READERS)) {
    const members = given.object(type)
    if (members) return read({ name, members, quantities })
  }
  throw invalid(given.loc, `An aggregation needs one of ${AGGREGATION_TYPES.join(', ')}`, { type: 'missing' })
}

/** Whether one of them leaves out criteria. */
export function isExcluding(aggregations: Aggregations): boolean {
  return [...aggregations.values()].some(({ excluded }) => excluded)
}

/**
 * What has to be asked beforehand: the extents that some aggregations depend on.
 * @param queryOf the entries that an aggregation sees, given the quantity whose criteria it leaves out
 */
export function extentRequests(
  aggregations: Aggregations,
  queryOf: (excluded: Quantity | undefined) => Query
): Record<string, AggregationRequest> {
  return Object.fromEntries(
    [...aggregations].flatMap(([name, { extentOf: quantity, excluded }]) =>
      quantity ? [[name, { query: queryOf(excluded), aggregation: { kind: 'min_max', quantity } }]] : []
    )
  )
}

/** What to ask, given the results of {@link extentRequests}. */
export function aggregationRequests(
  aggregations: Aggregations,
  queryOf: (excluded: Quantity | undefined) => Query,
  extents: Results
): Record<string, AggregationRequest> {
  return Object.fromEntries(
    [...aggregations].flatMap(([name, plan]) => {
      const aggregation = plan.request(extent(extents, name))
      return aggregation ? [[name, { query: queryOf(plan.excluded), aggregation }]] : []
    })
  )
}

/**
 * The member `aggregations` of the answer.
 * @throws SeraiError SEARCH_REFUSED (400) when an answer has too many buckets
 */
export function aggregationAnswers(
  aggregations: Aggregations,
  results: Results,
  extents: Results
): Record<string, Record<string, unknown>> {
  return Object.fromEntries(
    [...aggregations].map(([name, plan]) => [
      name,
      { [plan.type]: plan.answer(own(results, name), extent(extents, name)) }
    ])
  )
}

function extent(extents: Results, name: string): Extent | undefined {
  const result = own(extents, name)
  if (result?.kind !== 'min_max' || result.min === null || result.max === null) return undefined
  return { min: result.min, max: result.max }
}

/** The result of a name that may also be that of a member of all objects. */
function own(results: Results, name: string): AggregationResult | undefined {
  return Object.hasOwn(results, name) ? results[name] : undefined
}
