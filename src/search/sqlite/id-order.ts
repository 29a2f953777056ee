/** Rows of entries by `entry_id`: its index is walked when most entries match, few matches are sorted by themselves. */
import { compareText } from './fields.ts'
import type { IndexTables } from './index-tables.ts'
import type { RowSet } from './row-set.ts'

/** An entry in its row. */
export interface Place {
  readonly row: number
  readonly entryId: string
}

/** Cost of finding an entry's id by its row, in steps of a walk over the ids. */
const LOOKUP_STEPS = 2

/** Finds the first of sets of entries. */
export class IdOrder {
  readonly #tables: IndexTables

  constructor(tables: IndexTables) {
    this.#tables = tables
  }

  /**
   * The first rows by `entry_id`, behind an id.
   * @throws Stopped
   */
  first(rows: RowSet, order: 'asc' | 'desc', limit: number, after?: string): Place[] {
    const size = rows.size
    if (size === 0) return []
    const steps = (Math.min(limit, size) / size) * this.#entries()
    return steps < size * LOOKUP_STEPS
      ? this.#walkIds(rows, order, limit, after)
      : this.#sortIds(rows, order, limit, after)
  }

  #entries(): number {
    return this.#tables.number('SELECT max(row) FROM entry') ?? 0
  }

  #walkIds(rows: RowSet, order: 'asc' | 'desc', limit: number, after: string | undefined): Place[] {
    const places: Place[] = []
    const beyond = after === undefined ? '' : `WHERE entry_id ${order === 'asc' ? '>' : '<'} ?`
    const sql = `SELECT row, entry_id FROM entry ${beyond} ORDER BY entry_id ${order}`
    for (const [row, entryId] of this.#tables.rows(sql, ...(after === undefined ? [] : [after]))) {
      if (!rows.has(row as number)) continue
      places.push({ row: row as number, entryId: entryId as string })
      if (places.length >= limit) break
    }
    return places
  }

  #sortIds(rows: RowSet, order: 'asc' | 'desc', limit: number, after: string | undefined): Place[] {
    const sign = order === 'asc' ? 1 : -1
    const places: Place[] = []
    for (const row of rows) {
      const entryId = this.#entryId(row)
      if (after === undefined || sign * compareText(entryId, after) > 0) places.push({ row, entryId })
    }
    return places.sort((a, b) => sign * compareText(a.entryId, b.entryId)).slice(0, limit)
  }

  #entryId(row: number): string {
    const found = this.#tables.statement('SELECT entry_id FROM entry WHERE row = ?').get(row) as unknown as [
      string
    ]
    return found[0]
  }
}
