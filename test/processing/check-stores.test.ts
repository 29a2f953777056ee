import { glob, readFile, truncate, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readContents, writeContents } from '../../src/archive/contents.ts'
import type { JsonObject } from '../../src/archive/definitions.ts'
import { packArchive } from '../../src/archive/pack.ts'
import { type CheckProgress, checkStores, type StoreProblem } from '../../src/processing/check-stores.ts'
import { importCorpus } from '../../src/processing/corpus-import.ts'
import { blockKey } from '../../src/storage/archives.ts'
import { openTestServices, profiles, type TestServices } from '../app.ts'
import { damageArchive } from '../storage/damage.ts'
import { ENTRIES, UPLOAD } from './import-folder.ts'

describe.each(profiles())('checking what is stored on %s', profile => {
  let services: TestServices

  beforeEach(async () => {
    services = await openTestServices(profile)
    await importCorpus(join(import.meta.dirname, '../../fixtures/guide'), services)
  })

  afterEach(() => services.close())

  async function problems(): Promise<string[]> {
    const found: StoreProblem[] = []
    const report = await checkStores(services, problem => found.push(problem))
    expect(report.problems).toBe(found.length)
    return found.map(({ uploadId, entryId, part, message }) => {
      const where = [uploadId === UPLOAD ? undefined : uploadId, entryId, part].filter(Boolean)
      return `${where.join(' ')}: ${message}`
    })
  }

  async function putArchive(entryId: string, archive: JsonObject, uploadId = UPLOAD): Promise<void> {
    await services.archives.put(entryId, uploadId, async store => {
      const packed = packArchive(archive)
      for (const block of packed.blocks) await store(block)
      return packed.contents()
    })
  }

  test('finds nothing in what was imported, and tells how far it is', async () => {
    const events: CheckProgress[] = []
    const report = await checkStores(
      services,
      problem => expect(problem).toBeUndefined(),
      event => events.push(event)
    )
    expect(report).toMatchObject({ uploads: 1, entries: 4, archives: 4, problems: 0 })
    expect(report.files).toBeGreaterThan(3)
    expect(events.map(({ done, total }) => [done, total])).toEqual([0, 1, 2, 3].map(done => [done, 4]))
  })

  test('every damaged block, of every entry', async () => {
    const values = Array.from({ length: 30_000 }, (_, i) => Math.sin(i))
    await putArchive(ENTRIES.slab, { data: { values } })
    await damageArchive(services, ENTRIES.slab, 1)
    await damageArchive(services, ENTRIES.slab, 2, () => undefined)
    await damageArchive(services, ENTRIES.salt, 1, bytes => bytes.subarray(0, 10))
    await damageArchive(services, ENTRIES.ice, 'contents')
    expect((await problems()).sort()).toEqual([
      `${ENTRIES.slab} archive, block 1: does not have its checksum`,
      `${ENTRIES.slab} archive, block 2: is missing`,
      expect.stringMatching(`^${ENTRIES.salt} archive, block 1: has 10 bytes instead of \\d+$`),
      `${ENTRIES.ice} archive, table of contents: does not have its checksum`
    ])
  })

  test('a table of contents that is not that of its blocks', async () => {
    const entryId = ENTRIES.rutile
    const { generation, bytes } = (await services.archives.contents([entryId])).get(entryId)!
    const contents = readContents(bytes, entryId)
    const addresses = contents.blocks.map((_, i) => ({ entryId, generation, number: i + 1 }))
    const blocks = await services.archives.blocks(addresses)
    const at = new Map(contents.below.at)
    at.set('run', { kind: 'piece', piece: { block: 1, slot: 1000 } })
    await services.archives.put(entryId, UPLOAD, async store => {
      for (const { number } of addresses) {
        await store({ number, bytes: blocks.get(blockKey({ entryId, number }))! })
      }
      return writeContents({ ...contents, below: { at } })
    })
    expect(await problems()).toEqual([
      expect.stringMatching(`^${entryId} archive: does not hold what its table of contents tells: `)
    ])
  })

  test('archives that are missing, of other entries, or of none', async () => {
    await services.archives.remove([ENTRIES.ice])
    await putArchive(ENTRIES.salt, { metadata: { entry_id: ENTRIES.slab, upload_id: UPLOAD } })
    await putArchive(ENTRIES.slab, { data: {} }, 'elsewhere')
    await putArchive('stranger', { data: {} })
    expect((await problems()).sort()).toEqual(
      [
        `${ENTRIES.ice} archive: is missing, though the entry was processed`,
        `${ENTRIES.salt} archive: says that its entry_id is ${ENTRIES.slab}`,
        `${ENTRIES.slab} archive: belongs to upload elsewhere`,
        'stranger archive: is there, but its entry is not'
      ].sort()
    )
  })

  test('definitions that cannot be found by their ids', async () => {
    const definition_id = '0'.repeat(40)
    await putArchive(ENTRIES.salt, { definitions: { section_definitions: [{ name: 'A', definition_id }] } })
    expect(await problems()).toEqual([
      `${ENTRIES.salt} archive: defines ${definition_id}, which the documents do not know: import it again`
    ])
    await services.documents.putDefinitionIds(ENTRIES.salt, [definition_id])
    expect(await problems()).toEqual([])
  })

  test('an index that knows too little, too much or something else', async () => {
    const upload = (await services.documents.upload(UPLOAD))!
    await services.documents.putUpload({ ...upload, embargo_length: 12, reviewers: [], coauthors: [] })
    await services.index.remove([ENTRIES.salt])
    await services.index.put([
      { entry_id: 'ghost', upload_id: UPLOAD },
      { entry_id: 'stray', upload_id: 'nowhere' }
    ])
    const found = await problems()
    expect(found).toContain(`${ENTRIES.slab} index: says with_embargo is false, the documents say true`)
    expect(found).toContainEqual(
      expect.stringMatching(
        `^${ENTRIES.slab} index: says viewers are \\["[^"]+","[^"]+"\\], the documents say \\["[^"]+"\\]$`
      )
    )
    expect(found).toContain(`${ENTRIES.salt} index: does not have the entry: it cannot be found`)
    expect(found).toContain('ghost index: has the entry, which the documents do not know')
    expect(found).toContain('nowhere stray index: has an entry of an upload that is not there')
  })

  test('raw files that are changed, cut or gone', async () => {
    const paths = await Array.fromAsync(glob(join(services.config.dataDir, 'raw/*/*/*/**/*.*')))
    const [changed, cut, gone] = paths.toSorted()
    const bytes = await readFile(changed!)
    bytes[5]! ^= 1
    await writeFile(changed!, bytes)
    await truncate(cut!, 3)
    await unlink(gone!)
    const found = await problems()
    expect(found).toHaveLength(3)
    expect(found[0]).toMatch(/^file .*: does not have its checksum$/)
    expect(found[1]).toMatch(/^file .*: cannot be read: /)
    expect(found[2]).toMatch(/^file .*: cannot be read: /)
  })
})
