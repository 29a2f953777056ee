import { readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ANONYMOUS } from '../../../src/access/caller.ts'
import { parseRequired } from '../../../src/archive/required.ts'
import { importCorpus } from '../../../src/processing/corpus-import.ts'
import { importPath } from '../../../src/processing/import-path.ts'
import { ALL } from '../../../src/query/tree.ts'
import { walk } from '../../../src/search/entry-index.ts'
import { ArchiveReader } from '../../../src/storage/archive-reader.ts'
import { openTestServices, profiles, type TestServices } from '../../app.ts'
import { makeZip } from '../../files/make-zip.ts'
import { ImportFolder } from '../import-folder.ts'
import {
  bundleFiles,
  bundleInfo,
  type Files,
  type Info,
  PEOPLE,
  PUBLIC,
  publicFiles,
  RESTRICTED,
  Scratch,
  STAGING,
  stagingFiles,
  zipOf
} from './reference-data.ts'

const scratch = new Scratch()
afterEach(() => scratch.end())

/** Everything that the stores hold of an upload. */
async function contentOf(services: TestServices, uploadId: string) {
  const { documents, index, archives, definitions, files } = services
  const entries = await documents.entriesOfUpload(uploadId)
  const reader = new ArchiveReader({ archives, documents, definitions })
  const ids = entries.map(e => e.entry_id)
  const read = await Array.fromAsync(reader.read(ids, parseRequired('*'), ANONYMOUS))
  const { import_checksum: _, ...upload } = (await documents.upload(uploadId))!
  const hits = await Array.fromAsync(walk(index, { query: ALL, order: 'asc' }))
  return {
    upload,
    entries,
    archives: JSON.parse(JSON.stringify(read)),
    index: hits.map(h => h.document).filter(d => d.upload_id === uploadId),
    files: (await Array.fromAsync(files.walk(uploadId, ''))).map(({ path, sha256 }) => [path, sha256])
  }
}

/** What an import of the same upload from the corpus layout gives. */
const expected = new Map<string, Awaited<ReturnType<typeof contentOf>>>()

beforeAll(async () => {
  const services = await openTestServices('embedded')
  const folder = await ImportFolder.corpus(PUBLIC, RESTRICTED, STAGING)
  try {
    expect((await importCorpus(folder.path, services)).problems).toEqual([])
    for (const id of [PUBLIC, RESTRICTED, STAGING]) expected.set(id, await contentOf(services, id))
  } finally {
    await services.close()
    await folder.end()
  }
}, 120_000)

