/** `serai backup`, `serai restore` and `serai migrate` as real processes, also ones that are killed. */
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { importCorpus } from '../../src/processing/corpus-import.ts'
import { openTestServices, type Profile, profiles, type TestServices } from '../app.ts'
import { run, serai } from './serai.ts'
import { settingsOf } from './stores.ts'

const CORPUS = join(import.meta.dirname, '../../fixtures/corpus')

describe.each(profiles())('copies of a whole installation, %s profile', profile => {
  const other: Profile = profiles().find(name => name !== profile) ?? profile
  let place: string
  let source: TestServices
  let settings: Record<string, string>
  const opened: TestServices[] = []

  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), 'serai-copies-'))
    source = await openTestServices(profile)
    settings = settingsOf(source)
    await importCorpus(CORPUS, source)
  })
  afterAll(async () => {
    for (const services of [...opened, source]) await services?.close()
    await rm(place, { recursive: true })
  })

  const empty = async (of: Profile) => {
    const services = await openTestServices(of)
    opened.push(services)
    return settingsOf(services)
  }

  /** Kills a command when it has written this. @returns false when it was quicker and has ended well */
  const killAt = async (pattern: RegExp, args: readonly string[], environment: Record<string, string>) => {
    const command = serai(args, environment)
    await command.until(pattern)
    command.process.kill('SIGKILL')
    const { signal, code } = await command.end
    if (signal === null) expect(code).toBe(0)
    return signal === 'SIGKILL'
  }

  test('a backup that is killed is none', async () => {
    for (const [i, pattern] of [/: 0 %/, /: [3-9]\d %/].entries()) {
      const folder = join(place, `killed-${i}`)
      const killed = await killAt(pattern, ['backup', folder], settings)
      if (i === 0) expect(killed).toBe(true)
      expect(existsSync(join(folder, 'serai-backup.json'))).toBe(!killed)
      if (!killed) continue
      const { code, stderr } = await run(['restore', folder], await empty('embedded'))
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringContaining('holds a backup that was not finished')
      })
    }
  }, 120_000)

  test('a restore that is killed leaves what cannot be used, and goes on with the next one', async () => {
    const backup = join(place, 'backup')
    const made = await run(['backup', backup], settings)
    expect(made).toMatchObject({ code: 0, stdout: '' })
    const [, told] = made.stderr.match(/: (\d+ uploads, \d+ entries, .* users); [\d.]+ MB\n$/) ?? []
    expect(told).toMatch(/^[1-9]\d* uploads, 1\d\d entries/)
    const checked = await run(['restore', backup, '--check'], {})
    expect(checked).toMatchObject({ code: 0, stderr: expect.stringContaining('as it was written') })

    const target = await empty(profile)
    let complete = false
    for (const pattern of [/Restoring.*: 0 %/, /Restoring.*: [5-9]\d %/, /Indexing: [3-9]\d %/]) {
      complete = !(await killAt(pattern, ['restore', backup], target))
      if (complete) break
      const { code, stderr } = await run(['check'], target)
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringContaining('The installation cannot be used: it is being filled from the backup')
      })
    }
    if (!complete) {
      const restored = await run(['restore', backup], target)
      expect(restored).toMatchObject({ code: 0, stderr: expect.stringContaining(`: ${told}\n`) })
    }
    expect(await run(['check'], target)).toMatchObject({ code: 0, stdout: '' })
    expect((await run(['restore', backup], target)).stderr).toContain('it is not empty')
  }, 180_000)

  test('a migration that is killed goes on with the next one', async () => {
    const [from, to] = [join(place, 'from.env'), join(place, 'to.env')]
    const target = await empty(other)
    const text = (variables: Record<string, string>) =>
      Object.entries(variables)
        .map(([name, value]) => `${name}=${value}\n`)
        .join('')
    await writeFile(from, text(settings))
    await writeFile(to, text(target))
    let complete = false
    for (const pattern of [/Migrating.*: 0 %/, /Indexing: [3-9]\d %/]) {
      complete = !(await killAt(pattern, ['migrate', '--from', from, '--to', to], {}))
      if (complete) break
      expect(await run(['check'], target)).toMatchObject({ code: 1, stdout: '' })
    }
    if (!complete) {
      // One of the two may be what the environment says.
      const { code, stderr } = await run(['migrate', '--to', to], settings)
      expect({ code, stderr }).toEqual({
        code: 0,
        stderr: expect.stringMatching(/: \d+ uploads, 1\d\d entries/)
      })
    }
    const before = await run(['check'], settings)
    expect(await run(['check'], target)).toMatchObject({ code: 0, stderr: before.stderr })
  }, 180_000)
})

describe('what cannot be copied is told in one message', () => {
  const refused = async (args: string[], settings?: Record<string, string>) => {
    const { code, stdout, stderr } = await run(args, settings)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    return stderr
  }
  const nowhere = join(tmpdir(), 'serai-is-not-here')

  test('nothing to copy from, or to itself', async () => {
    expect(await refused(['backup', '/tmp/x', '--data', nowhere])).toBe(
      `serai: there is no data folder ${nowhere}\n`
    )
    expect(await refused(['migrate', '--from', nowhere])).toContain(
      'there is neither a folder nor a file of this name'
    )
    expect(await refused(['migrate', '--from', tmpdir()], { SERAI_DATA_DIR: tmpdir() })).toBe(
      `serai: both are the same installation: the embedded installation in ${tmpdir()}\n`
    )
    expect(existsSync(nowhere)).toBe(false)
  })
})
