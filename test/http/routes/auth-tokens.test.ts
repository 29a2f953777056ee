import type { FastifyInstance, InjectOptions } from 'fastify'
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { setPassword } from '../../../src/access/account-changes.ts'
import { verifyAppToken } from '../../../src/access/app-token.ts'
import { bearer, openTestServices, profiles, type TestServices, testApp } from '../../app.ts'

const PASSWORD = 'a long enough password'
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

describe.each(profiles())('tokens on %s', profile => {
  let services: TestServices
  let app: FastifyInstance

  beforeAll(async () => {
    services = await openTestServices(profile, { SERAI_ACCESS_TOKEN_EXPIRES_IN: '600' })
    await services.documents.putUsers([
      { user_id: 'a', username: 'ann', email: 'ann@example.org', first_name: 'Ann', last_name: 'Ng' },
      { user_id: 'b', username: 'bob', first_name: 'Bob', last_name: '' }
    ])
    await setPassword('a', PASSWORD, services.accounts)
    app = await testApp(services)
  })
  afterAll(async () => {
    await app.close()
    await services.close()
  })

  const ask = async (options: InjectOptions) => {
    const response = await app.inject(options)
    return { status: response.statusCode, headers: response.headers, body: response.json() }
  }
  const post = (fields: Record<string, string>, headers: Record<string, string> = FORM, payload?: string) =>
    ask({
      method: 'POST',
      url: '/api/v1/auth/token',
      headers,
      payload: payload ?? new URLSearchParams(fields).toString()
    })
  const get = (path: string, authorization?: string) =>
    ask({ url: `/api/v1${path}`, headers: authorization ? { authorization } : {} })
  const access = async () => {
    const { body } = await post({ username: 'ann', password: PASSWORD })
    return `Bearer ${body.access_token}`
  }

  describe('of who signs in', () => {
    test('come with everything that an OAuth client looks for, and are not kept by caches', async () => {
      const { status, headers, body } = await post({
        grant_type: 'password',
        username: 'ann',
        password: PASSWORD,
        scope: 'x',
        client_id: 'y',
        client_secret: ''
      })
      expect(status).toBe(200)
      expect(headers).toMatchObject({ 'cache-control': 'no-store', pragma: 'no-cache' })
      expect(body).toEqual({
        access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
        token_type: 'Bearer',
        expires_in: 600,
        refresh_token: null,
        scope: 'email profile',
        id_token: null,
        refresh_expires_in: null
      })
      const claims = decodeJwt(body.access_token)
      expect((claims.exp as number) - (claims.iat as number)).toBe(600)
    })

    test('are the same for GET, as the guide shows it, and by e-mail address', async () => {
      const query = new URLSearchParams({ username: 'Ann@example.org', password: PASSWORD })
      const { status, headers, body } = await get(`/auth/token?${query}`)
      expect(status).toBe(200)
      expect(headers['cache-control']).toBe('no-store')
      const me = await get('/users/me', `Bearer ${body.access_token}`)
      expect(me).toMatchObject({ status: 200, body: { user_id: 'a', username: 'ann' } })
    })

    test('are what the button Authorize of the docs page asks for', async () => {
      const headers = { ...FORM, authorization: 'Basic Og==', 'x-requested-with': 'XMLHttpRequest' }
      expect(
        (await post({ grant_type: 'password', username: 'ann', password: PASSWORD }, headers)).status
      ).toBe(200)
      const document = (await get('/openapi.json')).body
      expect(document.components.securitySchemes).toMatchObject({
        OAuth2PasswordBearer: {
          type: 'oauth2',
          flows: { password: { scopes: {}, tokenUrl: '/api/v1/auth/token' } }
        },
        AppToken: { type: 'http', scheme: 'bearer' }
      })
      expect(document.security).toEqual([{}, { OAuth2PasswordBearer: [] }, { AppToken: [] }])
      expect(document.paths['/auth/app_token'].get.security).toEqual([
        { OAuth2PasswordBearer: [] },
        { AppToken: [] }
      ])
      expect(document.paths['/auth/token'].post.security).toEqual([])
      expect(Object.keys(document.paths['/auth/token'].post.requestBody.content)).toEqual([
        'application/x-www-form-urlencoded'
      ])
    })

    test('verify with the published keys', async () => {
      const token = (await access()).slice(7)
      const { status, body } = await get('/auth/jwks')
      expect(status).toBe(200)
      const { payload } = await jwtVerify(token, createLocalJWKSet(body as JSONWebKeySet), {
        issuer: 'serai'
      })
      expect(payload.sub).toBe('a')
    })

    test.each([
      ['a wrong password', { username: 'ann', password: `${PASSWORD}?` }],
      ['an unknown name', { username: 'nobody', password: PASSWORD }],
      ['somebody without password', { username: 'bob', password: PASSWORD }]
    ])('are not for %s, and a browser does not ask for a password of its own', async (_name, fields) => {
      const { status, headers, body } = await post(fields)
      expect({ status, body }).toEqual({ status: 401, body: { detail: 'Incorrect username or password' } })
      expect(headers['www-authenticate']).toBe('Bearer')
      expect(headers['cache-control']).toBe('no-store')
    })

    test.each([
      ['fields', FORM, 'grant_type=password', ['username', 'password']],
      ['a password', FORM, 'username=ann', ['password']],
      ['an empty name', FORM, 'username=&password=hunter2-secret', ['username']],
      [
        'a form',
        { 'content-type': 'application/json' },
        '{"username":"ann","password":"hunter2-secret"}',
        ['username', 'password']
      ],
      [
        'a known type',
        { 'content-type': 'text/plain' },
        'username=ann&password=hunter2-secret',
        ['username', 'password']
      ]
    ])(
      'need %s: 422 that says what is missing and repeats nothing',
      async (_name, headers, payload, missing) => {
        const { status, body } = await post({}, headers, payload)
        expect(status).toBe(422)
        expect(body.detail.map((item: { type: string; loc: string[] }) => [item.type, ...item.loc])).toEqual(
          missing.map(name => ['missing', 'body', name])
        )
        expect(JSON.stringify(body)).not.toContain('hunter2')
      }
    )

    test('need the grant type password, if any is named', async () => {
      const { status, body } = await post({ grant_type: 'magic', username: 'ann', password: PASSWORD })
      expect(status).toBe(422)
      expect(body.detail).toMatchObject([
        { type: 'string_pattern_mismatch', loc: ['body', 'grant_type'], ctx: { pattern: '^password$' } }
      ])
    })

    test('need parameters in the URL of a GET', async () => {
      const { status, body } = await get('/auth/token?password=hunter2-secret')
      expect(status).toBe(422)
      expect(body.detail).toMatchObject([{ type: 'missing', loc: ['query', 'username'] }])
      expect(JSON.stringify(body)).not.toContain('hunter2')
    })

    test('are given to whoever sends a wrong token along: who is asking is being found out', async () => {
      expect(
        (await post({ username: 'ann', password: PASSWORD }, { ...FORM, authorization: 'Bearer abc' })).status
      ).toBe(200)
    })

    test('have to be waited for after too many failures', async () => {
      const fields = { username: 'somebody', password: 'x' }
      for (let i = 0; i < 5; i++) expect((await post(fields)).status).toBe(401)
      const { status, headers, body } = await post(fields)
      expect(status).toBe(429)
      expect(Number(headers['retry-after'])).toBeGreaterThan(0)
      expect(body.detail).toMatch(/^Too many failed sign-ins\. Please try again in \d seconds\.$/)
      expect((await post({ username: 'ann', password: PASSWORD })).status).toBe(200)
    })
  })

  describe('for apps', () => {
    test('live as long as is asked, and act as who asked', async () => {
      const { status, headers, body } = await get('/auth/app_token?expires_in=86400', await access())
      expect(status).toBe(200)
      expect(headers['cache-control']).toBe('no-store')
      expect(Object.keys(decodeJwt(body.app_token))).toEqual(['user', 'exp'])
      const { userId, expires } = await verifyAppToken(body.app_token, services.apiSecret)
      expect(userId).toBe('a')
      expect(Math.abs(expires - Date.now() / 1000 - 86_400)).toBeLessThan(5)
      expect((await get('/users/me', `Bearer ${body.app_token}`)).body.user_id).toBe('a')
    })

    test.each([
      ['expires_in=2592000', 200, undefined],
      [
        'expires_in=2592001',
        422,
        { type: 'less_than_equal', loc: ['query', 'expires_in'], ctx: { le: 2_592_000 } }
      ],
      ['expires_in=0', 422, { type: 'greater_than', ctx: { gt: 0 } }],
      ['expires_in=-5', 422, { type: 'greater_than', ctx: { gt: 0 } }],
      ['expires_in=x', 422, { type: 'int_parsing' }],
      ['', 422, { type: 'missing', loc: ['query', 'expires_in'] }]
    ])('with %j: %i', async (query, status, item) => {
      const answer = await get(`/auth/app_token?${query}`, await access())
      expect(answer.status).toBe(status)
      if (item) expect(answer.body.detail).toMatchObject([item])
    })

    test('are not given to nobody, whatever else is wrong, nor for a token of their own kind', async () => {
      for (const path of ['/auth/app_token?expires_in=x', '/auth/signature_token']) {
        expect(await get(path)).toMatchObject({
          status: 401,
          body: { detail: 'Authentication required.' },
          headers: { 'www-authenticate': 'Bearer' }
        })
        expect(await get(path, 'Bearer abc')).toMatchObject({ status: 401 })
        expect(await get(path, await bearer(services, 'a'))).toMatchObject({
          status: 403,
          body: { detail: "Missing scopes: ['tokens:create']" }
        })
      }
    })
  })

  test('for a link live ten seconds', async () => {
    const { status, body } = await get('/auth/signature_token', await access())
    expect(status).toBe(200)
    const { userId, expires } = await verifyAppToken(body.signature_token, services.apiSecret)
    expect(userId).toBe('a')
    expect(expires - Date.now() / 1000).toBeLessThanOrEqual(10)
    expect(expires - Date.now() / 1000).toBeGreaterThan(7)
  })
})
