/**
 * The entries index of the cluster profile, in Elasticsearch. What an index looks like: `mapping.ts`, `index-setup.ts`;
 * how queries are put: `query-dsl.ts`; aggregations: `aggregated-query.ts`; sorting and cursors: `ordering.ts`.
 */
import { randomBytes } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Client, type estypes } from '@elastic/elasticsearch'
import { failure } from '../../errors.ts'
import type { Quantities } from '../../query/quantities.ts'
import type { Query } from '../../query/tree.ts'
import { documentText } from '../document-text.ts'
import type {
  EntryIndex,
  Hit,
  IndexDocument,
  SearchPage,
  SearchRequest,
  SuggestRequest
} from '../entry-index.ts'
import { aggregatedQuery } from './aggregated-query.ts'
import { type Outcome, readPage, requireInTime, totalOf } from './answer.ts'
import { Connection, JSON_TYPE, NDJSON_TYPE } from './connection.ts'
import { answerFailure, searchFailure } from './failures.ts'
import { setUpIndex } from './index-setup.ts'
import { afterOf, sortOf } from './ordering.ts'
import { queryDsl } from './query-dsl.ts'
import { isIdOnly, isLarge, sourceOf } from './source-filter.ts'
import { suggestionSearches } from './suggestions.ts'

/** Where the index is and how it is used. */
export interface ElasticsearchIndexOptions {
  /** May hold user and password. */
  readonly url: string
  /** Name of the alias. */
  readonly index: string
  readonly quantities: Quantities
  /** Milliseconds after which a search is given up. */
  readonly timeout: number
}

const MATCH_ALL: estypes.QueryDslQueryContainer = { match_all: {} }

/** UTF-16 units of JSON in one bulk request; Elasticsearch refuses requests above 100 MB. */
const BULK_UNITS = 8 * 1024 * 1024

/** Documents in one bulk request. */
const BULK_COUNT = 1000

/** UTF-16 units of JSON that are made before other work gets its turn. */
const TURN = 512 * 1024

/** Milliseconds that writing a bulk may take. */
const WRITE_TIMEOUT = 120_000

/** Milliseconds that the answer may take longer than the search itself. */
const ANSWER_GRACE = 1000

/**
 * Opens the index; it is made when missing, and its documents are indexed anew after a change of the quantities.
 * @throws SeraiError STORE_UNAVAILABLE, STORE_NEWER, STORE_UNUSABLE
 */
export async function openElasticsearchEntryIndex(options: ElasticsearchIndexOptions): Promise<EntryIndex> {
  const client = new Client({ node: options.url, requestTimeout: WRITE_TIMEOUT })
  try {
    await setUpIndex(client, options.index, options.quantities)
    return new ElasticsearchEntryIndex(client, options)
  } catch (error) {
    await client.close()
    throw searchFailure(error)
  }
}

class ElasticsearchEntryIndex implements EntryIndex {
  /** For all that is no search. */
  readonly #client: Client
  readonly #connection: Connection
  readonly #index: string
  readonly #timeout: number
  /** Name of a query that all hits match, by which they are told apart in a text; nobody can know it. */
  readonly #mark = randomBytes(16).toString('hex')
  #closed = false

  constructor(client: Client, { url, index, timeout }: ElasticsearchIndexOptions) {
    this.#client = client
    this.#connection = new Connection({ url, timeout: timeout + ANSWER_GRACE })
    this.#index = index
    this.#timeout = timeout
  }

