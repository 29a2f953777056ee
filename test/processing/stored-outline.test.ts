import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/archive/definitions.ts'
import { packArchive } from '../../src/archive/pack.ts'
import { storedOutlines } from '../../src/processing/stored-outline.ts'
import type { ArchiveStore, BlockAddress } from '../../src/storage/archives.ts'
import { openTestServices, profiles, type TestServices } from '../app.ts'
import { corpusJson } from '../archive/corpus.ts'
import { damageArchive } from '../storage/damage.ts'

const UPLOAD = 'JrwlldN3Mnf6R_mujWnCkA'

/** Archives of 0.3 to 2 MB that processing has looked through. */
const LARGE = ['Md5XkNKf02YDUcFwelslbmSlNdkj', 'fCf2_Rs-W3Eu4HxNWpktwkINN8_g']

/** One that it has not looked through. */
const PLAIN: JsonObject = { metadata: { entry_name: 'plain' }, data: { name: 'sample', values: [1, 2, 3] } }

describe.each(profiles())('what indexing needs of stored archives, %s profile', profile => {
  let services: TestServices
  let packedBytes = 0

  const put = (entryId: string, archive: JsonObject) =>
    services.archives.put(entryId, UPLOAD, async store => {
      const packed = packArchive(archive)
      for (const block of packed.blocks) {
        packedBytes += block.bytes.byteLength
        await store(block)
      }
      return packed.contents()
    })
  const archiveOf = (entryId: string): JsonObject => corpusJson(`uploads/${UPLOAD}/archive/${entryId}.json`)
  const outlinesOf = async (archives: ArchiveStore = services.archives) => {
    const contents = await archives.contents([...LARGE, 'plain'])
    return storedOutlines([...contents.values()], archives)
  }
  const expected = (entryId: string) => {
    const { metadata, results } = archiveOf(entryId)
    return { metadata, results }
  }

  beforeEach(async () => {
    services = await openTestServices(profile)
    packedBytes = 0
    for (const entryId of LARGE) await put(entryId, archiveOf(entryId))
    await put('plain', PLAIN)
  })

  afterEach(() => services.close())

  test('is metadata and results, and what was not looked through by processing as a whole', async () => {
    const outlines = await outlinesOf()
    for (const entryId of LARGE) expect(outlines.get(entryId)).toEqual(expected(entryId))
    // Numbers outside of the indexed sections are left out.
    expect(outlines.get('plain')).toEqual({ ...PLAIN, data: { name: 'sample', values: [] } })
    expect(outlines.size).toBe(3)
  })

  test('is read together, and no other block', async () => {
    const { archives } = services
    let trips = 0
    let bytes = 0
    const counting = Object.assign(Object.create(archives) as ArchiveStore, {
      contents: (ids: readonly string[]) => archives.contents(ids),
      async blocks(addresses: readonly BlockAddress[]) {
        const found = await archives.blocks(addresses)
        trips++
        for (const block of found.values()) bytes += block.byteLength
        return found
      }
    })
    await outlinesOf(counting)
    expect(trips).toBeLessThan(6)
    expect(bytes).toBeLessThan(packedBytes / 4)
    expect(bytes).toBeGreaterThan(0)
  })

  test('of a damaged archive is what is wrong with it, and of the others as it was', async () => {
    const [first, second] = LARGE as [string, string]
    await damageArchive(services, first, 'contents')
    const outlines = await outlinesOf()
    expect(outlines.get(first)).toMatchObject({ code: 'ARCHIVE_DAMAGED' })
    expect(outlines.get(second)).toEqual(expected(second))
    expect(outlines.get('plain')).toBeDefined()
  })
})
