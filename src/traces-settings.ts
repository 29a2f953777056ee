/**
 * The settings of traces. They are not named `SERAI_…`, but as OpenTelemetry names them everywhere
 * (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/), so that one environment serves all
 * programs of an installation.
 *
 * What is in this schema is read nowhere else. The certificates of the exporter (`OTEL_EXPORTER_OTLP_CERTIFICATE` and so on) are
 * not: its library reads them itself, from the same environment.
 */
import Type, { type Static } from 'typebox'
import { checkedSetting, listedItems, type SettingSchema } from './setting-value.ts'

const Address = (description: string) =>
  Type.Optional(Type.String({ pattern: '^https?://\\S+$', description }))
const Choice = <Values extends readonly string[]>(
  values: Values,
  description: string,
  options: { readonly default?: Values[number] } = {}
) =>
  Type.Unsafe<Values[number]>(
    Type.Union(
      values.map(value => Type.Literal(value)),
      { description, ...options }
    )
  )
const Count = (preset: number, description: string) =>
  Type.Integer({ default: preset, minimum: 1, description })
const Pairs = (description: string) => Type.Optional(Type.String({ minLength: 1, description }))

/** Ways of encoding spans. */
const PROTOCOLS = ['http/protobuf', 'http/json'] as const

const COMPRESSIONS = ['none', 'gzip'] as const

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio'
] as const

/** Every setting of traces, by its environment variable. */
export const TracesSettingsSchema = Type.Object({
  OTEL_SDK_DISABLED: Type.Boolean({
    default: false,
    description: 'Whether there are no traces, whatever else is set.'
  }),
  OTEL_TRACES_EXPORTER: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'Where spans go: `otlp`, `console` (standard output, to try it out), both separated by a comma, or `none`. Without it `otlp` when one of the two addresses below is set, and else nowhere: there are no traces.'
    })
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: Address(
    'Address of a collector, or of what understands the same; `/v1/traces` is added to it. `http://localhost:4318` where only `OTEL_TRACES_EXPORTER=otlp` is set.'
  ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: Address('Instead of it: the whole address, to which nothing is added.'),
  OTEL_EXPORTER_OTLP_PROTOCOL: Choice(PROTOCOLS, 'How spans are encoded.', { default: 'http/protobuf' }),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: Type.Optional(
    Choice(PROTOCOLS, 'The same; stands over `OTEL_EXPORTER_OTLP_PROTOCOL`.')
  ),
  OTEL_EXPORTER_OTLP_HEADERS: Pairs(
    'Headers that are sent along, for example with a key: `name=value`, separated by commas.'
  ),
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: Pairs('The same; stands over `OTEL_EXPORTER_OTLP_HEADERS`.'),
  OTEL_EXPORTER_OTLP_TIMEOUT: Count(10_000, 'Milliseconds that sending may take, further tries included.'),
  OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: Type.Optional(
    Type.Integer({ minimum: 1, description: 'The same; stands over `OTEL_EXPORTER_OTLP_TIMEOUT`.' })
  ),
  OTEL_EXPORTER_OTLP_COMPRESSION: Choice(COMPRESSIONS, 'Whether spans are compressed.', { default: 'none' }),
  OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: Type.Optional(
    Choice(COMPRESSIONS, 'The same; stands over `OTEL_EXPORTER_OTLP_COMPRESSION`.')
  ),
  OTEL_SERVICE_NAME: Type.Optional(
    Type.String({ minLength: 1, description: 'Name of the service in traces; `serai` unless it is set.' })
  ),
  OTEL_RESOURCE_ATTRIBUTES: Pairs(
    'What else is told of the service: `name=value`, separated by commas, for example `deployment.environment.name=test`.'
  ),
  OTEL_TRACES_SAMPLER: Choice(
    SAMPLERS,
    'Which requests are traced; `parentbased_…`: where the caller has decided (`traceparent`), as it has.',
    { default: 'parentbased_always_on' }
  ),
  OTEL_TRACES_SAMPLER_ARG: Type.Number({
    default: 1,
    minimum: 0,
    maximum: 1,
    description: 'The share of requests that `traceidratio` and `parentbased_traceidratio` trace.'
  }),
  OTEL_PROPAGATORS: Type.String({
    default: 'tracecontext,baggage',
    minLength: 1,
    description:
      'How callers hand over their traces: `tracecontext` (the headers `traceparent` and `tracestate`), or `none`. `baggage` is accepted and changes nothing.'
  }),
  OTEL_BSP_SCHEDULE_DELAY: Count(5000, 'Milliseconds that spans wait for others to be sent with.'),
  OTEL_BSP_EXPORT_TIMEOUT: Count(30_000, 'Milliseconds after which what is being sent is given up.'),
  OTEL_BSP_MAX_QUEUE_SIZE: Count(2048, 'Most spans that wait; further ones are dropped.'),
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: Count(512, 'Most spans that are sent together.')
})

type TracesSettings = Static<typeof TracesSettingsSchema>

/** Settings of names and values, separated by commas. */
const PAIRS = [
  'OTEL_EXPORTER_OTLP_HEADERS',
  'OTEL_EXPORTER_OTLP_TRACES_HEADERS',
  'OTEL_RESOURCE_ATTRIBUTES'
] as const

/** Where spans may go. */
const EXPORTERS = ['otlp', 'console'] as const

/** Where a collector is looked for by default. */
const LOCAL_COLLECTOR = 'http://localhost:4318'

