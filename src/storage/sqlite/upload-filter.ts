/** The filter of a list of uploads (`uploads.md` §2.1) as an SQL condition over the table `upload`. */
import type { SQLInputValue } from 'node:sqlite'
import type { UploadFilter } from '../documents.ts'

/** A condition and the values of its parameters, in order; the condition is the same for filters of the same form. */
export function uploadsWhere(filter: UploadFilter): { where: string; values: SQLInputValue[] } {
  const parts: string[] = []
  const values: SQLInputValue[] = []
  const add = (sql: string, ...given: SQLInputValue[]) => {
    parts.push(sql)
    values.push(...given)
  }
  const { member, uploadIds, uploadNames, nameContains, published, processStatus, owned } = filter
  if (member) {
    add(
      `upload_id IN (
        SELECT upload_id FROM upload_member
        WHERE member IN (SELECT value FROM json_each(?)) AND role IN (SELECT value FROM json_each(?)))`,
      JSON.stringify([member.userId, ...member.groupIds]),
      JSON.stringify(member.roles)
    )
  }
  if (uploadIds) add('upload_id IN (SELECT value FROM json_each(?))', JSON.stringify(uploadIds))
  if (uploadNames) add('upload_name IN (SELECT value FROM json_each(?))', JSON.stringify(uploadNames))
  if (nameContains !== undefined) add('instr(folded_name, ?) > 0', nameContains.toLowerCase())
  if (published !== undefined) add(`publish_time IS ${published ? 'NOT NULL' : 'NULL'}`)
  if (processStatus) add('process_status IN (SELECT value FROM json_each(?))', JSON.stringify(processStatus))
  if (owned) add(`main_author ${owned.is ? '=' : '<>'} ?`, owned.userId)
  return { where: parts.join(' AND ') || '1', values }
}
