/** Backups while the installation is written, and of what is damaged. */
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { backUp } from '../../src/backup/backup.ts'
import { uploadFileName } from '../../src/backup/manifest.ts'
import { migrate } from '../../src/backup/migrate.ts'
import { restore, verifyBackup } from '../../src/backup/restore.ts'
import { copyStoredUpload } from '../../src/backup/stored-upload.ts'
import { checkStores } from '../../src/processing/check-stores.ts'
import { importCorpus } from '../../src/processing/corpus-import.ts'
import { openServices } from '../../src/services.ts'
import { openTestServices, profiles, type TestServices, testApp } from '../app.ts'
import {
  archiveFile,
  ENTRIES,
  EVERYTHING,
  found,
  ImportFolder,
  rawFile,
  stored,
  UPLOAD,
  without
} from '../processing/import-folder.ts'
import { damageArchive } from '../storage/damage.ts'

describe.each(profiles())('backup, %s profile', { timeout: 90_000 }, profile => {
  let services: TestServices
  let guide: ImportFolder
  let folder: string
  const opened: TestServices[] = []

  beforeEach(async () => {
    services = await openTestServices(profile)
    guide = await ImportFolder.guide()
    folder = await mkdtemp(join(tmpdir(), 'serai-backup-'))
    await importCorpus(guide.path, services)
  })
  afterEach(async () => {
    for (const other of opened.splice(0)) await other.close()
    await services.close()
    await guide.end()
    await rm(folder, { recursive: true })
  })

  const empty = async () => {
    const other = await openTestServices(profile)
    opened.push(other)
    return other
  }
  const target = (name = 'backup') => join(folder, name)

  test('has everything beside the uploads too, keys and passwords included, for its owner only', async () => {
    const { documents, accounts } = services
    const person = (await documents.everyUser())[0]?.user_id as string
    await accounts.putAccount({ user_id: person, password: 'hash' })
    await accounts.putSigningKey({ kid: 'k', private_key: '{}', created_at: '2026-01-01T00:00:00.000Z' })
    await accounts.addPersonalToken({
      id: '0123456789abcdef01234567',
      user_id: 'somebody whom only the identity provider knows',
      name: 'ci',
      scopes: [],
      description: null,
      digest: 'd',
      revoked: false,
      created_at: '2026-01-01T00:00:00.000Z',
      expired_at: null,
      last_used_at: null
    })
    await documents.putSetting('state', 'x')
    await documents.putDefinitionIds(ENTRIES.ice, ['a', 'b'])
    await backUp(services, target(), profile)
    for (const name of await readdir(target(), { recursive: true })) {
      const { mode } = await stat(join(target(), name))
      expect([name, mode & 0o077]).toEqual([name, 0])
    }
    const other = await empty()
    await restore(target(), other)
    const everything = async ({ documents, accounts, archives, files }: TestServices) => ({
      users: await documents.everyUser(),
      settings: [...(await documents.settings())].filter(([name]) => name !== 'filled_from').sort(),
      packages: await documents.packages(),
      accounts: await accounts.accounts(),
      keys: await accounts.signingKeys(),
      tokens: await accounts.everyPersonalToken(),
      upload: await documents.upload(UPLOAD),
      entries: await documents.entriesOfUpload(UPLOAD),
      definitions: await documents.entriesDefining('b'),
      archives: [...(await archives.contents(EVERYTHING)).values()].map(({ entryId, uploadId, bytes }) => {
        return { entryId, uploadId, bytes: Buffer.from(bytes).toString('base64') }
      }),
      files: await Array.fromAsync(files.walk(UPLOAD, ''))
    })
    expect(await everything(other)).toEqual(await everything(services))
    // A token that the old installation has issued is one of the new one too.
    const again = await openServices(other.config)
    expect(again.apiSecret).toBe(services.apiSecret)
    await again.close()
  })

  test('holds one version of an upload, while others are imported and searches go on', async () => {
    const kpoints = (version: number) =>
      `Automatic mesh\n0\nGamma\n${[...String(version)].join(' ')}\n0 0 0\n`
    const archive = JSON.parse(await guide.read(archiveFile(ENTRIES.salt)))
    const writer = await openServices(services.config)
    let running = true
    const imports = (async () => {
      for (let version = 100; running; version++) {
        await guide.write(rawFile('NaCl/KPOINTS'), kpoints(version))
        archive.metadata.comment = `version ${version}`
        await guide.write(archiveFile(ENTRIES.salt), JSON.stringify(archive))
        await guide.change(upload => {
          upload.upload_name = `version ${version}`
          for (const entry of upload.entries) entry.comment = `version ${version}`
        })
        expect((await importCorpus(guide.path, writer)).problems).toEqual([])
        await delay(300)
      }
    })()
    const searches = (async () => {
      for (; running; await delay(50)) expect(await found(services)).toEqual(EVERYTHING)
    })()
    const backups = [1, 2, 3, 4, 5, 6].map(i => target(`${i}`))
    try {
      await waitForVersion(services)
      for (const backup of backups) await backUp(services, backup, profile)
    } finally {
      running = false
      await Promise.all([imports, searches])
      await writer.close()
    }
    const complete: string[] = []
    for (const backup of backups) {
      const other = await empty()
      await restore(backup, other)
      // One that was never left alone is there as a killed import leaves it, or not at all.
      if ((await other.documents.upload(UPLOAD))?.import_checksum === undefined) continue
      const name = (await other.documents.upload(UPLOAD))?.upload_name as string
      const version = Number(name.replace('version ', ''))
      const entries = await other.documents.entriesOfUpload(UPLOAD)
      expect(entries.map(entry => entry.comment)).toEqual(Array(4).fill(name))
      expect(await text(await other.files.open(UPLOAD, 'NaCl/KPOINTS'))).toBe(kpoints(version))
      const app = await testApp(other)
      const { data } = (await app.inject(`/api/v1/entries/${ENTRIES.salt}/archive`)).json()
      expect(data.archive.metadata.comment).toBe(name)
      await app.close()
      if (complete.push(backup) === 3) break
    }
    expect(complete).not.toEqual([])
  }, 120_000)

  test('reads an upload again that another version has taken the place of meanwhile', async () => {
    const { size } = (await services.files.node(UPLOAD, 'NaCl/KPOINTS')) as { size: number }
    let tries = 0
    const seen = { files: '', comments: [] as unknown[] }
    const copied = await copyStoredUpload(UPLOAD, services, async () => ({
      files: async files => {
        for await (const file of files) {
          const content = await text(file.open())
          if (file.path === 'NaCl/KPOINTS') seen.files = content
        }
        if (tries++ > 0) return
        await guide.write(rawFile('NaCl/KPOINTS'), 'n'.repeat(size))
        await guide.change(upload => {
          for (const entry of upload.entries) entry.comment = 'new'
        })
        await importCorpus(guide.path, services)
      },
      archives: async archives => {
        for await (const { blocks } of archives) await Array.fromAsync(blocks)
      },
      documents: async (_, entries) => {
        seen.comments = (await Array.fromAsync(entries)).map(({ entry }) => entry.comment)
      }
    }))
    expect(copied).toMatchObject({ entries: 4, archives: 4, files: 13, complete: true, problems: [] })
    expect({ tries, ...seen }).toEqual({ tries: 2, files: 'n'.repeat(size), comments: Array(4).fill('new') })
  })

  test('has an upload in the middle of an import as that left it, for the next import to complete', async () => {
    let events = 0
    await guide.change(upload => {
      upload.upload_name = 'new'
    })
    const killed = importCorpus(guide.path, services, () => {
      if (events++ === 2) throw new Error('killed')
    })
    await expect(killed).rejects.toThrow('killed')
    const { problems } = await backUp(services, target(), profile)
    expect(problems).toEqual([])
    const other = await empty()
    await restore(target(), other)
    expect(await other.documents.upload(UPLOAD)).not.toHaveProperty('import_checksum')
    expect(await importCorpus(guide.path, other)).toMatchObject({ imported: 1, problems: [] })
    expect(await stored(other)).toMatchObject({ entries: EVERYTHING, index: EVERYTHING })
  })

  test('tells what is damaged in the stores, and has everything else', async () => {
    await damageArchive(services, ENTRIES.salt, 1)
    await damageArchive(services, ENTRIES.ice, 'contents')
    await damageFile(services, 'NaCl/KPOINTS', Buffer.from('changed and of another length'))
    const { size } = (await services.files.node(UPLOAD, 'NaCl/POSCAR')) as { size: number }
    await damageFile(services, 'NaCl/POSCAR', Buffer.alloc(size))
    const { problems, archives, files } = await backUp(services, target(), profile)
    expect({ archives, files }).toEqual({ archives: 2, files: 11 })
    expect(problems.map(problem => problem.part).sort()).toEqual([
      `archive of the entry ${ENTRIES.salt}`,
      `archive of the entry ${ENTRIES.ice}`,
      'file NaCl/KPOINTS',
      'file NaCl/POSCAR'
    ])
    const other = await empty()
    await restore(target(), other)
    const told: string[] = []
    await checkStores(other, ({ entryId, part, message }) => told.push(`${entryId} ${part} ${message}`))
    expect(told.sort()).toEqual([
      `${ENTRIES.salt} archive is missing, though the entry was processed`,
      `${ENTRIES.ice} archive is missing, though the entry was processed`
    ])
  })

  test('is restored into nothing but an empty installation', async () => {
    await backUp(services, target(), profile)
    await expect(restore(target(), services)).rejects.toThrow('it is not empty')
    expect(await stored(services)).toMatchObject({ entries: EVERYTHING })
    await expect(backUp(services, target(), profile)).rejects.toThrow('is not empty; choose a new folder')
  })

  test('is refused when files of it are missing, cut or changed, and nothing is touched or left usable', async () => {
    await backUp(services, target(), profile)
    const file = join(target(), uploadFileName(UPLOAD))
    const bytes = await readFile(file)
    const other = await empty()

    await truncate(file, bytes.length - 1)
    await expect(restore(target(), other)).rejects.toThrow(`has ${bytes.length - 1} bytes instead of`)
    await rm(file)
    await expect(restore(target(), other)).rejects.toThrow('it is missing')
    expect(await other.documents.setting('filled_from')).toBeUndefined()

    for (const at of [bytes.length - 1, bytes.length >> 1, 20]) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] as number) ^ 16
      await writeFile(file, changed)
      await expect(verifyBackup(target())).rejects.toThrow(`${file} is damaged`)
      await expect(restore(target(), other)).rejects.toThrow(`${file} is damaged`)
      expect(await other.documents.upload(UPLOAD)).toBeUndefined()
    }
    await expect(openServices(other.config)).rejects.toThrow('it is being filled from the backup')

    await writeFile(file, bytes)
    expect((await verifyBackup(target())).problems).toEqual([])
    await restore(target(), other)
    expect(await stored(other)).toEqual(await stored(services))
    await (await openServices(other.config)).close()
  })

  test('is none without its list, and not one of a newer version', async () => {
    const other = await empty()
    await backUp(services, target(), profile)
    const list = join(target(), 'serai-backup.json')
    const manifest = JSON.parse(await readFile(list, 'utf8'))
    await writeFile(list, JSON.stringify({ ...manifest, serai_backup: 99 }))
    await expect(restore(target(), other)).rejects.toThrow('was made by a newer version')
    await writeFile(list, JSON.stringify({ ...manifest, uploads: [{ upload_id: '../x' }] }))
    await expect(restore(target(), other)).rejects.toThrow('is damaged')
    await rm(list)
    await expect(restore(target(), other)).rejects.toThrow('holds a backup that was not finished')
    await expect(restore(folder, other)).rejects.toThrow('is not a backup')
    await expect(backUp(services, target(), profile)).rejects.toThrow('was not finished; remove it')
  })

  test('a migration that was ended goes on, and takes what has changed meanwhile', async () => {
    const other = await empty()
    const options = { origin: 'the old one', sharedFiles: false }
    const ended = migrate(services, other, options, ({ step }) => {
      if (step === 'indexing') throw new Error('ended')
    })
    await expect(ended).rejects.toThrow('ended')
    await expect(migrate(services, other, { ...options, origin: 'another' })).rejects.toThrow(
      'it was filled from the old one in part'
    )
    await guide.change(upload => {
      upload.upload_name = 'new'
      upload.entries = upload.entries.filter(entry => entry.entry_id !== ENTRIES.ice)
    })
    await importCorpus(guide.path, services)
    expect(await migrate(services, other, options)).toMatchObject({ uploads: 1, entries: 3, problems: [] })
    expect(await stored(other)).toEqual(await stored(services))
    expect(await stored(other)).toMatchObject({ index: without(ENTRIES.ice) })
    await expect(migrate(services, other, options)).rejects.toThrow('it is not empty')
  })

  test('raw files in a folder that both use are left where they are', async () => {
    const other = await empty()
    const shared = { ...other, files: services.files }
    const report = await migrate(services, shared, { origin: 'the old one', sharedFiles: true })
    expect(report).toMatchObject({ entries: 4, archives: 4, files: 0, problems: [] })
    const told: unknown[] = []
    await checkStores(shared, problem => told.push(problem))
    expect(told).toEqual([])
  })
})

/** Waits until an import is complete. */
async function waitForVersion({ documents }: TestServices): Promise<void> {
  while (!(await documents.upload(UPLOAD))?.upload_name?.startsWith('version')) await delay(20)
}

/** Writes over a stored file behind the store's back. */
async function damageFile({ config }: TestServices, path: string, bytes: Buffer): Promise<void> {
  const upload = join(config.dataDir, 'raw', UPLOAD.slice(0, 2), UPLOAD)
  const generation = (await readdir(upload)).find(name => !name.startsWith('manifest')) as string
  await writeFile(join(upload, generation, path), bytes)
}
