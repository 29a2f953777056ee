import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { entryQuantities, type Quantities, type Quantity } from '../../../src/query/quantities.ts'
import { ALL, type Query, type TextMode } from '../../../src/query/tree.ts'
import type { EntryIndex, IndexDocument } from '../../../src/search/entry-index.ts'
import { openSqliteEntryIndex } from '../../../src/search/sqlite/sqlite-entry-index.ts'

const quantities = entryQuantities()
let folder: string
let file: string
let index: EntryIndex

const open = (options: { quantities?: Quantities; timeout?: number } = {}) =>
  openSqliteEntryIndex({ file, quantities, timeout: 20_000, ...options })

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serai-'))
  file = join(folder, 'search.sqlite')
  index = await open()
})

afterEach(async () => {
  await index.close()
  await rm(folder, { recursive: true })
})

const Q = (name: string) => quantities.get(name) as Quantity
const terms = (name: string, ...values: (string | number | boolean)[]): Query => ({
  kind: 'terms',
  quantity: Q(name),
  values
})
const text = (name: string, mode: TextMode, words: string): Query => ({
  kind: 'text',
  quantity: Q(name),
  mode,
  text: words
})
const doc = (entry_id: string, rest: object = {}): IndexDocument => ({ entry_id, ...rest })

async function ids(query: Query): Promise<string[]> {
  return (await index.search({ query, order: 'asc', size: 100 })).hits.map(h => h.entryId)
}

describe('threads', () => {
  const slow = (parts = 30_000): Query => ({
    kind: 'or',
    of: Array.from({ length: parts }, (_, i) => text('comment', 'phrase_prefix', `word phrase${i} w`))
  })

  test('a search that takes too long is stopped; others go on', async () => {
    await index.put(Array.from({ length: 2000 }, (_, i) => doc(`e${i}`, { comment: `word phrase${i} word` })))
    await index.close()
    index = await open({ timeout: 3000 })
    expect(await index.count(ALL)).toBe(2000)
    const started = Date.now()
    await expect(index.count(slow(150_000))).rejects.toMatchObject({ code: 'SEARCH_TIMEOUT', status: 503 })
    expect(Date.now() - started).toBeLessThan(10_000)
    for (let i = 0; i < 4; i++) expect(await index.count(ALL)).toBe(2000)
  })

  test('a search ends when its signal says so, running or waiting', async () => {
    await index.put(Array.from({ length: 2000 }, (_, i) => doc(`e${i}`, { comment: `word phrase${i} word` })))
    const controllers = Array.from({ length: 5 }, () => new AbortController())
    const searches = controllers.map(c => index.count(slow(), c.signal))
    const settled = Promise.allSettled(searches)
    setTimeout(() => {
      for (const controller of controllers) controller.abort(new Error('gone'))
    }, 50)
    const started = Date.now()
    expect((await settled).map(s => s.status)).toEqual(Array(5).fill('rejected'))
    expect(Date.now() - started).toBeLessThan(2000)
    expect(await index.count(ALL)).toBe(2000)
    await expect(index.count(ALL, AbortSignal.abort(new Error('gone before')))).rejects.toThrow('gone before')
  })

  test('a document that cannot be indexed refuses its batch and leaves the rest as it was', async () => {
    await index.put([doc('a', { domain: 'x' })])
    const broken = { entry_id: { not: 'a text' }, domain: 'fresh' } as unknown as IndexDocument
    await expect(index.put([doc('b', { domain: 'fresh' }), broken])).rejects.toThrow()
    expect(await ids(ALL)).toEqual(['a'])
    await index.put([doc('c', { domain: 'fresh' })])
    expect(await ids(terms('domain', 'fresh'))).toEqual(['c'])
  })
})

