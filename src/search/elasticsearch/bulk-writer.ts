/**
 * Writing of documents in Elasticsearch. Where the index is being copied (`index-copy.ts`), writes wait for the moment in
 * which the copy takes its place.
 */
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import type { Client, estypes } from '@elastic/elasticsearch'
import { failure } from '../../errors.ts'
import { documentText } from '../document-text.ts'
import type { IndexDocument, Versions } from '../entry-index.ts'
import { releaseAbandonedCopy } from './copy-claim.ts'
import { searchFailure } from './failures.ts'

/** UTF-16 units of JSON in one bulk request; Elasticsearch refuses requests above 100 MB. */
const BULK_UNITS = 8 * 1024 * 1024

/** Documents in one bulk request. */
const BULK_COUNT = 1000

/** UTF-16 units of JSON that are made before other work gets its turn. */
const TURN = 512 * 1024

/** Milliseconds that a write waits while the index takes none, and between two tries. */
const PATIENCE = 180_000
const RETRY_INTERVAL = 200

/** Milliseconds of waiting after which it is seen whether whoever holds the index still lives. */
const SUSPICION = 20_000

/** What the index answers a write while a copy takes its place. */
const HELD = new Set(['cluster_block_exception', 'index_not_found_exception'])

/** What it answers a write of a document that is not as it was. */
const CHANGED = new Set(['version_conflict_engine_exception'])

/** Half of a character, as it stands in JSON; Lucene cannot hold it. An even number of backslashes comes before. */
const LONE_SURROGATE = /(?<=(?<!\\)(?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g

type BulkAction = NonNullable<estypes.BulkOperationContainer>

/** One line, or two, of a bulk request. */
interface Operation {
  readonly action: BulkAction
  /** JSON. */
  readonly document?: string
}

/** Writes through one alias. */
export class BulkWriter {
  readonly #client: Client
  readonly #alias: string

  constructor(client: Client, alias: string) {
    this.#client = client
    this.#alias = alias
  }

  /** Adds or replaces documents. @throws Error naming the first document that was not taken */
  async put(documents: readonly IndexDocument[]): Promise<void> {
    await this.#write(documents, entryId => ({ index: { _id: entryId } }))
  }

  /** Removes documents. */
  async remove(entryIds: readonly string[]): Promise<void> {
    const unique = [...new Set(entryIds)]
    if (unique.length === 0) return
    for (let i = 0; i < unique.length; i += BULK_COUNT) {
      await this.#bulk(unique.slice(i, i + BULK_COUNT).map(_id => ({ action: { delete: { _id } } })))
    }
    await this.#refresh()
  }

  /** The index that a document is in, and its place in the order of changes. */
  async versions(entryIds: readonly string[]): Promise<Versions> {
    const versions = new Map<string, string>()
    if (entryIds.length === 0) return versions
    try {
      const { docs } = await this.#client.mget({ index: this.#alias, ids: [...entryIds], _source: false })
      for (const doc of docs) {
        if (!('found' in doc) || !doc.found) continue
        versions.set(doc._id, `${doc._seq_no}:${doc._primary_term}:${doc._index}`)
      }
      return versions
    } catch (error) {
      throw searchFailure(error)
    }
  }

  /** Adds or replaces documents that are as they were; gives the ids of the others. */
  replace(documents: readonly IndexDocument[], versions: Versions): Promise<string[]> {
    return this.#write(documents, entryId => {
      const version = versions.get(entryId)
      if (version === undefined) return { create: { _id: entryId } }
      const [seqNo, term, ...index] = version.split(':')
      return {
        index: {
          _index: index.join(':'),
          _id: entryId,
          if_seq_no: Number(seqNo),
          if_primary_term: Number(term)
        }
      }
    })
  }

  async #write(
    documents: readonly IndexDocument[],
    actionOf: (entryId: string) => BulkAction
  ): Promise<string[]> {
    // The last one of an id counts.
    const last = new Map<string, IndexDocument>()
    for (const document of documents) {
      if (typeof document.entry_id !== 'string' || document.entry_id === '') {
        throw new TypeError('a document of the index needs an entry_id')
      }
      last.set(document.entry_id, document)
    }
    const changed: string[] = []
    let operations: Operation[] = []
    let [units, turn] = [0, 0]
    for (const [entryId, document] of last) {
      const text = documentText(document).replace(LONE_SURROGATE, '\\ufffd')
      operations.push({ action: actionOf(entryId), document: text })
      units += text.length
      turn += text.length
      if (units > BULK_UNITS || operations.length >= BULK_COUNT) {
        changed.push(...(await this.#bulk(operations)))
        operations = []
        units = 0
      }
      if (turn > TURN) {
        turn = 0
        await nextTurn()
      }
    }
    changed.push(...(await this.#bulk(operations)))
    await this.#refresh()
    return changed
  }

  /**
   * Writes; waits while the index takes no writes.
   * @returns ids of the documents that are not as they were
   */
  async #bulk(operations: readonly Operation[]): Promise<string[]> {
    const changed: string[] = []
    const begin = Date.now()
    let suspicious = begin + SUSPICION
    for (let left = operations; left.length > 0; ) {
      const held: Operation[] = []
      for (const [i, item] of (await this.#send(left)).entries()) {
        const result = Object.values(item)[0]
        const { error, status, _id } = result ?? {}
        if (!error) continue
        const operation = left[i] as Operation
        // An index that went away because its copy took its place has other numbers.
        const isGone = error.type === 'index_not_found_exception' && operation.action.index?._index
        if (CHANGED.has(error.type) || isGone) changed.push(String(_id))
        else if (HELD.has(error.type)) held.push(operation)
        else if (status === 429 || (status ?? 0) >= 500)
          throw failure('STORE_UNAVAILABLE', { store: 'search' })
        else {
          const cause = error.caused_by?.reason
          throw new Error(`entry ${_id} cannot be indexed: ${error.reason}${cause ? `: ${cause}` : ''}`)
        }
      }
      left = held
      if (left.length === 0) break
      const now = Date.now()
      if (now - begin > PATIENCE || !(await this.#hasIndex()))
        throw failure('STORE_UNAVAILABLE', { store: 'search' })
      if (now > suspicious) {
        await releaseAbandonedCopy(this.#client, this.#alias)
        suspicious = Date.now() + SUSPICION
      }
      await delay(RETRY_INTERVAL)
    }
    return changed
  }

  async #send(operations: readonly Operation[]): Promise<estypes.BulkResponse['items']> {
    const lines = operations.flatMap(({ action, document }) =>
      document === undefined ? [action] : [action, document]
    )
    try {
      const { errors, items } = await this.#client.bulk({
        index: this.#alias,
        require_alias: !operations.some(({ action }) => action.index?._index),
        operations: lines
      })
      return errors ? items : []
    } catch (error) {
      throw searchFailure(error)
    }
  }

  async #hasIndex(): Promise<boolean> {
    try {
      return await this.#client.indices.existsAlias({ name: this.#alias })
    } catch (error) {
      throw searchFailure(error)
    }
  }

  async #refresh(): Promise<void> {
    try {
      await this.#client.indices.refresh({ index: this.#alias })
    } catch (error) {
      throw searchFailure(error)
    }
  }
}
