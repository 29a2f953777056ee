/** Metrics of aggregations (`search.md` §5.6). */
import { invalid } from '../../errors.ts'
import type { Metric } from '../../search/aggregation.ts'
import type { Quantities, Quantity } from '../quantities.ts'
import { type Members, text } from './members.ts'

/** What each metric counts the different values of, or adds. `n_authors` counts names: authors are objects. */
const METRICS: Readonly<Record<string, readonly ['cardinality' | 'sum', string] | undefined>> = {
  n_uploads: ['cardinality', 'upload_id'],
  n_materials: ['cardinality', 'results.material.material_id'],
  n_authors: ['cardinality', 'authors.name'],
  n_calculations: ['sum', 'results.properties.n_calculations'],
  n_quantities: ['sum', 'n_quantities']
}

/** The names of all metrics. */
export const METRIC_NAMES: readonly string[] = ['n_entries', ...Object.keys(METRICS)]

/**
 * The metrics that a request names, and the names as they are repeated.
 * @throws SeraiError INVALID (422)
 */
export function readMetrics(
  members: Members,
  quantities: Quantities
): { names: string[]; metrics: Metric[] } {
  const names = members.list('metrics', text) ?? []
  return { names, metrics: [...new Set(names)].map(name => metric(name, quantities)) }
}

/**
 * The metric of this name.
 * @throws SeraiError INVALID (422) when there is none
 */
export function metric(name: string, quantities: Quantities): Metric {
  if (name === 'n_entries') return { name, kind: 'entries' }
  const known = Object.hasOwn(METRICS, name) ? METRICS[name] : undefined
  if (!known) {
    throw invalid(
      ['statistic', 'metrics'],
      'metric must be the qualified name of a suitable search quantity',
      { input: name.slice(0, 200) }
    )
  }
  const [kind, quantity] = known
  return { name, kind, quantity: quantities.get(quantity) as Quantity }
}
