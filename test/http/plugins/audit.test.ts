/** The audit log: what a request leaves there, and what it never does. */
import { readFileSync, rmSync, statSync } from 'node:fs'
import { Writable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { setPassword } from '../../../src/access/account-changes.ts'
import { buildApp } from '../../../src/app.ts'
import { bearer, openTestServices, profiles, type TestServices, testApp } from '../../app.ts'

const PASSWORD = 'correct-horse-battery'
const MAIL = 'ann@example.org'
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

type Line = Record<string, unknown>

describe.each(profiles())('the audit log on %s', profile => {
  let services: TestServices
  let app: FastifyInstance
  let file: string
  /** Every line of this test file. */
  let everything = ''
  const tokens: string[] = []

  beforeAll(async () => {
    services = await openTestServices(profile)
    file = services.config.auditFile as string
    app = await testApp(services)
    await services.documents.putUsers([
      { user_id: 'id-ann', username: 'ann', email: MAIL, first_name: 'Ann', last_name: 'Ng' },
      { user_id: 'id-bob', username: 'bob', first_name: 'Bob', last_name: '' },
      { user_id: 'id-eve', username: 'eve', first_name: 'Eve', last_name: '' }
    ])
    for (const id of ['id-ann', 'id-bob']) await setPassword(id, PASSWORD, services.accounts)
    tokens.push((await services.identity.signIn('ann', PASSWORD, true))?.access_token as string)
  })
  afterAll(async () => {
    await app.close()
    await services.close()
  })
  beforeEach(() => {
    everything += readFileSync(file, 'utf8')
    // As a program that turns logs over does it.
    rmSync(file)
  })

  const lines = (): Line[] => {
    const text = readFileSync(file, 'utf8')
    expect(text).toMatch(/\n$/)
    return text
      .slice(0, -1)
      .split('\n')
      .map(line => JSON.parse(line))
  }
  const signIn = (username: string, password: string) =>
    app.inject({ url: `/api/v1/auth/token?${new URLSearchParams({ username, password })}` })
  const as = (token = tokens[0]) => ({ authorization: `Bearer ${token}` })

  test('tells who signed in, and from where, before they know it', async () => {
    const answer = await app.inject({
      method: 'POST',
      url: '/api/v1/auth/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ username: MAIL, password: PASSWORD }).toString(),
      remoteAddress: '192.0.2.7'
    })
    expect(answer.statusCode).toBe(200)
    tokens.push(answer.json().access_token)
    expect(lines()).toEqual([
      {
        time: expect.stringMatching(TIME),
        audit: true,
        event: 'sign-in',
        outcome: 'done',
        user: 'id-ann',
        status: 200,
        method: 'POST',
        path: '/api/v1/auth/token',
        ip: '192.0.2.7',
        request: expect.stringMatching(/^[\da-f-]{36}$/)
      }
    ])
  })

  test('tells whose account was tried in vain, and never what was typed', async () => {
    await signIn('ann', 'wrong-password')
    await signIn(MAIL, 'wrong-password')
    await signIn('typed-the-password-here', 'wrong-password')
    const told = lines()
    expect(told).toMatchObject(Array(3).fill({ event: 'sign-in', outcome: 'refused', status: 401 }))
    expect(told.map(line => line.about)).toEqual(['id-ann', 'id-ann', undefined])
    for (const line of told) expect(line).not.toHaveProperty('user')
  })

  test('tells of attempts that have to wait', async () => {
    for (let i = 0; i < 6; i++) await signIn('bob', 'wrong-password')
    await signIn('bob', PASSWORD)
    const told = lines()
    expect(told.map(line => line.outcome)).toEqual([...Array(5).fill('refused'), 'throttled', 'throttled'])
    expect(told.at(-1)).toMatchObject({ event: 'sign-in', status: 429, about: 'id-bob' })
  })

  test('tells of tokens that are made, replaced and revoked, by their ids', async () => {
    const payload = { metadata: { name: 'secret plans', scopes: ['entries:read'] }, expires_in_days: 7 }
    const post = (path: string) =>
      app.inject({ method: 'POST', url: `/api/v1/auth${path}`, headers: as(), payload })
    const made = (await post('/pats')).json()
    const rotated = (await post(`/pats/${made.pat.id}/rotate`)).json()
    const url = `/api/v1/auth/pats/${rotated.pat.id}`
    expect((await app.inject({ method: 'DELETE', url, headers: as() })).statusCode).toBe(204)
    const got = [
      await app.inject({ url: '/api/v1/auth/app_token?expires_in=60', headers: as() }),
      await app.inject({ url: '/api/v1/auth/signature_token', headers: as() })
    ].map(answer => answer.json())
    tokens.push(made.raw_token, rotated.raw_token, got[0].app_token, got[1].signature_token)

    const done = { audit: true, outcome: 'done', user: 'id-ann' }
    const expires = expect.stringMatching(TIME)
    expect(lines()).toMatchObject([
      { ...done, event: 'personal-token.made', about: made.pat.id, scopes: ['entries:read'], expires },
      { ...done, event: 'personal-token.rotated', about: rotated.pat.id, replaces: made.pat.id, expires },
      { ...done, event: 'personal-token.revoked', about: rotated.pat.id, status: 204 },
      { ...done, event: 'app-token.made', path: '/api/v1/auth/app_token', expires },
      { ...done, event: 'signature-token.made', expires }
    ])
  })

  test('tells of what known persons tried to change, refused or not there', async () => {
    const anns = await bearer(services, 'id-ann')
    const [reading, writing] = await Promise.all(
      [['uploads:read'], ['uploads:write']].map(async scopes => {
        const payload = { metadata: { name: 'x', scopes } }
        const made = await app.inject({ method: 'POST', url: '/api/v1/auth/pats', headers: as(), payload })
        return made.json().raw_token as string
      })
    )
    rmSync(file)
    for (const authorization of [`Bearer ${reading}`, `Bearer ${writing}`]) {
      await app.inject({
        method: 'DELETE',
        url: `/api/v1/uploads/some?token=${tokens[0]}`,
        headers: { authorization }
      })
    }
    await app.inject({
      method: 'POST',
      url: '/api/v1/auth/pats',
      headers: { authorization: anns },
      payload: {}
    })
    await app.inject({ method: 'POST', url: '/api/v1/auth/pats', headers: as(), payload: {} })
    const write = { event: 'write', user: 'id-ann', method: 'DELETE', path: '/api/v1/uploads/some' }
    const told = lines()
    expect(told).toMatchObject([
      { ...write, outcome: 'refused', status: 403 },
      { ...write, outcome: expect.stringMatching(/done|refused|failed/) },
      { event: 'personal-token.made', outcome: 'refused', status: 403, user: 'id-ann' },
      { event: 'personal-token.made', outcome: 'refused', status: 422, user: 'id-ann' }
    ])
    tokens.push(reading as string, writing as string)
  })

  test('has nothing of reading, nor of nobody', async () => {
    await app.inject({ url: '/api/v1/uploads', headers: as() })
    await app.inject({ url: '/api/v1/entries' })
    await app.inject({ method: 'POST', url: '/api/v1/entries/query', headers: as(), payload: {} })
    await app.inject({ method: 'POST', url: '/api/v1/auth/pats', payload: {} })
    await app.inject({ method: 'DELETE', url: '/api/v1/uploads/some' })
    await app.inject({ url: '/api/v1/auth/token?username=ann' })
    await signIn('eve', 'wrong-password')
    expect(lines()).toMatchObject([{ event: 'sign-in', about: 'id-eve' }])
  })

  test('is for the eyes of its owner, and holds no password, token or address', async () => {
    await signIn('nobody', 'x')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    everything += readFileSync(file, 'utf8')
    expect(everything.length).toBeGreaterThan(2000)
    expect(tokens.length).toBeGreaterThan(5)
    for (const secret of [...tokens, PASSWORD, 'wrong-password', 'typed-the', MAIL, 'secret plans']) {
      expect(everything).not.toContain(secret)
    }
  })

  test('is told of where it cannot be written; what was done is done', async () => {
    const logged: string[] = []
    const stream = new Writable({
      write: (chunk, _encoding, done) => {
        logged.push(String(chunk))
        done()
      }
    })
    const full = {
      ...services,
      audit: {
        record: () => {
          throw new Error('the disk is full')
        }
      }
    }
    const other = await buildApp(services.config, full, { logger: { level: 'error', stream } })
    const url = `/api/v1/auth/token?${new URLSearchParams({ username: 'ann', password: PASSWORD })}`
    expect((await other.inject(url)).statusCode).toBe(200)
    await other.close()
    expect(logged.join('')).toContain('the disk is full')
    await signIn('nobody', 'x')
  })

  test('can be among the lines of the server’s log, however little that tells', async () => {
    const logged: string[] = []
    const stream = new Writable({
      write: (chunk, _encoding, done) => {
        logged.push(String(chunk))
        done()
      }
    })
    const { audit: _, ...without } = services
    const other = await buildApp(services.config, without, { logger: { level: 'error', stream } })
    await other.inject({ url: '/api/v1/auth/signature_token', headers: as() })
    await other.close()
    expect(logged).toHaveLength(1)
    expect(JSON.parse(logged[0] as string)).toMatchObject({
      audit: true,
      event: 'signature-token.made',
      outcome: 'done',
      user: 'id-ann',
      reqId: expect.stringMatching(/^[\da-f-]{36}$/)
    })
    await signIn('nobody', 'x')
  })
})

test('a log that cannot be written is told at the start', async () => {
  await expect(openTestServices('embedded', { SERAI_AUDIT_LOG: '/dev/null/audit' })).rejects.toMatchObject({
    code: 'STORE_UNUSABLE',
    message: expect.stringContaining('/dev/null/audit')
  })
  const services = await openTestServices('embedded', { SERAI_AUDIT_LOG: 'log' })
  expect(services.audit).toBeUndefined()
  await services.close()
})
