/**
 * `serai import` and `serai serve` killed at random moments: the next start is clean and nothing is half visible.
 * `SERAI_TEST_RUNS` asks for so many kills of each, `SERAI_TEST_SEED` for the moments of an earlier run.
 */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { setPassword } from '../../src/access/account-changes.ts'
import { checkStores, type StoreProblem } from '../../src/processing/check-stores.ts'
import { importCorpus } from '../../src/processing/corpus-import.ts'
import type { Quantity } from '../../src/query/quantities.ts'
import { ALL, type Query } from '../../src/query/tree.ts'
import { walk } from '../../src/search/entry-index.ts'
import type { User } from '../../src/storage/documents.ts'
import { bearer, openTestServices, type Profile, profiles, type TestServices, testApp } from '../app.ts'
import { addLargeUpload, LARGE_IDS, LARGE_UPLOAD } from '../processing/large-folder.ts'
import { run, serai } from './serai.ts'
import { settingsOf } from './stores.ts'

const KILLS = Number(process.env.SERAI_TEST_RUNS ?? 2)
const SEED = Number(process.env.SERAI_TEST_SEED ?? Date.now() % 1_000_000)
const CORPUS = join(import.meta.dirname, '../../fixtures/corpus')

/** An open upload with many entries, and a person who is main author of some. */
const OPEN_UPLOAD = 'JrwlldN3Mnf6R_mujWnCkA'
const PERSON = '3f1a2b7c-5d64-4e0f-8c21-7a9e6b3d1c02'
const PASSWORD = 'a long enough password'

/** Numbers from 0 to 1 that the seed determines (mulberry32). */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Everything that an import writes of uploads and entries, by id. */
async function stored({ index, documents }: TestServices) {
  const page = { orderBy: 'upload_create_time', order: 'asc', offset: 0, limit: 1000 } as const
  const { uploads } = await documents.listUploads({}, page)
  const entries = await Promise.all(uploads.map(upload => documents.entriesOfUpload(upload.upload_id)))
  const { hits } = await index.search({ query: ALL, order: 'asc', size: 1000 })
  return {
    uploads: new Map(uploads.map(upload => [upload.upload_id, upload])),
    entries: new Map(entries.flat().map(entry => [entry.entry_id, entry])),
    index: new Map(hits.map(hit => [hit.entryId, hit.document]))
  }
}

/**
 * What is found, as a server answers: the uploads that entries name, to those who may see them; and to everybody, entries with
 * their archives, of a new upload all or none.
 */
async function expectWholeAnswers(services: TestServices, isNew: boolean): Promise<number> {
  const app = await testApp(services)
  try {
    const get = async (url: string, authorization?: string) => {
      const headers = authorization ? { authorization } : {}
      const answer = await app.inject({ url: `/api/v1${url}`, headers })
      expect(answer.statusCode, `${url}: ${answer.body.slice(0, 300)}`).toBe(200)
      return answer.json()
    }
    const owners = new Map<string, string>()
    const source = { include: ['upload_id', 'main_author.user_id'] }
    for await (const { document } of walk(app.services.index, { query: ALL, order: 'asc', source })) {
      const { upload_id, main_author } = document as { upload_id: string; main_author: { user_id: string } }
      owners.set(upload_id, main_author.user_id)
    }
    for (const [uploadId, userId] of owners) {
      await get(`/uploads/${uploadId}`, await bearer(services, userId))
    }
    const { data } = await get('/entries?page_size=1000')
    const large = data.filter((entry: { upload_id: string }) => entry.upload_id === LARGE_UPLOAD)
    if (isNew) expect([0, LARGE_IDS.length]).toContain(large.length)
    // Those of the large upload are like each other.
    const others = data.filter((entry: { upload_id: string }) => entry.upload_id !== LARGE_UPLOAD)
    for (const { entry_id, processed } of [...others, ...large.slice(0, 20)]) {
      await get(`/entries/${entry_id}`)
      await get(`/entries/${entry_id}/rawdir`)
      if (processed) await get(`/entries/${entry_id}/archive`)
    }
    return data.length
  } finally {
    await app.close()
  }
}

