/** Which members of documents come back, in Elasticsearch's terms. */
import type { estypes } from '@elastic/elasticsearch'
import type { SourceFilter } from '../entry-index.ts'

/** The member that is the document's id, and the last value of every sort. */
const ID = 'entry_id'

/** Never given out; there are none, as documents are put without them. */
const COMPLETION_FIELDS = '*__suggestion'

/**
 * The `_source` of a request. Elasticsearch has two ways to filter. One knows stars inside of patterns and leaves out what it
 * empties in lists, and all that is empty in lists; it is taken when something is excluded by a pattern. The other is a few
 * times faster, and does for plain names; what is empty in lists is left out by `answer.ts` then.
 */
export function sourceOf({ include, exclude = [] }: SourceFilter = {}): estypes.SearchSourceConfig {
  // A list that includes nothing would include everything.
  if (include?.length === 0) return false
  if (!include && exclude.length === 0) return true
  const isPlain = exclude.length === 0 && !include?.some(pattern => pattern.includes('*'))
  return {
    ...(include ? { includes: [...include] } : {}),
    ...(isPlain ? {} : { excludes: [...exclude, COMPLETION_FIELDS] })
  }
}

/** Whether nothing but the id is wanted, for which Elasticsearch need not read the documents. */
export function isIdOnly({ include, exclude = [] }: SourceFilter = {}): boolean {
  return Boolean(include?.length && include.every(name => name === ID)) && exclude.length === 0
}

/** Whether much of the documents may come back. */
export function isLarge({ include }: SourceFilter = {}): boolean {
  return include?.some(pattern => pattern.includes('*')) ?? true
}
