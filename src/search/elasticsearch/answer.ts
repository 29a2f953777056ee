/**
 * Reading what Elasticsearch answers to a search. The documents of large answers are cut out of the text and left as texts:
 * most of them go to clients as they are.
 */
import type { estypes } from '@elastic/elasticsearch'
import { failure } from '../../errors.ts'
import type { Quantity } from '../../query/quantities.ts'
import { mayHaveEmptyItems, withoutEmptyItems } from '../empty-items.ts'
import type { Hit, SearchPage } from '../entry-index.ts'
import { lazyHit } from '../lazy-hit.ts'
import { sortValueOf } from './ordering.ts'

/** An answer to a search, hits aside. */
export type Outcome = Omit<estypes.SearchResponse<Record<string, unknown>>, 'hits'> & {
  readonly hits: { readonly total?: estypes.SearchTotalHits | number; readonly hits?: readonly RawHit[] }
}

interface RawHit {
  readonly _source?: Record<string, unknown>
  readonly sort?: estypes.SortResults
}

/** A page of hits, and the aggregations as they were answered. */
export interface ReadPage extends SearchPage {
  readonly answered: Readonly<Record<string, unknown>> | undefined
}

/**
 * The page of an answer.
 * @param mark the name that every hit bears as that of a matching query; absent: the answer is read as a whole
 * @throws SeraiError SEARCH_TIMEOUT
 */
export function readPage(text: string, orderBy: Quantity | undefined, mark?: string): ReadPage {
  const cut = mark === undefined ? undefined : cutHits(text, mark, orderBy)
  const outcome = JSON.parse(cut?.rest ?? text) as Outcome
  requireInTime(outcome)
  const hits = cut?.hits ?? (outcome.hits.hits ?? []).map(hit => hitOf(hit, orderBy))
  return {
    total: totalOf(outcome),
    hits,
    answered: outcome.aggregations as Readonly<Record<string, unknown>> | undefined
  }
}

/** @throws SeraiError SEARCH_TIMEOUT */
export function requireInTime(outcome: { readonly timed_out?: boolean }): void {
  if (outcome.timed_out) throw failure('SEARCH_TIMEOUT')
}

export function totalOf({ hits }: Pick<Outcome, 'hits'>): number {
  const { total } = hits
  return typeof total === 'number' ? total : (total?.value ?? 0)
}

/** The last value that hits are sorted by is always their id. */
function hitOf({ _source, sort = [] }: RawHit, orderBy: Quantity | undefined): Hit {
  const entryId = String(sort.at(-1))
  const document = withoutEmptyItems(_source ?? {}) as Record<string, unknown>
  return { entryId, document, ...sortedBy(sort, orderBy) }
}

function sortedBy(sort: estypes.SortResults, orderBy: Quantity | undefined): Pick<Hit, 'sortValue'> {
  const sortValue = sortValueOf(sort, orderBy)
  return sortValue === undefined ? {} : { sortValue }
}

const SOURCE = ',"_source":'
const SORT = ',"sort":'
const HITS = '"hits":['

/**
 * Takes the hits out of an answer. Each ends with the mark, which nobody can put into a document beforehand; around the
 * document stand only members whose texts are quoted.
 */
function cutHits(
  text: string,
  mark: string,
  orderBy: Quantity | undefined
): { rest: string; hits: Hit[] } | undefined {
  const parts = text.split(`,"matched_queries":["${mark}"]}`)
  const end = parts.pop() as string
  const [first] = parts
  if (first === undefined) return undefined
  const begin = first.indexOf(HITS) + HITS.length
  const hits = parts.map((part, i) => {
    // Before the document come index and id, after it what it is sorted by.
    const source = part.indexOf(SOURCE, i === 0 ? begin : 0) + SOURCE.length
    const sortAt = part.lastIndexOf(SORT)
    const sort = JSON.parse(part.slice(sortAt + SORT.length)) as estypes.SortResults
    const document = part.slice(source, sortAt)
    return mayHaveEmptyItems(document)
      ? hitOf({ _source: JSON.parse(document) as Record<string, unknown>, sort }, orderBy)
      : lazyHit(String(sort.at(-1)), document, sortedBy(sort, orderBy).sortValue)
  })
  return { rest: first.slice(0, begin) + end, hits }
}
