/** Which members of documents come back, in Elasticsearch's terms. */
import type { estypes } from '@elastic/elasticsearch'
import type { SourceFilter } from '../entry-index.ts'

/** Never given out; there are none, as documents are put without them. */
const COMPLETION_FIELDS = '*__suggestion'

/**
 * The `_source` of a request. Excluding something always makes all answers alike: Elasticsearch then leaves out empty
 * items of lists.
 */
export function sourceOf({ include, exclude = [] }: SourceFilter = {}): estypes.SearchSourceConfig {
  // A list that includes nothing would include everything.
  if (include?.length === 0) return false
  return { ...(include ? { includes: [...include] } : {}), excludes: [...exclude, COMPLETION_FIELDS] }
}
