/**
 * Settings: one schema gives defaults, validation, types and the table of `docs/settings.md`.
 * This file alone reads the environment and `.env`; everything else gets the frozen {@link Config}.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import Type, { type Static } from 'typebox'
import Value from 'typebox/value'
import { ACCESS_SETTINGS, type AccessConfig, accessConfig, SECRET_SETTINGS } from './access-settings.ts'
import { LIMITS_SETTINGS, type LimitsConfig, limitsConfig } from './limits-settings.ts'
import { MONITORING_SETTINGS, type MonitoringConfig, monitoringConfig } from './monitoring-settings.ts'
import { withSecretFiles } from './secret-files.ts'

const Url = (protocols: string, description: string) =>
  Type.Optional(Type.String({ pattern: `^(?:${protocols})://\\S+$`, description, examples: [] }))

/** Every setting; the environment variable is `SERAI_` and the name in upper case. */
export const SettingsSchema = Type.Object({
  data_dir: Type.String({
    default: './data',
    minLength: 1,
    description: 'Folder for everything that is kept on disk.'
  }),
  host: Type.String({ default: '127.0.0.1', minLength: 1, description: 'Address to listen on.' }),
  port: Type.Integer({
    default: 8000,
    minimum: 0,
    maximum: 65535,
    description: 'Port to listen on; 0 takes a free one.'
  }),
  workers: Type.Integer({
    default: 1,
    minimum: 1,
    maximum: 128,
    description:
      'Processes that answer requests, on one port and with one count of requests; one for each processor is a good number for many users.'
  }),
  base_path: Type.String({
    default: '',
    pattern: '^(?:/(?:[\\w.~-]+/)*[\\w.~-]+/?|/)?$',
    description:
      'Prefix of all routes, for example `/prod/v1` or `/nomad-oasis`; empty: routes begin at `/api/v1`.'
  }),
  elasticsearch_url: Url('https?', 'Elasticsearch of the cluster profile; needs `SERAI_MONGODB_URL` too.'),
  elasticsearch_index: Type.String({
    default: 'serai_entries',
    pattern: '^[a-z0-9][a-z0-9_-]{0,99}$',
    description: 'Name of the entries index (an alias) in Elasticsearch.'
  }),
  mongodb_url: Url(
    'mongodb(?:\\+srv)?',
    'MongoDB of the cluster profile; needs `SERAI_ELASTICSEARCH_URL` too.'
  ),
  mongodb_database: Type.String({
    default: 'serai',
    pattern: '^[A-Za-z0-9_-]{1,38}$',
    description: 'Name of the database in MongoDB.'
  }),
  api_secret: Type.Optional(
    Type.String({
      minLength: 32,
      description:
        'Secret that app tokens are signed with, at least 32 characters. Without it one is made at the first start and kept in the store.'
    })
  ),
  ...ACCESS_SETTINGS,
  ...LIMITS_SETTINGS,
  ...MONITORING_SETTINGS,
  demo_data: Type.Boolean({
    default: true,
    description: 'Import the example data on the first start of the embedded profile.'
  }),
  log_level: Type.Union(
    ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'].map(level => Type.Literal(level)),
    { default: 'info', description: 'How much is logged.' }
  ),
  audit_log: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'File for the audit log; without it `audit.jsonl` in the data folder. `log`: its lines go to the server’s log, marked with `audit`.'
    })
  ),
  max_entry_download: Type.Integer({
    default: 50_000,
    minimum: 1,
    description: 'Most entries that one zip download may hold.'
  }),
  max_file_download: Type.Integer({
    default: 500_000,
    minimum: 1,
    description:
      'Most files that one zip download of entries may hold; the server keeps a list of them, of some 300 bytes each.'
  }),
  max_entry_metadata_download: Type.Integer({
    default: 100_000,
    minimum: 1,
    description: 'Most entries whose metadata one export may hold.'
  }),
  download_stall_timeout: Type.Integer({
    default: 60_000,
    minimum: 100,
    description:
      'Milliseconds after which the connection of a client is ended that takes nothing of its answer; downloads can be gone on with.'
  }),
  search_timeout: Type.Integer({
    default: 30_000,
    minimum: 100,
    description: 'Milliseconds after which a search is given up (503).'
  }),
  store_timeout: Type.Integer({
    default: 60_000,
    minimum: 0,
    description: 'Milliseconds that the stores of the cluster profile get to answer when the server starts.'
  }),
  body_limit: Type.Integer({
    default: 1_048_576,
    minimum: 1024,
    description: 'Largest request body in bytes (413 above).'
  }),
  shutdown_timeout: Type.Integer({
    default: 10_000,
    minimum: 0,
    description: 'Milliseconds that running requests get to finish when the server is stopped.'
  })
})

