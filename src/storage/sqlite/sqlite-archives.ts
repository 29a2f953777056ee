/**
 * The archive store of the embedded profile: one SQLite file with tables of contents and blocks.
 *
 * Reads are lookups by key on the main thread: a block of some tens of kilobytes is copied in some tens of
 * microseconds, less than handing it over from another thread costs. Many are read in slices, so that other work
 * gets its turn in between.
 */
import { randomUUID } from 'node:crypto'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  type ArchiveBlock,
  type ArchiveContents,
  type ArchiveStore,
  type BlockAddress,
  blockKey
} from '../archives.ts'
import { type FileFormat, openDatabase, requireReadable, transaction } from './database.ts'

/** Format of `archives.sqlite`. A row number stands for a generation in `block`, to keep its keys short. */
const ARCHIVES_FORMAT: FileFormat = {
  version: 1,
  schema: `
    CREATE TABLE generation (
      row INTEGER PRIMARY KEY, entry_id TEXT NOT NULL, generation TEXT NOT NULL UNIQUE, upload_id TEXT NOT NULL,
      -- NULL until the archive is complete
      contents BLOB
    );
    CREATE INDEX generation_entry ON generation (entry_id);
    CREATE TABLE block (
      id INTEGER PRIMARY KEY, generation INTEGER NOT NULL, number INTEGER NOT NULL, bytes BLOB NOT NULL,
      UNIQUE (generation, number)
    );`
}

/** Bytes that are read before other work gets its turn. */
const READ_SLICE = 4 * 1024 * 1024

/** Lookups before other work gets its turn. */
const READ_COUNT = 500

/** Milliseconds for which a replaced archive stays readable for those who have its table of contents already. */
const REPLACED_GRACE = 10_000

/** Bytes of blocks that are gathered for one transaction. */
const WRITE_SLICE = 4 * 1024 * 1024

/**
 * Opens the archive store in a file; it and its folder are made when missing.
 * @throws SeraiError STORE_NEWER, STORE_UNUSABLE
 */
export function openSqliteArchives(file: string): ArchiveStore {
  return new SqliteArchives(openDatabase(file, ARCHIVES_FORMAT))
}

