/** Makes `docs/settings.md` of the settings' schema. Part of `npm run generate`. */
import { join } from 'node:path'
import { OPTIONS, type Overrides } from '../src/config.ts'
import { acceptedValues, type SettingSchema } from '../src/setting-value.ts'
import { SettingsSchema } from '../src/settings.ts'

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

/** The whole page. */
export function settingsPage(): string {
  const rows = Object.entries(SettingsSchema.properties).map(([name, schema]) =>
    row(name, schema as unknown as SettingSchema)
  )
  const table = ['| variable | value | default | meaning |', '| --- | --- | --- | --- |', ...rows]
  return `${HEAD}\n${table.join('\n')}\n`
}

function row(name: string, schema: SettingSchema): string {
  const option = OPTIONS[name as keyof Overrides]
  const value = schema.pattern === undefined && schema.minLength !== 1 ? acceptedValues(schema) : 'text'
  const preset = schema.default === undefined || schema.default === '' ? '' : `\`${schema.default}\``
  const meaning = `${schema.description}${option ? ` Option \`${option}\`.` : ''}`
  return `| \`SERAI_${name.toUpperCase()}\` | ${value} | ${preset} | ${meaning} |`
}
