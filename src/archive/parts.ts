/**
 * An archive that comes in parts: large ones are read, packed and looked through without ever being in memory as a
 * whole. What is small comes as a value; only what is too large for that is opened.
 */
import type { JsonObject } from './definitions.ts'

/**
 * One step through an archive, in its order.
 *
 * - `map`, `list`: one begins, and its members or items follow; `end` closes it.
 * - `key`: the next part is the member of this name.
 * - `value`: a whole member, or the whole archive.
 * - `items`, `members`: some of a list or map that has begun.
 */
export type ArchivePart =
  | { readonly kind: 'map' | 'list' | 'end' }
  | { readonly kind: 'key'; readonly name: string }
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'items'; readonly items: readonly unknown[] }
  | { readonly kind: 'members'; readonly members: JsonObject }

/** An archive as it comes. */
export type ArchiveParts = AsyncIterable<ArchivePart>

/** An archive that cannot be used; the message continues a sentence that begins with the name of its file. */
export class UnusableArchive extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UnusableArchive'
  }
}

/** Levels that an archive may have; what reads and answers archives goes down level by level. */
export const MAX_LEVELS = 500

/** The error for an archive of more levels. */
export function tooDeep(): UnusableArchive {
  return new UnusableArchive(`is nested more than ${MAX_LEVELS} levels deep`)
}

/**
 * Sees that a value has not too many levels. Does not recurse itself.
 * @throws UnusableArchive
 */
export function requireLevels(value: unknown): void {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === MAX_LEVELS) throw tooDeep()
    const next: unknown[] = []
    for (const container of level) {
      for (const item of Array.isArray(container) ? container : Object.values(container as object)) {
        if (typeof item === 'object' && item !== null) next.push(item)
      }
    }
    level = next
  }
}
