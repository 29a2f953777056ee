/**
 * The entries index of the embedded profile: one SQLite file, read by a few threads and written by one, so that the
 * event loop is free. How it is laid out: `schema.ts`; how queries are answered: `matches.ts`, `ordering.ts`.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { failure } from '../../errors.ts'
import type { Quantities } from '../../query/quantities.ts'
import type { Query } from '../../query/tree.ts'
import { openDatabase, requireReadable } from '../../storage/sqlite/database.ts'
import { documentText } from '../document-text.ts'
import type {
  EntryIndex,
  IndexDocument,
  SearchPage,
  SearchRequest,
  SuggestRequest,
  Versions
} from '../entry-index.ts'
import { lazyHit } from '../lazy-hit.ts'
import { bodyVersion } from './body.ts'
import { type FieldPlan, fieldPlan } from './fields.ts'
import { ReaderPool } from './reader-pool.ts'
import { SEARCH_FORMAT } from './schema.ts'
import { Thread } from './thread.ts'
import { type WirePage, type WriteRequest, wireQuery, wireSearch, wireSuggest } from './wire.ts'
import { type Write, WriteQueue } from './write-queue.ts'

/** Where the index is and how it is used. */
export interface SqliteIndexOptions {
  /** Path of the file; it and its folder are made when missing. */
  readonly file: string
  readonly quantities: Quantities
  /** Milliseconds after which a search is given up. */
  readonly timeout: number
  /** Reading threads at most; default 2. */
  readonly readers?: number
}

/** UTF-16 units of JSON that are made or read before other work gets its turn. */
const TURN = 512 * 1024

/** UTF-16 units of JSON that go to the writer at once. */
const MESSAGE = 8 * 1024 * 1024

/**
 * Opens the index; after a change of the quantities every document is indexed anew first.
 * @throws SeraiError STORE_NEWER, STORE_UNUSABLE
 */
export async function openSqliteEntryIndex(options: SqliteIndexOptions): Promise<EntryIndex> {
  const { file, quantities, timeout, readers = 2 } = options
  const plan = fieldPlan(quantities)
  const database = openDatabase(file, SEARCH_FORMAT)
  const index = new SqliteEntryIndex(
    database,
    plan,
    new ReaderPool({ file, plan, timeout, size: readers }),
    file
  )
  try {
    await index.prepare()
  } catch (error) {
    await index.close()
    throw error
  }
  return index
}

class SqliteEntryIndex implements EntryIndex {
  /** Keeps the write-ahead log in place for the readers and tidies it up when it is closed last. */
  readonly #database: DatabaseSync
  readonly #findBody: StatementSync
  readonly #plan: FieldPlan
  readonly #readers: ReaderPool
  readonly #file: string
  #writer: Thread | undefined
  readonly #writes = new WriteQueue(() => this.#writingThread())
  #closed = false

  constructor(database: DatabaseSync, plan: FieldPlan, readers: ReaderPool, file: string) {
    this.#database = database
    this.#findBody = database.prepare(
      'SELECT body FROM entry JOIN document ON document.row = entry.row WHERE entry_id = ?'
    )
    this.#plan = plan
    this.#readers = readers
    this.#file = file
  }

  /** Has the writer make the index fit the quantities, if it does not. */
  async prepare(): Promise<void> {
    const plan = JSON.stringify(this.#plan)
    const known = () => this.#database.prepare("SELECT value FROM setting WHERE name = 'fields'").get()?.value
    if (known() === undefined) {
      // An empty file needs no writer, which takes longer to start than all else.
      const sql = "INSERT INTO setting SELECT 'fields', ? WHERE NOT EXISTS (SELECT 1 FROM setting)"
      this.#database.prepare(sql).run(plan)
    }
    if (known() !== plan) await this.#writes.add({ kind: 'prepare' }).done
  }

  async search(request: SearchRequest): Promise<SearchPage> {
    const found = (await this.#readers.run(wireSearch(request), request.signal)) as WirePage
    const { total, hits, aggregations } = found
    return {
      total,
      hits: hits.map(({ entryId, text, sortValue }) => lazyHit(entryId, text, sortValue)),
      ...(aggregations ? { aggregations } : {})
    }
  }

  async count(query: Query, signal?: AbortSignal): Promise<number> {
    return (await this.#readers.run({ kind: 'count', query: wireQuery(query) }, signal)) as number
  }

  async suggest(request: SuggestRequest): Promise<string[][]> {
    return (await this.#readers.run(wireSuggest(request), request.signal)) as string[][]
  }

  async put(documents: readonly IndexDocument[]): Promise<void> {
    await this.#send(documents, texts => ({ kind: 'put', texts }))
  }

  /** Has the documents written, some with each request; gives the answers. */
  async #send(
    documents: readonly IndexDocument[],
    requestOf: (texts: readonly string[]) => WriteRequest
  ): Promise<unknown[]> {
    this.#requireOpen()
    let texts: string[] = []
    let [units, turn] = [0, 0]
    const writes: Write[] = []
    const send = () => {
      writes.push(this.#writes.add(requestOf(texts), units))
      texts = []
      units = 0
    }
    for (const document of documents) {
      const text = documentText(document)
      texts.push(text)
      units += text.length
      turn += text.length
      if (units > MESSAGE) {
        send()
        // The next parts are made while the writer works, so that some are there when it is ready for them.
        await writes.at(-3)?.taken
      }
      if (turn > TURN) {
        turn = 0
        await nextTurn()
      }
    }
    if (texts.length > 0) send()
    return Promise.all(writes.map(write => write.done))
  }

  async remove(entryIds: readonly string[]): Promise<void> {
    this.#requireOpen()
    if (entryIds.length > 0) await this.#writes.add({ kind: 'remove', entryIds }).done
  }

  async versions(entryIds: readonly string[]): Promise<Versions> {
    this.#requireOpen()
    const versions = new Map<string, string>()
    for (const entryId of entryIds) {
      const row = this.#findBody.get(entryId)
      if (row) versions.set(entryId, bodyVersion(row.body as Uint8Array))
    }
    return versions
  }

  async replace(documents: readonly IndexDocument[], versions: Versions): Promise<string[]> {
    const changed = await this.#send(documents, texts => ({ kind: 'replace', texts, versions }))
    return (changed as string[][]).flat()
  }

  /** There is one file, in which documents are indexed anew one by one. */
  async renew(): Promise<void> {
    this.#requireOpen()
  }

  async ping(): Promise<void> {
    this.#requireOpen()
    requireReadable(this.#database)
  }

  #writingThread(): Thread {
    if (!this.#writer || this.#writer.ended) this.#writer = new Thread('write', this.#file, this.#plan)
    return this.#writer
  }

  #requireOpen(): void {
    if (this.#closed) throw failure('STORE_UNAVAILABLE', { store: 'search' })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#writes.idle()
    await Promise.all([this.#readers.close(), this.#writer?.close()])
    if (this.#database.isOpen) this.#database.close()
  }
}
