import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import {
  bearer,
  openCorpusServices,
  openTestServices,
  profiles,
  type TestServices,
  testApp
} from '../../app.ts'
import { httpRecorder } from '../../http-recorder.ts'
import { LEVELS, type LogLine, logLines } from '../../log-lines.ts'

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/

describe.each(profiles())('the log of requests on %s', profile => {
  let services: TestServices
  let app: FastifyInstance
  const { log, lines } = logLines('info')

  beforeAll(async () => {
    services = await openCorpusServices(profile)
    app = await testApp(services, { log })
  })
  afterAll(async () => {
    await app.close()
    await services.close()
  })
  beforeEach(() => {
    lines.length = 0
  })

  test('has one line for each, with its route, its answer and who asked', async () => {
    const [user] = await services.documents.usersByName(['ines.albrecht'])
    const authorization = await bearer(services, user!.user_id)
    const answer = await app.inject({ url: '/api/v1/uploads?page_size=1', headers: { authorization } })
    expect(answer.statusCode).toBe(200)
    expect(lines).toEqual([
      {
        level: LEVELS.info,
        time: expect.any(Number),
        pid: process.pid,
        hostname: expect.any(String),
        reqId: answer.headers['x-request-id'],
        method: 'GET',
        route: '/api/v1/uploads',
        url: '/api/v1/uploads?page_size=1',
        status: 200,
        ms: expect.any(Number),
        bytes: expect.any(Number),
        user: user!.user_id,
        ip: '127.0.0.1'
      }
    ])
    const text = JSON.stringify(lines)
    expect(text).not.toContain(user!.email)
    expect(text).not.toContain(authorization.slice('Bearer '.length))
  })

  test('says which error was answered, and no route where there is none', async () => {
    await app.inject('/api/v1/entries/nothing/archive')
    await app.inject('/nowhere')
    expect(lines).toMatchObject([
      { route: '/api/v1/entries/:entry_id/archive', status: 404, failure: 'ARCHIVE_ENTRY_NOT_FOUND' },
      { url: '/nowhere', status: 404 }
    ])
    expect(lines[1]).not.toHaveProperty('route')
  })

  test.each([
    [
      '/api/v1/entries/x/raw/f?signature_token=secret&offset=1',
      '/api/v1/entries/x/raw/f?signature_token=…&offset=1'
    ],
    ['/api/v1/auth/token?username=me&password=secret', '/api/v1/auth/token?username=me&password=…'],
    ['/api/v1/uploads?name=x&token=secret', '/api/v1/uploads?name=x&token=…']
  ])('hides what lets people in: %s', async (url, shown) => {
    await app.inject(url)
    expect(lines.at(-1)).toMatchObject({ url: shown })
    expect(JSON.stringify(lines)).not.toContain('secret')
  })

  test('takes the id of a request over if it is a sane one, and tells it', async () => {
    const ask = async (id?: string) =>
      (await app.inject({ url: '/api/v1/info', headers: id === undefined ? {} : { 'x-request-id': id } }))
        .headers['x-request-id']
    expect(await ask('proxy-1.2:3_a/b=')).toBe('proxy-1.2:3_a/b=')
    expect(await ask()).toMatch(UUID)
    for (const bad of ['', ' ', 'a b', 'ä', '"x"', 'x'.repeat(129)]) expect(await ask(bad)).toMatch(UUID)
    expect(lines).toHaveLength(8)
    expect(lines[0]?.reqId).toBe('proxy-1.2:3_a/b=')
  })

  test('counts the bytes of a download, and the line of one that is cut says so', async () => {
    const root = await app.listen({ host: '127.0.0.1', port: 0 })
    const url = `${root}/api/v1/entries/raw?owner=public`
    const whole = await (await fetch(url)).arrayBuffer()
    const cut = new AbortController()
    const answer = await fetch(url, { signal: cut.signal })
    await answer.body!.getReader().read()
    cut.abort()
    await expect.poll(() => lines.filter(({ route }) => route === '/api/v1/entries/raw').length).toBe(2)
    const [full, part] = lines.filter(({ route }) => route === '/api/v1/entries/raw') as [LogLine, LogLine]
    expect(full.bytes).toBeGreaterThanOrEqual(whole.byteLength)
    expect(full.bytes).toBeLessThan(whole.byteLength + 2000)
    expect(part).toMatchObject({ status: 499, ms: expect.any(Number) })
    expect(part.bytes).toBeLessThan(full.bytes as number)
    await delay(50)
    expect(lines.filter(({ route }) => route === '/api/v1/entries/raw')).toHaveLength(2)
  })
})

describe.each(profiles())('slow requests on %s', profile => {
  test('are warnings with the normalised query', async () => {
    const services = await openTestServices(profile, { SERAI_SLOW_REQUEST: '1' })
    const { index } = services
    // As if the engine took long.
    const search: typeof index.search = async request => {
      await delay(5)
      return index.search(request)
    }
    const slow = {
      ...services,
      index: new Proxy(index, { get: (_, name) => (name === 'search' ? search : Reflect.get(index, name)) })
    }
    const { log, lines } = logLines('info')
    const app = await testApp(slow, { log })
    await app.inject({
      method: 'POST',
      url: '/api/v1/entries/query',
      payload: { query: { 'results.material.elements:all': ['Ti', 'O'] }, pagination: { page_size: 3 } }
    })
    await app.inject('/api/v1/entries?elements=Ti&page_size=1')
    expect(lines).toMatchObject([
      {
        level: LEVELS.warn,
        msg: 'a slow request',
        query: {
          pagination: { page_size: 3 },
          query: { name: 'results.material.elements', value: { all: ['Ti', 'O'] } }
        }
      },
      { level: LEVELS.warn, query: { query: { name: 'results.material.elements' } } }
    ])
    await app.close()
    await services.close()
  })

  test('are none where the setting is off', async () => {
    const services = await openTestServices(profile, { SERAI_SLOW_REQUEST: 'off' })
    const { log, lines } = logLines('info')
    const app = await testApp(services, { log })
    await app.inject('/api/v1/entries')
    expect(lines).toMatchObject([{ level: LEVELS.info, status: 200 }])
    await app.close()
    await services.close()
  })
})

describe.runIf(inject('cluster'))('a query that Elasticsearch refuses', () => {
  test('is a warning with the query and the words of the engine', async () => {
    const recorder = await httpRecorder(inject('cluster')!.elasticsearch)
    const services = await openTestServices('cluster', { SERAI_ELASTICSEARCH_URL: recorder.url })
    const { log, lines } = logLines('info')
    const app = await testApp(services, { log })
    recorder.standIn = ({ what }) =>
      what.endsWith('_search')
        ? {
            status: 400,
            body: JSON.stringify({ error: { type: 'parsing_exception', reason: 'unknown query [x]' } })
          }
        : undefined
    const { statusCode } = await app.inject('/api/v1/entries?elements=Ti')
    expect(statusCode).toBe(400)
    expect(lines[0]).toMatchObject({
      level: LEVELS.warn,
      reason: 'Elasticsearch answered 400: parsing_exception: unknown query [x]',
      query: { query: { name: 'results.material.elements' } }
    })
    expect(lines[1]).toMatchObject({ level: LEVELS.info, status: 400, failure: 'SEARCH_REFUSED' })
    await app.close()
    await services.close()
    await recorder.close()
  })
})