class SqliteArchives implements ArchiveStore {
  readonly #database: DatabaseSync
  readonly #complete: StatementSync
  readonly #block: StatementSync
  readonly #begin: StatementSync
  readonly #addBlock: StatementSync
  readonly #setContents: StatementSync
  readonly #older: StatementSync
  /** Generations that this process is writing. */
  readonly #writing = new Set<number>()
  /** Entries whose older generations are to be removed, with the newest one. */
  readonly #replaced = new Map<string, { readonly newest: number; readonly timer: NodeJS.Timeout }>()

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#complete = database.prepare(
      'SELECT entry_id, upload_id, generation, contents FROM generation WHERE entry_id = ? AND contents IS NOT NULL ORDER BY row DESC LIMIT 1'
    )
    this.#block = database.prepare(`
      SELECT b.bytes FROM generation g JOIN block b ON b.generation = g.row
      WHERE g.generation = ? AND g.entry_id = ? AND b.number = ?`)
    this.#begin = database.prepare(
      'INSERT INTO generation (entry_id, generation, upload_id) VALUES (?, ?, ?) RETURNING row'
    )
    this.#setContents = database.prepare('UPDATE generation SET contents = ? WHERE row = ?')
    this.#older = database.prepare('SELECT 1 FROM generation WHERE entry_id = ? AND row < ? LIMIT 1')
    this.#addBlock = database.prepare('INSERT INTO block (generation, number, bytes) VALUES (?, ?, ?)')
  }

  async put(
    entryId: string,
    uploadId: string,
    write: (store: (block: ArchiveBlock) => Promise<void>) => Promise<Uint8Array>
  ): Promise<void> {
    const { row } = this.#begin.get(entryId, randomUUID(), uploadId) as { row: number }
    this.#writing.add(row)
    try {
      let waiting: ArchiveBlock[] = []
      let bytes = 0
      const save = () => {
        const blocks = waiting
        waiting = []
        bytes = 0
        for (const block of blocks) this.#addBlock.run(row, block.number, block.bytes)
      }
      const contents = await write(async block => {
        waiting.push(block)
        bytes += block.bytes.byteLength
        if (bytes < WRITE_SLICE) return
        transaction(this.#database, save)
        await nextTurn()
      })
      transaction(this.#database, () => {
        save()
        const { changes } = this.#setContents.run(contents, row)
        // Another process has replaced or removed the archive meanwhile and this generation with it.
        if (changes === 0) this.#dropRow(row)
      })
      if (this.#older.get(entryId, row)) this.#dropLater(entryId, row)
    } catch (error) {
      transaction(this.#database, () => this.#dropRow(row))
      throw error
    } finally {
      this.#writing.delete(row)
    }
  }

  #dropLater(entryId: string, newest: number): void {
    clearTimeout(this.#replaced.get(entryId)?.timer)
    const timer = setTimeout(() => this.#dropReplaced(entryId), REPLACED_GRACE)
    timer.unref()
    this.#replaced.set(entryId, { newest, timer })
  }

  #dropReplaced(entryId: string): void {
    const replaced = this.#replaced.get(entryId)
    if (!replaced) return
    clearTimeout(replaced.timer)
    this.#replaced.delete(entryId)
    transaction(this.#database, () => this.#drop(entryId, replaced.newest))
  }

  /**
   * Removes an entry's generations, also what a killed process left; not those that are being written.
   * @param before only those that began before this one: newer ones are of another process, and count more
   */
  #drop(entryId: string, before = Number.MAX_SAFE_INTEGER): void {
    for (const { row } of this.#database
      .prepare('SELECT row FROM generation WHERE entry_id = ? AND row < ?')
      .all(entryId, before)) {
      if (!this.#writing.has(row as number)) this.#dropRow(row as number)
    }
  }

  #dropRow(row: number): void {
    this.#database.prepare('DELETE FROM block WHERE generation = ?').run(row)
    this.#database.prepare('DELETE FROM generation WHERE row = ?').run(row)
  }

  async contents(entryIds: readonly string[]): Promise<Map<string, ArchiveContents>> {
    const found = new Map<string, ArchiveContents>()
    const turns = new Turns()
    for (const entryId of entryIds) {
      const row = this.#complete.get(entryId)
      if (row) {
        found.set(entryId, {
          entryId,
          uploadId: row.upload_id as string,
          generation: row.generation as string,
          bytes: row.contents as Uint8Array
        })
      }
      await turns.after(row ? (row.contents as Uint8Array).byteLength : 0)
    }
    return found
  }

  async blocks(addresses: readonly BlockAddress[]): Promise<Map<string, Uint8Array>> {
    const found = new Map<string, Uint8Array>()
    const turns = new Turns()
    for (const address of addresses) {
      const row = this.#block.get(address.generation, address.entryId, address.number)
      if (row) found.set(blockKey(address), row.bytes as Uint8Array)
      await turns.after(row ? (row.bytes as Uint8Array).byteLength : 0)
    }
    return found
  }

  async *entryIds(): AsyncGenerator<string[]> {
    const next = this.#database.prepare(
      `SELECT DISTINCT entry_id FROM generation WHERE contents IS NOT NULL AND entry_id > ? ORDER BY entry_id LIMIT ${READ_COUNT}`
    )
    for (let last = ''; ; ) {
      const ids = next.all(last).map(row => row.entry_id as string)
      if (ids.length > 0) yield ids
      if (ids.length < READ_COUNT) return
      last = ids.at(-1) as string
      await nextTurn()
    }
  }

  async remove(entryIds: readonly string[]): Promise<void> {
    for (const entryId of entryIds) {
      clearTimeout(this.#replaced.get(entryId)?.timer)
      this.#replaced.delete(entryId)
      transaction(this.#database, () => this.#drop(entryId))
      await nextTurn()
    }
  }

  async ping(): Promise<void> {
    requireReadable(this.#database)
  }

  async close(): Promise<void> {
    if (!this.#database.isOpen) return
    for (const entryId of [...this.#replaced.keys()]) this.#dropReplaced(entryId)
    this.#database.close()
  }
}

/** Lets other work go on after some lookups or bytes. */
class Turns {
  #bytes = 0
  #count = 0

  async after(bytes: number): Promise<void> {
    this.#bytes += bytes
    this.#count++
    if (this.#bytes < READ_SLICE && this.#count < READ_COUNT) return
    this.#bytes = 0
    this.#count = 0
    await nextTurn()
  }
}
