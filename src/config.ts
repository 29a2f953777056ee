/**
 * The configuration of a process, made of its settings. This file alone reads the environment and `.env`; everything else
 * gets the frozen {@link Config}.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { type AccessConfig, accessConfig, SECRET_SETTINGS } from './access-settings.ts'
import { type LimitsConfig, limitsConfig } from './limits-settings.ts'
import { type MonitoringConfig, monitoringConfig } from './monitoring-settings.ts'
import { withSecretFiles } from './secret-files.ts'
import { checkedSetting, type SettingSchema } from './setting-value.ts'
import { FILE_SETTINGS, type Settings, SettingsSchema } from './settings.ts'
import { similarName } from './similar-name.ts'
import { type TracesConfig, tracesConfig } from './traces-settings.ts'

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
  /** Absent: there are no traces. */
  readonly traces?: TracesConfig
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

/** Values of examples, which everybody knows. */
const KNOWN_SECRET =
  /^(?:an-example-secret-of-32-characters!|(.)\1*|.*(?:change[-_ ]?me|defaultapisecret).*)$/is

type Environment = Readonly<Record<string, string | undefined>>

/** Options of the command line that stand over the environment. */
export type Overrides = Partial<Record<'data_dir' | 'host' | 'port' | 'workers', string>>

/** How the command line names the settings that it can set. */
export const OPTIONS: Readonly<Record<keyof Overrides, string>> = {
  data_dir: '--data',
  host: '--host',
  port: '--port',
  workers: '--workers'
}

/**
 * Settings from an environment.
 * @throws ConfigError naming every bad setting at once; values of secrets are never repeated
 */
export function readConfig(variables: Environment, overrides: Overrides = {}): Config {
  const problems: string[] = []
  const files = FILE_SETTINGS.map(name => `SERAI_${name.toUpperCase()}`)
  const settings = givenSettings(withSecretFiles(variables, files, problems), overrides, problems)
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
  const traces = tracesConfig(variables, problems)
  if (problems.length > 0) throw new ConfigError(problems)

  return Object.freeze({
    dataDir: resolve(settings.data_dir),
    host: settings.host,
    port: settings.port,
    workers: settings.workers,
    basePath: settings.base_path.replace(/\/+$/, ''),
    storage: storageProfile(settings),
    ...(settings.api_secret ? { apiSecret: settings.api_secret } : {}),
    access,
    limits,
    monitoring: monitoringConfig(settings),
    ...(traces ? { traces } : {}),
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

function storageProfile(settings: Settings): StorageProfile {
  if (!settings.elasticsearch_url || !settings.mongodb_url) return { kind: 'embedded' }
  return {
    kind: 'cluster',
    elasticsearchUrl: settings.elasticsearch_url,
    elasticsearchIndex: settings.elasticsearch_index,
    mongodbUrl: settings.mongodb_url,
    mongodbDatabase: settings.mongodb_database
  }
}

/**
 * What the environment and the command line say, with the defaults.
 * @param problems gets what is wrong with each, one line each; values of secrets are never repeated
 */
function givenSettings(environment: Environment, overrides: Overrides, problems: string[]): Settings {
  const values: Record<string, unknown> = {}
  const properties = SettingsSchema.properties as unknown as Record<string, SettingSchema>

  for (const [name, schema] of Object.entries(properties)) {
    const variable = `SERAI_${name.toUpperCase()}`
    const option = overrides[name as keyof Overrides]
    const told = option === undefined ? variable : OPTIONS[name as keyof Overrides]
    const setting = { told, isSecret: SECRET_SETTINGS.has(name) }
    const value = checkedSetting(schema, option ?? environment[variable], setting, problems)
    if (value !== undefined) values[name] = value
  }
  const known = new Set(Object.keys(properties).map(name => `SERAI_${name.toUpperCase()}`))
  for (const variable of Object.keys(environment)) {
    if (variable.startsWith('SERAI_') && !variable.startsWith('SERAI_TEST_') && !known.has(variable)) {
      const similar = similarName(variable, known)
      problems.push(`${variable} is not a setting${similar ? ` (did you mean ${similar}?)` : ''}`)
    }
  }
  return values as Settings
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
  // Where the libraries of OpenTelemetry look for what they read themselves (`traces-settings.ts`).
  for (const [name, text] of Object.entries(file)) if (name.startsWith('OTEL_')) process.env[name] ??= text
  return readConfig({ ...file, ...process.env }, overrides)
}
