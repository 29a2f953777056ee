/**
 * Pages of pairs: the values of a keyword or boolean together with those of another quantity of the same objects, ordered by
 * the latter first.
 */
import type { Scalar } from '../../query/tree.ts'
import type { WireOf } from './aggregation-wire.ts'
import type { Columns } from './columns.ts'
import { compareText, isNumeric, KEY_FIELD } from './fields.ts'
import type { IdOrder } from './id-order.ts'
import type { IndexTables } from './index-tables.ts'
import { RowSet } from './row-set.ts'
import type { TermGroup, TermGroups } from './term-groups.ts'
import { orderKey, scalarOf, termText } from './term-value.ts'
import type { FieldName, OrderField } from './wire.ts'

/** A pair and the objects that have it. */
export interface TermPair extends TermGroup {
  readonly orderValue: Scalar
}

/** What is asked. */
export type PairRequest = WireOf<'terms_page'> & { readonly orderBy: OrderField }

/** Values of rows in their order: every row has the numbers of its values. */
interface Ranks {
  readonly values: readonly (string | number)[]
  readonly ofRow: ReadonlyMap<number, readonly number[]>
}

/** Finds pairs within one request. */
export class TermPairs {
  readonly #tables: IndexTables
  readonly #columns: Columns
  readonly #groups: TermGroups
  readonly #ids: IdOrder

  constructor(tables: IndexTables, columns: Columns, groups: TermGroups, ids: IdOrder) {
    this.#tables = tables
    this.#columns = columns
    this.#groups = groups
    this.#ids = ids
  }

  /**
   * The pairs of a page.
   * @throws Stopped
   */
  page(request: PairRequest, objects: RowSet): TermPair[] {
    const { quantity, orderBy, order, size, after } = request
    const sign = order === 'asc' ? 1 : -1
    const first = this.#ranks(orderBy, objects)
    const second = this.#ranks(quantity, objects)
    const start = after && {
      orderKey: orderKey(orderBy, after.orderValue as Scalar),
      term: termText(quantity, after.value)
    }
    const width = second.values.length
    const pairs = new Map<number, number[]>()
    for (const [row, outer] of first.ofRow) {
      for (const a of outer) {
        const distance = start ? sign * compare(first.values[a] as string | number, start.orderKey) : 1
        if (distance < 0) continue
        for (const b of second.ofRow.get(row) ?? []) {
          if (start && distance === 0 && sign * compare(second.values[b] as string, start.term) <= 0) continue
          const key = a * width + b
          const rows = pairs.get(key)
          if (rows) rows.push(row)
          else pairs.set(key, [row])
        }
      }
    }
    const keys = Float64Array.from(pairs.keys()).sort()
    if (sign < 0) keys.reverse()
    return [...keys.subarray(0, size)].map(key => {
      const rows = new RowSet()
      for (const row of pairs.get(key) as number[]) rows.add(row)
      const value = first.values[Math.floor(key / width)] as string | number
      return {
        term: second.values[key % width] as string,
        orderValue: typeof value === 'number' ? value : scalarOf(orderBy, value),
        objects: rows.size,
        rows: () => rows
      }
    })
  }

  #ranks(field: FieldName, objects: RowSet): Ranks {
    return isNumeric(field.kind) ? this.#numberRanks(field, objects) : this.#termRanks(field, objects)
  }

  #numberRanks(field: FieldName, objects: RowSet): Ranks {
    const values: number[] = []
    this.#columns.each(field.name, objects, (_, value) => values.push(value))
    const distinct = [...new Set(Float64Array.from(values).sort())]
    const rank = new Map(distinct.map((value, i) => [value, i]))
    const ofRow = new Map<number, number[]>()
    this.#columns.each(field.name, objects, (row, value) => addRank(ofRow, row, rank.get(value) as number))
    return { values: distinct, ofRow }
  }

  #termRanks(field: FieldName, objects: RowSet): Ranks {
    const values: string[] = []
    const ofRow = new Map<number, number[]>()
    if (field.name === KEY_FIELD) {
      for (const { row, entryId } of this.#ids.first(objects, 'asc', objects.size)) {
        ofRow.set(row, [values.length])
        values.push(entryId)
      }
      return { values, ofRow }
    }
    for (const group of this.#groups.inOrder(field, objects, { order: 'asc' })) {
      this.#tables.checkStop()
      for (const row of group.rows()) addRank(ofRow, row, values.length)
      values.push(group.term)
    }
    return { values, ofRow }
  }
}

function addRank(ofRow: Map<number, number[]>, row: number, rank: number): void {
  const ranks = ofRow.get(row)
  if (!ranks) ofRow.set(row, [rank])
  else if (!ranks.includes(rank)) ranks.push(rank)
}

function compare(a: string | number, b: string | number): number {
  return typeof a === 'number' ? a - (b as number) : compareText(a, String(b))
}
