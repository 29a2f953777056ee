import type { FastifyInstance, InjectOptions } from 'fastify'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { disableAccount, enableAccount, setPassword } from '../../../src/access/account-changes.ts'
import { signAppToken } from '../../../src/access/app-token.ts'
import { Authenticator } from '../../../src/access/authenticator.ts'
import { createToken } from '../../../src/access/personal-tokens.ts'
import { ALL_SCOPES } from '../../../src/access/scopes.ts'
import { uploadToken } from '../../../src/access/upload-token.ts'
import type { Upload } from '../../../src/storage/documents.ts'
import { bearer, openTestServices, profiles, type TestServices, testApp } from '../../app.ts'
import { testUpload } from '../../upload.ts'

const PASSWORD = 'a long enough password'
const ANN = '7c9d4e18-2a3b-4f56-b1d7-0e8c5a6f2d03'
const BOB = 'a45e7d90-61c2-4b8f-9f3e-c1b2d3e4f504'

describe.each(profiles())('who is asking, on %s', profile => {
  let services: TestServices
  let app: FastifyInstance
  /** Access token of ANN. */
  let access: string

  const tokenOf = async (username: string) =>
    (await services.identity.signIn(username, PASSWORD, true))?.access_token as string
  const make = (userId: string, scopes: string[], days: number | null = 1) =>
    createToken(
      userId,
      { name: 'x', scopes, description: null, days },
      { maxLifetime: 0, maxActive: 100 },
      services.accounts
    )

  beforeAll(async () => {
    services = await openTestServices(profile)
    await services.documents.putUsers([
      { user_id: ANN, username: 'ann', email: 'Ann@example.org', first_name: 'Ann', last_name: '' },
      { user_id: BOB, username: 'bob', first_name: 'Bob', last_name: '' }
    ])
    for (const id of [ANN, BOB]) await setPassword(id, PASSWORD, services.accounts)
    await services.documents.putUpload(testUpload('private', { main_author: ANN }))
    app = await testApp(services)
    access = await tokenOf('ann')
  })
  afterAll(async () => {
    await app.close()
    await services.close()
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.restoreAllMocks()
  })

  const ask = async (url: string, headers: Record<string, string> = {}, options: InjectOptions = {}) => {
    const response = await app.inject({ url: `/api/v1${url}`, headers, ...options })
    const { detail, user_id } = response.headers['content-type']?.toString().includes('json')
      ? response.json()
      : ({} as Record<string, unknown>)
    return { status: response.statusCode, detail, user_id }
  }
  const me = async (headers: Record<string, string>, app_ = app) => {
    const response = await app_.inject({ url: '/api/v1/users/me', headers })
    return response.statusCode === 200 ? response.json().user_id : response.statusCode
  }
  const cookie = (token: string) => `theme=dark; Authorization=${encodeURIComponent(`Bearer ${token}`)}; x=y`

  test('is told by access, app and personal tokens in the header', async () => {
    const personal = await make(ANN, ['users:read'])
    for (const token of [access, (await bearer(services, ANN)).slice(7), personal.raw]) {
      expect(await me({ authorization: `Bearer ${token}` })).toBe(ANN)
      expect(await me({ authorization: `bearer  ${token} ` })).toBe(ANN)
    }
  })

  test('is nobody with another scheme, and an error with a token that is none', async () => {
    for (const authorization of ['Basic YTpi', 'abc', access]) expect(await me({ authorization })).toBe(401)
    expect((await ask('/info', { authorization: 'Basic YTpi' })).status).toBe(200)
    for (const authorization of [
      'Bearer',
      'Bearer ',
      'Bearer abc',
      `Bearer ${access}x`,
      `Bearer ${access.slice(0, -9)}`
    ]) {
      expect((await ask('/info', { authorization })).status, authorization).toBe(401)
    }
  })

  describe('by the cookie', () => {
    test('is told by an access token, and by no other kind', async () => {
      expect(await me({ cookie: cookie(access) })).toBe(ANN)
      expect(await me({ cookie: `Authorization=${access}` })).toBe(ANN)
      for (const other of [
        (await bearer(services, ANN)).slice(7),
        (await make(ANN, ['users:read'])).raw,
        'abc'
      ]) {
        expect(await me({ cookie: cookie(other) })).toBe(401)
      }
      expect(await me({ cookie: 'Authorization=' })).toBe(401)
      expect((await ask('/info', { cookie: 'Authorization=; NotAuthorization=abc' })).status).toBe(200)
    })

    test('is not looked at when there is a header', async () => {
      expect(await me({ cookie: cookie(access), authorization: await bearer(services, BOB) })).toBe(BOB)
      expect(await me({ cookie: cookie(access), authorization: 'Bearer abc' })).toBe(401)
    })

    test.each([
      ['a page of this server', { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }, true],
      ['a page of this site', { 'sec-fetch-site': 'same-site' }, true],
      ['the address bar', { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }, true],
      ['a link elsewhere', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, true],
      ['a script elsewhere', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }, false],
      ['an image elsewhere', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, false],
      [
        'a page of this server, in an old browser',
        { origin: 'http://localhost:80', host: 'localhost:80' },
        false
      ],
      ['the same with its port', { origin: 'http://localhost:8000', host: 'localhost:8000' }, true],
      [
        'a page elsewhere, in an old browser',
        { origin: 'http://evil.example', host: 'localhost:8000' },
        false
      ],
      ['a page without origin, in an old browser', { origin: 'null', host: 'localhost:8000' }, false]
    ])('counts when %s asks', async (_name, headers, counts) => {
      expect(await me({ cookie: cookie(access), ...headers })).toBe(counts ? ANN : 401)
    })

    test('does not let another site’s form change anything', async () => {
      const elsewhere = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
      const { status } = await ask(
        '/groups',
        { cookie: cookie(access), ...elsewhere },
        { method: 'POST', payload: {} }
      )
      expect(status).toBe(401)
    })
  })

  describe('by the URL', () => {
    test('is told by signature_token on downloads only', async () => {
      const token = await signAppToken(ANN, Math.floor(Date.now() / 1000) + 10, services.apiSecret)
      const upload = (query: string) => ask(`/uploads/private/raw?${query}`)
      expect((await upload('')).status).toBe(401)
      // It is no zip before it is published; who may not see it does not learn that.
      expect((await upload(`signature_token=${token}`)).status).toBe(400)
      expect(
        (await upload(`signature_token=${await signAppToken(BOB, 4_000_000_000, services.apiSecret)}`)).status
      ).toBe(403)
      expect(await ask(`/uploads/private?signature_token=${token}`)).toMatchObject({ status: 401 })
      expect(await me({})).toBe(401)
      expect((await ask(`/users/me?signature_token=${token}`)).status).toBe(401)
    })

    test('is an error by what is no signature token', async () => {
      const old = await signAppToken(ANN, Math.floor(Date.now() / 1000) - 1, services.apiSecret)
      expect(await ask(`/entries/raw?signature_token=${old}`)).toMatchObject({
        status: 401,
        detail: 'Expired token.'
      })
      for (const wrong of [access, 'abc', (await make(ANN, ['entries:read'])).raw]) {
        expect(await ask(`/entries/raw?signature_token=${wrong}`)).toMatchObject({
          status: 401,
          detail: 'Invalid token.'
        })
      }
    })
  })

  describe('by an upload token', () => {
    const put = (headers: Record<string, string>, query = '') =>
      ask(`/uploads/private/raw/a.txt${query}`, headers, { method: 'PUT', payload: 'x' })

    test('is told on the routes that send files, by header and by URL', async () => {
      const token = uploadToken(ANN, services.apiSecret) as string
      expect((await put({})).status).toBe(401)
      for (const answer of [await put({ 'upload-token': token }), await put({}, `?token=${token}`)]) {
        expect([401, 403]).not.toContain(answer.status)
      }
    })

    test('is an error by a wrong one, and nobody elsewhere', async () => {
      const wrong = uploadToken(ANN, 'another secret of some length!!!') as string
      expect(await put({ 'upload-token': wrong })).toMatchObject({
        status: 401,
        detail: 'An invalid upload token was supplied.'
      })
      const unknown = uploadToken('00000000-0000-0000-0000-0000000000ff', services.apiSecret) as string
      expect(await put({ 'upload-token': unknown })).toMatchObject({
        status: 401,
        detail: 'An invalid upload token was supplied.'
      })
      expect(await me({ 'upload-token': uploadToken(ANN, services.apiSecret) as string })).toBe(401)
      expect((await ask('/info', { 'upload-token': wrong })).status).toBe(200)
    })
  })

  test('is looked at before the rest of the request, and after malformed JSON', async () => {
    const post = (payload: string, headers: Record<string, string>) =>
      ask('/entries/query', { 'content-type': 'application/json', ...headers }, { method: 'POST', payload })
    const wrong = { authorization: 'Bearer abc' }
    expect((await post('{', wrong)).status).toBe(422)
    expect((await post('{"owner":"nobody"}', wrong)).status).toBe(401)
    expect((await post('', wrong)).status).toBe(401)
    expect((await ask('/uploads?page_size=x')).status).toBe(401)
    expect((await ask('/uploads?page_size=x', { authorization: await bearer(services, ANN) })).status).toBe(
      422
    )
    expect((await ask('/nowhere', wrong)).status).toBe(404)
  })

  test('needs the scopes of the operation', async () => {
    const { raw } = await make(ANN, ['entries:read'])
    const authorization = `Bearer ${raw}`
    expect((await ask('/entries?page_size=0', { authorization })).status).toBe(200)
    expect(await ask('/uploads', { authorization })).toMatchObject({
      status: 403,
      detail: "Missing scopes: ['uploads:read']"
    })
    // Nobody in particular may read, and export nothing.
    expect(await ask('/uploads/private/bundle')).toMatchObject({
      status: 403,
      detail: "Missing scopes: ['uploads:export']"
    })
  })

  describe('is known anew', () => {
    /** Lets the time pass for which persons are remembered. */
    const later = async () => {
      // The cache reads the clock once in a turn.
      await new Promise(resolve => setTimeout(resolve, 5))
      const now = performance.now()
      vi.spyOn(performance, 'now').mockImplementation(() => now + 3100)
    }

    test('within seconds when an account is disabled, whatever the token', async () => {
      const bobs = [
        { authorization: `Bearer ${await tokenOf('bob')}` },
        { authorization: await bearer(services, BOB) },
        { authorization: `Bearer ${(await make(BOB, ['users:read'])).raw}` },
        { cookie: cookie(await tokenOf('bob')) }
      ] as Record<string, string>[]
      for (const headers of bobs) expect(await me(headers)).toBe(BOB)
      await disableAccount(BOB, services.accounts)
      await later()
      for (const headers of bobs) expect(await me(headers)).toBe(401)
      expect(await ask('/info', bobs[1])).toMatchObject({
        status: 401,
        detail: 'Could not validate credentials. The account is disabled.'
      })
      expect(
        await ask(
          '/uploads/private/raw/a',
          { 'upload-token': uploadToken(BOB, services.apiSecret) as string },
          { method: 'PUT', payload: 'x' }
        )
      ).toMatchObject({ status: 401 })
      expect(await services.identity.signIn('bob', PASSWORD, true)).toBeUndefined()
      await enableAccount(BOB, services.accounts)
    })

    test('within seconds when the password is changed: access tokens of before are over', async () => {
      const before = await tokenOf('ann')
      expect(await me({ authorization: `Bearer ${before}` })).toBe(ANN)
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2000 })
      await setPassword(ANN, PASSWORD, services.accounts)
      const after = await tokenOf('ann')
      await later()
      expect(await me({ authorization: `Bearer ${before}` })).toBe(401)
      expect(await me({ authorization: `Bearer ${after}` })).toBe(ANN)
      access = after
    })

    test('at once when a request to this process may have changed it', async () => {
      const authorization = await bearer(services, ANN)
      const see = async () => (await ask('/uploads/shared', { authorization })).status
      const group = { group_id: 'lab', group_name: 'lab', owner: BOB, members: [BOB], members_info: [] }
      const upload = (await services.documents.upload('private')) as Upload
      await services.documents.putUpload({
        ...upload,
        upload_id: 'shared',
        main_author: BOB,
        reviewer_groups: ['lab']
      })
      await services.documents.putGroups([group])
      expect(await see()).toBe(403)
      await services.documents.putGroups([{ ...group, members: [BOB, ANN] }])
      const change = { metadata: { name: 'x', scopes: ['info:read'] } }
      const headers = { authorization: `Bearer ${access}` }
      expect((await ask('/auth/pats', headers, { method: 'POST', payload: change })).status).toBe(201)
      expect(await see()).toBe(200)
    })
  })

  test('costs less than 0.2 ms of processor time, whatever the token', async () => {
    const authenticator = new Authenticator({ ...services, anonymousScopes: ALL_SCOPES })
    for (const token of [
      access,
      (await bearer(services, ANN)).slice(7),
      (await make(ANN, ['users:read'])).raw
    ]) {
      const identify = () => authenticator.identify({ bearer: token })
      for (let i = 0; i < 200; i++) await identify()
      const before = process.cpuUsage()
      for (let i = 0; i < 2000; i++) expect((await identify()).caller.user?.user_id).toBe(ANN)
      const { user, system } = process.cpuUsage(before)
      expect((user + system) / 1000 / 2000).toBeLessThan(0.2)
    }
  })

  describe('by settings', () => {
    const withSettings = async (
      settings: Record<string, string>,
      check: (app: FastifyInstance, services: TestServices) => Promise<void>
    ) => {
      const other = await openTestServices(profile, settings)
      await other.documents.putUsers([
        { user_id: ANN, username: 'ann', email: 'Ann@example.org', first_name: 'Ann', last_name: '' },
        { user_id: BOB, username: 'bob', first_name: 'Bob', last_name: '' }
      ])
      const otherApp = await testApp(other)
      try {
        await check(otherApp, other)
      } finally {
        await otherApp.close()
        await other.close()
      }
    }
    const get = async (app_: FastifyInstance, url: string, authorization?: string) =>
      (await app_.inject({ url, headers: authorization ? { authorization } : {} })).statusCode

    test('must be somebody', () =>
      withSettings({ SERAI_REQUIRE_AUTHENTICATION: 'true' }, async (other, its) => {
        for (const path of ['/entries', '/info', '/users/x', '/datasets']) {
          expect(await get(other, `/api/v1${path}`), path).toBe(401)
        }
        expect(await get(other, '/api/v1/entries', await bearer(its, ANN))).toBe(200)
        expect(await get(other, '/api/v1/entries', 'Bearer nomad_pat_dead')).toBe(401)
        // Health, documentation and signing in stay open.
        for (const path of ['/-/health', '/alive', '/api/v1/openapi.json', '/api/v1/auth/jwks']) {
          expect(await get(other, path), path).toBe(200)
        }
        expect(await get(other, '/api/v1/auth/token')).toBe(422)
      }))

    test('must be on the list, by user name or e-mail address', async () => {
      await withSettings({ SERAI_AUTHORIZED_USERS: ' ANN@example.org, zoe' }, async (other, its) => {
        expect(await get(other, '/api/v1/users/me', await bearer(its, ANN))).toBe(200)
        const refused = await other.inject({
          url: '/api/v1/entries',
          headers: { authorization: await bearer(its, BOB) }
        })
        expect([refused.statusCode, refused.json()]).toEqual([
          403,
          { detail: 'You are not authorized to access this Oasis' }
        ])
        expect(await get(other, '/api/v1/entries')).toBe(200)
      })
      await withSettings({ SERAI_AUTHORIZED_USERS: 'Bob' }, async (other, its) => {
        expect(await get(other, '/api/v1/users/me', await bearer(its, BOB))).toBe(200)
        expect(await get(other, '/api/v1/users/me', await bearer(its, ANN))).toBe(403)
      })
    })

    test('may be let in with fewer scopes when not on the list', () =>
      withSettings(
        { SERAI_AUTHORIZED_USERS: 'ann', SERAI_UNAUTHORIZED_SCOPES: '*:read, !users:read' },
        async (other, its) => {
          const bobs = await bearer(its, BOB)
          expect(await get(other, '/api/v1/uploads', bobs)).toBe(200)
          const refused = await other.inject({ url: '/api/v1/users/me', headers: { authorization: bobs } })
          expect([refused.statusCode, refused.json()]).toEqual([
            403,
            { detail: "Missing scopes: ['users:read']" }
          ])
          const headers = { authorization: bobs }
          expect(
            (await other.inject({ method: 'DELETE', url: '/api/v1/uploads/x', headers })).statusCode
          ).toBe(403)
          // Never more than the token was made for.
          const { raw } = await createToken(
            BOB,
            { name: 'x', scopes: ['info:read', 'uploads:write'], description: null, days: 1 },
            { maxLifetime: 365, maxActive: 10 },
            its.accounts
          )
          expect(await get(other, '/api/v1/info', `Bearer ${raw}`)).toBe(200)
          expect(await get(other, '/api/v1/uploads', `Bearer ${raw}`)).toBe(403)
          expect(await get(other, '/api/v1/users/me', await bearer(its, ANN))).toBe(200)
        }
      ))

    test('has, as nobody, the scopes that are set', async () => {
      await withSettings({ SERAI_ANONYMOUS_SCOPES: 'info:*, entries:read' }, async other => {
        expect(await get(other, '/api/v1/info')).toBe(200)
        expect(await get(other, '/api/v1/entries?page_size=0')).toBe(200)
        expect(await get(other, '/api/v1/datasets')).toBe(403)
      })
      await withSettings({ SERAI_ANONYMOUS_SCOPES: 'none' }, async (other, its) => {
        expect(await get(other, '/api/v1/info')).toBe(403)
        expect(await get(other, '/api/v1/info', await bearer(its, ANN))).toBe(200)
      })
    })
  })
})
