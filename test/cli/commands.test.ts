import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { VERSION } from '../../src/version.ts'
import { archiveFile, ENTRIES, UPLOAD as GUIDE_UPLOAD, ImportFolder } from '../processing/import-folder.ts'
import { run } from './serai.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serai-cli-'))
})

afterAll(() => rm(folder, { recursive: true }))

describe('help and version', () => {
  test.each([['--version'], ['serve', '--version'], ['import', '--version'], ['token', '--version']])(
    'serai %s %s gives the version',
    async (...args) => {
      expect(await run(args)).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: '' })
    }
  )

  test.each([
    [['--help'], 'serve [options]'],
    [['serve', '--help'], '--port <number>'],
    [['import', '--help'], '<path...>'],
    [['token', '--help'], '--expires-in <seconds>']
  ])('serai %j says what there is', async (args, said) => {
    const { code, stdout, stderr } = await run(args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(said)
  })
})

describe('what cannot be done is told in one message, with exit code 1', () => {
  const refused = async (args: string[], settings?: Record<string, string>) => {
    const { code, stdout, stderr } = await run(args, settings)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    return stderr
  }

  test('unknown options and missing arguments', async () => {
    expect(await refused(['serve', '--nope'])).toMatch(/^error: unknown option '--nope'\n/)
    expect(await refused(['import'])).toMatch(/^error: missing required argument 'path'\n/)
  })

  test('bad settings, all at once, without repeating secrets', async () => {
    const settings = { SERAI_API_SECRET: 'hunter2', SERAI_PROT: '1', SERAI_LOG_LEVEL: 'loud' }
    expect(await refused(['serve', '--port', 'x'], settings)).toBe(`serai: The settings are not valid:
  - --port is "x", but must be a whole number from 0 to 65535
  - SERAI_API_SECRET must be text of at least 32 characters
  - SERAI_LOG_LEVEL is "loud", but must be one of fatal, error, warn, info, debug, trace, silent
  - SERAI_PROT is not a setting (did you mean SERAI_PORT?)
`)
  })

  test('a port that is taken, before anything is imported', async () => {
    const other = createServer()
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo
    const data = join(folder, 'port')
    try {
      expect(await refused(['serve', '--port', String(port), '--data', data])).toBe(
        `serai: cannot listen on 127.0.0.1:${port}: another program listens there; choose another port with --port or SERAI_PORT\n`
      )
      expect(existsSync(data)).toBe(false)
    } finally {
      other.close()
    }
  })

  test('an address that is not of this machine', async () => {
    expect(await refused(['serve', '--host', '192.0.2.1', '--port', '0'])).toBe(
      'serai: cannot listen on 192.0.2.1:0: this machine has no such address\n'
    )
  })

  test('a data folder that cannot be used', async () => {
    const file = join(folder, 'file')
    await writeFile(file, '')
    const data = join(file, 'data')
    expect(await refused(['serve', '--port', '0', '--data', data])).toBe(
      `serai: The data folder ${data} cannot be used: a part of its path is a file.\n`
    )
  })

  test('a store of a newer version', async () => {
    const file = join(folder, 'documents.sqlite')
    const database = new DatabaseSync(file)
    database.exec('PRAGMA user_version = 1000')
    database.close()
    expect(await refused(['serve', '--port', '0', '--data', folder])).toMatch(
      /^serai: .*documents\.sqlite was written by a newer version of Serai: its format is 1000, .*\n$/
    )
  })

  test('a token for nobody, or for no time', async () => {
    const data = join(folder, 'token')
    expect(await refused(['token', 'nobody', '--data', data])).toBe('serai: there is no user nobody\n')
    expect(await refused(['token', 'x', '--expires-in', '0', '--data', data])).toBe(
      'serai: --expires-in must be a whole number from 1 to 2592000, not 0\n'
    )
  })
})

describe('serai import', () => {
  let guide: ImportFolder
  const data = () => join(folder, 'import')

  beforeAll(async () => {
    guide = await ImportFolder.guide()
  })

  afterAll(() => guide.end())

  test('tells what it did, each bad file and each bad folder, and goes on', async () => {
    await guide.write(archiveFile(ENTRIES.ice), 'broken')
    const nowhere = join(folder, 'nowhere')
    const bad = await run(['import', nowhere, guide.path, '--data', data()])
    expect(bad.code).toBe(1)
    expect(bad.stderr).toContain(`serai: ${nowhere} does not exist\n`)
    expect(bad.stderr).toContain(`Importing ${guide.path}: 1 upload with 3 entries imported, 1 problem\n`)
    expect(bad.stderr).toMatch(new RegExp(`^ {2}${archiveFile(ENTRIES.ice)}: is not valid JSON`, 'm'))

    await guide.write(archiveFile(ENTRIES.ice), '{}')
    const good = await run(['import', guide.path, '--data', data()])
    expect(good.code).toBe(0)
    expect(good.stderr).toContain('1 upload with 4 entries imported\n')

    const again = await run(['import', guide.path, '--data', data()])
    expect(again.code).toBe(0)
    expect(again.stderr).toContain('0 uploads with 0 entries imported, 1 upload unchanged\n')
  })

  test('people it brought get tokens', async () => {
    const { code, stdout } = await run(['token', 'lena.brandt', '--data', data()])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  })
})

describe('serai check', () => {
  test('tells what is wrong, each in one line, with exit code 1', async () => {
    const guide = await ImportFolder.guide()
    const data = join(folder, 'check')
    try {
      await run(['import', guide.path, '--data', data])
      const good = await run(['check', '--data', data])
      expect({ code: good.code, stdout: good.stdout }).toEqual({ code: 0, stdout: '' })
      expect(good.stderr).toMatch(
        /Checked 1 uploads, 4 entries, 4 archives, \d+ raw files: everything is as it was stored\n/
      )

      const database = new DatabaseSync(join(data, 'archives.sqlite'))
      database.exec(`UPDATE block SET bytes = zeroblob(length(bytes)) WHERE number = 1 AND generation =
        (SELECT max(row) FROM generation WHERE entry_id = '${ENTRIES.salt}')`)
      database.close()
      const bad = await run(['check', '--data', data])
      expect({ code: bad.code, stdout: bad.stdout }).toEqual({
        code: 1,
        stdout: `upload ${GUIDE_UPLOAD}, entry ${ENTRIES.salt}, archive, block 1: does not have its checksum\n`
      })
      expect(bad.stderr).toContain('1 problems\n')
    } finally {
      await guide.end()
    }
  })
})
