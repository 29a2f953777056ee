/** Hits of engines that give documents as texts. */
import type { Hit, SortValue } from './entry-index.ts'

/** A hit whose document is parsed when somebody looks at it. */
export function lazyHit(entryId: string, text: string, sortValue: SortValue | undefined): Hit {
  let parsed: Record<string, unknown> | undefined
  const hit = {
    entryId,
    get document(): Record<string, unknown> {
      parsed ??= JSON.parse(text) as Record<string, unknown>
      return parsed
    },
    ...(sortValue === undefined ? {} : { sortValue })
  }
  // Not one of the members that tell what the hit is.
  return Object.defineProperty(hit, 'text', { value: text })
}
