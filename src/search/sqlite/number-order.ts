/** Rows by their numbers in a field, in order; only those that a page may hold are sorted. */
import type { IndexTables } from './index-tables.ts'
import type { NestedValues } from './nested-values.ts'
import { CHUNK_ROWS, hasPlace, RowSet } from './row-set.ts'
import type { FieldName, WireSearch } from './wire.ts'

/** Orders sets of rows. */
export class NumberOrder {
  readonly #tables: IndexTables

  constructor(tables: IndexTables) {
    this.#tables = tables
  }

  /** Rows by value, in order, from the cursor's value on; ends when `limit` rows are surely among them. */
  *groups(
    rows: RowSet,
    field: FieldName,
    nested: NestedValues | undefined,
    { order, after }: WireSearch,
    limit: number
  ): Generator<[number, RowSet]> {
    if (rows.isEmpty) return
    const sign = order === 'asc' ? 1 : -1
    const start = typeof after?.value === 'number' ? after.value : undefined
    const startGroup = new RowSet()
    // Values with the sign of the order, so that the smallest is always the first.
    const values = new Float64Array(rows.size)
    const owners = new Float64Array(values.length)
    let count = 0
    const take = (row: number, value: number) => {
      if (start !== undefined && value <= sign * start) {
        if (value === sign * start) startGroup.add(row)
        return
      }
      values[count] = value
      owners[count++] = row
    }
    if (nested) nested.numbers(sign, take)
    else this.#numbers(rows, field, sign, start, take)
    if (start !== undefined) yield [start, startGroup]
    if (count === 0) return
    const last = limit >= count ? Infinity : nthSmallest(values.slice(0, count), limit - 1)
    const groups = new Map<number, RowSet>()
    for (let i = 0; i < count; i++) {
      const value = values[i] as number
      if (value > last) continue
      let group = groups.get(value)
      if (!group) {
        group = new RowSet()
        groups.set(value, group)
      }
      group.add(owners[i] as number)
    }
    for (const value of Float64Array.from(groups.keys()).sort())
      yield [sign * value + 0, groups.get(value) as RowSet]
  }

  /** Tells the rows with their smallest number in the sign of the order; those before `start` may be left out. */
  #numbers(
    rows: RowSet,
    field: FieldName,
    sign: 1 | -1,
    start: number | undefined,
    take: (row: number, value: number) => void
  ): void {
    const id = this.#tables.fieldId(field.name)
    if (id === undefined) return
    const [low, high] =
      start === undefined ? [-Infinity, Infinity] : sign > 0 ? [start, Infinity] : [-Infinity, start]
    for (const [chunk, numbers] of this.#tables.numbers(id, low, high)) {
      const bits = rows.chunks.get(chunk)
      if (!bits) continue
      for (let i = 0; i < numbers.places.length; i++) {
        const place = numbers.places[i] as number
        let value = sign * (numbers.values[i] as number)
        // Of several values the first in the order counts.
        while (numbers.places[i + 1] === place)
          value = Math.min(value, sign * (numbers.values[++i] as number))
        if (hasPlace(bits, place)) take(chunk * CHUNK_ROWS + place, value)
      }
    }
  }
}

/** The value at a place of the sorted values; `values` is rearranged. */
function nthSmallest(values: Float64Array, n: number): number {
  let left = 0
  let right = values.length - 1
  while (left < right) {
    const pivot = values[(left + right) >> 1] as number
    let i = left
    let j = right
    while (i <= j) {
      while ((values[i] as number) < pivot) i++
      while ((values[j] as number) > pivot) j--
      if (i > j) break
      const value = values[i] as number
      values[i++] = values[j] as number
      values[j--] = value
    }
    if (n <= j) right = j
    else if (n >= i) left = i
    else break
  }
  return values[n] as number
}
