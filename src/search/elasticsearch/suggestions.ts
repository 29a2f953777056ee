/**
 * Completion of typed texts in Elasticsearch: a filtered aggregation over the keywords themselves instead of completion
 * fields, which cannot be restricted to what a caller may see.
 */
import type { estypes } from '@elastic/elasticsearch'
import type { Quantity } from '../../query/quantities.ts'
import { suggestionPatterns } from '../../query/suggestion.ts'
import type { SuggestRequest, WantedSuggestions } from '../entry-index.ts'
import { queryDsl } from './query-dsl.ts'

/**
 * Entries of a shard that are looked at for one pattern. All of them match it, so the values among them are as good as
 * those of the others, and a text that half of all entries match costs no more than others.
 */
const ENTRIES_MAX = 100_000

/** The searches of a request: one for each pattern of each quantity. */
export function suggestionSearches({ query, input, wanted }: SuggestRequest): {
  searches: estypes.SearchSearchRequestBody[]
  /** The answers to them, in their order, as values for each quantity. */
  values: (answers: readonly estypes.MsearchMultiSearchItem[]) => string[][]
} {
  const entries = queryDsl(query)
  const patterns = wanted.map(({ quantity, style }) =>
    quantity.kind === 'keyword' ? suggestionPatterns(style, input) : []
  )
  return {
    searches: wanted.flatMap((one, i) =>
      (patterns[i] ?? []).map(pattern => search(one, pattern as string, entries))
    ),
    values: answers => {
      const left = [...answers]
      return wanted.map(({ size }, i) => {
        const found = left.splice(0, patterns[i]?.length ?? 0).flatMap(valuesOf)
        return [...new Set(found)].slice(0, size)
      })
    }
  }
}

function search(
  { quantity, size }: WantedSuggestions,
  pattern: string,
  entries: estypes.QueryDslQueryContainer
): estypes.SearchSearchRequestBody {
  const { field, nestedPath } = quantity
  const matching = { regexp: { [field]: { value: pattern, flags: 'NONE' } } }
  const values = {
    terms: {
      field,
      include: pattern,
      size,
      order: { _key: 'asc' },
      // Only what matches is looked at; a table of all values would have to be made after every refresh.
      execution_hint: 'map'
    }
  } as const
  return {
    size: 0,
    track_total_hits: false,
    terminate_after: ENTRIES_MAX,
    query: { bool: { filter: [entries, within(nestedPath, matching)] } },
    aggs: nestedPath ? { nested: { nested: { path: nestedPath }, aggs: { values } } } : { values }
  }
}

function within(
  path: Quantity['nestedPath'],
  query: estypes.QueryDslQueryContainer
): estypes.QueryDslQueryContainer {
  return path ? { nested: { path, query, score_mode: 'none' } } : query
}

interface Found {
  readonly nested?: Found
  readonly values?: { readonly buckets: readonly { readonly key: string }[] }
}

function valuesOf(answer: estypes.MsearchMultiSearchItem): string[] {
  const { nested, values } = (answer.aggregations ?? {}) as Found
  return (nested?.values ?? values)?.buckets.map(bucket => bucket.key) ?? []
}
