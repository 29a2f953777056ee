import { describe, expect, test } from 'vitest'
import { isLoopback } from '../src/access-settings.ts'
import { readConfig } from '../src/config.ts'

const ISSUER = 'https://auth.example.org/realms/nomad'

const problemsOf = (settings: Record<string, string>) => {
  try {
    readConfig(settings)
    return []
  } catch (error) {
    return (error as { problems: string[] }).problems
  }
}

describe('settings of who may come in', () => {
  test('have defaults that need nothing else', () => {
    const { access } = readConfig({})
    expect(access).toMatchObject({
      requireAuthentication: false,
      accessTokenExpiresIn: 1800,
      appTokenMaxExpiresIn: 2_592_000,
      patMaxLifetime: 365,
      patMaxActive: 100,
      tokenIssuer: 'serai',
      demoUsers: 'local'
    })
    expect(access).not.toHaveProperty('oidc')
    expect(access).not.toHaveProperty('authorizedUsers')
    expect(access.anonymousScopes.has('entries:read')).toBe(true)
    expect(access.anonymousScopes.has('uploads:export')).toBe(false)
  })

  test('refuse the well-known password beyond this machine, unless it is wanted', () => {
    expect(readConfig({ SERAI_HOST: '0.0.0.0' }).access.demoUsers).toBe(false)
    expect(readConfig({}, { host: '::' }).access.demoUsers).toBe(false)
    expect(readConfig({ SERAI_HOST: '0.0.0.0', SERAI_ALLOW_DEMO_USERS: 'yes' }).access.demoUsers).toBe(true)
  })

  test('make a provider of what is said of it', () => {
    const settings = { SERAI_OIDC_ISSUER: ISSUER, SERAI_OIDC_CLIENT_ID: 'nomad_public' }
    expect(readConfig(settings).access.oidc).toEqual({
      issuer: ISSUER,
      clientId: 'nomad_public',
      directory: { kind: 'token' }
    })
    expect(
      readConfig({
        ...settings,
        SERAI_OIDC_CLIENT_SECRET: 's',
        SERAI_OIDC_AUDIENCE: 'serai',
        SERAI_OIDC_PUBLIC_ISSUER: 'https://login.example.org',
        SERAI_OIDC_DIRECTORY: 'keycloak'
      }).access.oidc
    ).toEqual({
      issuer: ISSUER,
      publicIssuer: 'https://login.example.org',
      clientId: 'nomad_public',
      clientSecret: 's',
      audience: 'serai',
      directory: { kind: 'keycloak' }
    })
  })

  test.each([
    [{ SERAI_OIDC_ISSUER: ISSUER }, ['SERAI_OIDC_CLIENT_ID is needed with SERAI_OIDC_ISSUER']],
    [
      { SERAI_OIDC_CLIENT_ID: 'x', SERAI_OIDC_AUDIENCE: 'y' },
      ['SERAI_OIDC_CLIENT_ID needs SERAI_OIDC_ISSUER too', 'SERAI_OIDC_AUDIENCE needs SERAI_OIDC_ISSUER too']
    ],
    [
      { SERAI_OIDC_ISSUER: ISSUER, SERAI_OIDC_CLIENT_ID: 'x', SERAI_OIDC_DIRECTORY: 'central' },
      ['SERAI_OIDC_DIRECTORY_URL is needed with SERAI_OIDC_DIRECTORY=central']
    ],
    [
      { SERAI_OIDC_ISSUER: 'https://x.org', SERAI_OIDC_CLIENT_ID: 'x', SERAI_OIDC_DIRECTORY: 'keycloak' },
      [expect.stringContaining('/realms/<realm>'), expect.stringContaining('SERAI_OIDC_CLIENT_SECRET')]
    ],
    [
      { SERAI_AUTHORIZED_USERS: 'ann', SERAI_UNAUTHORIZED_SCOPES: '!planes:fly' },
      ['SERAI_UNAUTHORIZED_SCOPES: planes:fly matches no scope']
    ],
    [{ SERAI_UNAUTHORIZED_SCOPES: '*:read' }, ['SERAI_UNAUTHORIZED_SCOPES needs SERAI_AUTHORIZED_USERS too']],
    [{ SERAI_ANONYMOUS_SCOPES: 'entr*:read' }, [expect.stringContaining('entr*:read is not of the form')]],
    [{ SERAI_ANONYMOUS_SCOPES: '*:read,planes:fly' }, ['SERAI_ANONYMOUS_SCOPES: planes:fly matches no scope']]
  ])('%j: are told what is wrong', (settings, problems) => {
    expect(problemsOf(settings)).toEqual(problems)
  })

  test('never repeat a secret', () => {
    const settings = {
      SERAI_API_SECRET: 'hunter2',
      SERAI_OIDC_ISSUER: 'x',
      SERAI_OIDC_CLIENT_SECRET: 'hunter2',
      SERAI_OIDC_DIRECTORY_PASSWORD: 'hunter2'
    }
    const problems = problemsOf(settings)
    expect(problems.length).toBeGreaterThan(1)
    expect(problems.join()).not.toContain('hunter2')
  })
})

test.each([
  ['127.0.0.1', true],
  ['127.8.9.1', true],
  ['::1', true],
  ['[::1]', true],
  ['localhost', true],
  ['::ffff:127.0.0.1', true],
  ['0.0.0.0', false],
  ['::', false],
  ['192.168.0.1', false],
  ['example.org', false],
  ['', false]
])('%j is an address of this machine alone: %s', (host, is) => {
  expect(isLoopback(host)).toBe(is)
})
