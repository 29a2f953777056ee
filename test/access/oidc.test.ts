import { type JWTPayload, SignJWT } from 'jose'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { bearer, openTestServices, type TestServices, testApp } from '../app.ts'
import { OidcServer } from './oidc-server.ts'

const ANN = {
  sub: 'ann-id',
  preferred_username: 'ann',
  given_name: 'Ann',
  family_name: 'Ng',
  email: 'ann@x.org'
}

interface Answer {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly body: Record<string, unknown>
}

/** A running application. */
interface Running {
  readonly services: TestServices
  /** Asks with a token of the provider. */
  ask(token?: string, path?: string): Promise<Answer>
  signIn(password?: string): Promise<Answer>
}

let provider: OidcServer

beforeEach(async () => {
  provider = await OidcServer.start()
})
afterEach(async () => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  await provider.stop().catch(() => {})
})

async function withApp(
  check: (app: Running) => Promise<void>,
  settings: Record<string, string> = {}
): Promise<void> {
  const services = await openTestServices('embedded', {
    SERAI_OIDC_ISSUER: provider.issuer,
    SERAI_OIDC_CLIENT_ID: 'nomad_public',
    ...settings
  })
  const app = await testApp(services)
  const answer = (response: Awaited<ReturnType<typeof app.inject>>): Answer => ({
    status: response.statusCode,
    headers: response.headers,
    body: response.json()
  })
  try {
    await check({
      services,
      ask: async (token, path = '/users/me') =>
        answer(
          await app.inject({
            url: `/api/v1${path}`,
            headers: token !== undefined ? { authorization: `Bearer ${token}` } : {}
          })
        ),
      signIn: async (password = 'right') =>
        answer(
          await app.inject({
            method: 'POST',
            url: '/api/v1/auth/token',
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            payload: new URLSearchParams({ username: 'ann', password }).toString()
          })
        )
    })
  } finally {
    await app.close()
    await services.close()
  }
}

/** Lets the time pass for which persons are remembered. */
async function later(milliseconds = 3100): Promise<void> {
  await new Promise(resolve => setTimeout(resolve, 5))
  const now = performance.now()
  vi.spyOn(performance, 'now').mockImplementation(() => now + milliseconds)
}

const DETAIL = 'Could not validate credentials. The given token is invalid.'

