import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openSqliteArchives } from '../../../src/storage/sqlite/sqlite-archives.ts'
import { openSqliteDocuments } from '../../../src/storage/sqlite/sqlite-documents.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serai-'))
})

afterEach(() => rm(folder, { recursive: true }))

describe.each([
  ['documents', openSqliteDocuments],
  ['archives', openSqliteArchives]
])('the file of %s', (_, open) => {
  test('is made together with its folder and opens again', async () => {
    const file = join(folder, 'new', 'data', 'store.sqlite')
    await open(file).close()
    await open(file).close()
  })

  test('of a newer version is refused and left as it is', async () => {
    const file = join(folder, 'store.sqlite')
    const newer = new DatabaseSync(file)
    newer.exec('PRAGMA user_version = 7')
    newer.close()
    expect(() => open(file)).toThrow(
      expect.objectContaining({
        code: 'STORE_NEWER',
        message: expect.stringMatching(
          /store\.sqlite .* its format is 7, this version knows formats up to [14]/
        )
      })
    )
    const after = new DatabaseSync(file)
    expect(after.prepare('SELECT count(*) AS n FROM sqlite_schema').get()).toEqual({ n: 0 })
    after.close()
  })

  test('that is something else is named in the error', async () => {
    const file = join(folder, 'store.sqlite')
    await writeFile(file, 'this is a letter, not a database. '.repeat(100))
    expect(() => open(file)).toThrow(
      expect.objectContaining({ code: 'STORE_UNUSABLE', message: expect.stringContaining(file) })
    )
  })

  test('in a folder that cannot be made is named in the error', async () => {
    await writeFile(join(folder, 'taken'), '')
    const file = join(folder, 'taken', 'store.sqlite')
    expect(() => open(file)).toThrow(
      expect.objectContaining({ code: 'STORE_UNUSABLE', message: expect.stringContaining(file) })
    )
  })

  test('that may only be read is refused', async () => {
    const file = join(folder, 'store.sqlite')
    await open(file).close()
    // A folder in place of the log: works for the superuser too, whom permissions do not stop.
    await mkdir(`${file}-wal`)
    expect(() => open(file)).toThrow(expect.objectContaining({ code: 'STORE_UNUSABLE' }))
  })
})

/** The tables of the first version that later ones changed, with what the second added; and some documents in them. */
const OLDER = {
  tables: `
    CREATE TABLE user (user_id TEXT PRIMARY KEY, username TEXT NOT NULL, document TEXT NOT NULL);
    CREATE INDEX user_username ON user (username);
    CREATE TABLE user_group (group_id TEXT PRIMARY KEY, document TEXT NOT NULL);
    CREATE TABLE group_member (
      user_id TEXT NOT NULL, group_id TEXT NOT NULL, PRIMARY KEY (user_id, group_id)
    ) WITHOUT ROWID;
    CREATE INDEX group_member_group ON group_member (group_id);
    CREATE TABLE dataset (dataset_id TEXT PRIMARY KEY, document TEXT NOT NULL);
    CREATE TABLE entry (
      entry_id TEXT PRIMARY KEY, upload_id TEXT NOT NULL, mainfile TEXT NOT NULL, document TEXT NOT NULL
    );
    CREATE INDEX entry_upload ON entry (upload_id, mainfile, entry_id);
    CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    INSERT INTO setting VALUES ('kept', 'yes');
    INSERT INTO user VALUES ('u', 'ann.lee',
      '{"user_id":"u","username":"ann.lee","first_name":"Ann","last_name":"Lée","email":"Ann@x.org"}');
    INSERT INTO user_group VALUES ('g', '{"group_id":"g","group_name":"Thin Films","owner":"u","members":[]}');
    INSERT INTO group_member VALUES ('u', 'g');
    INSERT INTO dataset VALUES ('d',
      '{"dataset_id":"d","dataset_name":"Čedič","user_id":"u","dataset_type":"owned",
       "dataset_create_time":"2024-01-01T00:00:00.000Z","dataset_modified_time":"2024-01-01T00:00:00.000Z"}');
    INSERT INTO entry VALUES ('e', 'up', 'f', '{"entry_id":"e","upload_id":"up","mainfile":"f","process_status":"SUCCESS"}');`,
  second: `
    CREATE TABLE definition (
      definition_id TEXT NOT NULL, entry_id TEXT NOT NULL, PRIMARY KEY (definition_id, entry_id)
    ) WITHOUT ROWID;
    CREATE INDEX definition_entry ON definition (entry_id);`
}

