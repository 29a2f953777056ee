/**
 * The command `serai`: names, options and help. What a command does is in `cli/`, loaded when it is asked for.
 */
import { enableCompileCache, getCompileCacheDir } from 'node:module'
import { Command, Option } from 'commander'
import { endWithParent } from './cli/shutdown.ts'
import type { Overrides } from './config.ts'
import { VERSION } from './version.ts'

enableCompileCache()
const cache = getCompileCacheDir()
// Worker threads keep their compiled code only where the environment says: half a second less until the first answer.
if (cache !== undefined) process.env.NODE_COMPILE_CACHE ??= cache
endWithParent()

interface FolderOption {
  data?: string
}

const dataOption = () =>
  new Option('--data <folder>', 'folder for everything kept on disk (default: SERAI_DATA_DIR or ./data)')

function overrides(options: FolderOption & { host?: string; port?: string }): Overrides {
  return {
    ...(options.data !== undefined ? { data_dir: options.data } : {}),
    ...(options.host !== undefined ? { host: options.host } : {}),
    ...(options.port !== undefined ? { port: options.port } : {})
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
  .addOption(dataOption())
  .version(VERSION)
  .action(async (options: FolderOption & { host?: string; port?: string }) => {
    const { serve } = await import('./cli/serve.ts')
    await serve(overrides(options))
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

await program.parseAsync(process.argv).catch(fail)
