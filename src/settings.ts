/** Every setting: one schema gives defaults, validation, types and the table of `docs/settings.md`. */
import Type, { type Static } from 'typebox'
import { ACCESS_SETTINGS, SECRET_SETTINGS } from './access-settings.ts'
import { LIMITS_SETTINGS } from './limits-settings.ts'
import { MONITORING_SETTINGS } from './monitoring-settings.ts'

const Url = (protocols: string, description: string) =>
  Type.Optional(Type.String({ pattern: `^(?:${protocols})://\\S+$`, description }))

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

/** Values of the settings that are given or have a default. */
export type Settings = Static<typeof SettingsSchema>

/** Settings whose values may be kept in files: secrets, and addresses that have passwords in them. */
export const FILE_SETTINGS: readonly string[] = [
  ...SECRET_SETTINGS,
  'mongodb_url',
  'elasticsearch_url',
  'redis_url'
]