  async search(request: SearchRequest): Promise<SearchPage> {
    const { query, orderBy, order, size, offset, after, source, signal } = request
    const aggregated = request.aggregations && aggregatedQuery(query, request.aggregations)
    const asked = aggregated?.body ?? { query: queryDsl(query) }
    // Example entries of aggregations would bear the mark too.
    const mark = size > 0 && isLarge(source) && !hasExamples(request) ? this.#mark : undefined
    const text = await this.#search(
      {
        ...asked,
        ...(mark === undefined
          ? {}
          : { query: { bool: { filter: [asked.query ?? MATCH_ALL, { match_all: { _name: mark } }] } } }),
        sort: sortOf(orderBy, order),
        size,
        ...(offset ? { from: offset } : {}),
        ...(after ? { search_after: afterOf(after, orderBy, order) } : {}),
        // Neither documents nor their ids need be read when the sort gives all that is wanted.
        ...(isIdOnly(source) ? { _source: false, stored_fields: '_none_' } : { _source: sourceOf(source) })
      },
      signal
    )
    const { total, hits, answered } = readPage(text, orderBy, mark)
    const page = { total, hits: isIdOnly(source) ? hits.map(idHit) : hits }
    return aggregated ? { ...page, aggregations: aggregated.results(answered) } : page
  }

  async count(query: Query, signal?: AbortSignal): Promise<number> {
    const outcome = JSON.parse(await this.#search({ query: queryDsl(query), size: 0 }, signal)) as Outcome
    requireInTime(outcome)
    return totalOf(outcome)
  }

  async suggest(request: SuggestRequest): Promise<string[][]> {
    const { searches, values } = suggestionSearches(request)
    if (searches.length === 0) return values([])
    const lines = searches.flatMap(search => [
      '{"allow_partial_search_results":false}',
      JSON.stringify({ timeout: `${this.#timeout}ms`, ...search })
    ])
    const text = await this.#ask('_msearch', NDJSON_TYPE, `${lines.join('\n')}\n`, request.signal)
    return values((JSON.parse(text) as estypes.MsearchResponse).responses.map(answered))
  }

  #search(body: estypes.SearchRequest, signal: AbortSignal | undefined): Promise<string> {
    const whole = { track_total_hits: true, timeout: `${this.#timeout}ms`, ...body }
    return this.#ask('_search?allow_partial_search_results=false', JSON_TYPE, JSON.stringify(whole), signal)
  }

  /** The text of an answer that is no error. */
  async #ask(path: string, type: string, body: string, signal: AbortSignal | undefined): Promise<string> {
    this.#requireOpen()
    signal?.throwIfAborted()
    const { status, text } = await this.#connection.post(`/${this.#index}/${path}`, type, body, signal)
    if (status === 200) return text
    throw answerFailure(status, jsonOf(text))
  }

  async put(documents: readonly IndexDocument[]): Promise<void> {
    // The last one of an id counts.
    const last = new Map<string, IndexDocument>()
    for (const document of documents) {
      if (typeof document.entry_id !== 'string' || document.entry_id === '') {
        throw new TypeError('a document of the index needs an entry_id')
      }
      last.set(document.entry_id, document)
    }
    let operations: (string | object)[] = []
    let [units, turn] = [0, 0]
    for (const [entryId, document] of last) {
      const text = documentText(document).replace(LONE_SURROGATE, '\\ufffd')
      operations.push({ index: { _id: entryId } }, text)
      units += text.length
      turn += text.length
      if (units > BULK_UNITS || operations.length >= 2 * BULK_COUNT) {
        await this.#bulk(operations)
        operations = []
        units = 0
      }
      if (turn > TURN) {
        turn = 0
        await nextTurn()
      }
    }
    await this.#bulk(operations)
    await this.#refresh()
  }

  async remove(entryIds: readonly string[]): Promise<void> {
    const unique = [...new Set(entryIds)]
    if (unique.length === 0) return
    for (let i = 0; i < unique.length; i += BULK_COUNT) {
      await this.#bulk(unique.slice(i, i + BULK_COUNT).map(_id => ({ delete: { _id } })))
    }
    await this.#refresh()
  }

  /** @throws Error naming the first document that was not taken */
  async #bulk(operations: (string | object)[]): Promise<void> {
    this.#requireOpen()
    if (operations.length === 0) return
    let answer: estypes.BulkResponse
    try {
      answer = await this.#client.bulk({ index: this.#index, require_alias: true, operations })
    } catch (error) {
      throw searchFailure(error)
    }
    if (!answer.errors) return
    for (const item of answer.items) {
      const { error, status, _id } = item.index ?? item.delete ?? { error: undefined, status: 200, _id: '' }
      if (!error) continue
      if (status === 429 || status >= 500) throw failure('STORE_UNAVAILABLE', { store: 'search' })
      const cause = error.caused_by?.reason
      throw new Error(`entry ${_id} cannot be indexed: ${error.reason}${cause ? `: ${cause}` : ''}`)
    }
  }

  async #refresh(): Promise<void> {
    try {
      await this.#client.indices.refresh({ index: this.#index })
    } catch (error) {
      throw searchFailure(error)
    }
  }

  #requireOpen(): void {
    if (this.#closed) throw failure('STORE_UNAVAILABLE', { store: 'search' })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.all([this.#client.close(), this.#connection.close()])
  }
}

/** Half of a character, as it stands in JSON; Lucene cannot hold it. An even number of backslashes comes before. */
const LONE_SURROGATE = /(?<=(?<!\\)(?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g

function hasExamples({ aggregations = {} }: SearchRequest): boolean {
  return Object.values(aggregations).some(({ aggregation }) => 'examples' in aggregation)
}

/** A hit of which nothing but the id was asked for. */
function idHit(hit: Hit): Hit {
  return { ...hit, document: { entry_id: hit.entryId } }
}

/** One answer of several. */
function answered(answer: estypes.MsearchResponseItem<unknown>): estypes.MsearchMultiSearchItem {
  if ('error' in answer) throw answerFailure(answer.status, answer)
  requireInTime(answer)
  return answer
}

/** What stands before Elasticsearch may answer errors in another form. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
