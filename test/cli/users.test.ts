import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildApp } from '../../src/app.ts'
import { addDemoUsers, DEMO_PASSWORD, demoUsers } from '../../src/cli/demo-users.ts'
import { readConfig } from '../../src/config.ts'
import { importCorpus } from '../../src/processing/corpus-import.ts'
import { openServices } from '../../src/services.ts'
import { run } from './serai.ts'

const PASSWORD = 'a long enough password'

let data: string

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'serai-users-'))
})
afterAll(() => rm(data, { recursive: true }))

const serai = (args: string[], input?: string, settings: Record<string, string> = {}) =>
  run(args, { SERAI_DATA_DIR: data, ...settings }, false, input)

/** Asks an application over the data folder for a token. */
async function signIn(username: string, password: string, settings: Record<string, string> = {}) {
  const config = readConfig({ SERAI_DATA_DIR: data, SERAI_DEMO_DATA: 'false', ...settings })
  const services = await openServices(config)
  const app = await buildApp(config, services)
  try {
    const url = `/api/v1/auth/token?${new URLSearchParams({ username, password })}`
    const response = await app.inject({ url })
    if (response.statusCode !== 200) return response.statusCode
    const authorization = `Bearer ${response.json().access_token}`
    const me = await app.inject({ url: '/api/v1/users/me', headers: { authorization } })
    return me.json() as Record<string, unknown>
  } finally {
    await app.close()
    await services.close()
  }
}

describe('serai user', () => {
  test('adds somebody who can sign in', async () => {
    const added = await serai(
      ['user', 'add', 'ann', '--email', 'ann@example.org', '--first-name', 'Ann', '--last-name', 'Ng'],
      `${PASSWORD}\n`
    )
    expect(added).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^user ann with id [\w-]{36} added\n$/),
      stderr: ''
    })
    expect(await signIn('ann@example.org', PASSWORD)).toMatchObject({
      username: 'ann',
      name: 'Ann Ng',
      is_admin: false
    })
  })

  test('makes up a password and shows it', async () => {
    const { code, stdout } = await serai(['user', 'add', 'root', '--generate', '--admin'])
    expect(code).toBe(0)
    const password = /^password: (\S{16})$/m.exec(stdout)?.[1] as string
    expect(await signIn('root', password)).toMatchObject({ username: 'root', is_admin: true })
  })

  test.each([
    [['add', 'ann'], PASSWORD, 'there is a user ann already'],
    [
      ['add', 'eve', '--email', 'ANN@example.org'],
      PASSWORD,
      'somebody has the e-mail address ANN@example.org already'
    ],
    [['add', 'ann@example.org'], PASSWORD, 'somebody has the e-mail address ann@example.org already'],
    [['add', 'a b'], PASSWORD, 'a user name has at most 100 letters, digits and . _ @ + -'],
    [['add', 'eve', '--email', 'nobody'], PASSWORD, 'nobody is no e-mail address'],
    [['add', 'eve'], 'short', 'a password needs at least 8 characters'],
    [['add', 'eve'], '', 'no password: write it to standard input, or let one be made with --generate'],
    [['passwd', 'nobody'], PASSWORD, 'there is no user nobody'],
    [['disable', 'nobody'], undefined, 'there is no user nobody'],
    [['make-admin', 'nobody'], undefined, 'there is no user nobody']
  ])('refuses %j with %j', async (args, input, message) => {
    expect(await serai(['user', ...args], input)).toEqual({
      code: 1,
      stdout: '',
      stderr: `serai: ${message}\n`
    })
  })

  test('changes passwords', async () => {
    expect((await serai(['user', 'passwd', 'ann'], 'another long password\r\nmore')).code).toBe(0)
    expect(await signIn('ann', PASSWORD)).toBe(401)
    expect(await signIn('ann', 'another long password')).toMatchObject({ username: 'ann' })
  })

  test('makes administrators, and keeps people out', async () => {
    expect((await serai(['user', 'make-admin', 'ann'])).stdout).toBe('ann is an administrator now\n')
    expect((await serai(['user', 'disable', 'ann'])).code).toBe(0)
    expect(await signIn('ann', 'another long password')).toBe(401)
    const list = (await serai(['user', 'list'])).stdout
    expect(list).toMatch(/^USER +ID +STATE +NAME +E-MAIL\n/)
    expect(list).toMatch(/^ann +[\w-]{36} +disabled, admin +Ann Ng +ann@example\.org$/m)
    expect(list).toMatch(/^root +[\w-]{36} +active, admin$/m)
    expect((await serai(['user', 'enable', 'ann'])).code).toBe(0)
    expect((await serai(['user', 'make-admin', 'ann', '--undo'])).code).toBe(0)
    expect(await signIn('ann', 'another long password')).toMatchObject({ username: 'ann', is_admin: false })
  })

  test('leaves accounts to a provider, if there is one', async () => {
    const oidc = { SERAI_OIDC_ISSUER: 'https://auth.example.org', SERAI_OIDC_CLIENT_ID: 'x' }
    expect(await serai(['user', 'add', 'eve'], PASSWORD, oidc)).toMatchObject({
      code: 1,
      stderr: 'serai: accounts and passwords are with the identity provider, https://auth.example.org\n'
    })
    expect((await serai(['user', 'make-admin', 'ann'], undefined, oidc)).code).toBe(0)
  })
})

