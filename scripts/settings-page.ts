/** Makes `docs/settings.md` of the settings' schema. Part of `npm run generate`. */
import { join } from 'node:path'
import { OPTIONS, type Overrides } from '../src/config.ts'
import { acceptedValues, type SettingSchema } from '../src/setting-value.ts'
import { SettingsSchema } from '../src/settings.ts'
import { TracesSettingsSchema } from '../src/traces-settings.ts'

/** Where the page stands. */
export const SETTINGS_FILE = join(import.meta.dirname, '../docs/settings.md')

const HEAD = `# Settings

<!-- Generated from the schema in src/settings.ts by \`npm run generate\`; edit there. -->

Serai reads its settings from the environment, and from a file \`.env\` in the folder where it is started; what stands in the
environment wins, and options of the command line win over both. An empty variable counts as not set. All that is wrong with the
settings is told at once when Serai starts, and nothing is started then.

With both \`SERAI_ELASTICSEARCH_URL\` and \`SERAI_MONGODB_URL\` Serai uses the cluster profile: entries are searched in
Elasticsearch, documents and archives are kept in MongoDB. With neither it uses the embedded profile: SQLite files in the data
folder. Raw files are kept in the data folder either way.

Secrets, and addresses of stores, which may have passwords in them, can be kept in files instead: \`SERAI_API_SECRET_FILE\` is the path
of a file with the value of \`SERAI_API_SECRET\`, and so on.
`

const TRACES = `## Traces

Traces are set as OpenTelemetry sets them everywhere; [monitoring](monitoring/README.md#traces) tells what they are for. As long as
they are not asked for by one of the first four settings nothing else of these is looked at. Certificates for \`https\` are taken as its exporters take
them: \`OTEL_EXPORTER_OTLP_CERTIFICATE\`, \`OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE\` and \`OTEL_EXPORTER_OTLP_CLIENT_KEY\` are paths of files.
`

/** The whole page. */
export function settingsPage(): string {
  const own = tableOf(SettingsSchema.properties, name => `SERAI_${name.toUpperCase()}`)
  return `${HEAD}\n${own}\n${TRACES}\n${tableOf(TracesSettingsSchema.properties, name => name)}`
}

function tableOf(properties: object, variableOf: (name: string) => string): string {
  const rows = Object.entries(properties).map(([name, schema]) =>
    row(variableOf(name), schema as SettingSchema, OPTIONS[name as keyof Overrides])
  )
  return `${['| variable | value | default | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n')}\n`
}

function row(variable: string, schema: SettingSchema, option: string | undefined): string {
  const value = schema.pattern === undefined && schema.minLength !== 1 ? acceptedValues(schema) : 'text'
  const preset = schema.default === undefined || schema.default === '' ? '' : `\`${schema.default}\``
  const meaning = `${schema.description}${option ? ` Option \`${option}\`.` : ''}`
  return `| \`${variable}\` | ${value} | ${preset} | ${meaning} |`
}
