/**
 * A store that goes away under load and comes back: `SERAI_TEST_OUTAGE=60` keeps it away for a minute. Proxies stand before the
 * real stores, so nobody else loses them.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, inject, test } from 'vitest'
import { blockKey } from '../../src/storage/archives.ts'
import { openTestServices, type TestServer, testServer } from '../app.ts'
import { type LogLine, logLines } from '../log-lines.ts'
import { type TcpProxy, tcpProxy } from '../tcp-proxy.ts'

const cluster = inject('cluster')

/** Seconds that a store is away. */
const OUTAGE = Number(process.env.SERAI_TEST_OUTAGE ?? 1)

/** Milliseconds after which a store that refuses connections, or that hangs, must be known as lost. */
const NOTICED = { refuses: 2000, hangs: 8000 }

/**
 * Milliseconds that nine answers of ten may take from then on, and each of them: on a machine that has other things to do, and
 * far below every time-out.
 */
const AT_ONCE = 1000
const AT_MOST = 5000

/** How long is waited for what comes soon on a machine that has nothing else to do. */
const POLL = { timeout: 15_000 }

type Engine = 'Elasticsearch' | 'MongoDB'

/** What clients ask, and which store must be there for it. */
const REQUESTS = {
  search: { path: '/entries?page_size=2', needs: ['Elasticsearch'] },
  archives: { path: '/entries/archive?page_size=2', needs: ['Elasticsearch', 'MongoDB'] },
  groups: { path: '/groups', needs: ['MongoDB'] },
  document: { path: '/openapi.json', needs: [] }
} as const satisfies Record<string, { path: string; needs: readonly Engine[] }>

interface Answer {
  readonly request: keyof typeof REQUESTS
  /** When it was asked for, by `performance.now()`. */
  readonly at: number
  readonly ms: number
  readonly status: number
  readonly body: string
}

/** What a writer wrote: whether it was told that it is stored. */
interface Written {
  readonly id: string
  readonly at: number
  acknowledged: boolean
}

const BLOCKS = [1, 2, 3]

/** Milliseconds between an answer and the next request of a client. */
const PAUSE = 40

const STORES = { Elasticsearch: ['search'], MongoDB: ['documents', 'accounts', 'archives'] }

/** A server of its own, which reaches its stores through proxies. */
class Scene {
  readonly proxies: Record<Engine, TcpProxy>
  readonly server: TestServer
  readonly lines: LogLine[]

  private constructor(proxies: Record<Engine, TcpProxy>, server: TestServer, lines: LogLine[]) {
    this.proxies = proxies
    this.server = server
    this.lines = lines
  }

  static async open(): Promise<Scene> {
    const proxies = {
      Elasticsearch: await tcpProxy(cluster!.elasticsearch),
      MongoDB: await tcpProxy(cluster!.mongodb)
    }
    const { log, lines } = logLines('info')
    const services = await openTestServices(
      'cluster',
      {
        SERAI_ELASTICSEARCH_URL: `http://127.0.0.1:${proxies.Elasticsearch.port}`,
        SERAI_MONGODB_URL: `mongodb://127.0.0.1:${proxies.MongoDB.port}/?directConnection=true`
      },
      { watch: true, log }
    )
    const server = await testServer(services, { log })
    await services.index.put(
      ['a', 'b', 'c'].map(entry_id => ({ entry_id, published: true, with_embargo: false }))
    )
    return new Scene(proxies, server, lines)
  }

  async close(): Promise<void> {
    await this.server.close()
    for (const proxy of Object.values(this.proxies)) await proxy.close()
  }

  async ready() {
    const answer = await fetch(new URL('/-/ready', this.server.base))
    return {
      status: answer.status,
      body: (await answer.json()) as { stores: Record<string, { state: string }> }
    }
  }

  /** Asks all the time, until it is ended. */
  load(): { readonly answers: Answer[]; end(): Promise<void> } {
    const answers: Answer[] = []
    let isOver = false
    const ask = async (request: keyof typeof REQUESTS) => {
      while (!isOver) {
        const at = performance.now()
        const answer = await fetch(this.server.base + REQUESTS[request].path, {
          signal: AbortSignal.timeout(60_000)
        })
        const body = await answer.text()
        answers.push({ request, at, ms: performance.now() - at, status: answer.status, body })
        await delay(PAUSE)
      }
    }
    const all = (Object.keys(REQUESTS) as (keyof typeof REQUESTS)[]).flatMap(name => [ask(name), ask(name)])
    return {
      answers,
      end: async () => {
        isOver = true
        await Promise.all(all)
      }
    }
  }

