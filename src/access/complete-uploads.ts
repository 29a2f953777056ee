/** The entries index as servers ask it: entries of uploads that are still being put together are found by nobody. */
import type { Quantities, Quantity } from '../query/quantities.ts'
import { and, type Query } from '../query/tree.ts'
import type {
  EntryIndex,
  IndexDocument,
  SearchPage,
  SearchRequest,
  SuggestRequest,
  Versions
} from '../search/entry-index.ts'
import type { DocumentStore } from '../storage/documents.ts'
import { type PendingList, PendingUploads } from './pending-uploads.ts'

/**
 * The index without the entries of pending uploads (`pending-uploads.ts`), for every method that looks for entries. While
 * there are no such uploads, queries stay as they are.
 */
export function completeUploadsOnly(
  index: EntryIndex,
  documents: Pick<DocumentStore, 'pendingUploads'>,
  quantities: Quantities
): EntryIndex {
  return new CompleteUploads(index, new PendingUploads(documents, quantities.get('upload_id') as Quantity))
}

/** Makes the query of a search one that finds complete uploads only. */
type Limit = (query: Query) => Query

class CompleteUploads implements EntryIndex {
  readonly #index: EntryIndex
  readonly #pending: PendingUploads

  constructor(index: EntryIndex, pending: PendingUploads) {
    this.#index = index
    this.#pending = pending
  }

  search(request: SearchRequest): Promise<SearchPage> {
    return this.#read(limit => this.#index.search(limit ? limitedSearch(request, limit) : request))
  }

  count(query: Query, signal?: AbortSignal): Promise<number> {
    return this.#read(limit => this.#index.count(limit ? limit(query) : query, signal))
  }

  suggest(request: SuggestRequest): Promise<readonly (readonly string[])[]> {
    return this.#read(limit =>
      this.#index.suggest(limit ? { ...request, query: limit(request.query) } : request)
    )
  }

  /**
   * Reads until the list that was used is still good when the answer is there, or a newer one has nothing more: so it does
   * not matter how long a search waits before the engine looks at the index.
   */
  async #read<T>(read: (limit: Limit | undefined) => Promise<T>): Promise<T> {
    let list = this.#pending.current()
    if (list instanceof Promise) list = await list
    for (;;) {
      const answer = await read(limitOf(list))
      let later = this.#pending.current()
      if (later instanceof Promise) later = await later
      if (covers(list, later)) return answer
      list = later
    }
  }

  put(documents: readonly IndexDocument[]): Promise<void> {
    return this.#index.put(documents)
  }

  remove(entryIds: readonly string[]): Promise<void> {
    return this.#index.remove(entryIds)
  }

  versions(entryIds: readonly string[]): Promise<Versions> {
    return this.#index.versions(entryIds)
  }

  replace(documents: readonly IndexDocument[], versions: Versions): Promise<readonly string[]> {
    return this.#index.replace(documents, versions)
  }

  renew(onProgress?: (done: number, total: number) => void): Promise<void> {
    return this.#index.renew(onProgress)
  }

  ping(limit: number): Promise<void> {
    return this.#index.ping(limit)
  }

  close(): Promise<void> {
    return this.#index.close()
  }
}

/** Whether the list has everything that a later one has. */
function covers(list: PendingList, later: PendingList): boolean {
  return list === later || later.uploadIds.every(id => list.uploadIds.includes(id))
}

/** Queries that are the same objects stay the same objects: engines look for what they have in common once. */
function limitOf({ others }: PendingList): Limit | undefined {
  if (!others) return undefined
  const limited = new Map<Query, Query>()
  return query => {
    const known = limited.get(query) ?? and(query, others)
    limited.set(query, known)
    return known
  }
}

function limitedSearch(request: SearchRequest, limit: Limit): SearchRequest {
  const { query, aggregations } = request
  if (!aggregations) return { ...request, query: limit(query) }
  const counted = Object.entries(aggregations).map(
    ([name, asked]) => [name, { ...asked, query: limit(asked.query) }] as const
  )
  return { ...request, query: limit(query), aggregations: Object.fromEntries(counted) }
}