/** How traces are made; where it is absent there are none. */
export interface TracesConfig {
  /** At least one. */
  readonly exporters: readonly (typeof EXPORTERS)[number][]
  /** Where `otlp` sends to. */
  readonly url: string
  readonly protocol: (typeof PROTOCOLS)[number]
  /** Sent along; there are secrets in them. */
  readonly headers: Readonly<Record<string, string>>
  /** Milliseconds. */
  readonly timeout: number
  readonly compression: (typeof COMPRESSIONS)[number]
  /** What is told of the service with every span, its name as `service.name`. */
  readonly attributes: Readonly<Record<string, string>>
  readonly sampler: (typeof SAMPLERS)[number]
  /** From 0 to 1. */
  readonly sampledShare: number
  /** Whether the traces of callers are gone on with. */
  readonly takesParents: boolean
  readonly batches: {
    /** Milliseconds. */
    readonly delay: number
    /** Milliseconds. */
    readonly timeout: number
    readonly queued: number
    readonly sent: number
  }
}

/**
 * What the environment says of traces; undefined: there are none. Then nothing is wrong with it either: these variables may be
 * there for other programs.
 * @param problems gets what is wrong, one line each; values of secrets are never repeated
 */
export function tracesConfig(
  environment: Readonly<Record<string, string | undefined>>,
  problems: string[]
): TracesConfig | undefined {
  const found: string[] = []
  const settings = givenSettings(environment, found)
  const { OTEL_EXPORTER_OTLP_ENDPOINT: root = LOCAL_COLLECTOR, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: whole } =
    settings
  const hasAddress = Boolean(
    environment.OTEL_EXPORTER_OTLP_ENDPOINT || environment.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT
  )
  const asked = listedItems(settings.OTEL_TRACES_EXPORTER ?? (hasAddress ? 'otlp' : 'none'))
  if (settings.OTEL_SDK_DISABLED || asked.every(name => name === 'none')) return undefined

  const exporters = EXPORTERS.filter(name => asked.includes(name))
  if (asked.length > exporters.length)
    found.push(
      `OTEL_TRACES_EXPORTER is "${settings.OTEL_TRACES_EXPORTER}", but must be otlp, console, otlp,console or none`
    )
  const propagators = listedItems(settings.OTEL_PROPAGATORS ?? '')
  if (propagators.some(name => !['tracecontext', 'baggage', 'none'].includes(name)))
    found.push(
      `OTEL_PROPAGATORS is "${settings.OTEL_PROPAGATORS}", but must be tracecontext, tracecontext,baggage or none`
    )
  if (settings.OTEL_BSP_MAX_EXPORT_BATCH_SIZE > settings.OTEL_BSP_MAX_QUEUE_SIZE)
    found.push('OTEL_BSP_MAX_EXPORT_BATCH_SIZE must not be more than OTEL_BSP_MAX_QUEUE_SIZE')
  const pairs = (name: (typeof PAIRS)[number]) => {
    const read = pairsOf(settings[name] ?? '')
    if (!read) found.push(`${name} must be name=value, or several of them, separated by commas`)
    return read
  }
  const headers = { ...pairs('OTEL_EXPORTER_OTLP_HEADERS'), ...pairs('OTEL_EXPORTER_OTLP_TRACES_HEADERS') }
  const attributes = pairs('OTEL_RESOURCE_ATTRIBUTES')
  for (const name of ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] as const)
    if (settings[name] !== undefined && !URL.canParse(settings[name])) found.push(`${name} is no address`)
  problems.push(...found)
  return {
    exporters,
    url: whole ?? `${root.replace(/\/$/, '')}/v1/traces`,
    protocol: settings.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? settings.OTEL_EXPORTER_OTLP_PROTOCOL,
    headers,
    timeout: settings.OTEL_EXPORTER_OTLP_TRACES_TIMEOUT ?? settings.OTEL_EXPORTER_OTLP_TIMEOUT,
    compression: settings.OTEL_EXPORTER_OTLP_TRACES_COMPRESSION ?? settings.OTEL_EXPORTER_OTLP_COMPRESSION,
    attributes: {
      'service.name': 'serai',
      ...attributes,
      ...(settings.OTEL_SERVICE_NAME ? { 'service.name': settings.OTEL_SERVICE_NAME } : {})
    },
    sampler: settings.OTEL_TRACES_SAMPLER,
    sampledShare: settings.OTEL_TRACES_SAMPLER_ARG,
    takesParents: propagators.includes('tracecontext'),
    batches: {
      delay: settings.OTEL_BSP_SCHEDULE_DELAY,
      timeout: settings.OTEL_BSP_EXPORT_TIMEOUT,
      queued: settings.OTEL_BSP_MAX_QUEUE_SIZE,
      sent: settings.OTEL_BSP_MAX_EXPORT_BATCH_SIZE
    }
  }
}

function givenSettings(
  environment: Readonly<Record<string, string | undefined>>,
  problems: string[]
): TracesSettings {
  const values: Record<string, unknown> = {}
  const properties = TracesSettingsSchema.properties as unknown as Record<string, SettingSchema>
  for (const [name, schema] of Object.entries(properties)) {
    const setting = { told: name, isSecret: PAIRS.includes(name as (typeof PAIRS)[number]) }
    values[name] = checkedSetting(schema, environment[name], setting, problems)
  }
  return values as TracesSettings
}

/**
 * Names and values of `name=value,name=value`; in both what has a meaning of its own may be written with `%` and two digits.
 * Undefined where it is something else.
 */
function pairsOf(text: string): Record<string, string> | undefined {
  const pairs: Record<string, string> = {}
  for (const item of listedItems(text)) {
    const [, name, value] = /^([^=;\s]+)\s*=\s*(.*)$/.exec(item) ?? []
    if (name === undefined || value === undefined) return undefined
    try {
      pairs[decodeURIComponent(name)] = decodeURIComponent(value)
    } catch {
      return undefined
    }
  }
  return pairs
}