  /** Writes an archive and an index document at a time, until it is ended. */
  writer(): { readonly archives: Written[]; readonly documents: Written[]; end(): Promise<void> } {
    const { archives: store, index } = this.server.services
    const archives: Written[] = []
    const documents: Written[] = []
    let isOver = false
    const write = async (kind: Written[], put: (id: string) => Promise<void>) => {
      for (let i = 0; !isOver; i++) {
        const written = { id: `w${i}`, at: performance.now(), acknowledged: false }
        kind.push(written)
        await put(written.id).then(
          () => {
            written.acknowledged = true
          },
          error => expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' })
        )
        await delay(PAUSE)
      }
    }
    const all = [
      write(archives, id =>
        store.put(id, 'u', async put => {
          for (const number of BLOCKS) await put({ number, bytes: Buffer.alloc(20_000, `${id}/${number} `) })
          return Buffer.from(id)
        })
      ),
      write(documents, async id => index.put([{ entry_id: id, published: true, with_embargo: false }]))
    ]
    return {
      archives,
      documents,
      end: async () => {
        isOver = true
        await Promise.all(all)
      }
    }
  }

  /** What was written is there as a whole, or, where the writer was told that it failed, may be missing as a whole. */
  async requireWhole({ archives, documents }: ReturnType<Scene['writer']>) {
    const { archives: store, index } = this.server.services
    const contents = await store.contents(archives.map(({ id }) => id))
    for (const { id, acknowledged } of archives) {
      const found = contents.get(id)
      if (acknowledged) expect(found, id).toBeDefined()
      if (!found) continue
      expect(Buffer.from(found.bytes).toString()).toBe(id)
      const addresses = BLOCKS.map(number => ({ entryId: id, generation: found.generation, number }))
      const blocks = await store.blocks(addresses)
      for (const address of addresses) {
        const expected = Buffer.alloc(20_000, `${id}/${address.number} `)
        expect(Buffer.from(blocks.get(blockKey(address))!).equals(expected), id).toBe(true)
      }
    }
    const versions = await index.versions(documents.map(({ id }) => id))
    for (const { id, acknowledged } of documents) if (acknowledged) expect(versions.has(id), id).toBe(true)
  }
}

