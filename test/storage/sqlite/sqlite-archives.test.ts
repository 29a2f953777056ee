import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSqliteArchives } from '../../../src/storage/sqlite/sqlite-archives.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serai-'))
})

afterEach(() => rm(folder, { recursive: true }))

test('what a killed import left behind is removed when the entry is written again', async () => {
  const file = join(folder, 'archives.sqlite')
  const store = openSqliteArchives(file)
  const database = new DatabaseSync(file)
  database.exec(`
    INSERT INTO generation (row, entry_id, generation, upload_id) VALUES (77, 'e1', 'half', 'u1');
    INSERT INTO block (generation, number, bytes) VALUES (77, 1, x'00')`)
  expect(await store.contents(['e1'])).toEqual(new Map())
  await store.put('e1', 'u1', async save => {
    await save({ number: 1, bytes: Buffer.from('whole') })
    return Buffer.from('contents')
  })
  await store.close()
  const count = (table: string) => database.prepare(`SELECT count(*) AS n FROM ${table}`).get()
  expect(count('generation')).toEqual({ n: 1 })
  expect(count('block')).toEqual({ n: 1 })
  database.close()
})