test('serai keys rotate makes a key that is published at once', async () => {
  const first = await serai(['keys', 'rotate'])
  expect(first).toMatchObject({ code: 0, stderr: '' })
  const second = await serai(['keys', 'rotate'])
  const kids = [first, second].map(({ stdout }) => /key ([\w-]{36}) from now on/.exec(stdout)?.[1])
  expect(second.stdout).toMatch(/^tokens of the key before stay valid until \d{4}-.*Z$/m)
  const services = await openServices(readConfig({ SERAI_DATA_DIR: data }))
  const published = (await services.identity.publicKeys()).keys.map(key => key.kid)
  await services.close()
  expect(published).toEqual(expect.arrayContaining(kids))
  expect(published[0]).toBe(kids[1])
})

test('commands that change accounts, make keys or tokens leave a line in the audit log', async () => {
  const { user_id: ann } = (await signIn('ann', 'another long password')) as { user_id: string }
  expect((await serai(['token', 'ann'])).code).toBe(0)
  const text = await readFile(join(data, 'audit.jsonl'), 'utf8')
  const lines = text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  expect(lines.filter(line => line.event !== 'sign-in' && line.about === ann)).toMatchObject([
    { event: 'account.added', admin: false, outcome: 'done', audit: true, system_user: expect.any(String) },
    { event: 'account.password' },
    { event: 'account.admin', admin: true },
    { event: 'account.disabled' },
    { event: 'account.enabled' },
    { event: 'account.admin', admin: false },
    { event: 'account.admin', admin: true },
    { event: 'app-token.made', expires: expect.any(String) }
  ])
  expect(lines.filter(line => line.event === 'keys.rotated')).toHaveLength(2)
  for (const secret of [PASSWORD, 'another long password', 'example.org', 'eyJ'])
    expect(text).not.toContain(secret)
  const { stdout, stderr } = await serai(['keys', 'rotate'], undefined, { SERAI_AUDIT_LOG: 'log' })
  expect(JSON.parse(stderr)).toMatchObject({ audit: true, event: 'keys.rotated' })
  expect(stdout).toContain(JSON.parse(stderr).about)
})

describe('the persons of the example data', () => {
  const guide = join(import.meta.dirname, '../../fixtures/guide')
  const withServices = async <T>(
    work: (services: Awaited<ReturnType<typeof openServices>>) => Promise<T>
  ) => {
    const services = await openServices(readConfig({ SERAI_DATA_DIR: data }))
    try {
      return await work(services)
    } finally {
      await services.close()
    }
  }

  test('have no password when they are imported', async () => {
    await withServices(services => importCorpus(guide, services))
    expect(await signIn('lena.brandt', '')).toBe(422)
    expect(await signIn('lena.brandt', DEMO_PASSWORD)).toBe(401)
    expect((await serai(['user', 'list'])).stdout).toMatch(/^lena\.brandt .* no password /m)
  })

  test('get a well-known one, which lets in on this machine only', async () => {
    await withServices(services => addDemoUsers([guide], services))
    expect(await withServices(demoUsers)).toEqual(['lena.brandt', 'paulo.siqueira'])
    expect(await signIn('lena.brandt', DEMO_PASSWORD)).toMatchObject({ username: 'lena.brandt' })
    expect(await signIn('lena.brandt', DEMO_PASSWORD, { SERAI_HOST: '0.0.0.0' })).toBe(401)
    expect(
      await signIn('lena.brandt', DEMO_PASSWORD, { SERAI_HOST: '0.0.0.0', SERAI_ALLOW_DEMO_USERS: 'true' })
    ).toMatchObject({ username: 'lena.brandt' })
  })

  test('keep a password of their own', async () => {
    expect((await serai(['user', 'passwd', 'lena.brandt'], PASSWORD)).code).toBe(0)
    await withServices(services => addDemoUsers([guide], services))
    expect(await withServices(demoUsers)).toEqual(['paulo.siqueira'])
    expect(await signIn('lena.brandt', DEMO_PASSWORD)).toBe(401)
    expect(await signIn('lena.brandt', PASSWORD, { SERAI_HOST: '0.0.0.0' })).toMatchObject({
      username: 'lena.brandt'
    })
  })
})