describe.each(profiles())('killed with SIGKILL, %s profile', profile => {
  const chance = random(SEED)
  let place: string
  /** The corpus with a further upload of several batches, and a second version of all of it. */
  let original: string
  let changed: string

  beforeAll(async () => {
    console.log(`${profile}: ${KILLS} kills, SERAI_TEST_SEED=${SEED}`)
    place = await mkdtemp(join(tmpdir(), 'serai-killed-'))
    original = join(place, 'original')
    changed = join(place, 'changed')
    await cp(CORPUS, original, { recursive: true })
    await addLargeUpload(original, 3, PERSON)
    await cp(original, changed, { recursive: true })
    const list = join(changed, 'uploads.json')
    const uploads = JSON.parse(await readFile(list, 'utf8')) as Record<string, unknown>[]
    for (const upload of uploads) upload.upload_name = `${upload.upload_name}, second version`
    await writeFile(list, JSON.stringify(uploads))
  })
  afterAll(() => rm(place, { recursive: true }))

  test('an import leaves whole uploads only, and the next one ends as if nothing had been', async () => {
    const undisturbed = new Map<string, Awaited<ReturnType<typeof stored>>>()
    const times = new Map<string, number>()
    const whole = await openTestServices(profile)
    try {
      for (const folder of [original, changed]) {
        const begin = performance.now()
        expect(await run(['import', folder], settingsOf(whole))).toMatchObject({ code: 0 })
        times.set(folder, performance.now() - begin)
        undisturbed.set(folder, await stored(whole))
      }
    } finally {
      await whole.close()
    }

    let services: TestServices | undefined
    try {
      for (let kill = 0; kill < KILLS; kill++) {
        // By turns into empty stores, and over the older version that they then have.
        const folder = kill % 2 === 0 ? original : changed
        if (kill % 2 === 0) {
          await services?.close()
          services = await openTestServices(profile)
        }
        // Some when a half of the large upload may be in the index, the others at any moment.
        const moment = kill % 4 === 0 ? undefined : chance() * (times.get(folder) as number)
        await expectCleanAfterKill(services as TestServices, folder, moment)
        expect(await stored(services as TestServices)).toEqual(undisturbed.get(folder))
      }
    } finally {
      await services?.close()
    }
  }, 3_600_000)

  /** Settles when the first entries of the large upload are in the index, or the import has ended. */
  async function largeIsIndexed({ index, quantities }: TestServices, end: Promise<unknown>): Promise<void> {
    const quantity = quantities.get('upload_id') as Quantity
    const query: Query = { kind: 'terms', quantity, values: [LARGE_UPLOAD] }
    const ended = end.then(() => true)
    while ((await index.count(query)) === 0 && !(await Promise.race([ended, delay(2, false)])));
  }

  async function expectCleanAfterKill(
    services: TestServices,
    folder: string,
    moment: number | undefined
  ): Promise<void> {
    const settings = settingsOf(services)
    const command = serai(['import', folder], settings)
    await (moment === undefined ? largeIsIndexed(services, command.end) : delay(moment))
    command.process.kill('SIGKILL')
    await command.end
    const at = moment === undefined ? 'killed in the large upload' : `killed after ${Math.round(moment)} ms`

    const { uploads } = await stored(services)
    const complete = new Set([...uploads.values()].filter(u => u.import_checksum).map(u => u.upload_id))
    const checked = await run(['check'], settings)
    expect(checked.stderr, at).toContain('Checked ')
    // Of an upload that was not finished parts may be there already; the next import knows and replaces them.
    for (const line of checked.stdout.split('\n')) {
      const [, uploadId] = /^upload ([^,:]+)/.exec(line) ?? []
      expect(uploadId !== undefined && complete.has(uploadId), `${at}: ${line}`).toBe(false)
    }
    const found = await expectWholeAnswers(services, folder === original)
    console.log(
      `${profile}, ${at}: ${complete.size} uploads complete, ${found} entries found, ${checked.stdout.split('\n').length - 1} parts unfinished`
    )

    expect(await run(['import', folder], settings), at).toMatchObject({ code: 0 })
    const problems: StoreProblem[] = []
    await checkStores(services, problem => problems.push(problem))
    expect(problems, at).toEqual([])
  }

  test('a server under load loses nothing that it has answered', async () => {
    const services = await openTestServices(profile)
    try {
      await importCorpus(CORPUS, services)
      const before = await stored(services)
      const tokens = await killServers(services, profile)
      expect(await stored(services)).toEqual(before)
      expect(tokens).toBeGreaterThan(0)
      expect(await run(['check'], settingsOf(services))).toMatchObject({ code: 0, stdout: '' })
    } finally {
      await services.close()
    }
  }, 3_600_000)

  /** @returns the number of tokens that were made */
  async function killServers(services: TestServices, profile: Profile): Promise<number> {
    const { username } = (await services.documents.users([PERSON]))[0] as User
    await setPassword(PERSON, PASSWORD, services.accounts)
    const { access_token } = (await services.identity.signIn(username, PASSWORD, true)) ?? {}
    const authorization = `Bearer ${access_token}`
    const settings = {
      ...settingsOf(services),
      SERAI_DEMO_DATA: 'false',
      SERAI_RATE_LIMIT: 'off',
      SERAI_CONCURRENCY_LIMIT: 'off',
      SERAI_MAX_EVENT_LOOP_DELAY: 'off',
      SERAI_PAT_MAX_ACTIVE_PER_USER: '100000'
    }
    const answered = new Map<string, string>()
    let asked = 0
    for (let kill = 0; kill <= KILLS; kill++) {
      const server = serai(['serve', '--port', '0'], settings)
      try {
        const [, base] = (await server.until(/listening +(http:\S+)/)) as unknown as [string, string]
        const all = await fetch(`${base}/entries?page_size=0`)
        expect(await all.json()).toMatchObject({ pagination: { total: expect.any(Number) } })
        const known = new Set((await services.accounts.personalTokensOf(PERSON)).map(token => token.id))
        expect([...answered.keys()].filter(id => !known.has(id))).toEqual([])
        // The last ones are those that the kill met.
        for (const raw of [...answered.values()].slice(-20)) {
          const own = await fetch(`${base}/users/me`, { headers: { authorization: `Bearer ${raw}` } })
          expect(own.status, await own.text()).toBe(200)
        }
        // A token that was written and not answered may be there, one that nobody asked for may not.
        expect(known.size).toBeLessThanOrEqual(asked)
        if (kill === KILLS) break

        let ended = false
        const statuses = new Set<number>()
        const load = async (ask: () => Promise<void>) => {
          while (!ended) {
            // A request that meets the end of the server has no answer.
            await ask().catch(() => delay(5))
          }
        }
        const read = (url: string, body?: object) => async () => {
          const answer = await fetch(`${base}${url}`, {
            method: body ? 'POST' : 'GET',
            headers: { authorization, 'content-type': 'application/json' },
            ...(body ? { body: JSON.stringify(body) } : {})
          })
          statuses.add(answer.status)
          await answer.arrayBuffer()
        }
        const make = async () => {
          asked++
          const answer = await fetch(`${base}/auth/pats`, {
            method: 'POST',
            headers: { authorization, 'content-type': 'application/json' },
            body: JSON.stringify({
              metadata: { name: `token ${asked}`, scopes: ['entries:read', 'users:read'] }
            })
          })
          statuses.add(answer.status)
          const { pat, raw_token } = (await answer.json()) as { pat: { id: string }; raw_token: string }
          answered.set(pat.id, raw_token)
        }
        const loads = [
          load(read('/entries?elements=Ti&page_size=50')),
          load(read('/entries/archive/query', { owner: 'visible', required: '*' })),
          load(read(`/uploads/${OPEN_UPLOAD}/raw/?compress=true`)),
          load(make),
          load(make)
        ]
        const moment = 100 + chance() * 1900
        await delay(moment)
        server.process.kill('SIGKILL')
        await server.end
        ended = true
        await Promise.all(loads)
        expect([...statuses].filter(status => status >= 300)).toEqual([])
        console.log(
          `${profile}, server killed after ${Math.round(moment)} ms: ${answered.size} tokens of ${asked}`
        )
      } finally {
        server.process.kill('SIGKILL')
        await server.end
      }
    }
    return answered.size
  }
})
