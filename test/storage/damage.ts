/** Damages what stores hold, behind their backs. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Binary, MongoClient } from 'mongodb'
import type { TestServices } from '../app.ts'

/** What {@link damageArchive} does to the bytes; undefined removes them. */
export type Damage = (bytes: Uint8Array) => Uint8Array | undefined

/** One bit is another one. */
export const flipBit: Damage = bytes => {
  const damaged = Uint8Array.from(bytes)
  const middle = damaged.length >> 1
  damaged[middle] = (damaged[middle] ?? 0) ^ 4
  return damaged
}

/** Damages a block of an entry's archive, or its table of contents. @throws Error when there is none */
export async function damageArchive(
  services: TestServices,
  entryId: string,
  block: number | 'contents',
  damage: Damage = flipBit
): Promise<void> {
  const { storage, dataDir } = services.config
  if (storage.kind === 'embedded') damageSqlite(join(dataDir, 'archives.sqlite'), entryId, block, damage)
  else await damageMongo(storage.mongodbUrl, storage.mongodbDatabase, entryId, block, damage)
}

function damageSqlite(file: string, entryId: string, block: number | 'contents', damage: Damage): void {
  const database = new DatabaseSync(file)
  try {
    const { row, contents } = database
      .prepare(
        'SELECT row, contents FROM generation WHERE entry_id = ? AND contents IS NOT NULL ORDER BY row DESC LIMIT 1'
      )
      .get(entryId) as { row: number; contents: Uint8Array }
    if (block === 'contents') {
      database.prepare('UPDATE generation SET contents = ? WHERE row = ?').run(damage(contents)!, row)
      return
    }
    const { bytes } = database
      .prepare('SELECT bytes FROM block WHERE generation = ? AND number = ?')
      .get(row, block) as { bytes: Uint8Array }
    const damaged = damage(bytes)
    const of = 'WHERE generation = ? AND number = ?'
    if (damaged) database.prepare(`UPDATE block SET bytes = ? ${of}`).run(damaged, row, block)
    else database.prepare(`DELETE FROM block ${of}`).run(row, block)
  } finally {
    database.close()
  }
}

async function damageMongo(
  url: string,
  name: string,
  entryId: string,
  block: number | 'contents',
  damage: Damage
): Promise<void> {
  const client = new MongoClient(url, { promoteBuffers: true })
  try {
    const archives = client
      .db(name)
      .collection<{ _id: string; generation: string; contents: Buffer }>('archive')
    const blocks = client.db(name).collection<{ _id: string; bytes: Buffer }>('archive_block')
    const archive = await archives.findOne({ _id: entryId })
    if (!archive) throw new Error(`no archive of ${entryId}`)
    if (block === 'contents') {
      const contents = new Binary(damage(archive.contents)!) as unknown as Buffer
      await archives.updateOne({ _id: entryId }, { $set: { contents } })
      return
    }
    const _id = `${archive.generation}/${block}`
    const stored = await blocks.findOne({ _id })
    if (!stored) throw new Error(`no block ${block} of ${entryId}`)
    const damaged = damage(stored.bytes)
    if (!damaged) await blocks.deleteOne({ _id })
    else await blocks.updateOne({ _id }, { $set: { bytes: new Binary(damaged) as unknown as Buffer } })
  } finally {
    await client.close()
  }
}
