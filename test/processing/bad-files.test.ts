import { rename, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { importCorpus } from '../../src/processing/corpus-import.ts'
import { openTestServices, type TestServices } from '../app.ts'
import {
  AUTHOR,
  archiveFile,
  ENTRIES,
  EVERYTHING,
  ImportFolder,
  rawFile,
  stored,
  UPLOAD,
  without
} from './import-folder.ts'

describe('importing a folder in which something is wrong', () => {
  let services: TestServices
  let folder: ImportFolder

  beforeEach(async () => {
    services = await openTestServices('embedded')
    folder = await ImportFolder.guide()
  })

  afterEach(async () => {
    await services.close()
    await folder.end()
  })

  const run = () => importCorpus(folder.path, services)

  test.each<[string, string, string, () => Promise<void>, string[]]>([
    [
      'an archive that is no JSON',
      archiveFile(ENTRIES.ice),
      'is not valid JSON',
      () => folder.write(archiveFile(ENTRIES.ice), '{"run": ['),
      [ENTRIES.ice]
    ],
    [
      'an archive that is no object',
      archiveFile(ENTRIES.ice),
      'must hold a JSON object',
      () => folder.write(archiveFile(ENTRIES.ice), '[]'),
      [ENTRIES.ice]
    ],
    [
      'an archive that is missing',
      archiveFile(ENTRIES.ice),
      'is missing',
      () => folder.remove(archiveFile(ENTRIES.ice)),
      [ENTRIES.ice]
    ],
    [
      'a packed archive that is cut off',
      `${archiveFile(ENTRIES.ice)}.gz`,
      'is damaged',
      async () => {
        await folder.remove(archiveFile(ENTRIES.ice))
        await folder.write(`${archiveFile(ENTRIES.ice)}.gz`, 'not gzip')
      },
      [ENTRIES.ice]
    ],
    [
      'a mainfile of another size',
      rawFile('NaCl/OUTCAR'),
      'has 5 bytes, but uploads.json says',
      () => folder.write(rawFile('NaCl/OUTCAR'), 'short'),
      [ENTRIES.salt]
    ],
    [
      'another file of another size',
      rawFile('NaCl/INCAR'),
      'has 5 bytes, but uploads.json says',
      () => folder.write(rawFile('NaCl/INCAR'), 'short'),
      []
    ],
    [
      'a raw file that is missing',
      rawFile('NaCl/OUTCAR'),
      'is missing',
      () => folder.remove(rawFile('NaCl/OUTCAR')),
      [ENTRIES.salt]
    ],
    [
      'a raw file that is no base64',
      rawFile('NaCl/INCAR.b64'),
      'is not valid base64',
      async () => {
        await folder.write(rawFile('NaCl/INCAR.b64'), 'no base64!')
        await folder.change(upload => {
          const file = upload.raw_files.find(f => f.path === 'NaCl/INCAR')!
          Object.assign(file, { encoding: 'base64' })
        })
      },
      []
    ],
    [
      'a path that leaves the upload',
      rawFile('../../../../users.json'),
      'is not a path inside the upload',
      () =>
        folder.change(upload => {
          upload.raw_files = [...upload.raw_files, { path: '../../../../users.json', size: 1 }]
        }),
      []
    ],
    [
      'a link that leaves the upload',
      rawFile('NaCl/INCAR'),
      'is a link that leaves the upload',
      async () => {
        await folder.remove(rawFile('NaCl/INCAR'))
        await symlink(join(folder.path, 'users.json'), join(folder.path, rawFile('NaCl/INCAR')))
      },
      []
    ],
    [
      'an unknown coauthor of an entry',
      'uploads.json',
      `${UPLOAD}: entry ${ENTRIES.ice} names nobody, which is not known`,
      () =>
        folder.change(upload => {
          upload.entries[3]!.entry_coauthors = ['nobody']
        }),
      [ENTRIES.ice]
    ],
    [
      'a mainfile that is not listed',
      'uploads.json',
      'is not among the raw files',
      () =>
        folder.change(upload => {
          upload.entries[3]!.mainfile = 'nowhere'
        }),
      [ENTRIES.ice]
    ],
    [
      'an entry that is listed twice',
      'uploads.json',
      'is listed twice',
      () => folder.change(upload => void upload.entries.push(upload.entries[0]!)),
      []
    ]
  ])('%s is told by name and left out; the rest goes on', async (_, file, message, spoil, lost) => {
    await spoil()
    const report = await run()
    expect(report).toMatchObject({ imported: 1, entries: EVERYTHING.length - lost.length })
    expect(report.problems).toEqual([{ file, message: expect.stringContaining(message) }])
    const rest = without(...lost)
    expect(await stored(services)).toMatchObject({ entries: rest, archives: rest, index: rest })
    // Told again until it is right.
    expect((await run()).problems).toEqual(report.problems)
  })

  test('an entry whose archive has become bad is not shown any longer, and again when it is right', async () => {
    await run()
    await folder.write(archiveFile(ENTRIES.ice), 'broken')
    await run()
    const rest = without(ENTRIES.ice)
    expect(await stored(services)).toMatchObject({ entries: rest, archives: rest, index: rest })
    await folder.write(archiveFile(ENTRIES.ice), '{"metadata":{"entry_name":"repaired"}}')
    expect(await run()).toMatchObject({ problems: [], entries: 4 })
    expect(await stored(services)).toMatchObject({
      entries: EVERYTHING,
      archives: EVERYTHING,
      index: EVERYTHING
    })
  })

  test.each<[string, string, () => Promise<void>]>([
    [
      'an unknown coauthor',
      `${UPLOAD}: there is no person nobody`,
      () =>
        folder.change(upload => {
          upload.coauthors = ['nobody']
        })
    ],
    [
      'an unknown group',
      `${UPLOAD}: there is no group nobodies`,
      () =>
        folder.change(upload => {
          upload.reviewer_groups = ['nobodies']
        })
    ],
    [
      'a member of the wrong type',
      `${UPLOAD}: entries/1/mainfile must be string`,
      () => folder.change(upload => void Object.assign(upload.entries[1]!, { mainfile: 7 }))
    ],
    [
      'an id that is a path',
      '../../x: upload_id must match pattern',
      () =>
        folder.change(upload => {
          upload.upload_id = '../../x'
        })
    ],
    [
      'an embargo of no length',
      `${UPLOAD}: with_embargo is true, but embargo_length is 0`,
      () =>
        folder.change(upload => {
          upload.with_embargo = true
        })
    ],
    [
      'a publication without time',
      `${UPLOAD}: is published but has no publish_time`,
      () =>
        folder.change(upload => {
          upload.publish_time = null
        })
    ]
  ])('an upload with %s is told and not imported', async (_, message, spoil) => {
    await spoil()
    const report = await run()
    expect(report).toMatchObject({ imported: 0, skipped: 0, entries: 0 })
    expect(report.problems).toEqual([{ file: 'uploads.json', message: expect.stringContaining(message) }])
    expect(await stored(services)).toEqual({ entries: [], archives: [], index: [], files: [] })
  })

  test('an entry of another upload stays there', async () => {
    await run()
    await folder.change(upload => {
      upload.upload_id = 'another'
    })
    await rename(join(folder.path, 'uploads', UPLOAD), join(folder.path, 'uploads', 'another'))
    const { problems } = await run()
    expect(problems).toHaveLength(4)
    for (const { message } of problems) expect(message).toContain(`belongs to the upload ${UPLOAD}`)
    expect(await stored(services)).toMatchObject({
      entries: EVERYTHING,
      archives: EVERYTHING,
      index: EVERYTHING
    })
  })

  test('a broken list of people is told; the people may be known already', async () => {
    await run()
    await folder.write('users.json', '[{')
    expect(await run()).toEqual({
      imported: 0,
      skipped: 1,
      entries: 0,
      problems: [{ file: 'users.json', message: expect.stringContaining('is not valid JSON') }]
    })
  })

  test('nobody takes the user name of somebody else', async () => {
    await run()
    const impostor = { user_id: 'other', username: 'lena.brandt', first_name: 'L', last_name: 'B' }
    await folder.write('users.json', JSON.stringify([impostor]))
    expect((await run()).problems).toEqual([
      { file: 'users.json', message: `other: the user name lena.brandt is that of ${AUTHOR}` }
    ])
    expect(await services.documents.userByName('lena.brandt')).toMatchObject({ user_id: AUTHOR })
  })

  test('a folder of another layout is refused in one sentence', async () => {
    await expect(importCorpus(join(folder.path, 'uploads'), services)).rejects.toThrow(
      /is not something that can be imported: a folder of uploads \(with the files uploads\.json/
    )
    await expect(importCorpus(join(folder.path, 'nowhere'), services)).rejects.toThrow('does not exist')
  })
})
