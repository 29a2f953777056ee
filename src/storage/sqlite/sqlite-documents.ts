/**
 * The documents store of the embedded profile: one SQLite file, each document as JSON, with columns of its own for
 * what is filtered and sorted. Reads are lookups by key or index on the main thread (microseconds); long lists are read
 * in slices, so that other work gets its turn in between.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type {
  Dataset,
  DocumentStore,
  Entry,
  Group,
  MetainfoPackage,
  Upload,
  UploadFilter,
  UploadOrder,
  UploadPage,
  User
} from '../documents.ts'
import { type FileFormat, openDatabase, transaction } from './database.ts'
import { uploadsWhere } from './upload-filter.ts'

/** Which entries define what. */
const DEFINITIONS = `
    CREATE TABLE definition (
      definition_id TEXT NOT NULL, entry_id TEXT NOT NULL, PRIMARY KEY (definition_id, entry_id)
    ) WITHOUT ROWID;
    CREATE INDEX definition_entry ON definition (entry_id);`

/** Format of `documents.sqlite`. */
const DOCUMENTS_FORMAT: FileFormat = {
  version: 2,
  upgrades: { 2: DEFINITIONS },
  schema: `
    CREATE TABLE user (user_id TEXT PRIMARY KEY, username TEXT NOT NULL, document TEXT NOT NULL);
    CREATE INDEX user_username ON user (username);
    CREATE TABLE user_group (group_id TEXT PRIMARY KEY, document TEXT NOT NULL);
    CREATE TABLE group_member (
      user_id TEXT NOT NULL, group_id TEXT NOT NULL, PRIMARY KEY (user_id, group_id)
    ) WITHOUT ROWID;
    CREATE INDEX group_member_group ON group_member (group_id);
    CREATE TABLE dataset (dataset_id TEXT PRIMARY KEY, document TEXT NOT NULL);
    CREATE TABLE upload (
      upload_id TEXT PRIMARY KEY, upload_create_time TEXT NOT NULL, publish_time TEXT, upload_name TEXT,
      folded_name TEXT, last_status_message TEXT, process_status TEXT NOT NULL, main_author TEXT NOT NULL,
      document TEXT NOT NULL
    );
    CREATE INDEX upload_create ON upload (upload_create_time, upload_id);
    -- member: id of a person or a group
    CREATE TABLE upload_member (
      member TEXT NOT NULL, role TEXT NOT NULL, upload_id TEXT NOT NULL, PRIMARY KEY (member, role, upload_id)
    ) WITHOUT ROWID;
    CREATE INDEX upload_member_upload ON upload_member (upload_id);
    CREATE TABLE entry (
      entry_id TEXT PRIMARY KEY, upload_id TEXT NOT NULL, mainfile TEXT NOT NULL, document TEXT NOT NULL
    );
    CREATE INDEX entry_upload ON entry (upload_id, mainfile, entry_id);
    CREATE TABLE package (name TEXT PRIMARY KEY, definition TEXT NOT NULL);
    CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    ${DEFINITIONS}`
}

/** Column for each order: names of a caller never become SQL. */
const ORDER_COLUMNS: Readonly<Record<UploadOrder, string>> = {
  upload_create_time: 'upload_create_time',
  publish_time: 'publish_time',
  upload_name: 'upload_name',
  last_status_message: 'last_status_message',
  process_status: 'process_status'
}

/** Rows that are read or written before other work gets its turn. */
const SLICE = 500

/**
 * Opens the documents store in a file; it and its folder are made when missing.
 * @throws SeraiError STORE_NEWER, STORE_UNUSABLE
 */
export function openSqliteDocuments(file: string): DocumentStore {
  return new SqliteDocuments(openDatabase(file, DOCUMENTS_FORMAT))
}

