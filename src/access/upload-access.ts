/**
 * What a caller may read of an upload: the owner rule `visible` as a predicate, and the errors of the upload routes
 * (`uploads.md` §1.3).
 */
import { failure } from '../errors.ts'
import type { Upload } from '../storage/documents.ts'
import type { Caller } from './caller.ts'

/** Whether the upload was published. */
export function isPublished(upload: Upload): boolean {
  return upload.publish_time !== undefined
}

/** Whether its files and archives are for its members only although it is published. */
export function hasEmbargo(upload: Upload): boolean {
  return upload.embargo_length > 0
}

/** Persons who may read the upload whatever its state: main author, coauthors, reviewers. */
export function viewersOf(upload: Upload): string[] {
  return [...new Set([upload.main_author, ...upload.coauthors, ...upload.reviewers])]
}

/** Groups whose members may read the upload whatever its state. */
export function viewerGroupsOf(upload: Upload): string[] {
  return [...new Set([...upload.coauthor_groups, ...upload.reviewer_groups])]
}

/** Persons who may change the upload: main author and coauthors. */
export function writersOf(upload: Upload): string[] {
  return [...new Set([upload.main_author, ...upload.coauthors])]
}

/** Whether the caller is among the viewers, by person or by group. */
export function isViewer(upload: Upload, caller: Caller): boolean {
  return (
    (caller.user !== undefined && viewersOf(upload).includes(caller.user.user_id)) ||
    viewerGroupsOf(upload).some(group => caller.groupIds.includes(group))
  )
}

/**
 * The owner rule `visible` for one upload: published without embargo, or shared with the caller. The administrator
 * gets no bypass here (spec README, decision 11).
 */
export function isVisible(upload: Upload, caller: Caller): boolean {
  return (isPublished(upload) && !hasEmbargo(upload)) || isViewer(upload, caller)
}

/**
 * Lets only those pass who may read the upload through the upload routes; the administrator may.
 * @throws SeraiError UPLOAD_NOT_FOUND (404), UPLOAD_LOGIN (401), UPLOAD_NO_ACCESS, UPLOAD_EMBARGO (403)
 */
export function requireReadable(upload: Upload | undefined, caller: Caller): asserts upload is Upload {
  if (!upload) throw failure('UPLOAD_NOT_FOUND')
  if (caller.isAdmin || isVisible(upload, caller)) return
  if (isPublished(upload)) throw failure('UPLOAD_EMBARGO')
  throw failure(caller.user ? 'UPLOAD_NO_ACCESS' : 'UPLOAD_LOGIN')
}

/**
 * Lets only the upload's viewers and the administrator pass, whether it is published or not (`uploads.md` §1.3, the route of
 * one entry).
 * @throws SeraiError UPLOAD_NOT_FOUND (404), UPLOAD_NO_ACCESS (403)
 */
export function requireViewer(upload: Upload | undefined, caller: Caller): asserts upload is Upload {
  if (!upload) throw failure('UPLOAD_NOT_FOUND')
  if (!caller.isAdmin && !isViewer(upload, caller)) throw failure('UPLOAD_NO_ACCESS')
}
