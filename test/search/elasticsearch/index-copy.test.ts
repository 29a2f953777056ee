import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from '@elastic/elasticsearch'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { entryQuantities } from '../../../src/query/quantities.ts'
import { ALL } from '../../../src/query/tree.ts'
import { openElasticsearchEntryIndex } from '../../../src/search/elasticsearch/elasticsearch-entry-index.ts'
import type { EntryIndex } from '../../../src/search/entry-index.ts'

const cluster = inject('cluster')
const quantities = entryQuantities()

describe.runIf(cluster)('an Elasticsearch index that is copied', () => {
  const url = cluster?.elasticsearch as string
  let name: string
  let client: Client
  const opened: EntryIndex[] = []

  const open = async () => {
    const index = await openElasticsearchEntryIndex({ url, index: name, quantities, timeout: 20_000 })
    opened.push(index)
    return index
  }

  beforeEach(() => {
    name = `${inject('run')}_${randomBytes(6).toString('hex')}`
    client = new Client({ node: url })
  })

  afterEach(async () => {
    for (const index of opened.splice(0)) await index.close()
    for (const index of Object.keys(await client.indices.get({ index: `${name}*` }))) {
      await client.indices.delete({ index })
    }
    await client.close()
  })

  const indices = async () => Object.keys(await client.indices.get({ index: `${name}*` })).sort()
  const id = (i: number) => `e${String(i).padStart(6, '0')}`
  const document = (i: number, n_quantities = i) => ({ entry_id: id(i), n_quantities })
  const many = (from: number, count: number) => Array.from({ length: count }, (_, i) => document(from + i))

  /** Makes the index one of other quantities. */
  const outdate = async () => {
    await client.indices.putMapping({ index: name, _meta: { serai_format: 1, fields: 'older' } })
  }

  const everything = async (index: EntryIndex) => {
    const found = new Map<string, unknown>()
    const { hits, total } = await index.search({ query: ALL, order: 'asc', size: 10_000 })
    for (const { entryId, document } of hits) found.set(entryId, document.n_quantities)
    expect(found.size).toBe(total)
    return found
  }

  test('loses nothing of what others write, change and remove meanwhile, and is found all the time', async () => {
    const index = await open()
    await index.put(many(0, 6000))
    const expected = new Map(many(0, 6000).map(d => [d.entry_id, d.n_quantities]))

    let done = false
    let writes = 0
    const write = async () => {
      for (let i = 0; !done; i++) {
        await index.put([document(i, -1 - i), document(10_000 + i)])
        expected.set(id(i), -1 - i).set(id(10_000 + i), 10_000 + i)
        await index.remove([id(3000 + i)])
        expected.delete(id(3000 + i))
        // Comes and goes between two looks.
        await index.put([document(20_000 + i)])
        await index.remove([id(20_000 + i)])
        writes++
      }
    }
    let searches = 0
    const search = async () => {
      while (!done) {
        expect(await index.count(ALL)).toBeGreaterThan(2900)
        searches++
        await delay(5)
      }
    }
    const others = Promise.all([write(), search()])
    const another = await open()
    const told: number[] = []
    await another.renew(count => told.push(count))
    const during = writes
    done = true
    await others

    expect(during).toBeGreaterThan(3)
    expect(searches).toBeGreaterThan(10)
    expect(await indices()).toEqual([`${name}_v2`])
    const found = await everything(await open())
    expect(found).toEqual(expected)
    expect(
      (await client.indices.getSettings({ index: name }))[`${name}_v2`]?.settings?.index
    ).not.toHaveProperty('blocks')
  }, 120_000)

  test('after a change of the quantities by several processes at once, while an older one writes', async () => {
    const old = await open()
    await old.put(many(0, 2000))
    await outdate()
    let done = false
    let written = 0
    const writing = (async () => {
      for (; !done; written++) await old.put([document(5000 + written)])
    })()
    const [first] = await Promise.all([open(), open(), open()])
    done = true
    await writing
    expect(await indices()).toEqual([`${name}_v2`])
    expect(await first?.count(ALL)).toBe(2000 + written)
    expect(written).toBeGreaterThan(0)
  }, 120_000)

  test('by a process that was killed: the next one starts anew, and writes go on', async () => {
    const index = await open()
    await index.put(many(0, 10))
    // What such a process leaves in its last moment.
    const mapping = (await client.indices.getMapping({ index: name }))[`${name}_v1`]?.mappings
    await client.indices.create({
      index: `${name}_v2`,
      mappings: { _meta: { ...mapping?._meta, copying: { owner: 'gone', beat: 7 } } },
      aliases: { [`${name}_v2_filling`]: {} }
    })
    await client.indices.addBlock({ index: `${name}_v1`, block: 'write' })

    const writing = index.put([document(100)])
    await index.renew()
    await writing
    expect(await indices()).toEqual([`${name}_v2`])
    expect(await index.count(ALL)).toBe(11)
  }, 120_000)

  test('by a process that was killed: a write frees itself when no other process does', async () => {
    const index = await open()
    const mapping = (await client.indices.getMapping({ index: name }))[`${name}_v1`]?.mappings
    await client.indices.create({
      index: `${name}_v2`,
      mappings: { _meta: { ...mapping?._meta, copying: { owner: 'gone', beat: 7 } } },
      aliases: { [`${name}_v2_filling`]: {} }
    })
    await client.indices.addBlock({ index: `${name}_v1`, block: 'write' })
    await index.put([document(1)])
    expect(await indices()).toEqual([`${name}_v1`])
    expect(await index.count(ALL)).toBe(1)
  }, 120_000)

  test('after the exchange by a process that was killed then: the old version goes with the next start', async () => {
    const index = await open()
    await index.put(many(0, 3))
    await index.renew()
    await client.indices.create({
      index: `${name}_v1`,
      mappings: { _meta: { serai_format: 1, fields: 'x' } }
    })
    await open()
    expect(await indices()).toEqual([`${name}_v2`])
  }, 60_000)

  test('never takes the place of an index that something else made', async () => {
    const index = await open()
    await index.put(many(0, 3))
    await client.indices.create({ index: `${name}_v2` })
    await expect(index.renew()).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: expect.stringContaining(`${name}_v2`)
    })
    expect(await indices()).toEqual([`${name}_v1`, `${name}_v2`])
    await index.put(many(3, 1))
    expect(await index.count(ALL)).toBe(4)
  }, 60_000)

  test('keeps what an administrator has set', async () => {
    const index = await open()
    await client.indices.putSettings({ index: name, settings: { number_of_replicas: 0 } })
    await index.renew()
    const settings = (await client.indices.getSettings({ index: name }))[`${name}_v2`]?.settings?.index
    expect(settings?.number_of_replicas).toBe('0')
    expect(settings?.refresh_interval).toBeUndefined()
  }, 60_000)
})
