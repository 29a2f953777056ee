/** The filters of lists of uploads, datasets and groups as MongoDB filters over the collections of their documents. */
import type { Filter } from 'mongodb'
import type { DatasetFilter, GroupFilter, UploadFilter } from '../documents.ts'
import { afterBeginning } from '../person-names.ts'
import type { Stored } from './mongo-database.ts'

/** Fields with the members of each role. */
const ROLE_FIELDS = {
  main_author: ['main_author'],
  coauthor: ['coauthors', 'coauthor_groups'],
  reviewer: ['reviewers', 'reviewer_groups']
} as const

/** All parts AND-ed; MongoDB refuses an empty $and. */
function all(parts: readonly Filter<Stored>[]): Filter<Stored> {
  return parts.length > 0 ? { $and: [...parts] } : {}
}

/**
 * Texts with a beginning, as a range that an index answers. Over a list it must be inside `$elemMatch`: else one item could
 * meet the one bound and another one the other.
 */
export function beginsWith(beginning: string): { $gte: string; $lt: string } {
  return { $gte: beginning, $lt: afterBeginning(beginning) }
}

/** Groups (`datasets-users-groups.md` §3.2), over `group`. Parts of names are looked for in the index of the names. */
export function groupsMatching({ groupIds, userId, nameContains = [] }: GroupFilter): Filter<Stored> {
  return all([
    ...(groupIds ? [{ _id: { $in: [...groupIds] } }] : []),
    ...(userId !== undefined ? [{ $or: [{ owner: { $eq: userId } }, { members: { $eq: userId } }] }] : []),
    ...nameContains.map(text => ({ folded_name: { $regex: literal(text.toLowerCase()) } }))
  ])
}

/** Datasets (`datasets-users-groups.md` §1.2), over `dataset`. */
export function datasetsMatching(filter: DatasetFilter): Filter<Stored> {
  const { datasetId, name, namePrefix, userIds, type, doi } = filter
  return all([
    ...(datasetId !== undefined ? [{ _id: { $eq: datasetId } }] : []),
    ...(name !== undefined ? [{ dataset_name: { $eq: name } }] : []),
    ...(namePrefix !== undefined ? [{ folded_name: beginsWith(namePrefix.toLowerCase()) }] : []),
    ...(userIds ? [{ user_id: { $in: [...userIds] } }] : []),
    ...(type !== undefined ? [{ dataset_type: { $eq: type } }] : []),
    ...(doi !== undefined ? [{ doi: { $eq: doi } }] : [])
  ])
}

/** Uploads (`uploads.md` §2.1), over `upload`; values of a caller are only ever compared with. */
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
  return all(parts)
}

/** A pattern in which every character is itself. */
function literal(text: string): string {
  return text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')
}
