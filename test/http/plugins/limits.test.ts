/** How much one address may ask: through injected requests, which may come from any address, and over real connections. */

import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  openTestServices,
  profiles,
  type TestServer,
  type TestServices,
  testApp,
  testServer
} from '../../app.ts'
import { eventually } from '../../files/open-files.ts'
import { publishedUpload } from '../../upload.ts'

const URL = '/api/v1/entries?page_size=0'

/** Milliseconds that a busy machine may need. */
const PATIENCE = 15_000

/** The settings that users have when they set none. */
const DEFAULTS = { SERAI_RATE_LIMIT: '30', SERAI_CONCURRENCY_LIMIT: '10' }

describe.each(profiles())('limits on %s', profile => {
  let services: TestServices | undefined
  let app: FastifyInstance | undefined
  let server: TestServer | undefined
  let letGo = () => {}

  afterEach(async () => {
    vi.useRealTimers()
    letGo()
    await app?.close()
    await (server ?? services)?.close()
    app = services = server = undefined
  })

  /** The application while the clock stands still. */
  async function open(settings: Record<string, string>): Promise<FastifyInstance> {
    services = await openTestServices(profile, settings)
    app = await testApp(services)
    vi.useFakeTimers({ toFake: ['Date'] })
    return app
  }

  /** Answers to requests that come one after the other. */
  async function statuses(one: FastifyInstance, requests: readonly InjectOptions[]): Promise<number[]> {
    const all = []
    for (const request of requests) all.push((await one.inject(request)).statusCode)
    return all
  }

  test('the 31st request within a second is refused, and the client may ask again after Retry-After', async () => {
    const one = await open({ ...DEFAULTS, SERAI_CONCURRENCY_LIMIT: 'off', SERAI_RATE_BURST: '30' })
    const answers = await Promise.all(Array.from({ length: 31 }, () => one.inject(URL)))
    expect(answers.map(answer => answer.statusCode)).toEqual([...Array(30).fill(200), 503])
    expect(answers[0]?.headers).toMatchObject({
      'ratelimit-policy': '"rate";q=30;w=1',
      ratelimit: '"rate";r=29;t=1'
    })
    const refused = answers[30]
    expect(refused?.json()).toEqual({
      detail: 'Too many requests: one address may send 30 of them in 1 s. Please try again in 1 s.'
    })
    expect(refused?.headers).toMatchObject({
      'retry-after': '1',
      'ratelimit-policy': '"rate";q=30;w=1',
      ratelimit: '"rate";r=0;t=1'
    })
    vi.setSystemTime(Date.now() + 1000)
    expect((await one.inject(URL)).statusCode).toBe(200)
  })

  test('a long run of requests keeps to the rate, a burst may be larger', async () => {
    const one = await open({ SERAI_RATE_LIMIT: '10', SERAI_RATE_BURST: '20' })
    const answers = await statuses(one, Array(21).fill({ url: URL }))
    expect(answers).toEqual([...Array(20).fill(200), 503])
    const refused = await one.inject(URL)
    expect(refused.headers['ratelimit-policy']).toBe('"rate";q=20;w=2')
    expect(refused.headers['retry-after']).toBe('2')
  })

  test('is decided before who is asking, before the body, and for every route', async () => {
    const one = await open({ SERAI_RATE_LIMIT: '1', SERAI_RATE_BURST: '1' })
    expect((await one.inject(URL)).statusCode).toBe(200)
    const bad = { authorization: 'Bearer nonsense' }
    const requests: InjectOptions[] = [
      { url: URL, headers: bad },
      {
        method: 'POST',
        url: '/api/v1/entries/query',
        payload: '{',
        headers: { 'content-type': 'application/json' }
      },
      { method: 'POST', url: '/api/v1/auth/token' },
      { url: '/api/v1/openapi.json' },
      { url: '/api/v1/nothing' },
      { url: '/nothing' }
    ]
    expect(await statuses(one, requests)).toEqual(Array(6).fill(503))
  })

  test('health, the documentation page and preflights are free', async () => {
    const one = await open({ SERAI_RATE_LIMIT: '1', SERAI_RATE_BURST: '1', SERAI_CONCURRENCY_LIMIT: '1' })
    expect(await statuses(one, [{ url: URL }, { url: URL }])).toEqual([200, 503])
    const preflight = { origin: 'https://example.org', 'access-control-request-method': 'POST' }
    const requests: InjectOptions[] = [
      { url: '/-/health' },
      { url: '/alive' },
      { url: '/api/v1/extensions/docs/' },
      { url: '/api/v1/extensions/docs/static/swagger-ui.css' },
      { method: 'OPTIONS', url: '/api/v1/entries/query', headers: preflight }
    ]
    expect(await statuses(one, [...requests, ...requests])).toEqual(Array(10).fill(200))
    expect((await one.inject('/-/health')).headers.ratelimit).toBeUndefined()
  })

  test('a page of another origin can read a refusal', async () => {
    const one = await open({ SERAI_RATE_LIMIT: '1', SERAI_RATE_BURST: '1' })
    const request = { url: URL, headers: { origin: 'https://example.org' } }
    await one.inject(request)
    const { statusCode, headers } = await one.inject(request)
    expect(statusCode).toBe(503)
    expect(headers['access-control-allow-origin']).toBe('https://example.org')
    expect(headers['access-control-expose-headers']).toMatch(/RateLimit, RateLimit-Policy.*Retry-After/)
  })

  test('every address counts for itself, IPv6 addresses by their /64 network', async () => {
    const one = await open({ SERAI_RATE_LIMIT: '1', SERAI_RATE_BURST: '1' })
    const from = (remoteAddress: string) => ({ url: URL, remoteAddress })
    expect(
      await statuses(one, [
        from('192.0.2.1'),
        from('192.0.2.2'),
        from('192.0.2.1'),
        from('::ffff:192.0.2.2'),
        from('2001:db8:1:2::1'),
        from('2001:db8:1:2:ffff::9'),
        from('2001:db8:1:3::1')
      ])
    ).toEqual([200, 200, 503, 503, 200, 503, 200])
  })

  test('what a client says about its address is not believed', async () => {
    const one = await open({ SERAI_RATE_LIMIT: '1', SERAI_RATE_BURST: '1' })
    const said = (address: string) => ({
      url: URL,
      remoteAddress: '192.0.2.1',
      headers: { 'x-forwarded-for': address, 'x-real-ip': address, forwarded: `for=${address}` }
    })
    expect(await statuses(one, [said('198.51.100.1'), said('198.51.100.2')])).toEqual([200, 503])
  })

  test('of a trusted proxy the last address that is not its own counts, whatever the client wrote before it', async () => {
    const one = await open({
      SERAI_RATE_LIMIT: '1',
      SERAI_RATE_BURST: '1',
      SERAI_TRUSTED_PROXIES: 'loopback, 10.0.0.0/8'
    })
    const via = (remoteAddress: string, forwarded: string) => ({
      url: URL,
      remoteAddress,
      headers: { 'x-forwarded-for': forwarded }
    })
    expect(
      await statuses(one, [
        via('10.0.0.1', '198.51.100.1'),
        via('10.0.0.1', '198.51.100.2'),
        via('10.0.0.2', '203.0.113.5, 198.51.100.1'),
        via('127.0.0.1', '203.0.113.6, 198.51.100.2, 10.0.0.7'),
        // Not the proxy: it may say what it wants.
        via('192.0.2.1', '203.0.113.7'),
        via('192.0.2.1', '203.0.113.8')
      ])
    ).toEqual([200, 200, 503, 503, 200, 503])
  })

  /** Listens; searches wait until they are let go. `waiting` tells how many do. */
  async function listen(settings: Record<string, string>) {
    services = await openTestServices(profile, settings)
    const { index } = services
    let waiting = 0
    const gate = new Promise<void>(resolve => {
      letGo = resolve
    })
    const held = {
      ...services,
      index: new Proxy(index, {
        get: (target, name) => {
          if (name === 'search') {
            waiting++
            return (request: never) => gate.then(() => target.search(request))
          }
          const member = target[name as keyof typeof target]
          return typeof member === 'function' ? member.bind(target) : member
        }
      })
    }
    server = await testServer(held)
    return { base: server.base, letGo, waiting: () => waiting }
  }

  function ask(url: string): { request: ReturnType<typeof httpRequest>; answer: Promise<IncomingMessage> } {
    const request = httpRequest(url, { agent: false })
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      request.on('response', resolve).on('error', reject).end()
    })
    answer.catch(() => {})
    return { request, answer }
  }

  /** A request that has a slot and waits in its handler; asks again while other requests have the slots. */
  async function hold(base: string, waiting: () => number) {
    const before = waiting()
    for (;;) {
      const asked = ask(`${base}/entries`)
      const refused = await Promise.race([
        asked.answer.then(answer => answer.resume().statusCode === 503),
        eventually(async () => waiting() > before, PATIENCE).then(() => false)
      ])
      if (!refused) return asked
    }
  }

  test('the 11th request at the same time is refused; slots are free again when answers have ended', async () => {
    const { base, waiting } = await listen({ ...DEFAULTS, SERAI_RATE_LIMIT: 'off' })
    const held = []
    for (let i = 0; i < 10; i++) held.push(await hold(base, waiting))
    const groups = `${base}/groups`
    const refused = await fetch(groups)
    expect(await refused.json()).toEqual({
      detail:
        'Too many requests at the same time: one address may have 10 of them under way. Please wait until one has ended.'
    })
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(refused.headers.get('ratelimit')).toMatch(/"concurrency";r=0$/)
    expect(refused.headers.get('ratelimit-policy')).toContain('"concurrency";q=10;qu="concurrent-requests"')
    letGo()
    for (const { answer } of held) {
      const response = await answer
      expect(response.statusCode).toBe(200)
      response.resume()
    }
    await eventually(async () => (await fetch(groups)).status === 200, PATIENCE)
  })

  test('the slot of a client that goes away is free again, once', async () => {
    const { base, waiting } = await listen({ SERAI_CONCURRENCY_LIMIT: '2' })
    const groups = `${base}/groups`
    const first = await hold(base, waiting)
    await hold(base, waiting)
    expect((await fetch(groups)).status).toBe(503)
    first.request.destroy()
    await eventually(async () => (await fetch(groups)).status === 200, PATIENCE)
    // One of two is still taken: with one more, both are.
    await hold(base, waiting)
    expect((await fetch(groups)).status).toBe(503)
  })

  test('programs that read page by page, or archives eight at a time, are answered later rather than refused', async () => {
    services = await openTestServices(profile, { ...DEFAULTS, SERAI_RATE_BURST: '30' })
    server = await testServer(services)
    const { base } = server
    const post = async (path: string, body: object) => {
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(base + path, { method: 'POST', headers, body: JSON.stringify(body) })
      await answer.arrayBuffer()
      return answer.status
    }
    const begin = performance.now()
    let left = 70
    const all: number[] = []
    const connection = async () => {
      while (left-- > 0) all.push(await post('/entries/archive/query', { required: '*' }))
    }
    await Promise.all(Array.from({ length: 8 }, connection))
    const pagination = { page_size: 10, page_after_value: 'x' }
    for (let i = 0; i < 35; i++) all.push(await post('/entries/query', { pagination }))
    for (let i = 0; i < 35; i++) {
      const answer = await fetch(`${base}/entries?page_after_value=x`)
      await answer.arrayBuffer()
      all.push(answer.status)
    }
    expect(all).toEqual(Array(140).fill(200))
    expect(performance.now() - begin).toBeGreaterThan(3000)
  })

  test('a download holds its slot until its last byte', async () => {
    services = await openTestServices(profile, {
      SERAI_CONCURRENCY_LIMIT: '1',
      SERAI_RATE_LIMIT: 'off'
    })
    const upload = 'abcdefghijklmnopqrstuv'
    await services.documents.putUpload(publishedUpload(upload))
    // More than the system takes for a client that does not read.
    const bytes = Buffer.alloc(40_000_000, 1)
    await services.files.replace(upload, [{ path: 'a.bin', open: () => Readable.from([bytes]) }])
    server = await testServer(services)
    const { base } = server
    const groups = `${base}/groups`
    for (const path of [`/uploads/${upload}/raw/a.bin`, `/uploads/${upload}/raw`]) {
      const download = await ask(base + path).answer
      expect(download.statusCode).toBe(200)
      await once(download, 'readable')
      expect((await fetch(groups)).status).toBe(503)
      let read = 0
      for await (const part of download) read += (part as Buffer).length
      expect(read).toBeGreaterThanOrEqual(bytes.length)
      await eventually(async () => (await fetch(groups)).status === 200, PATIENCE)
    }
    const cut = ask(`${base}/uploads/${upload}/raw/a.bin`)
    await cut.answer
    expect((await fetch(groups)).status).toBe(503)
    cut.request.destroy()
    await eventually(async () => (await fetch(groups)).status === 200, PATIENCE)
  })

  test('the body of a refused request is not read', async () => {
    const { base } = await listen({ SERAI_RATE_LIMIT: '1', SERAI_RATE_BURST: '1' })
    await fetch(`${base}/groups`)
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = httpRequest(`${base}/uploads`, {
        method: 'POST',
        agent: false,
        headers: { 'content-type': 'application/zip', 'content-length': String(2 ** 40) }
      })
      request.on('response', resolve).on('error', reject).write('PK')
    })
    expect(answer.statusCode).toBe(503)
    expect(answer.headers.connection).toBe('close')
    answer.resume()
  })
})
