/** The filters of lists of uploads, datasets and groups as SQL conditions over the tables of their documents. */
import type { SQLInputValue } from 'node:sqlite'
import type { DatasetFilter, GroupFilter, UploadFilter } from '../documents.ts'
import { afterBeginning } from '../person-names.ts'

/** A condition and the values of its parameters, in order; the condition is the same for filters of the same form. */
export interface Condition {
  readonly where: string
  readonly values: readonly SQLInputValue[]
}

/** Adds a part of a condition, and the values of its parameters. */
type Add = (sql: string, ...values: SQLInputValue[]) => void

/** All parts AND-ed; without any everything matches. */
function condition(write: (add: Add) => void): Condition {
  const parts: string[] = []
  const values: SQLInputValue[] = []
  write((sql, ...given) => {
    parts.push(sql)
    values.push(...given)
  })
  return { where: parts.join(' AND ') || '1', values }
}

/** Uploads (`uploads.md` §2.1), over `upload`. */
export function uploadsWhere(filter: UploadFilter): Condition {
  return condition(add => addUploads(filter, add))
}

/** Groups (`datasets-users-groups.md` §3.2), over `user_group`. */
export function groupsWhere({ groupIds, userId, nameContains = [] }: GroupFilter): Condition {
  return condition(add => {
    if (groupIds) add('group_id IN (SELECT value FROM json_each(?))', JSON.stringify(groupIds))
    if (userId !== undefined) add('group_id IN (SELECT group_id FROM group_member WHERE user_id = ?)', userId)
    for (const text of nameContains) add('instr(folded_name, ?) > 0', text.toLowerCase())
  })
}

/** Datasets (`datasets-users-groups.md` §1.2), over `dataset`. */
export function datasetsWhere(filter: DatasetFilter): Condition {
  const { datasetId, name, namePrefix, userIds, type, doi } = filter
  return condition(add => {
    if (datasetId !== undefined) add('dataset_id = ?', datasetId)
    if (name !== undefined) add('dataset_name = ?', name)
    if (namePrefix !== undefined) {
      const folded = namePrefix.toLowerCase()
      add('folded_name >= ? AND folded_name < ?', folded, afterBeginning(folded))
    }
    if (userIds) add('user_id IN (SELECT value FROM json_each(?))', JSON.stringify(userIds))
    if (type !== undefined) add('dataset_type = ?', type)
    if (doi !== undefined) add('doi = ?', doi)
  })
}

function addUploads(filter: UploadFilter, add: Add): void {
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
}
