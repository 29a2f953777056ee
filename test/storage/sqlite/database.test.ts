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
          /store\.sqlite .* its format is 7, this version knows formats up to [12]/
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

test('documents of the first version are brought forward', async () => {
  const file = join(folder, 'documents.sqlite')
  const store = openSqliteDocuments(file)
  await store.putSetting('kept', 'yes')
  await store.close()
  const older = new DatabaseSync(file)
  older.exec('DROP TABLE definition; PRAGMA user_version = 1')
  older.close()
  const opened = openSqliteDocuments(file)
  expect(await opened.setting('kept')).toBe('yes')
  await opened.putDefinitionIds('e1', ['d1'])
  expect(await opened.entriesDefining('d1')).toEqual(['e1'])
  await opened.close()
})
