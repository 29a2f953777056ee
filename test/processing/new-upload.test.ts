/** Imports of new uploads, looked at from outside while they go on and after they were killed. */
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PENDING_WAIT } from '../../src/access/pending-uploads.ts'
import { checkStores, type StoreProblem } from '../../src/processing/check-stores.ts'
import { CorpusFolder } from '../../src/processing/corpus-folder.ts'
import { importCorpus } from '../../src/processing/corpus-import.ts'
import { type ImportReport, importUploads } from '../../src/processing/import-run.ts'
import { importShared } from '../../src/processing/shared-import.ts'
import { ALL } from '../../src/query/tree.ts'
import { openServices, type Services } from '../../src/services.ts'
import { openTestServices, profiles, type TestServices, testApp } from '../app.ts'
import { AUTHOR, EVERYTHING, found as foundIn, ImportFolder, UPLOAD } from './import-folder.ts'
import { addLargeUpload, LARGE_IDS, LARGE_UPLOAD } from './large-folder.ts'

/** What a killed process looks like to the stores: nothing more is done. */
class Killed extends Error {}

/** Entries of the large upload that are in the index when its import is held. */
const HALF = 200

describe.each(profiles())('importing a new upload (%s)', profile => {
  let services: TestServices
  let folder: ImportFolder

  beforeEach(async () => {
    services = await openTestServices(profile)
    folder = await ImportFolder.guide()
  })

  afterEach(async () => {
    await services.close()
    await folder.end()
  })

  /** Imports from a source that is slow: the archive of an entry comes after `until`. */
  async function run(
    slow?: { entryId: string; until: () => Promise<void> },
    target: Services = services
  ): Promise<ImportReport> {
    const source = await CorpusFolder.open(folder.path)
    const shared = await importShared(source, target)
    const { records: uploads } = await source.uploads()
    const archive: CorpusFolder['archive'] = async (uploadId, entryId, required) => {
      const input = await source.archive(uploadId, entryId, required)
      if (!input || entryId !== slow?.entryId) return input
      const parts = async function* () {
        await slow.until()
        yield* input.parts()
      }
      return { ...input, parts }
    }
    const files = {
      list: source.list,
      hasRaw: source.hasRaw,
      checkRaw: source.checkRaw.bind(source),
      openRaw: source.openRaw.bind(source),
      archive
    }
    return importUploads({ uploads, files, ...shared }, target, () => {})
  }

  /** The same store, with another method in place of one. */
  function replaced<Store extends object, Name extends keyof Store>(
    store: Store,
    name: Name,
    method: Store[Name]
  ): Store {
    return new Proxy(store, {
      get: (_, asked) => {
        if (asked === name) return method
        const own = Reflect.get(store, asked, store)
        return typeof own === 'function' ? own.bind(store) : own
      }
    })
  }

  const halfIsIndexed = async () => {
    while ((await services.index.count(ALL)) < HALF) await delay(10)
  }

  /** How many entries of the large upload everybody finds, asked in every way that tells a number. */
  async function found(app: FastifyInstance): Promise<Set<number>> {
    const get = async (url: string) => (await app.inject(`/api/v1${url}`)).json()
    const post = async (url: string, payload: object) =>
      (await app.inject({ method: 'POST', url: `/api/v1${url}`, payload })).json()
    const [page, counted, suggested, exported, archives] = await Promise.all([
      get(`/entries?upload_id=${LARGE_UPLOAD}&page_size=1000`),
      post('/entries/query', {
        aggregations: { counts: { terms: { quantity: 'upload_id' } } },
        pagination: { page_size: 0 }
      }),
      post('/suggestions', { input: 'series', quantities: [{ name: 'mainfile' }] }),
      get(`/entries/export?upload_id=${LARGE_UPLOAD}`),
      post('/entries/archive/query', { query: { upload_id: LARGE_UPLOAD }, pagination: { page_size: 1 } })
    ])
    const buckets = counted.aggregations.counts.terms.data as { value: string; count: number }[]
    return new Set([
      page.pagination.total,
      page.data.length,
      buckets.find(({ value }) => value === LARGE_UPLOAD)?.count ?? 0,
      suggested.mainfile ? LARGE_IDS.length : 0,
      exported.length,
      archives.pagination.total
    ])
  }

  const statusOf = async (app: FastifyInstance, url: string) => (await app.inject(`/api/v1${url}`)).statusCode
  const UPLOAD_URL = `/uploads/${LARGE_UPLOAD}`

  const NONE = new Set([0])
  const ALL_OF_IT = new Set([LARGE_IDS.length])

  test('shows nothing before everything is there, and then everything', async () => {
    await addLargeUpload(folder.path, 0, AUTHOR)
    const app = await testApp(services)
    try {
      expect(await found(app)).toEqual(NONE)
      const seen: Set<number>[] = []
      let ended = false
      const done = run({
        entryId: LARGE_IDS[HALF] as string,
        until: async () => {
          await halfIsIndexed()
          // Until something was asked for that began when they were there.
          for (const enough = seen.length + 2; seen.length < enough; ) await delay(10)
        }
      }).finally(() => {
        ended = true
      })
      while (!ended) {
        const counts = await found(app)
        const status = await statusOf(app, UPLOAD_URL)
        seen.push(counts)
        if (status === 404) expect(counts).toEqual(NONE)
        else expect([...counts].every(n => n === 0 || n === LARGE_IDS.length)).toBe(true)
      }
      expect(await done).toMatchObject({ imported: 2, problems: [] })
      expect(seen.length).toBeGreaterThan(3)
      expect(await found(app)).toEqual(ALL_OF_IT)
      expect(await services.documents.pendingUploads()).toEqual([])
    } finally {
      await app.close()
    }
  })

  test('waits until every server knows of it, also after an import that was killed a moment ago', async () => {
    await addLargeUpload(folder.path, 0, AUTHOR)
    await services.documents.addPendingUpload(LARGE_UPLOAD)
    const { index, documents } = services
    let known = Number.POSITIVE_INFINITY
    const put: number[] = []
    const target = {
      ...services,
      documents: replaced(documents, 'addPendingUpload', async id => {
        await documents.addPendingUpload(id)
        known = performance.now()
      }),
      index: replaced(index, 'put', async () => {
        put.push(performance.now() - known)
        throw new Killed()
      })
    }
    await expect(run(undefined, target)).rejects.toThrow(Killed)
    // Timers count whole milliseconds.
    expect(Math.min(...put)).toBeGreaterThan(PENDING_WAIT - 5)
  })

  test('that was killed leaves it hidden, also from servers that start afterwards, until it is imported', async () => {
    await addLargeUpload(folder.path, 0, AUTHOR)
    const killed = run({
      entryId: LARGE_IDS[HALF] as string,
      until: async () => {
        await halfIsIndexed()
        throw new Killed()
      }
    })
    await expect(killed).rejects.toThrow(Killed)
    expect(await services.index.count(ALL)).toBe(HALF)

    const restarted = await openServices(services.config)
    const app = await testApp({ ...restarted, config: services.config })
    try {
      expect(await found(app)).toEqual(NONE)
      const [id] = LARGE_IDS
      for (const url of [
        UPLOAD_URL,
        `${UPLOAD_URL}/entries`,
        `${UPLOAD_URL}/archive/${id}`,
        `${UPLOAD_URL}/raw/series/output.json`,
        `${UPLOAD_URL}/rawdir/series`,
        `/entries/${id}`,
        `/entries/${id}/archive`,
        `/entries/${id}/rawdir`,
        `/entries/${id}/raw`,
        `/entries/${id}/raw/output.json`
      ]) {
        expect(await statusOf(app, url), url).toBe(404)
      }
      const problems: StoreProblem[] = []
      await checkStores(restarted, problem => problems.push(problem))
      expect(problems).toContainEqual({
        uploadId: LARGE_UPLOAD,
        part: 'import',
        message: expect.stringContaining('imported again')
      })

      expect(await run()).toMatchObject({ imported: 2, problems: [] })
      expect(await found(app)).toEqual(ALL_OF_IT)
      expect(await statusOf(app, `/entries/${id}/archive`)).toBe(200)
      problems.length = 0
      await checkStores(restarted, problem => problems.push(problem))
      expect(problems).toEqual([])
    } finally {
      await app.close()
      await restarted.close()
    }
  })

  test('of few entries has its document before anybody finds them', async () => {
    const { index, documents } = services
    const dying = replaced(index, 'put', async found => {
      expect(await documents.upload(UPLOAD)).not.toHaveProperty('import_checksum')
      await index.put(found)
      throw new Killed()
    })
    await expect(importCorpus(folder.path, { ...services, index: dying })).rejects.toThrow(Killed)
    expect(await foundIn(services)).toEqual(EVERYTHING)
    expect(await documents.upload(UPLOAD)).toMatchObject({ upload_id: UPLOAD })
    expect(await importCorpus(folder.path, services)).toMatchObject({ imported: 1, entries: 4 })
  })
})
