/**
 * The documents store of the embedded profile: one SQLite file, each document as JSON, with columns of its own for
 * what is filtered and sorted. Reads are lookups by key or index on the main thread (microseconds); long lists are read
 * in slices, so that other work gets its turn in between.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type {
  Dataset,
  DatasetFilter,
  DatasetOrder,
  DocumentStore,
  Entry,
  EntryOrder,
  EntryPlace,
  Group,
  GroupFilter,
  GroupOrder,
  ListPage,
  MetainfoPackage,
  Upload,
  UploadFilter,
  UploadOrder,
  UploadPage,
  User
} from '../documents.ts'
import { afterBeginning } from '../person-names.ts'
import { openDatabase, requireReadable, transaction } from './database.ts'
import { DOCUMENTS_FORMAT, type Prepare, putDataset, putEntry, putGroup, putUser } from './document-tables.ts'
import { type Condition, datasetsWhere, groupsWhere, uploadsWhere } from './list-filters.ts'

/** Columns for each order: names of a caller never become SQL. */
const UPLOAD_ORDERS: Readonly<Record<UploadOrder, string>> = {
  upload_create_time: 'upload_create_time',
  publish_time: 'publish_time',
  upload_name: 'upload_name',
  last_status_message: 'last_status_message',
  process_status: 'process_status'
}
const ENTRY_ORDERS: Readonly<Record<EntryOrder, string>> = {
  mainfile: 'mainfile',
  parser_name: 'parser_name',
  process_status: 'process_status',
  current_process: 'current_process',
  entry_create_time: 'entry_create_time'
}
const DATASET_ORDERS: Readonly<Record<DatasetOrder, string>> = {
  dataset_create_time: 'dataset_create_time',
  dataset_modified_time: 'dataset_modified_time',
  dataset_name: 'dataset_name'
}
const GROUP_ORDERS: Readonly<Record<GroupOrder, string>> = {
  group_id: 'group_id',
  group_name: 'group_name',
  owner: 'owner'
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

  readonly #prepare: Prepare = sql => this.#sql(sql)

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

  usersByName(usernames: readonly string[]): Promise<User[]> {
    return this.#byIds(
      'SELECT document FROM user WHERE username IN (SELECT value FROM json_each(?))',
      usernames
    )
  }

  usersByEmail(emails: readonly string[]): Promise<User[]> {
    return this.#byIds(
      'SELECT document FROM user WHERE folded_email IN (SELECT value FROM json_each(?))',
      emails.map(email => email.toLowerCase())
    )
  }

  async usersNamed(beginnings: readonly string[], limit: number): Promise<User[]> {
    const named = 'user_id IN (SELECT user_id FROM user_name WHERE text >= ? AND text < ?)'
    return this.#all(
      `SELECT document FROM user WHERE ${beginnings.map(() => named).join(' AND ')}
       ORDER BY username, user_id LIMIT ?`,
      ...beginnings.flatMap(text => [text, afterBeginning(text)]),
      limit
    )
  }

  async everyUser(): Promise<User[]> {
    return this.#all('SELECT document FROM user ORDER BY username, user_id')
  }

  putUsers(users: readonly User[]): Promise<void> {
    return this.#write(users, user => putUser(this.#prepare, user))
  }

  async group(groupId: string): Promise<Group | undefined> {
    return this.#one('SELECT document FROM user_group WHERE group_id = ?', groupId)
  }

  async groupIdsOf(userId: string): Promise<string[]> {
    return this.#sql('SELECT group_id FROM group_member WHERE user_id = ? ORDER BY group_id')
      .all(userId)
      .map(row => row.group_id as string)
  }

  async listGroups(
    filter: GroupFilter,
    page: ListPage<GroupOrder>
  ): Promise<{ total: number; groups: Group[] }> {
    const { total, rows } = await this.#list<Group>('user_group', groupsWhere(filter), page, [
      GROUP_ORDERS[page.orderBy],
      'group_id'
    ])
    return { total, groups: rows }
  }

  putGroups(groups: readonly Group[]): Promise<void> {
    return this.#write(groups, group => putGroup(this.#prepare, group))
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

  async listDatasets(
    filter: DatasetFilter,
    page: ListPage<DatasetOrder>
  ): Promise<{ total: number; datasets: Dataset[] }> {
    const { total, rows } = await this.#list<Dataset>('dataset', datasetsWhere(filter), page, [
      DATASET_ORDERS[page.orderBy],
      'dataset_create_time',
      'dataset_id'
    ])
    return { total, datasets: rows }
  }

  putDatasets(datasets: readonly Dataset[]): Promise<void> {
    return this.#write(datasets, dataset => putDataset(this.#prepare, dataset))
  }

  async upload(uploadId: string): Promise<Upload | undefined> {
    return this.#one('SELECT document FROM upload WHERE upload_id = ?', uploadId)
  }

  async listUploads(filter: UploadFilter, page: UploadPage): Promise<{ total: number; uploads: Upload[] }> {
    const { total, rows } = await this.#list<Upload>('upload', uploadsWhere(filter), page, [
      UPLOAD_ORDERS[page.orderBy],
      'upload_create_time',
      'upload_id'
    ])
    return { total, uploads: rows }
  }

  /**
   * A slice of a table, and how many rows match.
   * @param columns what it is ordered by: the first as the page says, the others in ascending order; the last is the id
   */
  async #list<T>(
    table: string,
    { where, values }: Condition,
    { order, limit, offset }: ListPage<string>,
    columns: readonly [string, ...string[]]
  ): Promise<{ total: number; rows: T[] }> {
    const { total } = this.#sql(`SELECT count(*) AS total FROM ${table} WHERE ${where}`).get(...values) as {
      total: number
    }
    const [first, ...ties] = new Set(columns)
    const id = columns.at(-1)
    // A missing value is the lowest one, as in the cluster profile's store. Ids first: an index alone may give them.
    const found = this.#sql(
      `SELECT ${id} AS id FROM ${table} WHERE ${where}
       ORDER BY ${[`${first} ${order === 'desc' ? 'DESC' : 'ASC'}`, ...ties].join(', ')} LIMIT ? OFFSET ?`
    ).all(...values, limit, offset)
    const rows: T[] = []
    for (const [i, row] of found.entries()) {
      if (i > 0 && i % SLICE === 0) await nextTurn()
      const document = this.#one<T>(`SELECT document FROM ${table} WHERE ${id} = ?`, row.id as string)
      if (document) rows.push(document)
    }
    return { total, rows }
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

  async addPendingUpload(uploadId: string): Promise<void> {
    this.#sql('INSERT OR IGNORE INTO pending_upload VALUES (?)').run(uploadId)
  }

  async removePendingUpload(uploadId: string): Promise<void> {
    this.#sql('DELETE FROM pending_upload WHERE upload_id = ?').run(uploadId)
  }

  async pendingUploads(): Promise<string[]> {
    const sql = `SELECT upload_id FROM pending_upload AS pending
      WHERE NOT EXISTS (SELECT 1 FROM upload WHERE upload.upload_id = pending.upload_id) ORDER BY upload_id`
    return this.#sql(sql)
      .all()
      .map(row => row.upload_id as string)
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

  async entryPlaces(entryIds: readonly string[]): Promise<EntryPlace[]> {
    const places: EntryPlace[] = []
    const find = this.#sql(`SELECT entry_id, upload_id, mainfile FROM entry
      WHERE entry_id IN (SELECT value FROM json_each(?))`)
    for (let i = 0; i < entryIds.length; i += SLICE) {
      if (i > 0) await nextTurn()
      // One statement for many: a call takes longer than finding a row.
      for (const row of find.all(JSON.stringify(entryIds.slice(i, i + SLICE)))) {
        const { entry_id, upload_id, mainfile } = row as unknown as EntryPlace
        places.push({ entry_id, upload_id, mainfile })
      }
    }
    return places
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

  async listEntries(uploadId: string, page: ListPage<EntryOrder>): Promise<Entry[]> {
    const condition = { where: 'upload_id = ?', values: [uploadId] }
    const { rows } = await this.#list<Entry>('entry', condition, page, [
      ENTRY_ORDERS[page.orderBy],
      'entry_id'
    ])
    return rows
  }

  async countEntriesByStatus(uploadId: string): Promise<Map<string, number>> {
    const rows = this.#sql(
      'SELECT process_status, count(*) AS n FROM entry WHERE upload_id = ? GROUP BY process_status'
    ).all(uploadId) as { process_status: string; n: number }[]
    return new Map(rows.map(({ process_status, n }) => [process_status, n]))
  }

  async countEntries(uploadIds: readonly string[]): Promise<Map<string, number>> {
    const counts = new Map<string, number>()
    const count = this.#sql('SELECT count(*) AS n FROM entry WHERE upload_id = ?')
    for (const uploadId of uploadIds) counts.set(uploadId, (count.get(uploadId) as { n: number }).n)
    return counts
  }

  putEntries(entries: readonly Entry[]): Promise<void> {
    return this.#write(entries, entry => putEntry(this.#prepare, entry))
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

  async definitionIds(entryIds: readonly string[]): Promise<Map<string, string[]>> {
    const found = new Map<string, string[]>()
    for (let i = 0; i < entryIds.length; i += SLICE) {
      if (i > 0) await nextTurn()
      const rows = this.#sql(
        'SELECT entry_id, definition_id FROM definition WHERE entry_id IN (SELECT value FROM json_each(?))'
      ).all(JSON.stringify(entryIds.slice(i, i + SLICE)))
      for (const { entry_id, definition_id } of rows as { entry_id: string; definition_id: string }[]) {
        const ids = found.get(entry_id)
        if (ids) ids.push(definition_id)
        else found.set(entry_id, [definition_id])
      }
    }
    return found
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

  async settings(): Promise<Map<string, string>> {
    const rows = this.#sql('SELECT name, value FROM setting').all()
    return new Map(rows.map(row => [row.name as string, row.value as string]))
  }

  async ping(): Promise<void> {
    requireReadable(this.#database)
  }

  async close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close()
  }
}