describe('tokens of an OpenID Connect provider', () => {
  test('let in, and make their owner known to everybody else', () =>
    withApp(async ({ ask, services }) => {
      expect(await ask(await provider.token(ANN))).toMatchObject({
        status: 200,
        body: { user_id: 'ann-id', username: 'ann', name: 'Ann Ng', email: 'ann@x.org', is_admin: false }
      })
      expect((await ask(undefined, '/users?username=ann')).body.data).toMatchObject([{ user_id: 'ann-id' }])
      // What only this server knows stays, what the provider says changes.
      await services.documents.putUsers([
        {
          user_id: 'ann-id',
          username: 'ann',
          first_name: 'Ann',
          last_name: 'Ng',
          affiliation: 'Lab',
          is_admin: true
        }
      ])
      await later()
      const married = { ...ANN, family_name: 'Os' }
      expect((await ask(await provider.token(married))).body).toMatchObject({
        last_name: 'Os',
        affiliation: 'Lab',
        is_admin: true
      })
      expect(await services.documents.user('ann-id')).toMatchObject({ last_name: 'Os', is_admin: true })
      // App tokens act for them too.
      const app = (await bearer(services, 'ann-id')).slice(7)
      expect((await ask(app)).status).toBe(200)
    }))

  test('are verified once; the provider is asked for its keys once', () =>
    withApp(async ({ ask }) => {
      const token = await provider.token(ANN)
      for (let i = 0; i < 5; i++) expect((await ask(token)).status).toBe(200)
      await ask(await provider.token({ ...ANN, jti: 'another' }))
      expect(provider.asked).toEqual([
        'GET /realms/test/.well-known/openid-configuration',
        'GET /realms/test/certs'
      ])
    }))

  test.each<[string, JWTPayload]>([
    ['has expired', { exp: Math.floor(Date.now() / 1000) - 60 }],
    ['never expires', { exp: undefined } as unknown as JWTPayload],
    ['is of another issuer', { iss: 'https://evil.example' }],
    ['is not valid yet', { nbf: Math.floor(Date.now() / 1000) + 300 }],
    ['was issued in the future', { iat: Math.floor(Date.now() / 1000) + 300 }],
    ['is an identity token', { typ: 'ID' }],
    ['is a refresh token', { typ: 'Refresh' }]
  ])('are refused when one %s', (_name, claims) =>
    withApp(async ({ ask }) => {
      expect(await ask(await provider.token({ ...ANN, ...claims }))).toMatchObject({
        status: 401,
        body: { detail: DETAIL },
        headers: { 'www-authenticate': 'Bearer' }
      })
    })
  )

  test('are refused without subject, with words of their own', () =>
    withApp(async ({ ask }) => {
      const { status, body } = await ask(await provider.token({ preferred_username: 'ann' }))
      expect(status).toBe(401)
      expect(body.detail).toMatch(/^Could not validate credentials\./)
    }))

  test('may come from a clock that is half a minute off', () =>
    withApp(async ({ ask }) => {
      const now = Math.floor(Date.now() / 1000)
      expect((await ask(await provider.token({ ...ANN, exp: now - 15 }))).status).toBe(200)
      expect((await ask(await provider.token({ ...ANN, iat: now + 15, nbf: now + 15 }))).status).toBe(200)
    }))

  test('are refused when their signature is somebody else’s work', () =>
    withApp(async ({ ask }) => {
      const token = await provider.token(ANN)
      const [head, payload, signature] = token.split('.') as [string, string, string]
      const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
      const stranger = await OidcServer.start()
      const forged = await stranger.token({ ...ANN, iss: provider.issuer })
      await stranger.stop()
      const publicKey = (await (await fetch(`${provider.issuer}/certs`)).json()) as { keys: unknown[] }
      const confused = await new SignJWT({ ...ANN, iss: provider.issuer, exp: 4_000_000_000 })
        .setProtectedHeader({ alg: 'HS256', kid: 'first' })
        .sign(new TextEncoder().encode(JSON.stringify(publicKey.keys[0])))
      for (const wrong of [
        forged,
        confused,
        `${encoded({ alg: 'none', kid: 'first' })}.${payload}.`,
        `${head}.${encoded({ ...ANN, sub: 'bob-id', exp: 4_000_000_000, iss: provider.issuer })}.${signature}`,
        `${encoded({ alg: 'RS256' })}.${payload}.${signature}`,
        await provider.token(ANN, 'first', { crit: ['x'], x: 1 }).catch(() => 'a.b.c')
      ]) {
        expect(await ask(wrong), wrong).toMatchObject({ status: 401, body: { detail: DETAIL } })
      }
    }))

  test('of this server itself are none', () =>
    withApp(async ({ ask, services }) => {
      const own = await openTestServices('embedded')
      const { setPassword } = await import('../../src/access/account-changes.ts')
      await own.documents.putUsers([{ user_id: 'x', username: 'x', first_name: '', last_name: '' }])
      await setPassword('x', 'a long enough password', own.accounts)
      const token = (await own.identity.signIn('x', 'a long enough password', true))?.access_token
      await own.close()
      expect((await ask(token)).status).toBe(401)
      expect(await services.identity.publicKeys()).toEqual({ keys: [] })
    }))

  test('need the audience, if one is set', () =>
    withApp(
      async ({ ask }) => {
        expect((await ask(await provider.token(ANN))).status).toBe(401)
        expect((await ask(await provider.token({ ...ANN, aud: ['account', 'serai'] }))).status).toBe(200)
      },
      { SERAI_OIDC_AUDIENCE: 'serai' }
    ))

  test('may name the address by which people know the provider', () =>
    withApp(
      async ({ ask }) => {
        expect((await ask(await provider.token({ ...ANN, iss: 'https://login.example.org' }))).status).toBe(
          200
        )
        expect((await ask(await provider.token(ANN))).status).toBe(200)
        expect((await ask(await provider.token({ ...ANN, iss: 'https://login.example.com' }))).status).toBe(
          401
        )
      },
      { SERAI_OIDC_PUBLIC_ISSUER: 'https://login.example.org' }
    ))
})