type Settings = Static<typeof SettingsSchema>

/** Where documents, archives and the index are kept. */
export type StorageProfile =
  | { readonly kind: 'embedded' }
  | {
      readonly kind: 'cluster'
      readonly elasticsearchUrl: string
      readonly elasticsearchIndex: string
      readonly mongodbUrl: string
      readonly mongodbDatabase: string
    }

/** The validated settings of a process. */
export interface Config {
  /** Absolute path. */
  readonly dataDir: string
  readonly host: string
  readonly port: number
  /** Serving processes. */
  readonly workers: number
  /** Empty, or begins with `/` and does not end with one. */
  readonly basePath: string
  readonly storage: StorageProfile
  readonly apiSecret?: string
  readonly access: AccessConfig
  readonly limits: LimitsConfig
  readonly monitoring: MonitoringConfig
  readonly demoData: boolean
  readonly logLevel: string
  /** File of the audit log, an absolute path; absent: its lines go to the server's log. */
  readonly auditFile?: string
  readonly maxEntryDownload: number
  readonly maxFileDownload: number
  readonly maxEntryMetadataDownload: number
  /** Milliseconds. */
  readonly downloadStallTimeout: number
  /** Milliseconds. */
  readonly searchTimeout: number
  /** Milliseconds. */
  readonly storeTimeout: number
  /** Bytes. */
  readonly bodyLimit: number
  /** Milliseconds. */
  readonly shutdownTimeout: number
}

