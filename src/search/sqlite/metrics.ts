/** Numbers over sets of entries. */
import type { WireMetric } from './aggregation-wire.ts'
import type { Columns } from './columns.ts'
import { hasPlace, type RowSet } from './row-set.ts'
import type { TermGroups } from './term-groups.ts'

/** Computes metrics within one request. */
export class Metrics {
  readonly #columns: Columns
  readonly #groups: TermGroups

  constructor(columns: Columns, groups: TermGroups) {
    this.#columns = columns
    this.#groups = groups
  }

  /**
   * The metrics of the entries by name.
   * @throws Stopped
   */
  of(metrics: readonly WireMetric[], entries: RowSet): Record<string, number> {
    return Object.fromEntries(metrics.map(metric => [metric.name, this.#one(metric, entries)]))
  }

  #one(metric: WireMetric, entries: RowSet): number {
    if (metric.kind === 'entries') return entries.size
    if (metric.kind === 'cardinality') return this.#groups.distinct(metric.quantity, entries)
    let sum = 0
    for (const { bits, places, values } of this.#columns.parts(metric.quantity.name, entries)) {
      for (let i = 0; i < places.length; i++) {
        if (hasPlace(bits, places[i] as number)) sum += values[i] as number
      }
    }
    return sum
  }
}