test.each([
  [1, OLDER.tables],
  [2, OLDER.tables + OLDER.second]
])('documents of version %i are brought forward', async (version, tables) => {
  const file = join(folder, 'documents.sqlite')
  const older = new DatabaseSync(file)
  older.exec(`${tables}; PRAGMA user_version = ${version}`)
  older.close()
  for (const _ of ['upgraded', 'opened again']) {
    const store = openSqliteDocuments(file)
    const page = { order: 'asc', offset: 0, limit: 9 } as const
    expect(await store.setting('kept')).toBe('yes')
    await store.putDefinitionIds('e', ['d1'])
    expect(await store.entriesDefining('d1')).toEqual(['e'])
    expect(await store.usersNamed(['lee'], 9)).toEqual([await store.user('u')])
    expect(await store.usersByEmail(['ann@X.org'])).toHaveLength(1)
    expect(await store.userByName('ann.lee')).toMatchObject({ last_name: 'Lée' })
    expect(await store.groupIdsOf('u')).toEqual(['g'])
    const groups = await store.listGroups({ nameContains: ['film'] }, { ...page, orderBy: 'group_name' })
    expect(groups).toMatchObject({ total: 1, groups: [{ group_id: 'g' }] })
    const datasets = await store.listDatasets(
      { namePrefix: 'ČE', userIds: ['u'] },
      { ...page, orderBy: 'dataset_name' }
    )
    expect(datasets).toMatchObject({ total: 1, datasets: [{ dataset_id: 'd' }] })
    expect(await store.listEntries('up', { ...page, orderBy: 'process_status' })).toHaveLength(1)
    expect(await store.countEntriesByStatus('up')).toEqual(new Map([['SUCCESS', 1]]))
    await store.addPendingUpload('up')
    await store.close()
  }
})

test('every list of documents is read from an index', async () => {
  const file = join(folder, 'documents.sqlite')
  await openSqliteDocuments(file).close()
  const database = new DatabaseSync(file)
  const plan = (sql: string) =>
    database
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map(row => row.detail)
      .join('; ')
  for (const order of ['mainfile', 'parser_name', 'process_status', 'current_process', 'entry_create_time']) {
    const sql = `SELECT entry_id FROM entry WHERE upload_id = 'u' ORDER BY ${order}, entry_id LIMIT 10`
    expect(plan(sql)).toMatch(/^SEARCH entry USING COVERING INDEX \w+ \(upload_id=\?\)$/)
  }
  expect(
    plan("SELECT process_status, count(*) FROM entry WHERE upload_id = 'u' GROUP BY process_status")
  ).toMatch(/^SEARCH entry USING COVERING INDEX entry_status \(upload_id=\?\)$/)
  for (const order of ['dataset_create_time', 'dataset_modified_time', 'dataset_name']) {
    expect(
      plan(
        `SELECT dataset_id FROM dataset ORDER BY ${[...new Set([order, 'dataset_create_time', 'dataset_id'])]} LIMIT 10`
      )
    ).toMatch(/^SCAN dataset USING COVERING INDEX \w+$/)
  }
  expect(plan("SELECT document FROM dataset WHERE folded_name >= 'q' AND folded_name < 'r'")).toContain(
    'USING INDEX dataset_folded_name (folded_name>? AND folded_name<?)'
  )
  expect(plan("SELECT user_id FROM user_name WHERE text >= 'q' AND text < 'r'")).toBe(
    'SEARCH user_name USING PRIMARY KEY (text>? AND text<?)'
  )
  expect(plan("SELECT document FROM dataset WHERE doi = 'x'")).toContain('dataset_doi')
  database.close()
})