describe.each(profiles())('importing uploads of a NOMAD server (%s)', profile => {
  let services: TestServices

  beforeEach(async () => {
    services = await openTestServices(profile)
    expect((await importPath(await scratch.folder(PEOPLE), services)).problems).toEqual([])
  })
  afterEach(() => services.close())

  const counts = { [PUBLIC]: 14, [RESTRICTED]: 6, [STAGING]: 5 }

  test.each([PUBLIC, RESTRICTED, STAGING] as const)(
    'a bundle gives what the upload had there: %s, as zip, compressed zip and folder',
    async id => {
      const files = await bundleFiles(id)
      const paths = [
        await scratch.file('bundle.zip', zipOf(files)),
        await scratch.file('bundle.zip', zipOf(files, true)),
        await scratch.folder(files)
      ]
      for (const path of paths) {
        const fresh = await openTestServices(profile)
        try {
          await importPath(await scratch.folder(PEOPLE), fresh)
          const report = await importPath(path, fresh)
          expect(report).toEqual({ imported: 1, skipped: 0, entries: counts[id], problems: [] })
          expect(await contentOf(fresh, id)).toEqual(expected.get(id))
          expect(await importPath(path, fresh)).toMatchObject({ imported: 0, skipped: 1, problems: [] })
        } finally {
          await fresh.close()
        }
      }
    },
    120_000
  )

  test('a killed import is taken up again', async () => {
    const path = await scratch.folder(await bundleFiles(PUBLIC))
    let events = 0
    const kill = () => {
      if (events++ === 6) throw new Error('killed')
    }
    await expect(importPath(path, services, kill)).rejects.toThrow('killed')
    expect(await importPath(path, services)).toMatchObject({ imported: 1, entries: 14, problems: [] })
    expect(await contentOf(services, PUBLIC)).toEqual(expected.get(PUBLIC))
  })

  test('datasets come with a bundle; one of the same name and person takes the place of another', async () => {
    const info = bundleInfo(RESTRICTED)
    expect(info.datasets).not.toEqual([])
    const [dataset] = info.datasets
    const { doi: _, ...plain } = dataset
    await services.documents.putDatasets([
      {
        ...plain,
        dataset_id: 'already-here',
        dataset_create_time: '2020-01-01T00:00:00.000Z',
        dataset_modified_time: '2020-01-01T00:00:00.000Z',
        dataset_type: 'owned'
      }
    ])
    const path = await scratch.folder(await bundleFiles(RESTRICTED, info))
    expect((await importPath(path, services)).problems).toEqual([])
    const entries = await services.documents.entriesOfUpload(RESTRICTED)
    expect(new Set(entries.flatMap(e => e.datasets))).toEqual(new Set(['already-here']))
    expect(await services.documents.dataset(dataset.dataset_id)).toBeUndefined()
  })

  test.each(['v1', 'v2', 'v3'] as const)('the public directory, archives in the format %s', async format => {
    const path = await scratch.folder(await publicFiles(PUBLIC, format))
    expect(await importPath(path, services)).toMatchObject({ imported: 1, entries: 14, problems: [] })
    const { upload, archives, files, index } = await contentOf(services, PUBLIC)
    const original = expected.get(PUBLIC)!
    expect(archives).toEqual(original.archives)
    expect(files).toEqual(original.files)
    expect(index.map(d => d.quantities)).toEqual(original.index.map(d => d.quantities))
    expect(upload).toMatchObject({
      upload_id: PUBLIC,
      main_author: original.upload.main_author,
      coauthors: original.upload.coauthors,
      upload_name: original.upload.upload_name,
      embargo_length: 0,
      publish_time: expect.any(String)
    })
  })

  test('the restricted directory stays under embargo', async () => {
    const path = await scratch.folder(await publicFiles(RESTRICTED))
    expect(await importPath(path, services)).toMatchObject({ imported: 1, entries: 6, problems: [] })
    expect(await services.documents.upload(RESTRICTED)).toMatchObject({
      embargo_length: expect.toSatisfy((months: number) => months > 0),
      publish_time: expect.any(String)
    })
  })

  test('the staging directory is not published', async () => {
    const path = await scratch.folder({ ...(await stagingFiles(STAGING)), '.frozen': '' })
    expect(await importPath(path, services)).toMatchObject({ imported: 1, entries: 5, problems: [] })
    const { upload, archives, files } = await contentOf(services, STAGING)
    expect(archives).toEqual(expected.get(STAGING)!.archives)
    expect(files).toEqual(expected.get(STAGING)!.files)
    expect(upload).not.toHaveProperty('publish_time')
  })

  test('archives that the reference itself has written', async () => {
    const written = join(import.meta.dirname, '../../../fixtures/packed/archive-public-v1.2.msg.msg')
    const files = { ...(await publicFiles(PUBLIC)), 'archive-public-v1.2.msg.msg': await readFile(written) }
    const path = await scratch.folder({ 'bundle_info.json': JSON.stringify(bundleInfo(PUBLIC)), ...files })
    expect(await importPath(path, services)).toMatchObject({ imported: 1, entries: 14, problems: [] })
    expect(await contentOf(services, PUBLIC)).toEqual(expected.get(PUBLIC))
  })
})

