/**
 * `entry_references` of the index document: references from one archive into others (`search.md` §10.4).
 */
import type { QuantityDefinition } from '../archive/definitions.ts'
import { parseEntryUrl } from '../archive/entry-url.ts'
import { dotPath, type VisitedSection } from './archive-walk.ts'

/** A reference into another entry. */
export interface EntryReference {
  /** As it is written. */
  readonly target_reference: string
  readonly target_entry_id: string
  readonly target_upload_id: string
  readonly target_mainfile?: string
  /** Last name in the path. */
  readonly target_name: string
  readonly target_path: string
  readonly source_name: string
  readonly source_path: string
  /** Qualified name of the quantity. */
  readonly source_quantity: string
}

/** Last part of a path that is not an index: `/run/0/system/0` gives `system`. */
function lastName(path: string): string {
  return path.split('/').findLast(part => part !== '' && !/^\d+$/.test(part)) ?? ''
}

/**
 * The references that one value holds.
 * @param self ids of the entry that the value stands in
 * @param mainfileOf gives the mainfile of an entry that is known
 */
export function entryReferences(
  value: unknown,
  definition: QuantityDefinition,
  section: VisitedSection,
  self: { readonly entryId: string; readonly uploadId: string },
  mainfileOf: (entryId: string) => string | undefined
): EntryReference[] {
  if (Array.isArray(value)) {
    return value.flatMap(item => entryReferences(item, definition, section, self, mainfileOf))
  }
  const url = typeof value === 'string' ? parseEntryUrl(value, self.uploadId) : undefined
  if (!url || url.remote || url.entryId === self.entryId) return []
  const mainfile = mainfileOf(url.entryId)
  return [
    {
      target_reference: value as string,
      target_entry_id: url.entryId,
      target_upload_id: url.uploadId ?? self.uploadId,
      ...(mainfile ? { target_mainfile: mainfile } : {}),
      target_name: lastName(url.path),
      target_path: url.path,
      source_name: definition.name,
      source_path: dotPath(section.path, definition.name),
      source_quantity: definition.qualifiedName
    }
  ]
}