describe('keys of the provider', () => {
  const fetches = () => provider.asked.filter(asked => asked.endsWith('/certs')).length

  test('are fetched anew for one that is not known, once in half a minute', () =>
    withApp(async ({ ask }) => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
      expect((await ask(await provider.token(ANN))).status).toBe(200)
      await provider.addKey('second')
      vi.setSystemTime(Date.now() + 31_000)
      expect((await ask(await provider.token(ANN, 'second'))).status).toBe(200)
      expect(fetches()).toBe(2)
      await provider.addKey('lost')
      const unknown = await provider.token(ANN, 'lost')
      for (let i = 0; i < 5; i++) {
        const { status, body } = await ask(unknown)
        expect(status).toBe(401)
        expect((body.detail as string).split('\n').length).toBe(3)
        expect(body.detail).toMatch(/^Could not validate credentials\./)
      }
      expect(fetches()).toBe(2)
    }))

  test('that are withdrawn do not verify for ever', () =>
    withApp(async ({ ask }) => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
      await provider.addKey('second')
      const exp = Math.floor(Date.now() / 1000) + 9000
      // One for each look: a token that was found valid stays so.
      const stolen = await Promise.all(
        Array.from({ length: 50 }, (_, i) => provider.token({ ...ANN, exp, jti: `${i}` }))
      )
      expect((await ask(stolen.pop())).status).toBe(200)
      provider.removeKey('first')
      vi.setSystemTime(Date.now() + 11 * 60_000)
      // The first one after the time makes the keys be fetched; it does not wait for them.
      expect((await ask(await provider.token(ANN, 'second'))).status).toBe(200)
      await vi.waitFor(() => expect(fetches()).toBe(2))
      await vi.waitFor(async () => expect((await ask(stolen.pop())).status).toBe(401))
    }))
})

describe('while the provider is away', () => {
  test('the server starts and serves, known tokens go on, others and sign-ins are told so', () =>
    withApp(async ({ ask, signIn }) => {
      const known = await provider.token(ANN)
      const unseen = await provider.token({ ...ANN, jti: 'unseen' })
      await provider.stop()
      const away = {
        status: 503,
        body: { detail: 'The identity provider cannot be reached at the moment. Please try again later.' },
        headers: { 'retry-after': '5' }
      }
      expect((await ask(undefined, '/info')).status).toBe(200)
      expect(await ask(known)).toMatchObject(away)
      expect(await signIn()).toMatchObject(away)
      // Nonsense is told without asking anybody.
      expect((await ask('abc')).status).toBe(401)

      await provider.listen()
      await new Promise(resolve => setTimeout(resolve, 2100))
      expect((await ask(known)).status).toBe(200)
      await provider.stop()
      await later()
      expect((await ask(known)).status).toBe(200)
      // The keys are known too.
      expect((await ask(unseen)).status).toBe(200)
      expect(await signIn()).toMatchObject(away)
    }))
})

describe('signing in with the provider', () => {
  test('passes name and password on, and the answer back', () =>
    withApp(async ({ ask, signIn }) => {
      const { status, body } = await signIn()
      expect(status).toBe(200)
      expect(body).toEqual({
        access_token: expect.any(String),
        token_type: 'Bearer',
        expires_in: 300,
        refresh_token: 'r',
        scope: 'profile',
        id_token: null,
        refresh_expires_in: 1800
      })
      expect(Object.fromEntries(provider.form ?? [])).toEqual({
        grant_type: 'password',
        client_id: 'nomad_public',
        username: 'ann',
        password: 'right'
      })
      expect((await ask(body.access_token as string)).body.username).toBe('ann')
    }))

  test('sends the secret of a confidential client', () =>
    withApp(
      async ({ signIn }) => {
        expect((await signIn()).status).toBe(200)
        expect(provider.form?.get('client_secret')).toBe('s3cret')
      },
      { SERAI_OIDC_CLIENT_SECRET: 's3cret' }
    ))

  test('fails as usual with a wrong password, and is throttled', () =>
    withApp(async ({ signIn }) => {
      for (let i = 0; i < 5; i++) {
        expect(await signIn('wrong')).toMatchObject({
          status: 401,
          body: { detail: 'Incorrect username or password' }
        })
      }
      const asked = provider.asked.length
      expect((await signIn()).status).toBe(429)
      expect(provider.asked.length).toBe(asked)
    }))

  test.each([
    [{ status: 401, body: { error: 'unauthorized_client' } }, 502, 'unauthorized_client'],
    [{ status: 400, body: 'not JSON' }, 502, 'status 400'],
    [{ status: 200, body: {} }, 502, 'status 200'],
    [{ status: 500, body: { error: 'x' } }, 503, 'cannot be reached']
  ])('tells apart what is not the password: %j', (tokenAnswer, status, words) =>
    withApp(async ({ signIn }) => {
      provider.tokenAnswer = tokenAnswer
      const answer = await signIn()
      expect(answer.status).toBe(status)
      expect(answer.body.detail).toContain(words)
    })
  )
})

