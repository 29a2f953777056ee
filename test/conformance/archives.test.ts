import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ArchiveStore } from '../../src/storage/archives.ts'
import { profiles } from '../app.ts'
import { newPlace, type Place } from './places.ts'

describe.each(profiles())('the archive store of the %s profile', profile => {
  let place: Place
  let store: ArchiveStore

  beforeEach(async () => {
    place = await newPlace(profile)
    store = await place.openArchives()
  })

  afterEach(async () => {
    await store.close()
    await place.drop()
  })

  const put = (entryId: string, blocks: string[], contents = 'contents') =>
    store.put(entryId, 'u1', async save => {
      for (const [i, text] of blocks.entries()) await save({ number: i + 1, bytes: Buffer.from(text) })
      return Buffer.from(contents)
    })

  const generationOf = async (entryId: string) =>
    (await store.contents([entryId])).get(entryId)?.generation as string

  test('gives the tables of contents and blocks that exist', async () => {
    await put('e1', ['one', 'two'])
    await put('e2', [])
    const contents = await store.contents(['e2', 'none', 'e1'])
    expect([...contents.keys()].sort()).toEqual(['e1', 'e2'])
    expect(contents.get('e1')).toMatchObject({ entryId: 'e1', uploadId: 'u1' })
    expect(Buffer.from(contents.get('e1')!.bytes).toString()).toBe('contents')

    const generation = contents.get('e1')!.generation
    const blocks = await store.blocks([
      { entryId: 'e1', generation, number: 2 },
      { entryId: 'e1', generation, number: 3 },
      { entryId: 'e2', generation, number: 1 }
    ])
    expect([...blocks].map(([key, bytes]) => [key, Buffer.from(bytes).toString()])).toEqual([['e1/2', 'two']])
  })

  test('lists the entries that have one', async () => {
    const listed = async () => (await Array.fromAsync(store.entryIds())).flat()
    expect(await listed()).toEqual([])
    const ids = Array.from({ length: 1203 }, (_, i) => `e${String(i).padStart(4, '0')}`)
    for (const id of ids.toReversed()) await put(id, [])
    await put('e0007', ['again'])
    await store.put('e0008', 'u1', async () => {
      expect(await listed()).toEqual(ids)
      return Buffer.from('new')
    })
    await store.remove(['e0003'])
    expect(await listed()).toEqual(ids.filter(id => id !== 'e0003'))
  })

  test('shows the old archive until the new one is complete, and keeps it for those who read it', async () => {
    await put('e1', ['old'])
    const old = await generationOf('e1')
    await store.put('e1', 'u1', async save => {
      await save({ number: 1, bytes: Buffer.alloc(5_000_000) })
      expect(await generationOf('e1')).toBe(old)
      return Buffer.from('new contents')
    })
    const renewed = await generationOf('e1')
    expect(renewed).not.toBe(old)
    const both = await store.blocks([{ entryId: 'e1', generation: old, number: 1 }])
    expect(Buffer.from(both.get('e1/1')!).toString()).toBe('old')
    await store.close()
    expect(await place.archiveRows()).toEqual({ generations: 1, blocks: 1 })
  })

  test('keeps the old archive when writing a new one fails, and nothing of the new one', async () => {
    await put('e1', ['old'])
    const old = await generationOf('e1')
    await expect(
      store.put('e1', 'u1', async save => {
        await save({ number: 1, bytes: Buffer.alloc(5_000_000) })
        throw new Error('parser broke')
      })
    ).rejects.toThrow('parser broke')
    expect(await generationOf('e1')).toBe(old)
    expect(await place.archiveRows()).toEqual({ generations: 1, blocks: 1 })
  })

  test('writes archives at the same time', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, i) => put(`e${i % 4}`, [`block ${i}`], `contents ${i}`)))
    for (const [entryId, { generation, bytes }] of await store.contents(['e0', 'e1', 'e2', 'e3'])) {
      const block = (await store.blocks([{ entryId, generation, number: 1 }])).get(`${entryId}/1`)!
      expect(Buffer.from(block).toString().slice(6)).toBe(Buffer.from(bytes).toString().slice(9))
    }
  })

  test('two processes that write the same archives take nothing of each other away', async () => {
    const other = await place.openArchives()
    await put('e1', ['mine'])
    await other.put('e1', 'u1', async save => {
      await save({ number: 1, bytes: Buffer.from('theirs') })
      return Buffer.from('theirs')
    })
    // Both remove what they have replaced.
    await store.close()
    await other.close()
    store = await place.openArchives()
    const { generation, bytes } = (await store.contents(['e1'])).get('e1')!
    expect(Buffer.from(bytes).toString()).toBe('theirs')
    const blocks = await store.blocks([{ entryId: 'e1', generation, number: 1 }])
    expect(Buffer.from(blocks.get('e1/1')!).toString()).toBe('theirs')
  })

  test('removes archives at once; unknown ones are no error', async () => {
    await put('e1', ['one'])
    await put('e1', ['two'])
    await store.remove(['e1', 'none'])
    expect(await store.contents(['e1'])).toEqual(new Map())
    expect(await place.archiveRows()).toEqual({ generations: 0, blocks: 0 })
  })

  test('lets other work go on while many blocks are read', async () => {
    await put(
      'e1',
      Array.from({ length: 100 }, () => 'x'.repeat(200_000))
    )
    const generation = await generationOf('e1')
    let turns = 0
    const counter = setInterval(() => turns++, 0)
    const addresses = Array.from({ length: 100 }, (_, i) => ({ entryId: 'e1', generation, number: i + 1 }))
    expect((await store.blocks(addresses)).size).toBe(100)
    clearInterval(counter)
    expect(turns).toBeGreaterThan(0)
  })
})