/** All that is wrong with the settings, one line each. */
export class ConfigError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`The settings are not valid:\n${problems.map(p => `  - ${p}`).join('\n')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** Settings whose values may be kept in files: secrets, and addresses that have passwords in them. */
const FILE_SETTINGS = [...SECRET_SETTINGS, 'mongodb_url', 'elasticsearch_url', 'redis_url']

/** Values of examples, which everybody knows. */
const KNOWN_SECRET =
  /^(?:an-example-secret-of-32-characters!|(.)\1*|.*(?:change[-_ ]?me|defaultapisecret).*)$/is

/** Options of the command line that stand over the environment. */
export type Overrides = Partial<Record<'data_dir' | 'host' | 'port' | 'workers', string>>

/** How the command line names the settings that it can set. */
export const OPTIONS: Readonly<Record<keyof Overrides, string>> = {
  data_dir: '--data',
  host: '--host',
  port: '--port',
  workers: '--workers'
}

const TRUE = /^(?:true|1|yes|on)$/i
const FALSE = /^(?:false|0|no|off)$/i

/** Text of the environment as the type that the schema asks for; what cannot be converted stays text. */
function convert(schema: Readonly<Record<string, unknown>>, text: string): unknown {
  const { type, anyOf } = schema
  if (Array.isArray(anyOf)) return convert(anyOf[0], text)
  if (type === 'integer' && /^-?\d+$/.test(text)) return Number(text)
  if (type === 'boolean' && TRUE.test(text)) return true
  if (type === 'boolean' && FALSE.test(text)) return false
  return text
}

/** What a setting may be, in words, by its schema. */
export function acceptedValues(schema: Readonly<Record<string, unknown>>): string {
  if (schema.type === 'integer') {
    const { minimum, maximum } = schema
    return `a whole number${minimum !== undefined ? ` from ${minimum}` : ''}${maximum !== undefined ? ` to ${maximum}` : ''}`
  }
  if (schema.type === 'boolean') return 'true or false'
  if (Array.isArray(schema.anyOf))
    return schema.anyOf.some(s => s.type === 'integer')
      ? schema.anyOf.map(s => s.const ?? acceptedValues(s)).join(' or ')
      : `one of ${schema.anyOf.map(s => s.const).join(', ')}`
  if (schema.minLength !== undefined && !schema.pattern)
    return schema.minLength === 1
      ? 'text that is not empty'
      : `text of at least ${schema.minLength} characters`
  return `text of the form ${schema.pattern}`
}

/**
 * Settings from an environment.
 * @throws ConfigError naming every bad setting at once; values of secrets are never repeated
 */
export function readConfig(
  variables: Readonly<Record<string, string | undefined>>,
  overrides: Overrides = {}
): Config {
  const problems: string[] = []
  const files = FILE_SETTINGS.map(name => `SERAI_${name.toUpperCase()}`)
  const environment = withSecretFiles(variables, files, problems)
  const values: Record<string, unknown> = {}
  const properties = SettingsSchema.properties as unknown as Record<string, Record<string, unknown>>

  for (const [name, schema] of Object.entries(properties)) {
    const variable = `SERAI_${name.toUpperCase()}`
    const text = overrides[name as keyof Overrides] ?? environment[variable]
    // An empty variable counts as not set: compose files write them so.
    if (text === undefined || (text === '' && name !== 'base_path')) {
      if (schema.default !== undefined) values[name] = schema.default
      continue
    }
    const value = convert(schema, text)
    if (Value.Check(schema, value)) values[name] = value
    else {
      const shown = SECRET_SETTINGS.has(name) ? '' : ` is "${text}", but`
      const told =
        overrides[name as keyof Overrides] === undefined ? variable : OPTIONS[name as keyof Overrides]
      problems.push(`${told}${shown} must be ${acceptedValues(schema)}`)
    }
  }
  const known = new Set(Object.keys(properties).map(name => `SERAI_${name.toUpperCase()}`))
  for (const variable of Object.keys(environment)) {
    if (variable.startsWith('SERAI_') && !variable.startsWith('SERAI_TEST_') && !known.has(variable)) {
      problems.push(`${variable} is not a setting${nearest(variable, known)}`)
    }
  }
  const settings = values as Settings
  if (Boolean(settings.elasticsearch_url) !== Boolean(settings.mongodb_url)) {
    problems.push(
      'SERAI_ELASTICSEARCH_URL and SERAI_MONGODB_URL go together: set both (cluster) or none (embedded)'
    )
  }
  if (settings.api_secret !== undefined && KNOWN_SECRET.test(settings.api_secret)) {
    problems.push(
      'SERAI_API_SECRET is the secret of an example, which everybody knows: choose one of your own'
    )
  }
  const access = accessConfig(settings, settings.host ?? '', problems)
  const limits = limitsConfig(settings, problems)
  if (problems.length > 0) throw new ConfigError(problems)

  return Object.freeze({
    dataDir: resolve(settings.data_dir),
    host: settings.host,
    port: settings.port,
    workers: settings.workers,
    basePath: settings.base_path.replace(/\/+$/, ''),
    storage:
      settings.elasticsearch_url && settings.mongodb_url
        ? {
            kind: 'cluster' as const,
            elasticsearchUrl: settings.elasticsearch_url,
            elasticsearchIndex: settings.elasticsearch_index,
            mongodbUrl: settings.mongodb_url,
            mongodbDatabase: settings.mongodb_database
          }
        : { kind: 'embedded' as const },
    ...(settings.api_secret ? { apiSecret: settings.api_secret } : {}),
    access,
    limits,
    monitoring: monitoringConfig(settings),
    demoData: settings.demo_data,
    logLevel: String(settings.log_level),
    ...(settings.audit_log === 'log'
      ? {}
      : { auditFile: resolve(settings.audit_log ?? join(settings.data_dir, 'audit.jsonl')) }),
    maxEntryDownload: settings.max_entry_download,
    maxFileDownload: settings.max_file_download,
    maxEntryMetadataDownload: settings.max_entry_metadata_download,
    downloadStallTimeout: settings.download_stall_timeout,
    searchTimeout: settings.search_timeout,
    storeTimeout: settings.store_timeout,
    bodyLimit: settings.body_limit,
    shutdownTimeout: settings.shutdown_timeout
  })
}

/** Settings of this process: its environment over `.env` in the working folder. */
export function loadConfig(overrides: Overrides = {}): Config {
  let file: NodeJS.Dict<string> = {}
  try {
    file = parseEnv(readFileSync('.env', 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new ConfigError([`.env cannot be read: ${(error as Error).message}`])
    }
  }
  return readConfig({ ...file, ...process.env }, overrides)
}

/** ` (did you mean …?)` when a known name is at most three letters away. */
function nearest(name: string, known: ReadonlySet<string>): string {
  let best: string | undefined
  let bestDistance = 4
  for (const candidate of known) {
    const d = distance(name, candidate)
    if (d < bestDistance) {
      best = candidate
      bestDistance = d
    }
  }
  return best ? ` (did you mean ${best}?)` : ''
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}
