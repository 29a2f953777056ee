/** Which members of documents come back, in Elasticsearch's terms. */
import type { estypes } from '@elastic/elasticsearch'
import type { SourceFilter } from '../entry-index.ts'

/** The member that is the document's id, and the last value of every sort. */
const ID = 'entry_id'

/** Never given out; there are none, as documents are put without them. */
const COMPLETION_FIELDS = '*__suggestion'

/**
 * The `_source` of a request. What is excluded is always excluded by a pattern too: Elasticsearch then leaves out lists and
 * objects in lists that are emptied by it, as it does with all that is empty in lists. Without exclusion it is a few times
 * faster, and `answer.ts` does the rest.
 */
export function sourceOf({ include, exclude = [] }: SourceFilter = {}): estypes.SearchSourceConfig {
  // A list that includes nothing would include everything.
  if (include?.length === 0) return false
  if (!include && exclude.length === 0) return true
  return {
    ...(include ? { includes: [...include] } : {}),
    ...(exclude.length > 0 ? { excludes: [...exclude, COMPLETION_FIELDS] } : {})
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
