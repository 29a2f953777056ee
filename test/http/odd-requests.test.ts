/**
 * Requests that nobody sends on purpose: mutations of the recorded ones. None may be answered 5xx, and no answer may hold
 * an entry that its caller may not see. `SERAI_TEST_RUNS` asks for so many.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ALL } from '../../src/query/tree.ts'
import { walk } from '../../src/search/entry-index.ts'
import { bearer, openCorpusServices, profiles, type TestServer, testServer } from '../app.ts'
import type { RecordedLine } from '../recordings/judgement.ts'
import { edits, mutated, type OddRequest } from './mutations.ts'

const FOLDER = join(import.meta.dirname, '../../fixtures/recordings')

const RUNS = Number(process.env.SERAI_TEST_RUNS ?? 300)

/** Milliseconds without a sign of the server that are none of its business any more. */
const ANSWER_PATIENCE = 20_000

/** Milliseconds. */
const PATIENCE = 120_000 + RUNS * 200

const lines = readdirSync(FOLDER)
  .filter(name => name.endsWith('.jsonl'))
  .flatMap(name => readFileSync(join(FOLDER, name), 'utf8').split('\n'))
  .flatMap(text => (text ? [JSON.parse(text) as RecordedLine] : []))

/** What a 501 says: an operation that is not there yet. */
const COMING = /^\{"detail":"(?:GET|POST|PUT|PATCH|DELETE|HEAD) \/\S* is not available/

const callers = [...new Set(lines.flatMap(line => line.as ?? []))]

function requestOf({ request }: RecordedLine): OddRequest {
  const [path = '', inPath] = request.path.split('?')
  const query = Object.entries(request.query ?? {}).flatMap(([name, values]) =>
    [values].flat().map(value => [name, String(value)] as const)
  )
  return {
    method: request.method,
    path,
    query: [...new URLSearchParams(inPath), ...query],
    ...('body' in request ? { body: request.body } : {}),
    ...(request.text !== undefined ? { text: request.text } : {})
  }
}

/** What an entry's document tells about who may see it. */
interface Seen {
  readonly entry_id: string
  readonly upload_id: string
  readonly published: boolean
  readonly with_embargo: boolean
  readonly viewers?: readonly { readonly user_id: string }[]
  readonly viewer_groups?: readonly string[]
}

/** The ids of entries in an answer, and in the addresses of archives that come with it. */
function entriesIn(value: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const item of value) entriesIn(item, found)
  else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      if (name === 'entry_id' && typeof member === 'string') found.add(member)
      else if (name === 'm_ref_archives') for (const key of Object.keys(member ?? {})) found.add(key)
      else entriesIn(member, found)
    }
  }
  return found
}

describe.each(profiles())('odd requests to the %s profile', profile => {
  let server: TestServer
  let entries: Seen[]
  const agent = new Agent({ keepAlive: false })

  beforeAll(async () => {
    server = await testServer(await openCorpusServices(profile, {}, ['corpus']))
    entries = []
    const source = {
      include: ['entry_id', 'upload_id', 'published', 'with_embargo', 'viewers', 'viewer_groups']
    }
    for await (const { document } of walk(server.services.index, { query: ALL, order: 'asc', source }))
      entries.push(document as unknown as Seen)
    expect(entries.filter(e => !e.published).length).toBeGreaterThan(10)
    expect(entries.filter(e => e.with_embargo).length).toBeGreaterThan(0)
  })

  afterAll(async () => {
    agent.destroy()
    await server?.close()
  })

  /** Sends it without putting anything right, as `fetch` would. */
  async function send(
    request: OddRequest,
    userId: string | null
  ): Promise<{ answer: IncomingMessage; body: Buffer }> {
    const query = new URLSearchParams(request.query.map(([name, value]): [string, string] => [name, value]))
    const text = request.text ?? ('body' in request ? JSON.stringify(request.body) : undefined)
    const { hostname, port, pathname } = new URL(server.base)
    const authorization = userId === null ? {} : { authorization: await bearer(server.services, userId) }
    return new Promise((resolve, reject) => {
      const sent = httpRequest(
        {
          hostname,
          port,
          agent,
          timeout: ANSWER_PATIENCE,
          method: request.method,
          path: `${pathname}${request.path}${query.size > 0 ? `?${query}` : ''}`,
          headers: {
            ...(text === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
            ...authorization
          }
        },
        answer => {
          const chunks: Buffer[] = []
          answer.on('data', chunk => chunks.push(chunk))
          answer.on('end', () => resolve({ answer, body: Buffer.concat(chunks) }))
          answer.on('error', reject)
        }
      )
      sent.on('timeout', () => sent.destroy(new Error('no answer')))
      sent.on('error', error =>
        reject(new Error(`${error.message}: ${JSON.stringify(request).slice(0, 1000)}`))
      )
      sent.end(text)
    })
  }

  /** Entries that an answer to this caller must not hold. */
  function hidden(request: OddRequest, userId: string | null): string[] {
    // These routes tell the metadata of all that is published (`search.md` §0, §2).
    const all =
      /^\/entries\/[^/]+$/.test(request.path) ||
      request.query.some(([name]) => name === 'owner') ||
      (request.body as { owner?: unknown } | null | undefined)?.owner === 'all'
    return entries
      .filter(({ published, with_embargo, viewers = [], viewer_groups = [] }) => {
        const open = published && (all || !with_embargo)
        const shared =
          viewer_groups.includes('all') ||
          (userId !== null && (viewer_groups.length > 0 || viewers.some(({ user_id }) => user_id === userId)))
        return !open && !shared
      })
      .map(({ entry_id }) => entry_id)
  }

  /** Gives the status. */
  async function check(request: OddRequest, userId: string | null): Promise<number> {
    const { answer, body } = await send(request, userId)
    const [status, text] = [answer.statusCode as number, body.toString('latin1')]
    const operation = JSON.stringify(request).slice(0, 1000)
    if (status === 501) expect(text, operation).toMatch(COMING)
    else expect(status, `${operation}: ${text.slice(0, 500)}`).toBeLessThan(500)
    if (status !== 200 || !answer.headers['content-type']?.includes('json')) return status
    const { query: _, required: __, ...told } = JSON.parse(text) as Record<string, unknown>
    const shown = [...entriesIn(told)]
    const leaked = hidden(request, userId).filter(id => shown.some(key => key.includes(id)))
    expect(leaked, operation).toEqual([])
    return status
  }

  test(
    'give no 5xx, and nothing that the caller may not see',
    async () => {
      const people = (await server.services.documents.users(callers)).filter(user => !user.is_admin)
      const callerIds = [null, null, ...people.map(({ user_id }) => user_id)]
      let [good, anonymous] = [0, 0]
      await fc.assert(
        fc.asyncProperty(
          fc.nat(lines.length - 1),
          fc.constantFrom(...callerIds),
          edits,
          async (at, userId, changes) => {
            const request = mutated(requestOf(lines[at] as RecordedLine), changes)
            if (userId === null) anonymous++
            if ((await check(request, userId)) === 200) good++
          }
        ),
        { numRuns: RUNS }
      )
      // Requests that are all refused, or all of one person, would prove little.
      expect(good).toBeGreaterThan(RUNS / 10)
      expect(anonymous).toBeGreaterThan(RUNS / 10)
    },
    PATIENCE
  )
})
