/**
 * The command `serai`: names, options and help. What a command does is in `cli/`, loaded when it is asked for.
 */
import { Command, Option } from 'commander'
import { endWithParent } from './cli/shutdown.ts'
import type { NewPerson } from './cli/user.ts'
import type { Overrides } from './config.ts'
import { VERSION } from './version.ts'

endWithParent()

interface FolderOption {
  data?: string
}

interface ServeOptions extends FolderOption {
  host?: string
  port?: string
  workers?: string
}

const dataOption = () =>
  new Option('--data <folder>', 'folder for everything kept on disk (default: SERAI_DATA_DIR or ./data)')

function overrides(options: ServeOptions): Overrides {
  return {
    ...(options.data !== undefined ? { data_dir: options.data } : {}),
    ...(options.host !== undefined ? { host: options.host } : {}),
    ...(options.port !== undefined ? { port: options.port } : {}),
    ...(options.workers !== undefined ? { workers: options.workers } : {})
  }
}

/** Ends the process with one clear message. */
function fail(error: unknown): never {
  process.stderr.write(`serai: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}

const program = new Command('serai')
  .description('A self-hosted server for the NOMAD v1 API: search, read and download materials data.')
  .version(VERSION)
  .addHelpText('after', '\nSettings are read from SERAI_… variables and .env; docs/settings.md lists them.')
  .showHelpAfterError()

program
  .command('serve')
  .description('Serve the API; on the first start of the embedded profile the example data is imported.')
  .option('--host <address>', 'address to listen on (default: SERAI_HOST or 127.0.0.1)')
  .option('--port <number>', 'port to listen on (default: SERAI_PORT or 8000)')
  .option('--workers <number>', 'processes that answer requests (default: SERAI_WORKERS or 1)')
  .addOption(dataOption())
  .version(VERSION)
  .action(async (options: ServeOptions) => {
    const { serve } = await import('./cli/serve.ts')
    await serve(overrides(options))
  })

program
  .command('import-example-data', { hidden: true })
  .addOption(dataOption())
  .action(async (options: FolderOption) => {
    const { importDemoData } = await import('./cli/demo-data.ts')
    await importDemoData(overrides(options))
  })

program
  .command('import')
  .description('Import uploads; what is there already and unchanged is skipped.')
  .argument(
    '<path...>',
    'folders of uploads (users.json, uploads.json, uploads/…), upload bundles (zip or folder), ' +
      'or folders of uploads in the file storage of a NOMAD server'
  )
  .addHelpText('after', '\ndocs/import.md tells how to move the data of a NOMAD server here.')
  .addOption(dataOption())
  .version(VERSION)
  .action(async (paths: string[], options: FolderOption) => {
    const { importPaths } = await import('./cli/import.ts')
    await importPaths(paths, overrides(options))
  })

program
  .command('check')
  .description(
    'Look through everything that is stored: archives block by block, raw files, index and documents.'
  )
  .addHelpText(
    'after',
    '\nNothing is changed. Each problem is one line; the exit code is 1 when there is any.'
  )
  .addOption(dataOption())
  .version(VERSION)
  .action(async (options: FolderOption) => {
    const { check } = await import('./cli/check.ts')
    await check(overrides(options))
  })

program
  .command('reindex')
  .description('Make the search index anew from the other stores, while searches and imports go on.')
  .addOption(dataOption())
  .version(VERSION)
  .action(async (options: FolderOption) => {
    const { reindexAll } = await import('./cli/reindex.ts')
    await reindexAll(overrides(options))
  })

program
  .command('backup')
  .description('Copy everything of the installation into a folder, while it is served.')
  .argument('<folder>', 'a new or empty folder')
  .addHelpText('after', '\nSecrets are in it: keys, hashes of passwords. docs/operations.md tells more.')
  .addOption(dataOption())
  .version(VERSION)
  .action(async (folder: string, options: FolderOption) => {
    const { backup } = await import('./cli/backup.ts')
    await backup(folder, overrides(options))
  })

program
  .command('restore')
  .description('Fill an empty installation from a backup, of whatever storage profile either has.')
  .argument('<folder>', 'what `serai backup` has made')
  .option('--check', 'only read the backup and compare it with its checksums')
  .addHelpText('after', '\nEnded in the middle, the same command goes on.')
  .addOption(dataOption())
  .version(VERSION)
  .action(async (folder: string, options: FolderOption & { check?: boolean }) => {
    const { checkBackup, restoreBackup } = await import('./cli/restore.ts')
    await (options.check ? checkBackup(folder) : restoreBackup(folder, overrides(options)))
  })

const PLACE = 'data folder (embedded profile) or file with SERAI_… settings (default: the settings as always)'

program
  .command('migrate')
  .description('Copy everything of an installation into an empty one, for example from embedded to cluster.')
  .option('--from <place>', PLACE)
  .option('--to <place>', PLACE)
  .addHelpText('after', '\nEnded in the middle, the same command goes on.')
  .version(VERSION)
  .action(async (options: { from?: string; to?: string }) => {
    const { migrateInstallation } = await import('./cli/migrate.ts')
    await migrateInstallation(options)
  })

program
  .command('token')
  .description('Print an app token: what the person may do, who holds it may do until it expires.')
  .argument('<user>', 'user name or user id')
  .option('--expires-in <seconds>', 'seconds until it expires', '86400')
  .addOption(dataOption())
  .version(VERSION)
  .action(async (user: string, options: FolderOption & { expiresIn: string }) => {
    const { printToken } = await import('./cli/token.ts')
    await printToken(user, options.expiresIn, overrides(options))
  })

const user = program.command('user').description('Persons and their accounts.')

const generateOption = () =>
  new Option('--generate', 'make a password and print it, instead of asking or reading standard input')

user
  .command('add')
  .description('Add a person with a password.')
  .argument('<name>', 'user name')
  .option('--email <address>', 'e-mail address; it can be used to sign in too')
  .option('--first-name <name>')
  .option('--last-name <name>')
  .option('--affiliation <text>')
  .option('--admin', 'make the person an administrator')
  .addOption(generateOption())
  .addOption(dataOption())
  .action(async (name: string, options: FolderOption & NewPerson & { generate?: boolean }) => {
    const { addUser } = await import('./cli/user.ts')
    await addUser(name, options, options.generate === true, overrides(options))
  })

user
  .command('list')
  .description('List everybody, and who can sign in.')
  .addOption(dataOption())
  .action(async (options: FolderOption) => {
    const { listUsers } = await import('./cli/user.ts')
    await listUsers(overrides(options))
  })

user
  .command('passwd')
  .description('Set the password of a person, also of one that was imported and has none.')
  .argument('<name>', 'user name or user id')
  .addOption(generateOption())
  .addOption(dataOption())
  .action(async (name: string, options: FolderOption & { generate?: boolean }) => {
    const { changePassword } = await import('./cli/user.ts')
    await changePassword(name, options.generate === true, overrides(options))
  })

for (const [command, disabled, description] of [
  ['disable', true, 'Keep a person out: neither passwords nor tokens are accepted.'],
  ['enable', false, 'Let a person in again.']
] as const) {
  user
    .command(command)
    .description(description)
    .argument('<name>', 'user name or user id')
    .addOption(dataOption())
    .action(async (name: string, options: FolderOption) => {
      const { setDisabled } = await import('./cli/user.ts')
      await setDisabled(name, disabled, overrides(options))
    })
}

user
  .command('make-admin')
  .description('Make a person an administrator.')
  .argument('<name>', 'user name or user id')
  .option('--undo', 'make the person no administrator')
  .addOption(dataOption())
  .action(async (name: string, options: FolderOption & { undo?: boolean }) => {
    const { setAdmin } = await import('./cli/user.ts')
    await setAdmin(name, options.undo !== true, overrides(options))
  })

program
  .command('keys')
  .description('Keys that access tokens are signed with.')
  .command('rotate')
  .description('Sign with a new key; tokens of the one before stay valid until they expire.')
  .addOption(dataOption())
  .action(async (options: FolderOption) => {
    const { rotateKeys } = await import('./cli/keys.ts')
    await rotateKeys(overrides(options))
  })

await program.parseAsync(process.argv).catch(fail)