class SqliteDocuments implements DocumentStore {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  #sql(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  #one<T>(sql: string, ...values: SQLInputValue[]): T | undefined {
    const row = this.#sql(sql).get(...values)
    return row && (JSON.parse(row.document as string) as T)
  }

  #all<T>(sql: string, ...values: SQLInputValue[]): T[] {
    return this.#sql(sql)
      .all(...values)
      .map(row => JSON.parse(row.document as string) as T)
  }

  /** Documents of a statement that takes a JSON list of ids. */
  async #byIds<T>(sql: string, ids: readonly string[]): Promise<T[]> {
    const found: T[] = []
    const wanted = [...new Set(ids)]
    for (let i = 0; i < wanted.length; i += SLICE) {
      if (i > 0) await nextTurn()
      found.push(...this.#all<T>(sql, JSON.stringify(wanted.slice(i, i + SLICE))))
    }
    return found
  }

  /** Writes documents, some in each transaction. */
  async #write<T>(items: readonly T[], write: (item: T) => void): Promise<void> {
    for (let i = 0; i < items.length; i += SLICE) {
      if (i > 0) await nextTurn()
      transaction(this.#database, () => items.slice(i, i + SLICE).forEach(write))
    }
  }

  async user(userId: string): Promise<User | undefined> {
    return this.#one('SELECT document FROM user WHERE user_id = ?', userId)
  }

  async userByName(username: string): Promise<User | undefined> {
    return this.#one('SELECT document FROM user WHERE username = ? ORDER BY user_id LIMIT 1', username)
  }

  users(userIds: readonly string[]): Promise<User[]> {
    return this.#byIds('SELECT document FROM user WHERE user_id IN (SELECT value FROM json_each(?))', userIds)
  }

  putUsers(users: readonly User[]): Promise<void> {
    const put = this.#sql('INSERT OR REPLACE INTO user VALUES (?, ?, ?)')
    return this.#write(users, user => put.run(user.user_id, user.username, JSON.stringify(user)))
  }

  async group(groupId: string): Promise<Group | undefined> {
    return this.#one('SELECT document FROM user_group WHERE group_id = ?', groupId)
  }

  async groupIdsOf(userId: string): Promise<string[]> {
    return this.#sql('SELECT group_id FROM group_member WHERE user_id = ? ORDER BY group_id')
      .all(userId)
      .map(row => row.group_id as string)
  }

  putGroups(groups: readonly Group[]): Promise<void> {
    return this.#write(groups, group => {
      this.#sql('INSERT OR REPLACE INTO user_group VALUES (?, ?)').run(group.group_id, JSON.stringify(group))
      this.#sql('DELETE FROM group_member WHERE group_id = ?').run(group.group_id)
      const add = this.#sql('INSERT OR IGNORE INTO group_member VALUES (?, ?)')
      for (const member of [group.owner, ...group.members]) add.run(member, group.group_id)
    })
  }

  async dataset(datasetId: string): Promise<Dataset | undefined> {
    return this.#one('SELECT document FROM dataset WHERE dataset_id = ?', datasetId)
  }

  datasets(datasetIds: readonly string[]): Promise<Dataset[]> {
    return this.#byIds(
      'SELECT document FROM dataset WHERE dataset_id IN (SELECT value FROM json_each(?))',
      datasetIds
    )
  }

  putDatasets(datasets: readonly Dataset[]): Promise<void> {
    const put = this.#sql('INSERT OR REPLACE INTO dataset VALUES (?, ?)')
    return this.#write(datasets, dataset => put.run(dataset.dataset_id, JSON.stringify(dataset)))
  }

  async upload(uploadId: string): Promise<Upload | undefined> {
    return this.#one('SELECT document FROM upload WHERE upload_id = ?', uploadId)
  }

  async listUploads(filter: UploadFilter, page: UploadPage): Promise<{ total: number; uploads: Upload[] }> {
    const { where, values } = uploadsWhere(filter)
    const { total } = this.#sql(`SELECT count(*) AS total FROM upload WHERE ${where}`).get(...values) as {
      total: number
    }
    // A missing value is the lowest one, as in the cluster profile's store.
    const uploads = this.#all<Upload>(
      `SELECT document FROM upload WHERE ${where}
       ORDER BY ${ORDER_COLUMNS[page.orderBy]} ${page.order === 'desc' ? 'DESC' : 'ASC'}, upload_create_time, upload_id
       LIMIT ? OFFSET ?`,
      ...values,
      page.limit,
      page.offset
    )
    return { total, uploads }
  }

  putUpload(upload: Upload): Promise<void> {
    return this.#write([upload], u => {
      this.#sql('INSERT OR REPLACE INTO upload VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
        u.upload_id,
        u.upload_create_time,
        u.publish_time ?? null,
        u.upload_name ?? null,
        u.upload_name?.toLowerCase() ?? null,
        u.last_status_message ?? null,
        u.process_status,
        u.main_author,
        JSON.stringify(u)
      )
      this.#sql('DELETE FROM upload_member WHERE upload_id = ?').run(u.upload_id)
      const add = this.#sql('INSERT OR IGNORE INTO upload_member VALUES (?, ?, ?)')
      add.run(u.main_author, 'main_author', u.upload_id)
      for (const member of [...u.coauthors, ...u.coauthor_groups]) add.run(member, 'coauthor', u.upload_id)
      for (const member of [...u.reviewers, ...u.reviewer_groups]) add.run(member, 'reviewer', u.upload_id)
    })
  }

  async entry(entryId: string): Promise<Entry | undefined> {
    return this.#one('SELECT document FROM entry WHERE entry_id = ?', entryId)
  }

  entries(entryIds: readonly string[]): Promise<Entry[]> {
    return this.#byIds(
      'SELECT document FROM entry WHERE entry_id IN (SELECT value FROM json_each(?))',
      entryIds
    )
  }

  async entriesOfUpload(uploadId: string): Promise<Entry[]> {
    const entries: Entry[] = []
    const sql = `SELECT document FROM entry WHERE upload_id = ? AND (mainfile, entry_id) > (?, ?)
      ORDER BY mainfile, entry_id LIMIT ${SLICE}`
    for (let last: readonly [string, string] = ['', '']; ; ) {
      const slice = this.#all<Entry>(sql, uploadId, ...last)
      entries.push(...slice)
      const end = slice.at(-1)
      if (!end || slice.length < SLICE) return entries
      last = [end.mainfile, end.entry_id]
      await nextTurn()
    }
  }

  async countEntries(uploadIds: readonly string[]): Promise<Map<string, number>> {
    const counts = new Map<string, number>()
    const count = this.#sql('SELECT count(*) AS n FROM entry WHERE upload_id = ?')
    for (const uploadId of uploadIds) counts.set(uploadId, (count.get(uploadId) as { n: number }).n)
    return counts
  }

  putEntries(entries: readonly Entry[]): Promise<void> {
    const put = this.#sql('INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?)')
    return this.#write(entries, e => put.run(e.entry_id, e.upload_id, e.mainfile, JSON.stringify(e)))
  }

  removeEntries(entryIds: readonly string[]): Promise<void> {
    const remove = this.#sql('DELETE FROM entry WHERE entry_id = ?')
    const forget = this.#sql('DELETE FROM definition WHERE entry_id = ?')
    return this.#write(entryIds, entryId => {
      remove.run(entryId)
      forget.run(entryId)
    })
  }

  async entriesDefining(definitionId: string): Promise<string[]> {
    return this.#sql('SELECT entry_id FROM definition WHERE definition_id = ? ORDER BY entry_id')
      .all(definitionId)
      .map(row => row.entry_id as string)
  }

  putDefinitionIds(entryId: string, definitionIds: readonly string[]): Promise<void> {
    return this.#write([entryId], () => {
      this.#sql('DELETE FROM definition WHERE entry_id = ?').run(entryId)
      const add = this.#sql('INSERT OR IGNORE INTO definition VALUES (?, ?)')
      for (const id of definitionIds) add.run(id, entryId)
    })
  }

  async packages(): Promise<MetainfoPackage[]> {
    return this.#sql('SELECT name, definition FROM package ORDER BY name')
      .all()
      .map(row => ({ name: row.name as string, definition: JSON.parse(row.definition as string) }))
  }

  putPackages(packages: readonly MetainfoPackage[]): Promise<void> {
    const put = this.#sql('INSERT OR REPLACE INTO package VALUES (?, ?)')
    return this.#write(packages, ({ name, definition }) => put.run(name, JSON.stringify(definition)))
  }

  async setting(name: string): Promise<string | undefined> {
    return this.#sql('SELECT value FROM setting WHERE name = ?').get(name)?.value as string | undefined
  }

  async putSetting(name: string, value: string): Promise<void> {
    this.#sql('INSERT OR REPLACE INTO setting VALUES (?, ?)').run(name, value)
  }

  async initSetting(name: string, value: string): Promise<string> {
    this.#sql('INSERT OR IGNORE INTO setting VALUES (?, ?)').run(name, value)
    return (await this.setting(name)) as string
  }

  async close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close()
  }
}
