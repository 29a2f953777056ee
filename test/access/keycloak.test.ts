/**
 * Against a real Keycloak with the realm `fairdi_nomad_test`, whose address is in `SERAI_TEST_KEYCLOAK_URL`; without it
 * these tests are not there.
 */
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { openTestServices, type TestServices, testApp } from '../app.ts'

const keycloak = inject('keycloak')
const REALM = 'fairdi_nomad_test'
const TESS = '00000000-0000-4000-8000-000000000001'

describe('Keycloak', () => {
  let services: TestServices
  let app: FastifyInstance

  const settings = (more: Record<string, string> = {}) => ({
    SERAI_OIDC_ISSUER: `${keycloak}/realms/${REALM}`,
    SERAI_OIDC_CLIENT_ID: 'nomad_public',
    ...more
  })

  beforeAll(async () => {
    services = await openTestServices('embedded', settings())
    app = await testApp(services)
  })
  afterAll(async () => {
    await app.close()
    await services.close()
  })

  const signIn = async (username: string, password: string, to = app) => {
    const response = await to.inject({
      method: 'POST',
      url: '/api/v1/auth/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ grant_type: 'password', username, password }).toString()
    })
    return { status: response.statusCode, body: response.json() }
  }
  const me = async (token: string, to = app) => {
    const response = await to.inject({
      url: '/api/v1/users/me',
      headers: { authorization: `Bearer ${token}` }
    })
    return { status: response.statusCode, body: response.json() }
  }

  test('signs in by user name and by e-mail address, and its tokens let in', async () => {
    for (const name of ['test', 'test@example.org']) {
      const { status, body } = await signIn(name, 'password')
      expect(status).toBe(200)
      expect(body).toMatchObject({
        token_type: 'Bearer',
        expires_in: 3600,
        refresh_token: expect.any(String),
        scope: expect.stringContaining('email')
      })
      expect(await me(body.access_token)).toMatchObject({
        status: 200,
        body: { user_id: TESS, username: 'test', name: 'Tess Tester', email: 'test@example.org' }
      })
    }
  })

  test('refuses a wrong password', async () => {
    expect(await signIn('test', 'not the password')).toEqual({
      status: 401,
      body: { detail: 'Incorrect username or password' }
    })
  })

  test('gives further tokens, which are no access tokens', async () => {
    const { body } = await signIn('other', 'password')
    expect((await me(body.refresh_token)).status).toBe(401)
    expect((await me(`${body.access_token.slice(0, -4)}AAAA`)).status).toBe(401)
  })

  test('lets people get app and personal tokens', async () => {
    const { body } = await signIn('reviewer', 'password')
    const authorization = `Bearer ${body.access_token}`
    const app_ = await app.inject({ url: '/api/v1/auth/app_token?expires_in=60', headers: { authorization } })
    expect((await me(app_.json().app_token)).body.username).toBe('reviewer')
    const personal = await app.inject({
      method: 'POST',
      url: '/api/v1/auth/pats',
      headers: { authorization },
      payload: { metadata: { name: 'x', scopes: ['users:read'] } }
    })
    expect((await me(personal.json().raw_token)).body.username).toBe('reviewer')
  })

  test('says who people are by its admin API', async () => {
    const other = await openTestServices(
      'embedded',
      settings({
        SERAI_OIDC_DIRECTORY: 'keycloak',
        SERAI_OIDC_DIRECTORY_REALM: 'master',
        SERAI_OIDC_DIRECTORY_USERNAME: 'admin',
        SERAI_OIDC_DIRECTORY_PASSWORD: process.env.SERAI_TEST_KEYCLOAK_PASSWORD ?? 'admin'
      })
    )
    const otherApp = await testApp(other)
    try {
      const { body } = await signIn('test', 'password', otherApp)
      expect(await me(body.access_token, otherApp)).toMatchObject({
        status: 200,
        body: { user_id: TESS, username: 'test', first_name: 'Tess', last_name: 'Tester' }
      })
    } finally {
      await otherApp.close()
      await other.close()
    }
  })

  test('refuses a client that it does not know, which is not told as a wrong password', async () => {
    const other = await openTestServices('embedded', settings({ SERAI_OIDC_CLIENT_ID: 'nobody' }))
    const otherApp = await testApp(other)
    try {
      expect(await signIn('test', 'password', otherApp)).toMatchObject({
        status: 502,
        body: { detail: expect.stringContaining('invalid_client') }
      })
    } finally {
      await otherApp.close()
      await other.close()
    }
  })
})
