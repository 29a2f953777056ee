/** Secrets: kept in files, none that everybody knows, never in messages and never in the log. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { signAppToken } from '../src/access/app-token.ts'
import { buildApp } from '../src/app.ts'
import { type ConfigError, readConfig } from '../src/config.ts'
import { openTestServices } from './app.ts'

const SECRET = 'k3-Vb81xQm0zL7s-Rw52tY9uPa46dNhJ'

describe('secrets of the settings', () => {
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'serai-secrets-'))
    await writeFile(join(folder, 'secret'), `${SECRET}\n`)
    await writeFile(join(folder, 'short'), 'too-short\n')
    await writeFile(join(folder, 'empty'), '\n')
    await writeFile(join(folder, 'mongodb'), 'mongodb://serai:password@db/')
  })
  afterAll(() => rm(folder, { recursive: true }))

  function problemsOf(environment: Record<string, string>): readonly string[] {
    try {
      readConfig(environment)
    } catch (error) {
      return (error as ConfigError).problems
    }
    return []
  }

  test('are read from files', () => {
    expect(readConfig({ SERAI_API_SECRET_FILE: join(folder, 'secret') }).apiSecret).toBe(SECRET)
    expect(
      readConfig({
        SERAI_MONGODB_URL_FILE: join(folder, 'mongodb'),
        SERAI_ELASTICSEARCH_URL: 'http://search:9200'
      }).storage
    ).toMatchObject({ mongodbUrl: 'mongodb://serai:password@db/' })
  })

  test('keep the server from starting when they are short, missing, given twice or known to everybody', () => {
    expect(problemsOf({ SERAI_API_SECRET: 'too-short' })).toEqual([
      'SERAI_API_SECRET must be text of at least 32 characters'
    ])
    expect(problemsOf({ SERAI_API_SECRET_FILE: join(folder, 'short') })).toEqual([
      'SERAI_API_SECRET must be text of at least 32 characters'
    ])
    expect(problemsOf({ SERAI_API_SECRET_FILE: join(folder, 'empty') })[0]).toMatch(/is empty$/)
    expect(problemsOf({ SERAI_API_SECRET_FILE: join(folder, 'none') })[0]).toMatch(
      /cannot be read \(ENOENT\)$/
    )
    expect(problemsOf({ SERAI_API_SECRET_FILE: join(folder, 'secret'), SERAI_API_SECRET: SECRET })).toEqual([
      'SERAI_API_SECRET and SERAI_API_SECRET_FILE are both set: set one of them'
    ])
    for (const known of [
      'an-example-secret-of-32-characters!',
      'x'.repeat(40),
      `please-change-me-${'x'.repeat(20)}`
    ]) {
      expect(problemsOf({ SERAI_API_SECRET: known })[0]).toMatch(/everybody knows/)
    }
    expect(problemsOf({ SERAI_DATA_DIR_FILE: join(folder, 'secret') })[0]).toMatch(/is not a setting/)
  })
})

describe('the log', () => {
  test('has no tokens and no passwords', async () => {
    const services = await openTestServices('embedded', { SERAI_API_SECRET: SECRET })
    const lines: string[] = []
    const stream = new Writable({
      write: (chunk, _encoding, done) => {
        lines.push(String(chunk))
        done()
      }
    })
    const app = await buildApp(services.config, services, { logger: { level: 'trace', stream } })
    try {
      const token = await signAppToken('nobody', Math.floor(Date.now() / 1000) + 60, SECRET)
      const password = 'correct-horse-battery'
      const form = { 'content-type': 'application/x-www-form-urlencoded' }
      await app.inject({ url: '/api/v1/users/me', headers: { authorization: `Bearer ${token}` } })
      await app.inject({ url: '/api/v1/users/me', headers: { cookie: `Authorization=Bearer%20${token}` } })
      await app.inject({ url: `/api/v1/entries/raw?signature_token=${token}` })
      await app.inject({ url: `/api/v1/uploads?token=${token}` })
      await app.inject({ url: '/api/v1/uploads', headers: { 'upload-token': token } })
      await app.inject({ url: `/api/v1/auth/token?username=ines&password=${password}` })
      const payload = `grant_type=password&username=ines&password=${password}`
      await app.inject({ method: 'POST', url: '/api/v1/auth/token', headers: form, payload })
    } finally {
      await app.close()
      await services.close()
    }
    expect(lines.length).toBeGreaterThanOrEqual(7)
    const text = lines.join('')
    expect(text).toContain('/api/v1/auth/token')
    for (const secret of [SECRET, 'eyJ', 'correct-horse']) expect(text).not.toContain(secret)
  })
})
