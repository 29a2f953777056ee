/** The terms of a field in their order, with the rows that have them. */
import type { IndexTables } from './index-tables.ts'
import { RowSet } from './row-set.ts'

/**
 * Terms of rows of a set, each with these rows.
 * @param field number of the field
 * @param start the first term, or the term before the first one when `beyond` is set
 * @throws Stopped
 */
export function* termsInOrder(
  tables: IndexTables,
  field: number,
  rows: RowSet,
  order: 'asc' | 'desc',
  start?: string,
  beyond = false
): Generator<[term: string, rows: RowSet]> {
  const operator = `${order === 'asc' ? '>' : '<'}${beyond ? '' : '='}`
  const sql = `SELECT t.value, p.chunk, p.rows FROM term t CROSS JOIN posting p ON p.term = t.id
    WHERE t.field = ? ${start === undefined ? '' : `AND t.value ${operator} ?`} ORDER BY t.value ${order}`
  let current: string | undefined
  let group = new RowSet()
  for (const [term, chunk, stored] of tables.rows(sql, field, ...(start === undefined ? [] : [start]))) {
    if (term !== current) {
      if (current !== undefined) {
        const found = group.and(rows)
        if (!found.isEmpty) yield [current, found]
      }
      current = term as string
      group = new RowSet()
    }
    if (rows.chunks.has(chunk as number)) group.addStored(chunk as number, stored as Uint8Array)
  }
  if (current === undefined) return
  const found = group.and(rows)
  if (!found.isEmpty) yield [current, found]
}
