/**
 * One connection to the database of the cluster profile. Each kind of store has collections of its own and a document
 * in `format` with the version of its form. No transactions: a standalone server has none.
 */
import {
  type Collection,
  type Document,
  type IndexSpecification,
  MongoClient,
  MongoClientClosedError,
  type MongoClientOptions,
  MongoError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoOperationTimeoutError,
  MongoServerSelectionError,
  MongoTopologyClosedError
} from 'mongodb'
import { failure } from '../../errors.ts'

/** Where the database is. */
export interface MongoOptions {
  /** May hold user and password. */
  readonly url: string
  /** Name of the database. */
  readonly database: string
  /** Called when a connection breaks, before any operation has failed: the client tries for a while. */
  readonly onTrouble?: () => void
}

/** What the collections of a kind of store look like. */
export interface StoreFormat {
  /** Name of the store in messages, `documents` or `archives`. */
  readonly store: string
  /** Counts up with every change of the form. */
  readonly version: number
  /** Indexes by collection, beside that of `_id`. */
  readonly indexes: Readonly<Record<string, readonly IndexSpecification[]>>
  /**
   * What brings older collections one version forward, by the version that it makes. Killed, or run by several processes
   * at once, it is run again: doing it twice must be as good as once.
   */
  readonly upgrades?: Readonly<
    Record<number, (collection: (name: string) => Collection<Stored>) => Promise<void>>
  >
}

/** Every document has a text as its key. */
export type Stored = { _id: string } & Document

/** Milliseconds until a server that does not answer counts as gone, and until a connection has to stand. */
const SELECTION_TIMEOUT = 5000

const CLIENT_OPTIONS: MongoClientOptions = {
  appName: 'serai',
  serverSelectionTimeoutMS: SELECTION_TIMEOUT,
  connectTimeoutMS: SELECTION_TIMEOUT,
  // A server that is back is seen so soon, and operations need not wait longer for it.
  heartbeatFrequencyMS: 1000,
  ignoreUndefined: true,
  // Binary values come as they are, without a copy.
  promoteBuffers: true
}

/**
 * Milliseconds without any answer after which the client is taken for stuck, if it gives no sign of life either. In driver 7.9
 * what looks after a server waits for ever when the connection breaks in the moment in which it writes to it: a server that is
 * back is never seen again then.
 */
const STUCK = 5000

/** Codes of server errors that pass by themselves: shutting down, stepping down, not yet primary. */
const PASSING_CODES = new Set([6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436])

/** Codes of a connection's own errors: the client lets them through when a connection ends while it writes to it. */
const SOCKET_CODES = new Set(['EPIPE', 'ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'ETIMEDOUT'])

/** Code of a write that lost against another one with the same key. */
const DUPLICATE_KEY = 11000

/** Whether two writers wanted to add the same key. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoError && error.code === DUPLICATE_KEY
}

/** A connection to the collections of one kind of store. */
export class MongoDatabase {
  readonly #options: MongoOptions
  readonly #name: string
  readonly #store: string
  #client: MongoClient
  /** When something came from the server the last time, or the client was made; in milliseconds since 1970. */
  #heard = Date.now()
  #closed = false

  private constructor(options: MongoOptions, store: string) {
    this.#options = options
    this.#name = options.database
    this.#store = store
    this.#client = this.#newClient()
  }

  #newClient(): MongoClient {
    const { url, onTrouble } = this.#options
    const client = new MongoClient(url, CLIENT_OPTIONS)
    if (onTrouble) {
      client.on('serverDescriptionChanged', ({ newDescription }) => {
        if (newDescription.type === 'Unknown') onTrouble()
      })
    }
    return client
  }

  /**
   * Connects, checks the version and makes missing indexes.
   * @throws SeraiError STORE_UNAVAILABLE, STORE_NEWER
   */
  static async open(options: MongoOptions, format: StoreFormat): Promise<MongoDatabase> {
    const opened = new MongoDatabase(options, format.store)
    try {
      await opened.run(async () => {
        await opened.#client.connect()
        const found = await opened.#requireVersion(format)
        for (const [name, indexes] of Object.entries(format.indexes)) {
          for (const index of indexes) await opened.collection(name).createIndex(index)
        }
        await opened.#upgrade(found, format)
      })
      return opened
    } catch (error) {
      await opened.#client.close()
      throw error
    }
  }

  /** The version of what is there. */
  async #requireVersion({ store, version }: StoreFormat): Promise<number> {
    const formats = this.collection('format')
    await formats
      .updateOne({ _id: store }, { $setOnInsert: { version } }, { upsert: true })
      .catch((error: unknown) => {
        // Another process was first, and what it wrote is read below.
        if (!isDuplicateKey(error)) throw error
      })
    const found = (await formats.findOne({ _id: store }))?.version
    if (found <= version) return found
    throw failure('STORE_NEWER', {
      file: `The MongoDB database ${this.#name} (${store})`,
      found,
      known: version
    })
  }

  async #upgrade(found: number, { store, version, upgrades }: StoreFormat): Promise<void> {
    if (found === version) return
    for (let v = found + 1; v <= version; v++) await upgrades?.[v]?.(name => this.collection(name))
    await this.collection('format').updateOne(
      { _id: store, version: { $lt: version } },
      { $set: { version } }
    )
  }

  /** A collection of the database. */
  collection(name: string): Collection<Stored> {
    return this.#client.db(this.#name).collection<Stored>(name)
  }

  /**
   * Runs operations; errors of the connection become those of the table.
   * @throws SeraiError STORE_UNAVAILABLE
   */
  async run<T>(operations: () => Promise<T>): Promise<T> {
    try {
      // The client would connect anew.
      if (this.#closed) throw new MongoNotConnectedError('the store is closed')
      const result = await operations()
      this.#heard = Date.now()
      return result
    } catch (error) {
      if (!isConnectionError(error)) throw error
      const unavailable = failure('STORE_UNAVAILABLE', { store: this.#store })
      unavailable.cause = error
      throw unavailable
    }
  }

  /**
   * Asks for a sign of life; a client that is stuck is replaced for the next time.
   * @throws SeraiError STORE_UNAVAILABLE when there is none within so many milliseconds
   */
  async ping(limit: number): Promise<void> {
    try {
      await this.run(() => this.#client.db(this.#name).command({ ping: 1 }, { timeoutMS: limit }))
    } catch (error) {
      this.#replaceStuck()
      throw error
    }
  }

  #replaceStuck(): void {
    if (this.#closed || Date.now() - this.#heard < STUCK) return
    const stuck = this.#client
    this.#client = this.#newClient()
    this.#heard = Date.now()
    stuck.close().catch(() => {})
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#client.close()
  }
}

function isConnectionError(error: unknown): boolean {
  return (
    error instanceof MongoNetworkError ||
    error instanceof MongoServerSelectionError ||
    error instanceof MongoNotConnectedError ||
    error instanceof MongoClientClosedError ||
    error instanceof MongoOperationTimeoutError ||
    error instanceof MongoTopologyClosedError ||
    (error instanceof MongoError && PASSING_CODES.has(Number(error.code))) ||
    SOCKET_CODES.has((error as NodeJS.ErrnoException).code ?? '')
  )
}
