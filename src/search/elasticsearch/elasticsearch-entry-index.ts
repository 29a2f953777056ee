/**
 * The entries index of the cluster profile, in Elasticsearch. What an index looks like: `mapping.ts`, `index-setup.ts`;
 * how queries are put: `query-dsl.ts`; aggregations: `aggregated-query.ts`; sorting and cursors: `ordering.ts`.
 */
import { randomBytes } from 'node:crypto'
import { Client, type estypes } from '@elastic/elasticsearch'
import { failure } from '../../errors.ts'
import type { Quantities } from '../../query/quantities.ts'
import type { Query } from '../../query/tree.ts'
import type {
  EntryIndex,
  Hit,
  IndexDocument,
  SearchPage,
  SearchRequest,
  SuggestRequest,
  Versions
} from '../entry-index.ts'
import { aggregatedQuery } from './aggregated-query.ts'
import { type Outcome, readPage, requireInTime, totalOf } from './answer.ts'
import { BulkWriter } from './bulk-writer.ts'
import { Connection, JSON_TYPE, NDJSON_TYPE } from './connection.ts'
import { answerFailure, searchFailure } from './failures.ts'
import { renewIndex, setUpIndex } from './index-setup.ts'
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
  /** Of their own: signs of life do not wait for searches. */
  readonly #pings: Connection
  readonly #index: string
  readonly #timeout: number
  readonly #quantities: Quantities
  readonly #writer: BulkWriter
  /** Name of a query that all hits match, by which they are told apart in a text; nobody can know it. */
  readonly #mark = randomBytes(16).toString('hex')
  #closed = false

  constructor(client: Client, { url, index, timeout, quantities }: ElasticsearchIndexOptions) {
    this.#client = client
    this.#connection = new Connection({ url, timeout: timeout + ANSWER_GRACE })
    this.#pings = new Connection({ url, timeout, connections: 1 })
    this.#index = index
    this.#timeout = timeout
    this.#quantities = quantities
    this.#writer = new BulkWriter(client, index)
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
    this.#requireOpen()
    await this.#writer.put(documents)
  }

  async remove(entryIds: readonly string[]): Promise<void> {
    this.#requireOpen()
    await this.#writer.remove(entryIds)
  }

  async versions(entryIds: readonly string[]): Promise<Versions> {
    this.#requireOpen()
    return this.#writer.versions(entryIds)
  }

  async replace(documents: readonly IndexDocument[], versions: Versions): Promise<string[]> {
    this.#requireOpen()
    return this.#writer.replace(documents, versions)
  }

  async renew(onProgress: (done: number, total: number) => void = () => {}): Promise<void> {
    this.#requireOpen()
    try {
      await renewIndex(this.#client, this.#index, this.#quantities, onProgress)
    } catch (error) {
      throw searchFailure(error)
    }
  }

  async ping(limit: number): Promise<void> {
    this.#requireOpen()
    const path = `/_cluster/health/${this.#index}?timeout=1s&filter_path=status`
    const { status, text } = await this.#pings.get(path, AbortSignal.timeout(limit))
    // An account that may search need not be one that may look after the cluster.
    if (status === 401 || status === 403) return
    if (status !== 200) throw answerFailure(status, jsonOf(text))
    if (text.includes('"red"')) throw new Error('parts of the index are not there')
  }

  #requireOpen(): void {
    if (this.#closed) throw failure('STORE_UNAVAILABLE', { store: 'search' })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.all([this.#client.close(), this.#connection.close(), this.#pings.close()])
  }
}

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
