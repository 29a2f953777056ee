/** What `docker-compose.yml` counts on: its secrets, settings and the version of its image. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readConfig } from '../src/config.ts'
import { SettingsSchema } from '../src/settings.ts'
import { VERSION } from '../src/version.ts'

const root = join(import.meta.dirname, '..')
const compose = readFileSync(join(root, 'docker-compose.yml'), 'utf8')
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8')

let folder: string
const makeSecrets = () => execFileSync('sh', [join(folder, 'docker/make-secrets.sh')], { encoding: 'utf8' })
const secret = (name: string) => readFileSync(join(folder, 'secrets', name), 'utf8')

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'serai-compose-'))
  mkdirSync(join(folder, 'docker'))
  cpSync(join(root, 'docker/make-secrets.sh'), join(folder, 'docker/make-secrets.sh'))
  makeSecrets()
})

afterAll(() => rmSync(folder, { recursive: true }))

test('every secret of the compose file is made, and nobody else on the machine can read them', () => {
  const named = [...compose.matchAll(/file: \.\/secrets\/(\w+)/g)].map(([, name]) => name).sort()
  expect(named.length).toBeGreaterThan(5)
  expect(readdirSync(join(folder, 'secrets')).sort()).toEqual(named)
  expect(statSync(join(folder, 'secrets')).mode & 0o777).toBe(0o700)
})

test('secrets that are there stay', () => {
  const before = secret('mongodb_url')
  expect(makeSecrets()).toBe('')
  expect(secret('mongodb_url')).toBe(before)
})

test('the secrets are settings that Serai takes, each password in its address', () => {
  const file = (name: string) => join(folder, 'secrets', name)
  const config = readConfig({
    SERAI_API_SECRET_FILE: file('api_secret'),
    SERAI_MONGODB_URL_FILE: file('mongodb_url'),
    SERAI_ELASTICSEARCH_URL_FILE: file('elasticsearch_url'),
    SERAI_REDIS_URL_FILE: file('redis_url')
  })
  expect(config.storage).toMatchObject({
    mongodbUrl: expect.stringContaining(`:${secret('mongodb_password').trim()}@mongodb:27017`),
    elasticsearchUrl: expect.stringContaining(
      `:${secret('elasticsearch_password').trim()}@elasticsearch:9200`
    )
  })
  expect(config.limits.redisUrl).toContain(`:${secret('redis_password').trim()}@redis:6379`)
  // What MongoDB takes as a key.
  expect(secret('mongodb_key').replace(/\s/g, '')).toMatch(/^[\w+/=]{6,1024}$/)
})

test('the settings that the compose file, the image and the example name are settings', () => {
  const known = new Set(Object.keys(SettingsSchema.properties))
  const example = readFileSync(join(root, '.env.example'), 'utf8')
  const named = [...`${compose}${dockerfile}${example}`.matchAll(/SERAI_([A-Z_]+?)(?:_FILE)?[:=]/g)]
  expect(named.length).toBeGreaterThan(10)
  for (const [, name] of named) expect(known).toContain((name as string).toLowerCase())
})

test('the image has the version of the package', () => {
  expect(compose).toContain(`image: serai:${VERSION}\n`)
  expect(dockerfile).toContain(`ARG VERSION=${VERSION}\n`)
})
