/**
 * Recorded answers of the reference (fixtures/recordings) held against every profile. Requests for what Serai does not have
 * yet may be answered 501 and nothing else.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCorpusServices, profiles, type TestServer, testServer } from '../app.ts'
import { ask } from './client.ts'
import { areas, faultsOf, linesOf } from './lines.ts'

describe.each(profiles())('recorded answers on %s', profile => {
  let server: TestServer

  beforeAll(async () => {
    server = await testServer(await openCorpusServices(profile, {}, ['corpus']))
  })
  afterAll(() => server.close())

  describe.each(areas)('%s', file => {
    test.each(linesOf(file).map(line => [line.id, line.title, line] as const))(
      '%s %s',
      async (_id, _title, line) => {
        const answer = await ask(line, { base: server.base, secret: server.services.apiSecret })
        expect(faultsOf(line, answer)).toEqual([])
      }
    )
  })
})
