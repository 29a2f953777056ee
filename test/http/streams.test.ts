/** Streamed answers over real sockets: slow clients, clients that go away, failures on the way. */
import { randomBytes } from 'node:crypto'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { failure } from '../../src/errors.ts'
import type { EntryIndex, SearchRequest } from '../../src/search/entry-index.ts'
import { openTestServices, type TestServer, testServer } from '../app.ts'
import { eventually } from '../files/open-files.ts'

const ENTRIES = 3000
/** Characters of an entry, about: 60 MB in all. */
const SIZE = 20_000

const MB = 1024 * 1024

describe('a streamed answer', () => {
  let server: TestServer
  /** Searches that were made, and whether the last one was given up. */
  let searches: SearchRequest[] = []
  /** Done before each search. */
  let before: (request: SearchRequest) => Promise<void> = async () => {}

  beforeAll(async () => {
    const services = await openTestServices('embedded')
    const entries = (from: number) =>
      Array.from({ length: 500 }, (_, i) => ({
        entry_id: String(from + i).padStart(6, '0'),
        published: true,
        with_embargo: false,
        // Nothing that could be packed, and no quantity.
        filler: randomBytes((SIZE * 3) / 4).toString('base64')
      }))
    for (let from = 0; from < ENTRIES; from += 500) await services.index.put(entries(from))
    const { index } = services
    const watched: EntryIndex = {
      search: async request => {
        searches.push(request)
        await before(request)
        return index.search(request)
      },
      count: (query, signal) => index.count(query, signal),
      suggest: request => index.suggest(request),
      put: documents => index.put(documents),
      remove: ids => index.remove(ids),
      versions: ids => index.versions(ids),
      replace: (documents, versions) => index.replace(documents, versions),
      renew: onProgress => index.renew(onProgress),
      ping: limit => index.ping(limit),
      close: () => index.close()
    }
    server = await testServer({ ...services, index: watched })
  }, 60_000)
  afterAll(() => server?.close())
  beforeEach(() => {
    searches = []
    before = async () => {}
  })

  /** The head of an answer, whose body is not read yet. */
  function ask(accept: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const request = httpRequest(`${server.base}/entries/query`, {
        method: 'POST',
        agent: false,
        headers: { 'content-type': 'application/json', accept, ...headers }
      })
      request.on('response', resolve).on('error', reject).end('{}')
    })
  }

  async function read(response: IncomingMessage): Promise<string> {
    let text = ''
    for await (const chunk of response.setEncoding('utf8')) text += chunk
    return text
  }

  test('has every entry once', async () => {
    const lines = (await read(await ask('application/x-ndjson'))).trimEnd().split('\n')
    expect(lines).toHaveLength(ENTRIES + 1)
    const ids = lines.slice(0, -1).map(line => (JSON.parse(line) as { entry_id: string }).entry_id)
    expect(ids).toEqual([...new Set(ids)].sort())
    expect(JSON.parse(lines.at(-1) as string).pagination.total).toBe(ENTRIES)
  })

  test.each([{}, { 'accept-encoding': 'gzip' }])('waits for a slow client, with %j', async headers => {
    const response = await ask('application/x-ndjson', headers)
    try {
      response.pause()
      let made = 0
      while (searches.length > made) {
        made = searches.length
        expect(made).toBeLessThan(15)
        await delay(600)
      }
    } finally {
      response.destroy()
    }
  })

  test('holds a page, whatever the size of the whole', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const held = () => {
      collect()
      const { heapUsed, external } = process.memoryUsage()
      return (heapUsed + external) / MB
    }
    const response = await ask('application/x-ndjson')
    const measures: number[] = []
    let received = 0
    for await (const chunk of response) {
      received += (chunk as Buffer).length
      if (received < (measures.length + 1) * 8 * MB) continue
      await delay(50)
      measures.push(held())
    }
    expect(received).toBeGreaterThan(50 * MB)
    // The first one is of the beginning, with pages of another size.
    const [, early = 0, ...later] = measures
    expect(later.length).toBeGreaterThan(3)
    // Holding on to what was sent would add 45 MB.
    expect(Math.max(...later) - early).toBeLessThan(30)
  })

  test.each(['application/x-ndjson', 'text/csv'])(
    'of %s ends its work when the client goes away',
    async accept => {
      for (const headers of [{}, { 'accept-encoding': 'gzip' }]) {
        const response = await ask(accept, headers)
        await new Promise(resolve => response.once('data', resolve))
        response.destroy()
        await eventually(async () => searches.at(-1)?.signal?.aborted === true)
        const made = searches.length
        await delay(300)
        expect(searches.length).toBe(made)
      }
    }
  )

  test('ends a search that is under way when the client goes away', async () => {
    const ended = new Promise<void>(resolve => {
      before = async ({ signal, after }) => {
        if (!after) return
        // Ends with its signal only.
        await new Promise<void>(end => signal?.addEventListener('abort', () => end(), { once: true }))
        resolve()
      }
    })
    const response = await ask('application/x-ndjson')
    response.resume()
    await eventually(async () => searches.length === 2)
    response.destroy()
    await ended
  })

  test('ends the first search too', async () => {
    const ended = new Promise<void>(resolve => {
      before = async ({ signal }) => {
        await new Promise<void>(end => signal?.addEventListener('abort', () => end(), { once: true }))
        resolve()
      }
    })
    const request = httpRequest(`${server.base}/entries/query`, {
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json', accept: 'application/x-ndjson' }
    })
    request.on('error', () => {}).end('{}')
    await eventually(async () => searches.length === 1)
    request.destroy()
    await ended
  })

  describe('that fails', () => {
    const failOn = (n: number, error: Error) => {
      before = async () => {
        if (searches.length === n) throw error
      }
    }

    test('at once is an ordinary error', async () => {
      failOn(1, failure('SEARCH_TIMEOUT'))
      const response = await ask('application/x-ndjson')
      expect(response.statusCode).toBe(503)
      expect(response.headers['content-type']).toContain('application/json')
      expect(response.headers['retry-after']).toBe('5')
      expect(JSON.parse(await read(response)).detail).toContain('took too long')
    })

    test('later says so in the last line, and where to go on', async () => {
      failOn(3, failure('STORE_UNAVAILABLE', { store: 'search' }))
      const response = await ask('application/x-ndjson')
      expect(response.statusCode).toBe(200)
      const lines = (await read(response))
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line))
      const { entry_id } = lines.at(-2)
      expect(lines.at(-1)).toEqual({
        error: {
          status: 503,
          detail: 'The search store cannot be reached at the moment. Please try again later.',
          next_page_after_value: entry_id
        }
      })
      expect(lines.length).toBeGreaterThan(100)
    })

    test('later without a known reason keeps it to itself', async () => {
      failOn(2, new Error('secret of the machine'))
      const text = await read(await ask('application/x-ndjson'))
      expect(JSON.parse(text.trimEnd().split('\n').at(-1) as string).error.status).toBe(500)
      expect(text).not.toContain('secret of the machine')
    })

    test('later breaks off where there is no last line', async () => {
      failOn(3, failure('SEARCH_TIMEOUT'))
      await expect(ask('text/csv').then(read)).rejects.toThrow()
      failOn(6, failure('SEARCH_TIMEOUT'))
      const exported = await fetch(`${server.base}/entries/export`)
      expect(exported.status).toBe(200)
      await expect(exported.text()).rejects.toThrow()
    })
  })

  test('lets other requests get their turn', async () => {
    const response = await ask('application/x-ndjson')
    response.resume()
    let slowest = 0
    for (let i = 0; i < 20; i++) {
      const began = performance.now()
      await (await fetch(`${server.base.replace('/api/v1', '')}/health`)).text()
      slowest = Math.max(slowest, performance.now() - began)
    }
    response.destroy()
    expect(slowest).toBeLessThan(1000)
  })
})
