import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { readConfig } from '../../../src/config.ts'
import { openServices } from '../../../src/services.ts'
import { openTestServices, profiles, type TestServices, testApp } from '../../app.ts'
import { logLines } from '../../log-lines.ts'

const UP = { state: 'up', ms: expect.any(Number) }

describe.each(profiles())('health on %s', profile => {
  let services: TestServices

  beforeAll(async () => {
    services = await openTestServices(profile, {
      SERAI_RATE_LIMIT: '1',
      SERAI_RATE_BURST: '1',
      SERAI_REQUIRE_AUTHENTICATION: 'true'
    })
  })
  afterAll(() => services.close())

  test('the process and every store tell that they are there', async () => {
    const app = await testApp(services)
    expect((await app.inject('/alive')).json()).toBe('I am, alive!')
    expect((await app.inject('/-/health')).json()).toEqual({ healthcheck: 'ok' })
    const { statusCode, headers, body } = await app.inject('/-/ready')
    expect(statusCode).toBe(200)
    expect(headers['cache-control']).toBe('no-store')
    const engine = (name: string, file: string) => (profile === 'cluster' ? name : `${file}.sqlite`)
    expect(JSON.parse(body)).toEqual({
      status: 'ready',
      stores: {
        documents: { engine: engine('MongoDB', 'documents'), ...UP },
        accounts: { engine: engine('MongoDB', 'accounts'), ...UP },
        archives: { engine: engine('MongoDB', 'archives'), ...UP },
        search: { engine: engine('Elasticsearch', 'search'), ...UP },
        files: { engine: 'The folder of the raw files', ...UP }
      }
    })
    await app.close()
  })

  test('it is free of limits and of signing in, and logged at the level debug', async () => {
    const { log, lines } = logLines()
    const app = await testApp(services, { log })
    for (const url of ['/alive', '/-/health', '/-/ready', '/alive', '/-/health', '/-/ready']) {
      expect((await app.inject(url)).statusCode).toBe(200)
    }
    await app.close()
    expect(lines.filter(({ route }) => route !== undefined).map(({ level }) => level)).toEqual(
      Array(6).fill(20)
    )
  })
})

test('a server that counts in Redis is ready without it, and says that it is gone', async () => {
  const services = await openServices(
    readConfig({
      SERAI_DATA_DIR: `${inject('runFolder')}/without-redis`,
      SERAI_REDIS_URL: 'redis://127.0.0.1:1'
    })
  )
  const app = await testApp({ ...services, config: readConfig({ SERAI_LOG_LEVEL: 'silent' }) })
  const { statusCode, body } = await app.inject('/-/ready')
  expect(statusCode).toBe(200)
  expect(JSON.parse(body).stores.limits).toEqual({ engine: 'Redis', state: 'down', optional: true })
  await app.close()
  await services.close()
})

test('a closed store is told by its name', async () => {
  const services = await openTestServices('embedded')
  const app = await testApp(services)
  await services.documents.close()
  const { statusCode, body } = await app.inject('/-/ready')
  expect(statusCode).toBe(503)
  const { status, stores } = JSON.parse(body)
  expect(status).toBe('not ready')
  expect(stores.documents).toEqual({ engine: 'documents.sqlite', state: 'down' })
  expect(stores.search.state).toBe('up')
  await app.close()
  await services.close()
})
