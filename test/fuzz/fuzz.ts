/**
 * Sends what schemathesis makes up of the OpenAPI document to a server with the example data, as nobody and as a person
 * with uploads of their own, and counts what comes back. Ends with exit code 1 when an answer is a 5xx or one that the
 * document does not name for its operation. See README.md.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import type { FastifyInstance } from 'fastify'
import type { OpenAPIV3_1 } from 'openapi-types'
import { setPassword } from '../../src/access/account-changes.ts'
import { buildApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { importCorpus } from '../../src/processing/corpus-import.ts'
import { openServices, type Services } from '../../src/services.ts'

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '300' },
    seed: { type: 'string', default: String(Math.trunc(Math.random() * 2 ** 31)) },
    only: { type: 'string' }
  }
})

const CORPUS = join(import.meta.dirname, '../../fixtures/corpus')
const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt')
const CONFIG = join(import.meta.dirname, 'schemathesis.toml')
const API = '/api/v1'

/** Id of a definition of the example data. */
const DEFINITION = '2e436cdbb60692a0d521c0c9343fd0da89dced90'

/** Has uploads of all kinds. */
const PERSON = 'ines.albrecht'

/** What is looked at in every answer, beside what this program counts itself. */
const CHECKS = ['not_a_server_error', 'status_code_conformance', 'content_type_conformance']

const schemathesis = installed()
if (!schemathesis) {
  console.log('fuzz: left out, as schemathesis cannot be installed here (Python with venv and pip is needed)')
  process.exit(0)
}
process.exitCode = await withServer(fuzz)

