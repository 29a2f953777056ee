/** What browsers may do with answers, how large the head of a request may be, and overload of the process. */
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import fastify, { type FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errors } from '../../../src/http/plugins/errors.ts'
import { overload } from '../../../src/http/plugins/overload.ts'
import { pageHeaders } from '../../../src/http/plugins/page-headers.ts'
import { openTestServices, type TestServices, testApp } from '../../app.ts'

describe('pages', () => {
  let services: TestServices
  let app: FastifyInstance

  beforeAll(async () => {
    services = await openTestServices('embedded')
    app = await testApp(services)
  })
  afterAll(async () => {
    await app.close()
    await services.close()
  })

  test('the documentation page runs its own scripts only, and in no frame', async () => {
    const { statusCode, headers } = await app.inject('/api/v1/extensions/docs/')
    expect(statusCode).toBe(200)
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("script-src 'self';")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(headers['x-content-type-options']).toBe('nosniff')
  })

  test('other pages run no scripts', async () => {
    const { statusCode, headers } = await app.inject({ url: '/nothing', headers: { accept: 'text/html' } })
    expect(statusCode).toBe(404)
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'.*; sandbox$/)
    expect(headers['x-content-type-options']).toBe('nosniff')
  })

  test('a page or picture of an upload is not a part of the API', async () => {
    const one = fastify()
    await one.register(pageHeaders, { root: '/api/v1' })
    one.get('/file', async (request, reply) =>
      reply.type((request.query as { type: string }).type).send('<script>alert(1)</script>')
    )
    for (const type of ['text/html', 'image/svg+xml', 'application/xhtml+xml', 'text/xml']) {
      const { headers } = await one.inject(`/file?type=${encodeURIComponent(type)}`)
      expect(headers['content-security-policy']).toMatch(/sandbox$/)
    }
    const { headers } = await one.inject('/file?type=text/plain')
    expect(headers['content-security-policy']).toBeUndefined()
    expect(headers['x-content-type-options']).toBe('nosniff')
    await one.close()
  })

  test('a head that is too large is refused with 431', async () => {
    const address = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
    const answer = await new Promise<string>((resolve, reject) => {
      let text = ''
      const socket = connect(Number(address.port), '127.0.0.1', () =>
        socket.write(`GET /alive HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`)
      )
      socket.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      socket.on('close', () => resolve(text)).on('error', reject)
    })
    expect(answer).toMatch(/^HTTP\/1\.1 431 /)
  })
})

test('a process that is overloaded refuses requests until it is not', async () => {
  const app = fastify()
  await app.register(errors)
  await app.register(overload, { limits: { trustedProxies: [], eventLoopDelay: 50 }, interval: 100 })
  app.get('/', async () => 'ok')
  app.get('/health', { config: { unlimited: true } }, async () => 'ok')
  await app.ready()
  try {
    await delay(300)
    let refused = false
    for (let i = 0; i < 20 && !refused; i++) {
      const end = Date.now() + 200
      while (Date.now() < end);
      await delay(1)
      const answer = await app.inject('/')
      refused = answer.statusCode === 503
      if (!refused) continue
      expect(answer.json()).toEqual({
        detail: 'The server is overloaded at the moment. Please try again later.'
      })
      expect(answer.headers['retry-after']).toBe('5')
      expect((await app.inject('/health')).statusCode).toBe(200)
    }
    expect(refused).toBe(true)
    await expect.poll(async () => (await app.inject('/')).statusCode, { timeout: 10_000 }).toBe(200)
  } finally {
    await app.close()
  }
})
