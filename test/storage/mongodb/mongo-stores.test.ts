import { randomBytes } from 'node:crypto'
import { Binary, MongoClient } from 'mongodb'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { openMongoArchives } from '../../../src/storage/mongodb/mongo-archives.ts'
import { openMongoDocuments } from '../../../src/storage/mongodb/mongo-documents.ts'
import { tcpProxy } from '../../tcp-proxy.ts'

const cluster = inject('cluster')

interface Row {
  _id: string
  [field: string]: unknown
}

describe.runIf(cluster)('the MongoDB stores', () => {
  const url = cluster?.mongodb as string
  let database: string
  let client: MongoClient

  const collection = (name: string) => client.db(database).collection<Row>(name)

  beforeEach(() => {
    database = `${inject('run')}_${randomBytes(6).toString('hex')}`
    client = new MongoClient(url)
  })

  afterEach(async () => {
    await client.db(database).dropDatabase()
    await client.close()
  })

  test.each([
    ['documents', openMongoDocuments],
    ['archives', openMongoArchives]
  ])('of a newer version are refused: %s', async (store, open) => {
    await (await open({ url, database })).close()
    await collection('format').updateOne({ _id: store }, { $set: { version: 9 } })
    await expect(open({ url, database })).rejects.toMatchObject({
      code: 'STORE_NEWER',
      message: expect.stringContaining(`${database} (${store}) was written by a newer version`)
    })
  })

  test('of the first version are brought forward, also by several processes at once', async () => {
    await collection('format').insertOne({ _id: 'documents', version: 1 })
    const ann = { user_id: 'u', username: 'ann.lee', first_name: 'Ann', last_name: 'Lée', email: 'Ann@x.org' }
    await collection('user').insertOne({ _id: 'u', ...ann })
    const group = { group_id: 'g', group_name: 'Thin Films', owner: 'u', members: ['u'], members_info: [] }
    await collection('group').insertOne({ _id: 'g', ...group })
    const dataset = { dataset_id: 'd', dataset_name: 'Čedič', user_id: 'u', query: { 'a.b': 1 } }
    await collection('dataset').insertOne({ _id: 'd', ...dataset, query: '{"a.b":1}' })
    const opened = await Promise.all([1, 2, 3].map(() => openMongoDocuments({ url, database })))
    for (const store of [...opened, await openMongoDocuments({ url, database })]) {
      const page = { order: 'asc', offset: 0, limit: 9 } as const
      expect(await store.usersNamed(['lee'], 9)).toEqual([ann])
      expect(await store.usersByEmail(['ann@X.org'])).toEqual([ann])
      const groups = await store.listGroups({ nameContains: ['film'] }, { ...page, orderBy: 'group_name' })
      expect(groups).toEqual({ total: 1, groups: [group] })
      const datasets = await store.listDatasets({ namePrefix: 'ČE' }, { ...page, orderBy: 'dataset_name' })
      expect(datasets).toEqual({ total: 1, datasets: [dataset] })
      expect(await store.pendingUploads()).toEqual([])
      await store.close()
    }
    expect(await collection('format').findOne({ _id: 'documents' })).toMatchObject({ version: 3 })
  })

  test('tell that they are unavailable when the connection breaks, and when they are closed', async () => {
    const proxy = await tcpProxy(url)
    const documents = await openMongoDocuments({ url: `mongodb://127.0.0.1:${proxy.port}`, database })
    await proxy.close()
    await expect(documents.user('ann')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', status: 503 })
    await documents.close()
    await expect(documents.user('ann')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })

  test('keep an archive whole whose last step was done, but not answered', async () => {
    const proxy = await tcpProxy(url)
    // One that does not try again by itself, as a server without a replica set.
    const through = `mongodb://127.0.0.1:${proxy.port}/?directConnection=true&retryWrites=false`
    const archives = await openMongoArchives({ url: through, database })
    const write = (text: string) =>
      archives.put('e', 'u', async store => {
        await store({ number: 1, bytes: Buffer.from(`block of ${text}`) })
        return Buffer.from(text)
      })
    await write('old')
    proxy.loseAnswerTo('findAndModify')
    await expect(write('new')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    const { generation, bytes } = (await archives.contents(['e'])).get('e')!
    expect(Buffer.from(bytes).toString()).toBe('new')
    const blocks = await archives.blocks([{ entryId: 'e', generation, number: 1 }])
    expect([...blocks.values()].map(block => Buffer.from(block).toString())).toEqual(['block of new'])
    // What is not needed any more goes with a sweep, and what is needed stays.
    await collection('archive_garbage').updateMany({}, { $set: { until: new Date(0) } })
    await (await openMongoArchives({ url, database })).close()
    expect(await collection('archive_block').countDocuments()).toBe(1)
    expect(await collection('archive_garbage').countDocuments()).toBe(0)
    await archives.close()
    await proxy.close()
  })

  test('keep what callers write under any key', async () => {
    const documents = await openMongoDocuments({ url, database })
    const definition = { $ref: 1, 'a.b': { $set: [] }, __proto__: undefined }
    await documents.putPackages([{ name: 'p.$q', definition }])
    expect(await documents.packages()).toEqual([
      { name: 'p.$q', definition: { $ref: 1, 'a.b': { $set: [] } } }
    ])
    const dataset = {
      dataset_id: 'd',
      dataset_name: 'D',
      user_id: 'ann',
      dataset_create_time: '2024-01-01T00:00:00.000Z',
      dataset_modified_time: '2024-01-01T00:00:00.000Z',
      dataset_type: 'owned' as const,
      query: { 'results.material.elements': { $in: ['Ti'] } }
    }
    await documents.putDatasets([dataset])
    expect(await documents.dataset('d')).toEqual(dataset)
    await documents.close()
  })

  test('remove what killed writers left when they are opened, but nothing that is used or being written', async () => {
    const first = await openMongoArchives({ url, database })
    const put = (entryId: string) =>
      first.put(entryId, 'u1', async save => {
        await save({ number: 1, bytes: Buffer.from(entryId) })
        return Buffer.from('contents')
      })
    await put('e1')
    const { generation } = (await first.contents(['e1'])).get('e1')!
    const long = (minutes: number) => new Date(Date.now() + minutes * 60_000)
    // Killed while writing; killed between completing e1 and forgetting it; another process is writing.
    await collection('archive_garbage').insertMany([
      { _id: 'killed', entry_id: 'e1', writing: true, until: long(-1) },
      { _id: generation, entry_id: 'e1', writing: true, until: long(-1) },
      { _id: 'alive', entry_id: 'e1', writing: true, until: long(5) }
    ])
    await collection('archive_block').insertMany([
      { _id: 'killed/1', generation: 'killed', entry_id: 'e1', bytes: new Binary(Buffer.from('x')) },
      { _id: 'alive/1', generation: 'alive', entry_id: 'e1', bytes: new Binary(Buffer.from('x')) }
    ])
    await first.close()
    const second = await openMongoArchives({ url, database })
    const ids = async (name: string) => (await collection(name).find().toArray()).map(row => row._id).sort()
    expect(await ids('archive_garbage')).toEqual(['alive'])
    expect(await ids('archive_block')).toEqual(['alive/1', `${generation}/1`].sort())
    await second.remove(['e1'])
    expect(await ids('archive_block')).toEqual(['alive/1'])
    await second.close()
  })

  test('refuse to complete an archive whose blocks were taken for abandoned', async () => {
    const archives = await openMongoArchives({ url, database })
    const slow = archives.put('e1', 'u1', async save => {
      await save({ number: 1, bytes: Buffer.from('x') })
      await collection('archive_garbage').deleteMany({})
      return Buffer.from('contents')
    })
    await expect(slow).rejects.toThrow('interrupted')
    expect(await archives.contents(['e1'])).toEqual(new Map())
    expect(await collection('archive_block').countDocuments()).toBe(0)
    await archives.close()
  })
})
