/** `serai migrate`: everything of one installation into another one, between the storage profiles too. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { migrate } from '../backup/migrate.ts'
import { type Config, loadConfig, readConfig, type StorageProfile } from '../config.ts'
import { openServices } from '../services.ts'
import { showFilling } from './copying.ts'

/**
 * The command. A place is a folder, for the embedded profile with its data there, or a file with settings like `.env`;
 * where none is given, the settings of this process say it. The exit code is 1 when something could not be copied.
 * @throws Error with one clear message: bad settings, both are the same, the target is not empty
 */
export async function migrateInstallation(places: { from?: string; to?: string }): Promise<void> {
  const source = configOf(places.from)
  const target = configOf(places.to, true)
  const origin = nameOf(source)
  if (origin === nameOf(target)) throw new Error(`both are the same installation: ${origin}`)
  if (!isFolder(source.dataDir)) throw new Error(`there is no data folder ${source.dataDir}`)
  const from = await openServices(source)
  try {
    const to = await openServices(target, { filling: true })
    try {
      const sharedFiles = sameFolder(join(source.dataDir, 'raw'), join(target.dataDir, 'raw'))
      await showFilling(`Migrating to ${nameOf(target)}`, onProgress =>
        migrate(from, to, { origin, sharedFiles }, onProgress)
      )
    } finally {
      await to.close()
    }
  } finally {
    await from.close()
  }
}

/** @param mayBeNew what does not exist yet is a folder to be made */
function configOf(place: string | undefined, mayBeNew = false): Config {
  if (place === undefined) return loadConfig()
  if (isFolder(place) || (mayBeNew && !existsSync(place))) return readConfig({}, { data_dir: place })
  let text: string
  try {
    text = readFileSync(place, 'utf8')
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    const why = missing ? 'there is neither a folder nor a file of this name' : (error as Error).message
    throw new Error(`${place} cannot be read: ${why}`)
  }
  return readConfig(parseEnv(text))
}

/** An installation in a few words, without passwords. */
function nameOf({ storage, dataDir }: { storage: StorageProfile; dataDir: string }): string {
  if (storage.kind === 'embedded') return `the embedded installation in ${dataDir}`
  const [, servers = ''] = storage.mongodbUrl.match(/\/\/(?:[^/]*@)?([^/?]*)/) ?? []
  return `the database ${storage.mongodbDatabase} at ${servers}`
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

/** Also where two paths lead to it. */
function sameFolder(a: string, b: string): boolean {
  const [one, other] = [statSync(a), statSync(b)]
  return one.ino === other.ino && one.dev === other.dev
}