describe('importing what is not as it should be', () => {
  let services: TestServices

  beforeEach(async () => {
    services = await openTestServices('embedded')
    await importPath(await scratch.folder(PEOPLE), services)
  })
  afterEach(() => services.close())
  afterAll(() => scratch.end())

  const run = async (files: Files) => importPath(await scratch.folder(files), services)

  test.each<[string, (info: Info) => void, string]>([
    ...[
      'upload_id',
      'source.version',
      'source.commit',
      'source.deployment',
      'source.deployment_url',
      'export_settings.include_raw_files',
      'export_settings.include_archive_files',
      'export_settings.include_datasets',
      'upload._id',
      'upload.main_author',
      'upload.upload_create_time',
      'upload.process_status',
      'upload.license',
      'upload.embargo_length',
      'entries'
    ].map((key): [string, (info: Info) => void, string] => [
      `without ${key}`,
      info => {
        const names = key.split('.')
        const last = names.pop()!
        delete names.reduce((value, name) => value[name], info)[last]
      },
      `has no key ${key}`
    ]),
    ['of an old version', info => (info.source.version = '1.1.1'), 'source.version is 1.1.1'],
    ['of no version', info => (info.source.version = 'latest'), 'source.version is latest'],
    ['of another upload', info => (info.upload._id = 'x'), 'upload._id is x'],
    [
      'by nobody',
      info => {
        info.upload.main_author = 'nobody'
        info.upload.coauthors = ['nobody else']
      },
      'names persons who are not known: nobody, nobody else'
    ],
    [
      'of the future',
      info => (info.upload.publish_time = { $datetime: '2999-01-01T00:00:00' }),
      'upload.publish_time is in the future'
    ],
    [
      'with an entry of the future',
      info => (info.entries[2].entry_create_time = { $datetime: '2999-01-01T00:00:00' }),
      'entries/2.entry_create_time is in the future'
    ],
    ['with too long an embargo', info => (info.upload.embargo_length = 37), 'embargo_length must be <= 36'],
    ['with a wrong entry id', info => (info.entries[1]._id = 'x'.repeat(28)), 'entries/1._id is xxx'],
    [
      'with a running process',
      info => (info.upload.process_status = 'RUNNING'),
      'upload.process_status is RUNNING'
    ],
    [
      'with a running process of an entry',
      info => (info.entries[0].process_status = 'PENDING'),
      'entries/0.process_status is PENDING'
    ],
    ['published without entries', info => (info.entries = []), 'entries is empty'],
    ['not published but packed', info => (info.upload.publish_time = null), 'upload.publish_time is missing']
  ])('a bundle %s', async (_, spoil, message) => {
    const info = bundleInfo(PUBLIC)
    spoil(info)
    expect(await run(await bundleFiles(PUBLIC, info))).toEqual({
      imported: 0,
      skipped: 0,
      entries: 0,
      problems: [{ file: 'bundle_info.json', message: expect.stringContaining(message) }]
    })
    expect(await services.documents.upload(PUBLIC)).toBeUndefined()
    expect(
      await services.documents.datasets(bundleInfo(PUBLIC).datasets.map((d: Info) => d.dataset_id))
    ).toEqual([])
  })

  test('restricted files are never shown to everyone', async () => {
    const info = bundleInfo(RESTRICTED)
    info.upload.embargo_length = 0
    expect((await run(await bundleFiles(RESTRICTED, info))).problems).toEqual([
      {
        file: 'bundle_info.json',
        message: 'upload.embargo_length is 0, but the files are restricted'
      }
    ])
  })

  test('a dataset of the same name that has a DOI gets no further entries', async () => {
    const info = bundleInfo(RESTRICTED)
    const time = '2020-01-01T00:00:00.000Z'
    await services.documents.putDatasets([
      {
        ...info.datasets[0],
        dataset_id: 'done',
        doi: '10.1/x',
        dataset_create_time: time,
        dataset_modified_time: time,
        dataset_type: 'owned'
      }
    ])
    const { problems } = await run(await bundleFiles(RESTRICTED, info))
    expect(problems).toEqual([
      { file: 'bundle_info.json', message: expect.stringContaining('has the name of done, which has a DOI') }
    ])
  })

  test.each<[string, (files: Files) => void, string, string]>([
    [
      'archives that are cut off',
      files => {
        files['archive-public-v1.2.msg.msg'] = (files['archive-public-v1.2.msg.msg'] as Buffer).subarray(
          0,
          5000
        )
      },
      'archive-public-v1.2.msg.msg',
      'is damaged'
    ],
    [
      'archives that are something else',
      files => {
        files['archive-public-v1.2.msg.msg'] = 'something else that is longer than nothing'
      },
      'archive-public-v1.2.msg.msg',
      'is not in a format of packed archives'
    ],
    [
      'a raw zip that is none',
      files => {
        files['raw-public.plain.zip'] = 'this is no zip, but is longer than nothing'
      },
      'raw-public.plain.zip',
      'cannot be read as a zip'
    ],
    [
      'a raw file that leads out',
      files => {
        files['raw-public.plain.zip'] = makeZip([{ path: '../evil', content: 'x' }])
      },
      'raw-public.plain.zip',
      'cannot be read as a zip: invalid relative path: ../evil'
    ],
    [
      'a description that is no JSON',
      files => {
        files['bundle_info.json'] = '{'
      },
      'bundle_info.json',
      'is not valid JSON'
    ],
    [
      'public and restricted files',
      files => {
        files['raw-restricted.plain.zip'] = makeZip([{ path: 'a', content: 'b' }])
      },
      'archive-public-v1.2.msg.msg',
      'an upload is either public or restricted'
    ]
  ])('a bundle with %s', async (_, spoil, file, message) => {
    const files = await bundleFiles(PUBLIC)
    spoil(files)
    const { problems, imported } = await run(files)
    expect(imported).toBe(0)
    expect(problems).toEqual([{ file, message: expect.stringContaining(message) }])
    expect(await services.documents.upload(PUBLIC)).toBeUndefined()
  })

  test('one damaged archive, one damaged raw file: the others are there', async () => {
    const files = await bundleFiles(PUBLIC)
    const archives = files['archive-public-v1.2.msg.msg'] as Buffer
    // The map that an archive is, becomes something that MessagePack does not have.
    const at = archives.indexOf('msglc-2024', 100) + 30
    archives[at] = 0xc1
    const { problems } = await run(files)
    expect(problems).toEqual([
      { file: 'archive-public-v1.2.msg.msg', message: expect.stringMatching(/^entry \S{28}: is damaged/) }
    ])
    expect(await services.documents.entriesOfUpload(PUBLIC)).toHaveLength(13)

    const again = await bundleFiles(STAGING)
    const zip = zipOf(again)
    const raw = Object.keys(again).find(path => path.startsWith('raw/'))!
    zip[zip.indexOf(Buffer.from(again[raw] as Uint8Array)) + 3]! ^= 1
    const report = await importPath(await scratch.file('x.zip', zip), services)
    expect(report.problems).toEqual([
      { file: 'bundle_info.json', message: expect.stringContaining('do not have their checksum') }
    ])
  })

  test('a zip that is none, a folder and a file of something else', async () => {
    expect(await importPath(await scratch.file('x.zip', 'no zip'), services)).toMatchObject({
      imported: 0,
      problems: [{ message: expect.stringContaining('cannot be read as a zip') }]
    })
    await expect(importPath(await scratch.folder({ a: 'b' }), services)).rejects.toThrow(
      'is not something that can be imported'
    )
    await expect(importPath(await scratch.file('a', 'b'), services)).rejects.toThrow(
      'is not something that can be imported'
    )
    await expect(importPath(await scratch.file('b.zip', zipOf({ a: 'b' })), services)).rejects.toThrow(
      'is not something'
    )
    await expect(importPath('/nowhere/at/all', services)).rejects.toThrow('does not exist')
  })

  test('a link that leaves the upload', async () => {
    const path = await scratch.folder(await stagingFiles(STAGING))
    await symlink('/etc/hostname', join(path, 'raw/link'))
    expect((await importPath(path, services)).problems).toEqual([
      { file: 'raw/link', message: 'is a link that leaves the upload' }
    ])
  })

  test('a bundle without raw files, and one without archives', async () => {
    const files = await bundleFiles(PUBLIC)
    const { 'raw-public.plain.zip': _, ...withoutRaw } = files
    expect(await run(withoutRaw)).toMatchObject({ imported: 1, entries: 14, problems: [] })
    const { 'archive-public-v1.2.msg.msg': __, ...withoutArchives } = files
    expect(await run(withoutArchives)).toMatchObject({ imported: 1, entries: 14, problems: [] })
    const ids = (await services.documents.entriesOfUpload(PUBLIC)).map(e => e.entry_id)
    expect((await services.archives.contents(ids)).size).toBe(0)
    const [file] = await Array.fromAsync(services.files.walk(PUBLIC, ''))
    expect(await text(await services.files.open(PUBLIC, file!.path))).not.toBe('')
  })
})
