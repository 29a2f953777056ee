import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { verifyAppToken } from '../src/access/app-token.ts'
import { readConfig } from '../src/config.ts'
import { ALL } from '../src/query/tree.ts'
import { openServices } from '../src/services.ts'
import { openTestServices, profiles } from './app.ts'

const run = promisify(execFile)
const user = { user_id: 'ann', username: 'ann', first_name: 'Ann', last_name: 'Lee' }

let folder: string
const config = (settings: Record<string, string> = {}) => readConfig({ SERAI_DATA_DIR: folder, ...settings })

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serai-'))
})

afterEach(() => rm(folder, { recursive: true }))

test('what is in the files of the embedded profile is for their owner alone', async () => {
  const services = await openServices(config())
  await services.documents.putUsers([user])
  await services.index.put([{ entry_id: 'e1' }])
  const files = (await readdir(folder)).filter(name => name.includes('.sqlite'))
  expect(files.length).toBeGreaterThanOrEqual(4)
  for (const file of files)
    expect([file, (await stat(join(folder, file))).mode & 0o777]).toEqual([file, 0o600])
  await services.close()
})

describe.each(profiles())('the services of the %s profile', profile => {
  test('are empty at first, and every store works', async () => {
    const services = await openTestServices(profile)
    expect(await services.index.count(ALL)).toBe(0)
    await services.documents.putUsers([user])
    expect(await services.documents.user('ann')).toEqual(user)
    await services.archives.put('e1', 'u1', async () => Buffer.from('x'))
    expect((await services.archives.contents(['e1'])).size).toBe(1)
    expect(services.definitions.root.name).toBe('nomad.datamodel.datamodel.EntryArchive')
    await services.close()
  })

  test('keep the secret of app tokens that they have made, whoever opens them first', async () => {
    const services = await openTestServices(profile)
    const others = await Promise.all([openServices(services.config), openServices(services.config)])
    expect(services.apiSecret.length).toBeGreaterThanOrEqual(32)
    for (const other of others) {
      expect(other.apiSecret).toBe(services.apiSecret)
      await other.close()
    }
    await services.close()
  })

  test('know the definitions that are stored', async () => {
    const services = await openTestServices(profile)
    const definition = {
      m_def: 'nomad.metainfo.metainfo.Package',
      name: 'my.schema',
      section_definitions: [{ name: 'Sample', quantities: [{ name: 'mass' }] }]
    }
    await services.documents.putPackages([{ name: 'my.schema', definition }])
    const again = await openServices(services.config)
    expect(again.definitions.section('my.schema.Sample')?.property('mass')).toBeDefined()
    await again.close()
    await services.close()
  })
})

describe('the data folder', () => {
  test('lets a command read and another process write while it is served', async () => {
    const services = await openServices(config())
    await services.documents.putUsers([user])
    const serai = join(import.meta.dirname, '../src/cli.ts')
    const { stdout } = await run(process.execPath, [serai, 'token', 'ann', '--data', folder])
    expect(await verifyAppToken(stdout.trim(), services.apiSecret)).toMatchObject({ userId: 'ann' })

    const other = await openServices(config())
    await Promise.all([
      other.index.put(Array.from({ length: 200 }, (_, i) => ({ entry_id: `a${i}` }))),
      services.index.put(Array.from({ length: 200 }, (_, i) => ({ entry_id: `b${i}` })))
    ])
    expect(await services.index.count(ALL)).toBe(400)
    await other.close()
    await services.close()
  })

  test('that cannot be made is named in the error, once', async () => {
    await writeFile(join(folder, 'file'), '')
    const bad = join(folder, 'file', 'data')
    await expect(openServices(config({ SERAI_DATA_DIR: bad }))).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: `The data folder ${bad} cannot be used: a part of its path is a file.`
    })
  })

  test.each(['documents', 'archives', 'search'])('with %s of a newer version is refused', async store => {
    await (await openServices(config())).close()
    const database = new DatabaseSync(join(folder, `${store}.sqlite`))
    database.exec('PRAGMA user_version = 99')
    database.close()
    await expect(openServices(config())).rejects.toMatchObject({
      code: 'STORE_NEWER',
      message: expect.stringContaining(`${store}.sqlite was written by a newer version`)
    })
  })
})

describe('a store of the cluster that does not answer', () => {
  const cluster = (elasticsearch: string, mongodb: string) =>
    config({
      SERAI_ELASTICSEARCH_URL: elasticsearch,
      SERAI_MONGODB_URL: mongodb,
      SERAI_ELASTICSEARCH_INDEX: `${inject('run')}_silent`,
      SERAI_MONGODB_DATABASE: `${inject('run')}_silent`,
      SERAI_STORE_TIMEOUT: '200'
    })

  test('is named with its address but without its password: MongoDB', async () => {
    await expect(
      openServices(cluster('http://127.0.0.1:1', 'mongodb://me:secret@127.0.0.1:1'))
    ).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: expect.stringMatching(
        /^MongoDB at mongodb:\/\/127\.0\.0\.1:1 cannot be used: it does not answer \(.*ECONNREFUSED/
      )
    })
  })

  test.runIf(inject('cluster'))('is named with its address: Elasticsearch', async () => {
    await expect(
      openServices(cluster('http://me:secret@127.0.0.1:1', inject('cluster')!.mongodb))
    ).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: expect.stringMatching(
        /^Elasticsearch at http:\/\/127\.0\.0\.1:1 cannot be used: it does not answer \((?!.*secret).*\)\.$/
      )
    })
  })
})
