/**
 * The tables of `documents.sqlite`, and how documents that are looked for by more than their id are written to them.
 *
 * Each document is JSON in `document`; what is filtered and sorted by are columns of their own.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Dataset, Entry, Group, User } from '../documents.ts'
import { nameTexts } from '../person-names.ts'
import type { FileFormat } from './database.ts'

/** Which entries define what. */
const DEFINITIONS = `
    CREATE TABLE definition (
      definition_id TEXT NOT NULL, entry_id TEXT NOT NULL, PRIMARY KEY (definition_id, entry_id)
    ) WITHOUT ROWID;
    CREATE INDEX definition_entry ON definition (entry_id);`

/** How persons, groups and datasets are found by more than their ids. */
const NAMES = `
    CREATE TABLE user (
      user_id TEXT PRIMARY KEY, username TEXT NOT NULL, folded_email TEXT, document TEXT NOT NULL
    );
    CREATE INDEX user_username ON user (username, user_id);
    CREATE INDEX user_email ON user (folded_email);
    -- text: see person-names.ts
    CREATE TABLE user_name (text TEXT NOT NULL, user_id TEXT NOT NULL, PRIMARY KEY (text, user_id)) WITHOUT ROWID;
    CREATE INDEX user_name_user ON user_name (user_id);
    CREATE TABLE user_group (
      group_id TEXT PRIMARY KEY, group_name TEXT NOT NULL, folded_name TEXT NOT NULL, owner TEXT NOT NULL,
      document TEXT NOT NULL
    );
    CREATE INDEX user_group_name ON user_group (group_name, group_id);
    CREATE INDEX user_group_owner ON user_group (owner, group_id);
    CREATE TABLE dataset (
      dataset_id TEXT PRIMARY KEY, dataset_name TEXT NOT NULL, folded_name TEXT NOT NULL, user_id TEXT NOT NULL,
      dataset_type TEXT, doi TEXT, dataset_create_time TEXT NOT NULL, dataset_modified_time TEXT,
      document TEXT NOT NULL
    );
    CREATE INDEX dataset_created ON dataset (dataset_create_time, dataset_id);
    CREATE INDEX dataset_modified ON dataset (dataset_modified_time, dataset_create_time, dataset_id);
    CREATE INDEX dataset_by_name ON dataset (dataset_name, dataset_create_time, dataset_id);
    CREATE INDEX dataset_of_user ON dataset (user_id, dataset_create_time, dataset_id);
    CREATE INDEX dataset_folded_name ON dataset (folded_name);
    CREATE INDEX dataset_doi ON dataset (doi) WHERE doi IS NOT NULL;`

/** What the entries of an upload are ordered and counted by; stored, so that the indexes alone answer. */
const ENTRY_LISTS = `
    ALTER TABLE entry ADD COLUMN parser_name TEXT;
    ALTER TABLE entry ADD COLUMN process_status TEXT;
    ALTER TABLE entry ADD COLUMN current_process TEXT;
    ALTER TABLE entry ADD COLUMN entry_create_time TEXT;
    UPDATE entry SET
      parser_name = document ->> '$.parser_name', process_status = document ->> '$.process_status',
      current_process = document ->> '$.current_process', entry_create_time = document ->> '$.entry_create_time';
    CREATE INDEX entry_parser ON entry (upload_id, parser_name, entry_id);
    CREATE INDEX entry_status ON entry (upload_id, process_status, entry_id);
    CREATE INDEX entry_process ON entry (upload_id, current_process, entry_id);
    CREATE INDEX entry_created ON entry (upload_id, entry_create_time, entry_id);`

/** Uploads that are being put together. */
const PENDING = `
    CREATE TABLE pending_upload (upload_id TEXT PRIMARY KEY) WITHOUT ROWID;`

/** Format of `documents.sqlite`. */
export const DOCUMENTS_FORMAT: FileFormat = {
  version: 4,
  upgrades: {
    2: database => database.exec(DEFINITIONS),
    3: addNames,
    4: database => database.exec(PENDING)
  },
  schema: `
    ${NAMES}
    CREATE TABLE group_member (
      user_id TEXT NOT NULL, group_id TEXT NOT NULL, PRIMARY KEY (user_id, group_id)
    ) WITHOUT ROWID;
    CREATE INDEX group_member_group ON group_member (group_id);
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
    ${ENTRY_LISTS}
    CREATE TABLE package (name TEXT PRIMARY KEY, definition TEXT NOT NULL);
    CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    ${DEFINITIONS}
    ${PENDING}`
}

/** Persons, groups and datasets are few: they are written anew. */
function addNames(database: DatabaseSync): void {
  const taken = <T>(table: string): T[] => {
    const rows = database.prepare(`SELECT document FROM ${table}`).all()
    database.exec(`DROP TABLE ${table}`)
    return rows.map(row => JSON.parse(row.document as string) as T)
  }
  const users = taken<User>('user')
  const groups = taken<Group>('user_group')
  const datasets = taken<Dataset>('dataset')
  database.exec(NAMES)
  const prepare = (sql: string) => database.prepare(sql)
  for (const user of users) putUser(prepare, user)
  for (const group of groups) putGroup(prepare, group)
  for (const dataset of datasets) putDataset(prepare, dataset)
  database.exec(ENTRY_LISTS)
}

/** Makes a statement of SQL text, or finds the one made before. */
export type Prepare = (sql: string) => StatementSync

/** Adds or replaces a person. */
export function putUser(sql: Prepare, user: User): void {
  const { user_id, username, email } = user
  const folded = email?.toLowerCase() ?? null
  sql('INSERT OR REPLACE INTO user VALUES (?, ?, ?, ?)').run(user_id, username, folded, JSON.stringify(user))
  sql('DELETE FROM user_name WHERE user_id = ?').run(user_id)
  const add = sql('INSERT INTO user_name VALUES (?, ?)')
  for (const text of nameTexts(user)) add.run(text, user_id)
}

/** Adds or replaces a group and its members. */
export function putGroup(sql: Prepare, group: Group): void {
  const { group_id, group_name, owner, members } = group
  sql('INSERT OR REPLACE INTO user_group VALUES (?, ?, ?, ?, ?)').run(
    group_id,
    group_name,
    group_name.toLowerCase(),
    owner,
    JSON.stringify(group)
  )
  sql('DELETE FROM group_member WHERE group_id = ?').run(group_id)
  const add = sql('INSERT OR IGNORE INTO group_member VALUES (?, ?)')
  for (const member of [owner, ...members]) add.run(member, group_id)
}

/** Adds or replaces a dataset. */
export function putDataset(sql: Prepare, dataset: Dataset): void {
  sql('INSERT OR REPLACE INTO dataset VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
    dataset.dataset_id,
    dataset.dataset_name,
    dataset.dataset_name.toLowerCase(),
    dataset.user_id,
    dataset.dataset_type,
    dataset.doi ?? null,
    dataset.dataset_create_time,
    dataset.dataset_modified_time,
    JSON.stringify(dataset)
  )
}

/** Adds or replaces an entry. */
export function putEntry(sql: Prepare, entry: Entry): void {
  sql('INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)').run(
    entry.entry_id,
    entry.upload_id,
    entry.mainfile,
    JSON.stringify(entry),
    entry.parser_name,
    entry.process_status,
    entry.current_process ?? null,
    entry.entry_create_time
  )
}
