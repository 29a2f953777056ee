import { randomBytes } from 'node:crypto'
import { Client } from '@elastic/elasticsearch'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { entryQuantities } from '../../../src/query/quantities.ts'
import { ALL } from '../../../src/query/tree.ts'
import { openElasticsearchEntryIndex } from '../../../src/search/elasticsearch/elasticsearch-entry-index.ts'
import { type TcpProxy, tcpProxy } from '../../tcp-proxy.ts'

const cluster = inject('cluster')
const quantities = entryQuantities()

describe.runIf(cluster)('the Elasticsearch index', () => {
  const url = cluster?.elasticsearch as string
  let name: string
  let client: Client

  const open = (settings: { url?: string; timeout?: number } = {}) =>
    openElasticsearchEntryIndex({ url, index: name, quantities, timeout: 20_000, ...settings })

  beforeEach(() => {
    name = `${inject('run')}_${randomBytes(6).toString('hex')}`
    client = new Client({ node: url })
  })

  afterEach(async () => {
    for (const index of Object.keys(await client.indices.get({ index: `${name}*` }))) {
      await client.indices.delete({ index })
    }
    await client.close()
  })

  test('is made once when several processes start at the same time', async () => {
    const opened = await Promise.all([open(), open(), open()])
    await opened[0]?.put([{ entry_id: 'a' }])
    for (const index of opened) {
      expect(await index.count(ALL)).toBe(1)
      await index.close()
    }
    expect(Object.keys(await client.indices.get({ index: `${name}*` }))).toEqual([`${name}_v1`])
  })

  test('of a newer version is refused', async () => {
    await (await open()).close()
    await client.indices.putMapping({ index: name, _meta: { serai_format: 9, fields: '' } })
    await expect(open()).rejects.toMatchObject({
      code: 'STORE_NEWER',
      message: expect.stringMatching(
        new RegExp(`index ${name} was written by a newer version .* format is 9`)
      )
    })
  })

  test('that something else made is refused and left as it is', async () => {
    await client.indices.create({ index: name })
    await expect(open()).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: expect.stringContaining(name)
    })
    expect(Object.keys(await client.indices.get({ index: `${name}*` }))).toEqual([name])
  })

  test('does not take a part of a batch silently', async () => {
    const index = await open()
    const bad = { entry_id: 'bad', results: 'not an object' }
    await expect(index.put([{ entry_id: 'good' }, bad])).rejects.toThrow(
      /entry bad cannot be indexed: .*results/
    )
    await expect(index.put([{ entry_id: { not: 'a text' } } as never])).rejects.toThrow('entry_id')
    await index.close()
  })

  test('takes batches that are larger than one request', async () => {
    const index = await open()
    const comment = 'x'.repeat(100_000)
    await index.put(Array.from({ length: 2500 }, (_, i) => ({ entry_id: `e${i}`, n_quantities: i })))
    await index.put(Array.from({ length: 200 }, (_, i) => ({ entry_id: `e${i}`, comment })))
    expect(await index.count(ALL)).toBe(2500)
    await index.close()
  })

  test('answers what it refuses as a refusal', async () => {
    const index = await open()
    await expect(index.search({ query: ALL, order: 'asc', size: 10_001 })).rejects.toMatchObject({
      code: 'SEARCH_REFUSED',
      status: 400,
      message: expect.stringContaining('Result window is too large')
    })
    await index.close()
  })

  describe('behind a connection that', () => {
    let proxy: TcpProxy

    beforeEach(async () => {
      proxy = await tcpProxy(url)
    })

    afterEach(() => proxy.close())

    const openHere = (timeout = 20_000) => open({ url: `http://127.0.0.1:${proxy.port}`, timeout })

    test('stalls: the search is given up', async () => {
      const index = await openHere(200)
      proxy.stall()
      const started = Date.now()
      await expect(index.count(ALL)).rejects.toMatchObject({ code: 'SEARCH_TIMEOUT', status: 503 })
      expect(Date.now() - started).toBeLessThan(5000)
      await index.close()
    })

    test('stalls: the search ends when its signal says so', async () => {
      const index = await openHere()
      proxy.stall()
      const controller = new AbortController()
      setTimeout(() => controller.abort(new Error('gone')), 50)
      await expect(index.count(ALL, controller.signal)).rejects.toThrow('gone')
      await expect(index.count(ALL, controller.signal)).rejects.toThrow('gone')
      await index.close()
    })

    test('breaks: the store is unavailable', async () => {
      const index = await openHere()
      await proxy.close()
      await expect(index.count(ALL)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', status: 503 })
      await expect(index.put([{ entry_id: 'a' }])).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
      await index.close()
    })
  })
})
