import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { isReading, operationAccess } from '../../src/http/operation-access.ts'

interface Document {
  readonly paths: Record<string, Record<string, { security?: unknown[] }>>
}

const read = <T>(path: string) =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../..', path), 'utf8')) as T

/** `/uploads/{upload_id}/raw/{path}` as a route has it. */
const pattern = (path: string) => path.replace(/\{(?:path|mainfile)\}$/, '*').replace(/\{(\w+)\}/g, ':$1')

const access = (operation: string) => {
  const [method = '', path = ''] = operation.split(' ')
  return operationAccess(method, `/base/api/v1${path}`, '/base')
}

const published = Object.entries(read<Document>('openapi/openapi.json').paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, { security }]) => ({
    operation: `${method.toUpperCase()} ${pattern(path)}`,
    security
  }))
)
const coming = read<[string, string][]>('src/http/data/reference-operations.json').map(
  ([method, path]) => `${method} ${pattern(path)}`
)

/** Operations that do not look at the caller. */
const CALLERLESS = ['GET /auth/token', 'POST /auth/token', 'GET /auth/jwks']

describe('every operation asks something of its caller', () => {
  test.each(published)('$operation, and the document says so', ({ operation, security }) => {
    const asked = access(operation)
    if (CALLERLESS.includes(operation)) {
      expect(asked).toBeUndefined()
      expect(security).toEqual([])
      return
    }
    expect(asked?.scopes.length).toBeGreaterThan(0)
    expect(security).toEqual(asked?.known ? [{ OAuth2PasswordBearer: [] }, { AppToken: [] }] : undefined)
  })

  test.each(coming)('%s of the reference, also when it is not there yet', operation => {
    const asked = access(operation)
    if (CALLERLESS.includes(operation) || operation === 'POST /federation/logs/')
      expect(asked).toBeUndefined()
    else expect(asked?.scopes.length).toBeGreaterThan(0)
  })

  test('and what only somebody may change is never open', () => {
    for (const operation of [...published.map(p => p.operation), ...coming]) {
      const asked = access(operation)
      // Exports are reading, of a scope that nobody in particular has (auth.md §4.1).
      if (!asked || isReading(asked) || asked.scopes[0] === 'uploads:export') continue
      expect(asked.known, operation).toBe(true)
    }
  })

  test('or the server does not start', () => {
    expect(() => access('POST /planes')).toThrow('no row of http/operation-access.ts is about POST /planes')
    expect(() => access('PATCH /entries/x')).toThrow()
  })
})

/** `auth.md` §4.1 */
test.each([
  ['GET /entries', 'entries:read', false],
  ['HEAD /entries', 'entries:read', false],
  ['POST /entries/archive/query', 'entries:read', false],
  ['POST /entries/edit', 'entries:write', true],
  ['GET /uploads', 'uploads:read', true],
  ['GET /uploads/', 'uploads:read', true],
  ['GET /uploads/:id', 'uploads:read', false],
  ['GET /uploads/:id/entries/:entry_id', 'uploads:read', true],
  ['GET /uploads/:id/bundle', 'uploads:export', false],
  ['GET /uploads/:id/export', 'uploads:export', false],
  ['GET /uploads/command-examples', 'tokens:create', true],
  ['POST /uploads', 'uploads:write', true],
  ['POST /uploads/:id/edit', 'uploads:write', true],
  ['DELETE /uploads/:id', 'uploads:write', true],
  ['POST /uploads/:id/action/publish', 'uploads:publish', true],
  ['POST /uploads/:id/action/lift-embargo', 'uploads:publish', true],
  ['POST /uploads/:id/action/process', 'uploads:process', true],
  ['POST /uploads/:id/action/stop-processing', 'uploads:process', true],
  ['POST /uploads/:id/action/transfer', 'uploads:export', true],
  ['POST /uploads/:id/action/assign-doi', 'uploads:assign_doi', true],
  ['POST /uploads/bundle', 'uploads:import', true],
  ['POST /uploads/import', 'uploads:import', true],
  ['POST /datasets', 'datasets:write', true],
  ['DELETE /datasets/:id', 'datasets:delete', true],
  ['POST /datasets/:id/action/doi', 'datasets:assign_doi', true],
  ['POST /groups', 'groups:write', true],
  ['POST /groups/:id/edit', 'groups:write', true],
  ['DELETE /groups/:id', 'groups:delete', true],
  ['PUT /users/invite', 'users:invite', true],
  ['GET /users', 'users:read', false],
  ['GET /users/me', 'users:read', true],
  ['GET /notifications', 'uploads:read', true],
  ['POST /ownership-transfers', 'uploads:read uploads:write', true],
  ['GET /auth/app_token', 'tokens:create', true],
  ['GET /auth/pats', 'tokens:read', true],
  ['POST /auth/pats/:id/rotate', 'tokens:create tokens:delete', true],
  ['POST /graph/query', 'graph:read', false],
  ['POST /suggestions', 'suggestions:read', false],
  ['GET /systems/:id', 'systems:read', false]
])('%s needs %s', (operation, scopes, known) => {
  expect(access(operation)).toMatchObject({ scopes: scopes.split(' '), known })
})

/** `auth.md` §2.1 */
test('tokens of one kind are taken where that kind is for', () => {
  const operations = [...new Set([...published.map(p => p.operation), ...coming])]
  const taking = (kind: 'signatureToken' | 'uploadToken') =>
    operations
      .filter(operation => access(operation)?.[kind])
      .map(operation => operation.replace(/:\w+/g, ':id').replace(/(?<=raw-create-dir\/):id$/, '*'))
      .sort()
  expect([...new Set(taking('signatureToken'))]).toEqual([
    'GET /entries/:id/archive/download',
    'GET /entries/:id/raw',
    'GET /entries/:id/raw/*',
    'GET /entries/archive/download',
    'GET /entries/raw',
    'GET /systems/:id',
    'GET /uploads/:id/raw',
    'GET /uploads/:id/raw/*'
  ])
  expect([...new Set(taking('uploadToken'))]).toEqual([
    'DELETE /uploads/:id/raw/*',
    'POST /uploads',
    'POST /uploads/:id/raw-create-dir/*',
    'POST /uploads/bundle',
    'POST /uploads/import',
    'PUT /uploads/:id/raw/*'
  ])
})

test('applications beside the API have scopes of their own, documentation and health none', () => {
  const asked = (url: string, basePath = '') => operationAccess('GET', url, basePath)?.scopes
  expect(asked('/optimade/v1/structures')).toEqual(['external_optimade:read'])
  expect(asked('/prod/v1/dcat/catalog', '/prod/v1')).toEqual(['external_dcat:read'])
  expect(asked('/h5grove/meta')).toEqual(['external_h5grove:read'])
  for (const url of [
    '/optimade/v1/extensions/docs',
    '/api/v1/extensions/docs/static/*',
    '/api/v1/openapi.json',
    '/api/v1/',
    '/alive',
    '/-/health'
  ]) {
    expect(asked(url), url).toBeUndefined()
  }
})
