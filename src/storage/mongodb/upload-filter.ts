/** The filter of a list of uploads (`uploads.md` §2.1) as a MongoDB filter over the collection `upload`. */
import type { Filter } from 'mongodb'
import type { UploadFilter } from '../documents.ts'
import type { Stored } from './mongo-database.ts'

/** Fields with the members of each role. */
const ROLE_FIELDS = {
  main_author: ['main_author'],
  coauthor: ['coauthors', 'coauthor_groups'],
  reviewer: ['reviewers', 'reviewer_groups']
} as const

/** The filter; values of a caller are only ever compared with. */
export function uploadsMatching(filter: UploadFilter): Filter<Stored> {
  const { member, uploadIds, uploadNames, nameContains, published, processStatus, owned } = filter
  const parts: Filter<Stored>[] = []
  if (member) {
    const members = [member.userId, ...member.groupIds]
    const fields = member.roles.flatMap(role => ROLE_FIELDS[role])
    // MongoDB refuses an empty $or.
    parts.push(
      fields.length > 0 ? { $or: fields.map(field => ({ [field]: { $in: members } })) } : { _id: { $in: [] } }
    )
  }
  if (uploadIds) parts.push({ _id: { $in: [...uploadIds] } })
  if (uploadNames) parts.push({ upload_name: { $in: [...uploadNames] } })
  if (nameContains !== undefined) {
    parts.push({ folded_name: { $regex: literal(nameContains.toLowerCase()) } })
  }
  // A missing member equals null.
  if (published !== undefined) parts.push({ publish_time: published ? { $ne: null } : { $eq: null } })
  if (processStatus) parts.push({ process_status: { $in: [...processStatus] } })
  if (owned) parts.push({ main_author: owned.is ? { $eq: owned.userId } : { $ne: owned.userId } })
  return parts.length > 0 ? { $and: parts } : {}
}

/** A pattern in which every character is itself. */
function literal(text: string): string {
  return text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')
}
