/** The rows of one page: sorted by a field and then by `entry_id`, entries without a value last. */
import type { SortValue } from '../entry-index.ts'
import { isNumeric, KEY_FIELD } from './fields.ts'
import type { IdOrder, Place } from './id-order.ts'
import type { Matches } from './matches.ts'
import { NestedValues } from './nested-values.ts'
import { NumberOrder } from './number-order.ts'
import { RowSet } from './row-set.ts'
import type { StoredDocuments } from './stored-documents.ts'
import { sortValue, TermOrder } from './term-order.ts'
import type { FieldName, OrderField, WireSearch } from './wire.ts'

/** An entry of the page. */
export interface SortedPlace extends Place {
  /** Absent when sorted by `entry_id` alone. */
  readonly value?: SortValue
}

/** Finds pages within sets of matches. */
export class Ordering {
  readonly #matches: Matches
  readonly #documents: StoredDocuments
  readonly #ids: IdOrder
  readonly #numbers: NumberOrder
  readonly #terms: TermOrder

  constructor(matches: Matches, documents: StoredDocuments, ids: IdOrder) {
    this.#matches = matches
    this.#documents = documents
    this.#ids = ids
    this.#numbers = new NumberOrder(matches.tables)
    this.#terms = new TermOrder(matches.tables, documents)
  }

  /**
   * The places of the page, in order.
   * @throws Stopped
   */
  page(found: RowSet, request: WireSearch): SortedPlace[] {
    const { orderBy, after, order, offset } = request
    const limit = offset + request.size
    if (limit === 0) return []
    const places =
      !orderBy || orderBy.name === KEY_FIELD
        ? this.#ids.first(found, order, limit, after?.entryId)
        : this.#byField(found, orderBy, request, limit)
    return places.slice(offset)
  }

  #byField(found: RowSet, field: OrderField, request: WireSearch, limit: number): SortedPlace[] {
    const { after, order } = request
    const nested =
      field.within && new NestedValues(this.#matches, this.#documents, found, field, field.within)
    const valued = nested ? nested.entries : this.#valued(found, field)
    const places: SortedPlace[] = []
    if (after === undefined || (after.value ?? null) !== null) {
      const groups = isNumeric(field.kind)
        ? this.#numbers.groups(valued, field, nested, request, limit)
        : this.#terms.groups(valued, field, nested, request, limit)
      // Only what stands in a section may have several values: one for each of several sections.
      const several = !isNumeric(field.kind) && !nested && field.source.includes('.')
      const firstTerm =
        several && after ? this.#terms.reader(field, undefined, order === 'asc' ? 1 : -1) : undefined
      const firstValue = firstTerm && ((row: number) => sortValue(field, firstTerm(row)))
      const placed = new RowSet()
      for (const [value, rows] of groups) {
        const from = after !== undefined && after.value === value ? after.entryId : undefined
        // Without a cursor all earlier groups have been seen.
        const group = several && !after ? rows.minus(placed) : rows
        if (several) placed.addAll(group)
        for (const place of this.#ofGroup(group, request, limit - places.length, from, value, firstValue))
          places.push({ ...place, value })
        if (places.length >= limit) return places
      }
    }
    const from = after !== undefined && (after.value ?? null) === null ? after.entryId : undefined
    const missing = this.#ids.first(found.minus(valued), order, limit - places.length, from)
    for (const place of missing) places.push({ ...place, value: null })
    return places
  }

  /**
   * The first rows of a group by `entry_id`. A row is in the group of each of its values, but its place is only where
   * `firstValue` is; after a cursor that has to be read from the documents.
   */
  #ofGroup(
    rows: RowSet,
    { order }: WireSearch,
    limit: number,
    after: string | undefined,
    value: SortValue,
    firstValue: ((row: number) => SortValue) | undefined
  ): Place[] {
    if (!firstValue) return this.#ids.first(rows, order, limit, after)
    const places: Place[] = []
    for (let from = after; ; ) {
      const wanted = limit - places.length
      const some = this.#ids.first(rows, order, wanted, from)
      for (const place of some) if (firstValue(place.row) === value) places.push(place)
      from = some.at(-1)?.entryId
      if (some.length < wanted || places.length >= limit) return places
    }
  }

  #valued(found: RowSet, field: FieldName): RowSet {
    // Nested objects have no value that an entry could be sorted by.
    return field.nestedPath ? new RowSet() : found.and(this.#matches.tables.withValue(field))
  }
}