describe('writes that wait together', () => {
  test('are all done, also when one of them is refused', async () => {
    const broken = { entry_id: { not: 'a text' } } as unknown as IndexDocument
    const writes = await Promise.allSettled([
      index.put([doc('a', { domain: 'x', comment: 'first text' })]),
      index.put([doc('b', { domain: 'x' }), doc('c', { domain: 'x' })]),
      index.put([doc('d', { domain: 'x' }), broken]),
      index.remove(['b']),
      index.put([doc('e', { domain: 'x' })])
    ])
    expect(writes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled'
    ])
    expect(await ids(terms('domain', 'x'))).toEqual(['a', 'c', 'e'])
    expect(await ids(ALL)).toEqual(['a', 'c', 'e'])
  })

  test('leave the last version of an entry', async () => {
    const versions = ['x', 'y', 'x', 'z', 'y'].map((domain, n) =>
      doc('a', {
        domain,
        n_quantities: n,
        comment: `version ${domain}`,
        datasets: [{ dataset_name: domain }]
      })
    )
    await Promise.all([index.put([doc('b')]), ...versions.map(version => index.put([version]))])
    expect(await ids(terms('domain', 'x', 'z'))).toEqual([])
    expect(await ids(terms('domain', 'y'))).toEqual(['a'])
    expect(await ids(terms('datasets.dataset_name', 'x', 'z'))).toEqual([])
    expect(await ids(terms('n_quantities', 0, 1, 2, 3))).toEqual([])
    expect(await ids(terms('n_quantities', 4))).toEqual(['a'])
    expect(await ids(text('comment', 'phrase_prefix', 'version y'))).toEqual(['a'])
    expect(await ids(text('comment', 'words', 'x z'))).toEqual([])
  })
})

describe('the tables', () => {
  test('leave nothing behind when they are removed', async () => {
    const full = doc('a', {
      domain: 'x',
      comment: 'some words',
      n_quantities: 3,
      files: ['a/b'],
      results: {
        material: { topology: [{ label: 'l', n_atoms: 2, elemental_composition: [{ element: 'Ti' }] }] }
      }
    })
    await index.put([full])
    await index.remove(['a'])
    const database = new DatabaseSync(file, { readOnly: true })
    for (const table of ['posting', 'number', 'sequence', 'entry', 'document']) {
      expect([table, database.prepare(`SELECT count(*) AS n FROM ${table}`).get()]).toEqual([table, { n: 0 }])
    }
    database.close()
  })
})

describe('the file', () => {
  test('of a newer version is refused with a message that says so', async () => {
    await index.close()
    const newer = new DatabaseSync(file)
    newer.exec('PRAGMA user_version = 9')
    newer.close()
    await expect(open()).rejects.toMatchObject({
      code: 'STORE_NEWER',
      message: expect.stringContaining(file)
    })
  })

  test('is usable after the process was killed while it wrote', async () => {
    await index.put([doc('before', { domain: 'x' })])
    await index.close()
    const script = `
      import { openSqliteEntryIndex } from ${JSON.stringify(new URL('../../../src/search/sqlite/sqlite-entry-index.ts', import.meta.url).href)}
      import { entryQuantities } from ${JSON.stringify(new URL('../../../src/query/quantities.ts', import.meta.url).href)}
      const index = await openSqliteEntryIndex({ file: ${JSON.stringify(file)}, quantities: entryQuantities(), timeout: 1000 })
      for (let i = 0; ; i++) {
        await index.put(Array.from({ length: 50 }, (_, k) => ({ entry_id: 'e' + (i * 50 + k), domain: 'x' })))
        process.stdout.write('.')
      }`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit']
    })
    let batches = 0
    await new Promise<void>(resolve => {
      child.stdout.on('data', (dots: Buffer) => {
        batches += dots.length
        if (batches > 20) child.kill('SIGKILL')
      })
      child.on('exit', () => resolve())
    })
    index = await open()
    const count = await index.count(ALL)
    expect((count - 1) % 50).toBe(0)
    expect(count).toBeGreaterThan(batches * 50)
    expect(await index.count(terms('domain', 'x'))).toBe(count)
    await index.put([doc('after')])
    expect(await index.count(ALL)).toBe(count + 1)
  })
})
