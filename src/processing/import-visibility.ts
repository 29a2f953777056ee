/**
 * Who may see an upload while it is imported over an older version of itself: nobody who may not see both. Parts of
 * the old and of the new version stand side by side for that time.
 */
import { EVERYBODY } from '../access/caller.ts'
import { hasEmbargo, isPublished, viewerGroupsOf, viewersOf } from '../access/upload-access.ts'
import type { Upload } from '../storage/documents.ts'

/** Published without embargo (`search.md` §2). */
function isOpen(upload: Upload): boolean {
  return isPublished(upload) && !hasEmbargo(upload)
}

function isForEveryone(upload: Upload): boolean {
  return isOpen(upload) || viewerGroupsOf(upload).includes(EVERYBODY)
}

/**
 * The upload document for the time of the import: the new version, seen by those only who may see the old one too.
 * It has no checksum, so that an interrupted import is taken up again, whichever version comes next.
 */
export function guarded(old: Upload, next: Upload): Upload {
  const { import_checksum: _, ...upload } = next
  if (isForEveryone(old)) return upload
  const viewers = new Set(viewersOf(old))
  const groups = new Set(viewerGroupsOf(old))
  const { publish_time: __, ...closed } = upload
  return {
    ...(isOpen(next) ? closed : upload),
    ...(isOpen(next) && old.publish_time !== undefined ? { publish_time: old.publish_time } : {}),
    embargo_length: isOpen(next) ? old.embargo_length : next.embargo_length,
    coauthors: next.coauthors.filter(id => viewers.has(id)),
    reviewers: next.reviewers.filter(id => viewers.has(id)),
    coauthor_groups: next.coauthor_groups.filter(id => groups.has(id)),
    reviewer_groups: next.reviewer_groups.filter(id => groups.has(id))
  }
}

/**
 * Whether someone who may see the old version may not see the new one. Then its entries leave the index before
 * anything else is done, since the index decides what a search finds.
 */
export function isLessVisible(old: Upload, next: Upload): boolean {
  if (isForEveryone(next)) return false
  if (isForEveryone(old)) return true
  // A published upload is found by everyone with owner `all`, whatever its embargo.
  if (isPublished(old) && !isPublished(next)) return true
  const viewers = new Set(viewersOf(next))
  const groups = new Set(viewerGroupsOf(next))
  return viewersOf(old).some(id => !viewers.has(id)) || viewerGroupsOf(old).some(id => !groups.has(id))
}