/** The program, in an environment of its own that is made at the first run; undefined where that cannot be. */
function installed(): string | undefined {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
  const venv = join(cache, 'serai', 'schemathesis')
  const bin = join(venv, 'bin')
  const quietly = (command: string, args: string[]) =>
    spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0
  if (!existsSync(join(bin, 'pip')) && !quietly('python3', ['-m', 'venv', venv])) return undefined
  const pip = ['install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS]
  return quietly(join(bin, 'pip'), pip) ? join(bin, 'st') : undefined
}

/** Runs with a server on a free port that has the example data and no limits. */
async function withServer(
  work: (app: FastifyInstance, services: Services, folder: string) => Promise<number>
): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'serai-fuzz-'))
  const config = readConfig({
    SERAI_DATA_DIR: join(folder, 'data'),
    SERAI_RATE_LIMIT: 'off',
    SERAI_CONCURRENCY_LIMIT: 'off',
    SERAI_MAX_EVENT_LOOP_DELAY: 'off',
    SERAI_MAX_HEAP_USE: 'off',
    SERAI_ACCESS_TOKEN_EXPIRES_IN: '86400'
  })
  const services = await openServices(config)
  try {
    await importCorpus(CORPUS, services)
    // What goes wrong inside is shown.
    const app = await buildApp(config, services, { logger: { level: 'error' } })
    try {
      return await work(app, services, folder)
    } finally {
      app.server.closeAllConnections()
      await app.close()
    }
  } finally {
    await services.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** What came back. */
interface Seen {
  requests: number
  /** Requests by status. */
  readonly statuses: Map<number, number>
  readonly operations: Set<string>
  /** `operation status`, and the first address that was answered so: 5xx, and what the document does not name. */
  readonly wrong: Map<string, string>
}

/** Counts the answers of a server against its document. */
function watch({ server }: FastifyInstance, document: OpenAPIV3_1.Document): Seen {
  const seen: Seen = { requests: 0, statuses: new Map(), operations: new Set(), wrong: new Map() }
  const operations = Object.entries(document.paths ?? {})
    .flatMap(([path, item]) =>
      (['get', 'post', 'put', 'delete'] as const).flatMap(method => {
        const operation = item?.[method]
        const pattern = path.replace(/\/\{path\}$/, '(?:/.*)?').replace(/\{\w+\}/g, '[^/]*')
        return operation ? [{ name: `${method.toUpperCase()} ${path}`, operation, path, pattern }] : []
      })
    )
    // What is written out goes before what any text fits.
    .sort((a, b) => a.path.split('{').length - b.path.split('{').length)
    .map(({ pattern, ...rest }) => ({ ...rest, pattern: new RegExp(`^${API}${pattern}/?$`) }))
  server.on('request', ({ method, url = '' }, response) => {
    response.on('finish', () => {
      const { statusCode: status } = response
      const path = url.split('?')[0] as string
      const found = operations.find(
        ({ name, pattern }) => name.startsWith(`${method} `) && pattern.test(path)
      )
      seen.requests++
      seen.statuses.set(status, (seen.statuses.get(status) ?? 0) + 1)
      if (found) seen.operations.add(found.name)
      // Of what is not in the document, 501 says that it is not there yet.
      const failed = status >= 500 && (found !== undefined || status !== 501)
      if (failed || (found && !found.operation.responses?.[status])) {
        const about = `${found?.name ?? `${method} ${path}`} ${status}`
        if (!seen.wrong.has(about)) seen.wrong.set(about, url)
      }
    })
  })
  return seen
}

/** Fuzzes as nobody and as somebody, each for half of the time. */
async function fuzz(app: FastifyInstance, services: Services, folder: string): Promise<number> {
  const document = (await app.inject(`${API}/openapi.json`)).json() as OpenAPIV3_1.Document
  const file = join(folder, 'openapi.json')
  await writeFile(file, JSON.stringify(document))
  const values = join(folder, 'values.json')
  await writeFile(values, JSON.stringify(realValues(services)))
  const seen = watch(app, document)
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  const [person] = await services.documents.usersByName([PERSON])
  const password = 'a password for fuzzing'
  await setPassword(person?.user_id as string, password, services.accounts)
  const token = (await services.identity.signIn(PERSON, password, true))?.access_token
  const seconds = Math.ceil(Number(options.seconds) / 2)
  let status = 0
  for (const [who, headers] of [
    ['nobody', []],
    [PERSON, ['--header', `Authorization: Bearer ${token}`]]
  ] as const) {
    console.log(`fuzz: as ${who}, for ${seconds} s, seed ${options.seed}`)
    const args = [
      ...['--config-file', CONFIG, 'run'],
      file,
      ...['--url', `${address}${API}`],
      ...['--phases', 'examples,coverage,fuzzing'],
      ...['--max-time', String(seconds), '--seed', options.seed],
      ...['--checks', CHECKS.join(), '--request-timeout', '180'],
      ...['--continue-on-failure', '--no-shrink', '--suppress-health-check', 'all', '--warnings', 'off'],
      ...['--generation-database', 'none', '--no-color'],
      ...(options.only ? ['--include-path', options.only] : []),
      ...headers
    ]
    const ended = await run(
      args,
      {
        SCHEMATHESIS_HOOKS: 'real_values',
        SERAI_FUZZ_VALUES: values,
        PYTHONPATH: import.meta.dirname,
        PYTHONDONTWRITEBYTECODE: '1'
      },
      folder
    )
    status ||= ended
  }
  const counts = [...seen.statuses].sort(([a], [b]) => a - b).map(([code, count]) => `${code}: ${count}`)
  console.log(`fuzz: ${seen.requests} requests to ${seen.operations.size} operations; ${counts.join(', ')}`)
  for (const [about, url] of seen.wrong) console.log(`fuzz: WRONG ${about}  ${url.slice(0, 500)}`)
  return status || (seen.wrong.size > 0 || seen.requests === 0 ? 1 : 0)
}

function run(args: readonly string[], environment: Record<string, string>, cwd: string): Promise<number> {
  const child = spawn(schemathesis as string, args, {
    cwd,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'inherit', 'inherit']
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('close', code => resolve(code ?? 1))
  })
}

/** Values of parameters that there are, by their names. */
function realValues({ quantities }: Services): Record<string, string[]> {
  const listed = (name: string, member: string) =>
    (JSON.parse(readFileSync(join(CORPUS, `${name}.json`), 'utf8')) as Record<string, string>[]).map(
      item => item[member] as string
    )
  const names = quantities.list.map(({ name }) => name)
  const raw = globSync(join(CORPUS, 'uploads/*/raw/**/*'))
  return {
    entry_id: globSync(join(CORPUS, 'uploads/*/archive/*.json.gz')).map(path => basename(path, '.json.gz')),
    upload_id: listed('uploads', 'upload_id'),
    user_id: listed('users', 'user_id'),
    group_id: listed('groups', 'group_id'),
    dataset_id: listed('datasets', 'dataset_id'),
    definition_id: [DEFINITION],
    path: raw.map(path => path.replace(/^.*?\/raw\//, '')),
    quantity: names,
    order_by: names,
    include: names,
    exclude: names
  }
}