describe.runIf(cluster).concurrent('under load', () => {
  describe.each(['Elasticsearch', 'MongoDB'] as const)('%s', engine => {
    test.for(['refuses', 'hangs'] as const)(
      'that %s: requests that need it answer 503 at once, and all is well when it is back',
      { timeout: 60_000 + OUTAGE * 2000 },
      async (how, { expect }) => {
        const scene = await Scene.open()
        const { proxies, lines } = scene
        const clients = scene.load()
        const writing = scene.writer()
        await delay(500)
        expect((await scene.ready()).status).toBe(200)

        const proxy = proxies[engine]
        const { port } = proxy
        const lostAt = performance.now()
        if (how === 'hangs') proxy.stall()
        else await proxy.close()
        await delay(NOTICED[how])
        const isDown = await scene.ready()
        expect(isDown.status).toBe(503)
        for (const [name, { state }] of Object.entries(isDown.body.stores)) {
          expect(`${name} ${state}`).toBe(`${name} ${STORES[engine].includes(name) ? 'down' : 'up'}`)
        }
        const asked = clients.answers.length
        await delay(OUTAGE * 1000)
        await expect.poll(() => clients.answers.length, POLL).toBeGreaterThan(asked + 20)

        const backAt = performance.now()
        if (how === 'hangs') proxy.resume()
        else
          proxies[engine] = await tcpProxy(cluster![engine === 'MongoDB' ? 'mongodb' : 'elasticsearch'], port)
        await expect.poll(async () => (await scene.ready()).status, POLL).toBe(200)
        const readyAfter = performance.now() - backAt
        const answered = clients.answers.length
        await expect.poll(() => clients.answers.length, POLL).toBeGreaterThan(answered + 20)
        await Promise.all([clients.end(), writing.end()])

        const needing = (answer: Answer) =>
          (REQUESTS[answer.request].needs as readonly Engine[]).includes(engine)
        const { answers } = clients
        expect([...new Set(answers.filter(answer => !needing(answer)).map(({ status }) => status))]).toEqual([
          200
        ])
        const lost = answers.filter(
          answer => needing(answer) && answer.at > lostAt + NOTICED[how] && answer.at < backAt
        )
        expect(lost.length).toBeGreaterThan(5)
        for (const { status, body, ms } of lost) {
          expect(status).toBe(503)
          expect(JSON.parse(body).detail).toMatch(
            /^The (?:search|documents|archives) store cannot be reached at the moment\. Please try again later\.$/
          )
          expect(ms).toBeLessThan(AT_MOST)
        }
        const times = lost.map(({ ms }) => ms).sort((a, b) => a - b)
        expect(times[Math.floor(times.length * 0.9)]).toBeLessThan(AT_ONCE)
        // Those who asked before it was noticed were not kept waiting for a time-out either.
        const early = answers.filter(answer => answer.at <= lostAt + NOTICED[how])
        const longest = Math.max(...early.map(({ ms }) => ms))
        expect(longest).toBeLessThan(NOTICED[how] + AT_MOST)
        expect(lines.filter(({ err }) => err !== undefined)).toEqual([])
        expect(answers.filter(({ status }) => status !== 200 && status !== 503)).toEqual([])
        expect(new Set(early.map(({ status }) => status))).toEqual(new Set([200, 503]))
        const after = answers.filter(answer => answer.at > backAt + readyAfter)
        expect(after.length).toBeGreaterThan(5)
        expect([...new Set(after.map(({ status }) => status))]).toEqual([200])

        await scene.requireWhole(writing)
        const kept = how === 'hangs' ? writing.documents : writing.archives
        expect(kept.some(({ acknowledged }) => acknowledged)).toBe(true)
        expect(lines.map(({ msg = '' }) => msg).filter(msg => /^\w+ is (?:lost|back)/.test(msg))).toEqual([
          expect.stringMatching(`^${engine} is lost \\(${STORES[engine].join(', ')}\\): `),
          expect.stringMatching(`^${engine} is back after [\\d.]+ s; \\d+ calls to it failed meanwhile$`)
        ])
        await scene.close()
        if (process.env.SERAI_TEST_OUTAGE) {
          process.stdout.write(
            `${engine} ${how}: ${answers.length} answers, ${lost.length} refused in ${times.at(-1)?.toFixed(0)} ms at most ` +
              `(median ${times[times.length >> 1]?.toFixed(1)}), first ones in ${longest.toFixed(0)} ms, ` +
              `ready ${readyAfter.toFixed(0)} ms after its return; ` +
              `${writing.archives.filter(w => w.acknowledged).length} of ${writing.archives.length} archives and ` +
              `${writing.documents.filter(w => w.acknowledged).length} of ${writing.documents.length} documents acknowledged\n`
          )
        }
      }
    )
  })
})

describe.runIf(cluster).concurrent('a MongoDB that goes away for moments', () => {
  // Its driver may not notice that a server is back when a connection breaks while it is written to.
  test('is found again each time', { timeout: 120_000 }, async ({ expect }) => {
    const scene = await Scene.open()
    const clients = scene.load()
    for (let round = 0; round < 3; round++) {
      await delay(500)
      const { port } = scene.proxies.MongoDB
      await scene.proxies.MongoDB.close()
      await delay(700)
      scene.proxies.MongoDB = await tcpProxy(cluster!.mongodb, port)
      const backAt = performance.now()
      const isAnswered = () =>
        clients.answers.some(
          ({ request, at, status }) => request === 'groups' && at > backAt && status === 200
        )
      await expect.poll(isAnswered, { timeout: 30_000 }).toBe(true)
    }
    await clients.end()
    expect(clients.answers.filter(({ status }) => status !== 200 && status !== 503)).toEqual([])
    await scene.close()
  })
})

describe.runIf(cluster).concurrent('a server that starts before its stores', () => {
  test('says which one it waits for, and goes on when that is there', { timeout: 60_000 }, async ({
    expect
  }) => {
    const probe = createServer().listen(0, '127.0.0.1')
    await once(probe, 'listening')
    const { port } = probe.address() as { port: number }
    probe.close()
    const { log, lines } = logLines('info')
    const opening = openTestServices(
      'cluster',
      { SERAI_ELASTICSEARCH_URL: `http://me:secret@127.0.0.1:${port}` },
      { log }
    )
    const told = () => lines.map(({ msg }) => msg)
    await expect
      .poll(told, POLL)
      .toEqual([
        expect.stringMatching(
          `^waiting for Elasticsearch at http://127\\.0\\.0\\.1:${port}, for (?:5\\d|60) s at most$`
        )
      ])
    const proxy = await tcpProxy(cluster!.elasticsearch, port)
    const services = await opening
    expect(told()[1]).toMatch(/^Elasticsearch is there after [\d.]+ s$/)
    await services.close()
    await proxy.close()
  })
})
