/**
 * The example data, which the first start of the embedded profile brings. Another process imports it: what an import
 * leaves of memory that is no longer used is gone with it, and the server answers meanwhile.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type Config, loadConfig, type Overrides } from '../config.ts'
import { ALL } from '../query/tree.ts'
import { learnPackages, openServices, type Services } from '../services.ts'
import { addDemoUsers } from './demo-users.ts'
import { importWithProgress } from './import.ts'

/** Folders of the example data, in the order of their import. */
const DEMO_FOLDERS = [
  ['Importing the example data', 'corpus'],
  ['Importing the examples of the API guide', 'guide']
].map(
  ([title, name]) => [title, join(import.meta.dirname, '../../fixtures', name as string)] as [string, string]
)

/** Remembers in the store how far the example data is: absent, `started` or `done`. */
const DEMO_SETTING = 'demo_data'

/** Remembers that its persons got their password, so that they do not get it again. */
const DEMO_USERS_SETTING = 'demo_users'

/** Name of the command that imports; nobody else calls it. */
export const DEMO_COMMAND = 'import-example-data'

/**
 * Brings the example data and its users, once; an interrupted import is taken up again, other people's data is left alone.
 * @param signal ends it early
 * @throws Error when the import ended without success; it has told why
 */
export async function bringDemoData(config: Config, services: Services, signal: AbortSignal): Promise<void> {
  const { documents, index } = services
  const state = await documents.setting(DEMO_SETTING)
  if (state === undefined && (await index.count(ALL)) > 0) return
  const hasUsers = config.access.oidc || (await documents.setting(DEMO_USERS_SETTING)) !== undefined
  if (state === 'done' && hasUsers) return
  signal.throwIfAborted()
  // The channel ends it when this process is gone without a word.
  const child = fork(process.argv[1] as string, [DEMO_COMMAND, '--data', config.dataDir], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    signal
  })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error('the example data could not be imported')
  await learnPackages(services)
}

/**
 * The command of the other process.
 * @throws Error with one clear message: bad settings, store not usable
 */
export async function importDemoData(overrides: Overrides): Promise<void> {
  const config = loadConfig(overrides)
  const services = await openServices(config)
  const { documents } = services
  try {
    if ((await documents.setting(DEMO_SETTING)) !== 'done') {
      await documents.putSetting(DEMO_SETTING, 'started')
      let complete = true
      for (const [title, folder] of DEMO_FOLDERS) {
        const { problems } = await importWithProgress(folder, services, title)
        if (problems.length > 0) complete = false
      }
      if (complete) await documents.putSetting(DEMO_SETTING, 'done')
    }
    if (config.access.oidc || (await documents.setting(DEMO_USERS_SETTING)) !== undefined) return
    await addDemoUsers(
      DEMO_FOLDERS.map(([, folder]) => folder),
      services
    )
    await documents.putSetting(DEMO_USERS_SETTING, 'done')
  } finally {
    await services.close()
  }
}