describe('the directory of the provider', () => {
  const keycloak = { SERAI_OIDC_DIRECTORY: 'keycloak', SERAI_OIDC_CLIENT_SECRET: 's3cret' }
  const asked = () =>
    provider.asked.filter(line => line.includes('/users/') || line.includes('/users?')).length

  test('says who persons are, once a day', () =>
    withApp(async ({ ask, services }) => {
      provider.persons['ann-id'] = {
        id: 'ann-id',
        username: 'ann',
        firstName: 'Anna',
        lastName: 'Ng',
        email: 'anna@x.org',
        attributes: { affiliation: ['Lab'], affiliation_address: ['Street 1'] }
      }
      for (let i = 0; i < 3; i++) {
        expect((await ask(await provider.token({ ...ANN, jti: `${i}` }))).body).toMatchObject({
          first_name: 'Anna',
          email: 'anna@x.org',
          affiliation: 'Lab',
          affiliation_address: 'Street 1'
        })
        await later()
      }
      expect(asked()).toBe(1)
      expect(Object.fromEntries(provider.form ?? [])).toEqual({
        grant_type: 'client_credentials',
        client_id: 'nomad_public',
        client_secret: 's3cret'
      })
      // What an operator does in between counts.
      const user = await services.documents.user('ann-id')
      await services.documents.putUsers([{ ...(user as NonNullable<typeof user>), is_admin: true }])
      await later()
      expect((await ask(await provider.token(ANN))).body.is_admin).toBe(true)
    }, keycloak))

  test('keeps out whom it does not know', () =>
    withApp(async ({ ask }) => {
      expect(await ask(await provider.token(ANN))).toMatchObject({
        status: 403,
        body: { detail: 'You are logged in with an unknown user' }
      })
    }, keycloak))

  test('when it does not answer, lets in those that are known already', () =>
    withApp(async ({ ask, services }) => {
      provider.directoryStatus = 500
      expect(await ask(await provider.token(ANN))).toMatchObject({
        status: 500,
        body: { detail: 'Failed to verify authenticated user' }
      })
      await services.documents.putUsers([
        { user_id: 'ann-id', username: 'ann', first_name: 'A', last_name: 'N' }
      ])
      expect((await ask(await provider.token(ANN))).status).toBe(200)
    }, keycloak))

  test('asks with a new token when its own has expired', () =>
    withApp(async ({ ask }) => {
      provider.persons['ann-id'] = { username: 'ann' }
      provider.persons['bob-id'] = { username: 'bob' }
      expect((await ask(await provider.token(ANN))).status).toBe(200)
      provider.directoryStatus = 401
      const signIns = () => provider.asked.filter(line => line.endsWith('/token')).length
      const before = signIns()
      expect((await ask(await provider.token({ ...ANN, sub: 'bob-id' }))).status).toBe(500)
      expect(signIns()).toBe(before + 1)
      provider.directoryStatus = undefined
      expect((await ask(await provider.token({ ...ANN, sub: 'bob-id' }))).body.username).toBe('bob')
    }, keycloak))

  test('can be that of a central installation', async () => {
    const central = await openTestServices('embedded')
    await central.documents.putUsers([
      {
        user_id: 'ann-id',
        username: 'ann.central',
        first_name: 'Ann',
        last_name: 'Central',
        affiliation: 'HQ'
      }
    ])
    const centralApp = await testApp(central)
    const url = await centralApp.listen({ host: '127.0.0.1', port: 0 })
    await withApp(
      async ({ ask }) => {
        expect((await ask(await provider.token(ANN))).body).toMatchObject({
          username: 'ann.central',
          last_name: 'Central',
          affiliation: 'HQ'
        })
        expect((await ask(await provider.token({ ...ANN, sub: 'nobody' }))).status).toBe(403)
      },
      { SERAI_OIDC_DIRECTORY: 'central', SERAI_OIDC_DIRECTORY_URL: `${url}/api/v1/` }
    )
    await centralApp.close()
    await central.close()
  })
})
