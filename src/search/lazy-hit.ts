/** Hits of engines that give documents as texts. */
import type { Hit, SortValue } from './entry-index.ts'

/** A hit whose document is parsed when somebody looks at it. */
export function lazyHit(entryId: string, text: string, sortValue: SortValue | undefined): Hit {
  return new LazyHit(entryId, text, sortValue)
}

class LazyHit implements Hit {
  readonly entryId: string
  readonly text: string
  declare readonly sortValue?: SortValue
  #document: Record<string, unknown> | undefined

  constructor(entryId: string, text: string, sortValue: SortValue | undefined) {
    this.entryId = entryId
    this.text = text
    if (sortValue !== undefined) this.sortValue = sortValue
  }

  get document(): Record<string, unknown> {
    this.#document ??= JSON.parse(this.text) as Record<string, unknown>
    return this.#document
  }
}
