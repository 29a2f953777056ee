import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ANONYMOUS } from '../../src/access/caller.ts'
import { ownerQuery } from '../../src/access/owner.ts'
import { importCorpus } from '../../src/processing/corpus-import.ts'
import { openCorpusServices, openTestServices, profiles, type TestServices } from '../app.ts'
import {
  AUTHOR,
  archiveFile,
  COAUTHOR,
  corpusUploads,
  ENTRIES,
  EVERYTHING,
  found,
  ImportFolder,
  rawFile,
  stored,
  UPLOAD,
  without
} from './import-folder.ts'

/** What a killed process looks like to the stores: nothing is done after some entry. */
class Killed extends Error {}

describe.each(profiles())('importing a folder of uploads (%s)', profile => {
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

  const run = () => importCorpus(folder.path, services)

  /** Imports until the turn of the entry with this number comes, 0 being the first. */
  const runUntil = (entry: number) => {
    let events = 0
    const killAt = () => {
      // The first event is the upload's.
      if (events++ === entry + 1) throw new Killed()
    }
    return expect(importCorpus(folder.path, services, killAt)).rejects.toThrow(Killed)
  }

  /** Entries that anyone finds. */
  const open = () => found(services, ownerQuery('visible', ANONYMOUS, services.quantities))

  test('stores people, datasets, the upload, its entries, archives, files and index documents', async () => {
    expect(await run()).toEqual({ imported: 1, skipped: 0, entries: 4, problems: [] })

    expect(await services.documents.userByName('lena.brandt')).toMatchObject({ user_id: AUTHOR })
    expect(await services.documents.dataset('dsGuideExamples0000001')).toEqual({
      dataset_id: 'dsGuideExamples0000001',
      dataset_name: 'Examples of the API guide',
      user_id: AUTHOR,
      dataset_create_time: '2020-03-17T09:25:00.000Z',
      dataset_modified_time: '2020-03-17T09:25:00.000Z',
      dataset_type: 'owned'
    })
    expect(await services.documents.upload(UPLOAD)).toMatchObject({
      main_author: AUTHOR,
      coauthors: [COAUTHOR],
      upload_create_time: '2020-03-17T09:20:00.000Z',
      publish_time: '2020-03-18T08:00:17.810Z',
      current_process: 'publish_upload',
      import_checksum: expect.stringMatching(/^[0-9a-f]{64}$/)
    })
    expect(await services.documents.entry(ENTRIES.salt)).toMatchObject({
      upload_id: UPLOAD,
      mainfile: 'NaCl/OUTCAR',
      datasets: ['dsGuideExamples0000001']
    })
    const state = await stored(services)
    expect(state).toMatchObject({ entries: EVERYTHING, archives: EVERYTHING, index: EVERYTHING })
    expect(state.files).toHaveLength(13)
    expect(await text(await services.files.open(UPLOAD, 'NaCl/KPOINTS'))).toBe(
      'Automatic mesh\n0\nGamma\n4 4 4\n0 0 0\n'
    )
  })

  test('skips what is there already and unchanged', async () => {
    await run()
    const before = await services.archives.contents(EVERYTHING)
    expect(await run()).toEqual({ imported: 0, skipped: 1, entries: 0, problems: [] })
    expect(await services.archives.contents(EVERYTHING)).toEqual(before)
  })

  test.each<[string, () => Promise<void>]>([
    ['a raw file', () => folder.write(rawFile('NaCl/KPOINTS'), 'Automatic mesh\n0\nGamma\n5 5 5\n0 0 0\n')],
    [
      'a comment',
      () =>
        folder.change(upload => {
          upload.entries[0]!.comment = 'new'
        })
    ],
    ['the name of an author', () => folder.write('users.json', renamed)],
    ['an archive', () => folder.write(archiveFile(ENTRIES.ice), '{"results":{}}')]
  ])('imports an upload again when %s has changed', async (_, change) => {
    await run()
    await change()
    expect(await run()).toEqual({ imported: 1, skipped: 0, entries: 4, problems: [] })
    expect(await run()).toMatchObject({ imported: 0, skipped: 1 })
  })

  test('tells how far it is, from nothing to all', async () => {
    const told: number[] = []
    await importCorpus(folder.path, services, ({ done, total, name }) => {
      expect(total).toBe(4)
      expect(name).toBe('Oxides and salts: examples of the API guide')
      told.push(done)
    })
    expect(told.at(0)).toBe(0)
    expect(told.at(-1)).toBe(4)
    expect(told).toEqual([...told].sort())
  })

  test.each([0, 1, 3])('goes on where it was killed at entry %i, and shows nothing before', async entry => {
    await runUntil(entry)
    expect(await services.documents.upload(UPLOAD)).toBeUndefined()
    expect(await found(services)).toEqual([])
    expect(await run()).toEqual({ imported: 1, skipped: 0, entries: 4, problems: [] })
    expect(await stored(services)).toMatchObject({
      entries: EVERYTHING,
      archives: EVERYTHING,
      index: EVERYTHING
    })
  })

  test('goes on after it was killed over an older version, also when the older one comes back', async () => {
    await run()
    const original = await folder.read('uploads.json')
    const { comment } = (await services.documents.entry(ENTRIES.slab))!
    await folder.change(upload => {
      upload.entries[0]!.comment = 'new'
      upload.entries.pop()
    })
    await runUntil(2)
    await folder.write('uploads.json', original)
    expect(await run()).toMatchObject({ imported: 1, entries: 4, problems: [] })
    expect(await services.documents.entry(ENTRIES.slab)).toMatchObject({ comment })
    expect(await open()).toEqual(EVERYTHING)
  })

  test('removes entries and files that the folder no longer has', async () => {
    await run()
    await folder.change(upload => {
      upload.entries = upload.entries.filter(e => e.entry_id !== ENTRIES.ice)
      upload.raw_files = upload.raw_files.filter(f => !f.path.startsWith('ice-XI/'))
    })
    expect(await run()).toEqual({ imported: 1, skipped: 0, entries: 3, problems: [] })
    const rest = without(ENTRIES.ice)
    const state = await stored(services)
    expect(state).toMatchObject({ entries: rest, archives: rest, index: rest })
    expect(state.files).toHaveLength(10)
  })

  test('removes an archive that an entry no longer has', async () => {
    await run()
    await folder.change(upload => {
      upload.entries[3]!.has_archive = false
    })
    expect(await run()).toMatchObject({ entries: 4, problems: [] })
    const state = await stored(services)
    expect(state).toMatchObject({ entries: EVERYTHING, index: EVERYTHING, archives: without(ENTRIES.ice) })
  })

  describe('visibility while an older version is replaced', () => {
    const embargo = () =>
      folder.change(upload => {
        upload.with_embargo = true
        upload.embargo_length = 12
      })
    const lift = () =>
      folder.change(upload => {
        upload.with_embargo = false
        upload.embargo_length = 0
      })

    test('an embargo hides everything before anything else is done', async () => {
      await run()
      expect(await open()).toEqual(EVERYTHING)
      await embargo()
      await runUntil(0)
      expect(await open()).toEqual([])
      expect(await services.documents.upload(UPLOAD)).toMatchObject({ embargo_length: 12 })
      await run()
      expect(await open()).toEqual([])
      expect(await found(services)).toEqual(EVERYTHING)
    })

    test('an embargo stays until everything of the new version is there', async () => {
      await embargo()
      await run()
      await lift()
      await folder.change(upload => void upload.entries.pop())
      await runUntil(2)
      expect(await services.documents.upload(UPLOAD)).toMatchObject({ embargo_length: 12 })
      // What is gone in the new version is gone before more people may see the upload.
      expect(await services.documents.entry(ENTRIES.ice)).toBeUndefined()
      await run()
      expect(await services.documents.upload(UPLOAD)).toMatchObject({ embargo_length: 0 })
      expect(await open()).toEqual(without(ENTRIES.ice))
    })

    test('what the index holds of an interrupted import does not outlive its document', async () => {
      await run()
      await embargo()
      // A process that was killed when it had written the document, and nothing else yet.
      const { import_checksum: _, ...upload } = (await services.documents.upload(UPLOAD))!
      await services.documents.putUpload({ ...upload, embargo_length: 12 })
      await runUntil(0)
      expect(await open()).toEqual([])
    })

    test('who is no longer a coauthor finds nothing', async () => {
      await embargo()
      await run()
      await folder.change(upload => {
        upload.coauthors = []
      })
      await runUntil(0)
      expect(await found(services)).toEqual([])
      expect(await services.documents.upload(UPLOAD)).toMatchObject({ coauthors: [] })
    })
  })

  test('raw files have their true paths and sizes, whatever they are kept as', async () => {
    const corpus = await openCorpusServices(profile)
    try {
      const uploads = await corpusUploads()
      expect(uploads.flatMap(u => u.raw_files).filter(f => f.encoding === 'base64')).toHaveLength(20)
      for (const { upload_id, raw_files } of uploads) {
        const files = await Array.fromAsync(corpus.files.walk(upload_id, ''))
        const listed = raw_files.map(({ path, size }) => ({ path, size }))
        expect(files.map(({ path, size }) => ({ path, size }))).toEqual(listed.sort(byPath))
      }
    } finally {
      await corpus.close()
    }
  })

  test('a schema is found in an upload that was imported from another folder', async () => {
    const schemas = await ImportFolder.corpus('BIi3kjIn3gVRQOIb7K5cx3')
    const projects = await ImportFolder.corpus('3vNHVKuWjMIy5T9BHP_2ex')
    const corpus = await openCorpusServices(profile)
    const names = async (from: TestServices) => {
      const page = await from.index.search({
        query: { kind: 'terms', quantity: from.quantities.get('entry_id')!, values: [PROJECT] },
        order: 'asc',
        size: 1,
        source: { include: ['sections', 'entry_references'] }
      })
      return page.hits[0]?.document
    }
    try {
      expect((await importCorpus(schemas.path, services)).problems).toEqual([])
      expect((await importCorpus(projects.path, services)).problems).toEqual([])
      const expected = await names(corpus)
      expect(JSON.stringify(expected)).toContain('entry_id:')
      expect(await names(services)).toEqual(expected)
    } finally {
      await corpus.close()
      await Promise.all([schemas.end(), projects.end()])
    }
  })
})

const byPath = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : 1)

/** An entry whose data has a section of a schema in another upload. */
const PROJECT = 'CqSHVtAIAYhqGKvfiYMzm2l1XtHx'
const renamed = JSON.stringify([
  { user_id: AUTHOR, username: 'lena.brandt', first_name: 'Lena', last_name: 'Brandt-Meyer' },
  { user_id: COAUTHOR, username: 'paulo.siqueira', first_name: 'Paulo', last_name: 'Siqueira' }
])
