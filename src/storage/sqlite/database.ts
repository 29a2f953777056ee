/**
 * Opening the SQLite files of the embedded profile. Each kind of store has a file of its own in the data folder,
 * so that a long write to one never blocks another; `PRAGMA user_version` holds the version of its format.
 */
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { failure } from '../../errors.ts'

/** What a file of a kind of store looks like. */
export interface FileFormat {
  /** Counts up with every change of the format. */
  readonly version: number
  /** Statements that make an empty file into one of this version. */
  readonly schema: string
  /** What brings an older file one version forward, by the version that it makes; runs in one transaction. */
  readonly upgrades?: Readonly<Record<number, (database: DatabaseSync) => void>>
}

/** Milliseconds that a connection waits for another process's write to end. */
const BUSY_TIMEOUT = 30_000

/** Bytes of a write-ahead log that stay on disk after a checkpoint. */
const LOG_LIMIT = 64 * 1024 * 1024

/**
 * Opens a file for reading and writing; makes folder and file where they are missing. The write-ahead log lets
 * readers go on while one connection writes, and a killed process leaves the state of its last commit.
 * @throws SeraiError STORE_NEWER when a later version wrote it; STORE_UNUSABLE when it cannot be written or is
 *   no such file
 */
export function openDatabase(file: string, format: FileFormat): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    mkdirSync(dirname(file), { recursive: true })
    makeFile(file)
    database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT })
    requireVersion(file, database, format)
    database.exec(`
      PRAGMA page_size = 8192;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA journal_size_limit = ${LOG_LIMIT};
      PRAGMA temp_store = MEMORY;`)
    migrate(file, database, format)
    return database
  } catch (error) {
    database?.close()
    throw openFailure(file, error)
  }
}

/** New files are their owner's alone: there are secrets and unpublished data in them. SQLite gives those that it adds the same mode. */
function makeFile(file: string): void {
  try {
    closeSync(openSync(file, 'a', 0o600))
  } catch {
    // What is wrong is told when it is opened.
  }
}

/**
 * A further connection that only reads a file which {@link openDatabase} has opened before.
 * @throws SeraiError STORE_UNUSABLE
 */
export function openReader(file: string): DatabaseSync {
  try {
    const database = new DatabaseSync(file, { readOnly: true, timeout: BUSY_TIMEOUT })
    database.exec('PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 1073741824;')
    return database
  } catch (error) {
    throw openFailure(file, error)
  }
}

/** Reads the file's head. @throws Error when it cannot be read, or the connection is closed */
export function requireReadable(database: DatabaseSync): void {
  database.prepare('PRAGMA schema_version').get()
}

/** Runs `work` in one write transaction; rolls back when it throws. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

function versionOf(database: DatabaseSync): number {
  return (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version
}

function requireVersion(file: string, database: DatabaseSync, format: FileFormat): void {
  const found = versionOf(database)
  if (found > format.version) throw failure('STORE_NEWER', { file, found, known: format.version })
}

function migrate(file: string, database: DatabaseSync, format: FileFormat): void {
  if (versionOf(database) === format.version) {
    // A file of this version that cannot be written is told now, not at the first write.
    database.exec('BEGIN IMMEDIATE; ROLLBACK')
    return
  }
  transaction(database, () => {
    // Another process may have made the tables while this one waited for the lock.
    requireVersion(file, database, format)
    const found = versionOf(database)
    if (found === format.version) return
    if (found === 0) database.exec(format.schema)
    else for (let v = found + 1; v <= format.version; v++) format.upgrades?.[v]?.(database)
    database.exec(`PRAGMA user_version = ${format.version}`)
  })
}

function openFailure(file: string, error: unknown): unknown {
  const { code, message, errcode } = error as NodeJS.ErrnoException & { errcode?: number }
  if (code === 'ERR_SQLITE_ERROR') {
    // SQLITE_CANTOPEN and SQLITE_READONLY are nearly always the folder's permissions.
    const folder = errcode !== undefined && ((errcode & 0xff) === 14 || (errcode & 0xff) === 8)
    const reason = folder ? `${message}; is the folder ${dirname(file)} writable?` : message
    return failure('STORE_UNUSABLE', { file, reason: reason.replace(/\.$/, '') })
  }
  if (code?.startsWith('E') && !code.startsWith('ERR_')) {
    return failure('STORE_UNUSABLE', { file, reason: message })
  }
  return error
}
