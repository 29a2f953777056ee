/** When there are traces, and what is told of settings of theirs that are wrong. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readConfig } from '../src/config.ts'
import { TracesSettingsSchema } from '../src/traces-settings.ts'

const LOCAL = 'http://127.0.0.1:4318'

const problemsOf = (settings: Record<string, string>): readonly string[] => {
  try {
    readConfig(settings)
    return []
  } catch (error) {
    return (error as { problems: string[] }).problems
  }
}

test.each([
  [{}],
  [
    { OTEL_SERVICE_NAME: 'serai', OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', OTEL_TRACES_SAMPLER: 'always_on' }
  ],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: '', OTEL_TRACES_EXPORTER: '' }],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: LOCAL, OTEL_SDK_DISABLED: 'true' }],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: LOCAL, OTEL_TRACES_EXPORTER: 'none' }],
  // Of other programs that have the same environment.
  [{ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: LOCAL, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'x', OTEL_TRACES_SAMPLER: 'x', OTEL_SDK_DISABLED: 'TRUE' }]
] as [Record<string, string>][])('%j: there are no traces, and nothing is wrong', settings => {
  expect(readConfig(settings)).not.toHaveProperty('traces')
})

test.each([
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: LOCAL }, ['otlp'], `${LOCAL}/v1/traces`],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${LOCAL}/x` }, ['otlp'], `${LOCAL}/x`],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: LOCAL, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${LOCAL}/x` },
    ['otlp'],
    `${LOCAL}/x`
  ],
  [{ OTEL_TRACES_EXPORTER: 'otlp' }, ['otlp'], 'http://localhost:4318/v1/traces'],
  [{ OTEL_TRACES_EXPORTER: 'console', OTEL_SDK_DISABLED: 'false' }, ['console'], expect.anything()],
  [{ OTEL_TRACES_EXPORTER: 'console, otlp' }, ['otlp', 'console'], expect.anything()]
] as [Record<string, string>, string[], string][])('%j: there are traces', (settings, exporters, url) => {
  expect(readConfig(settings).traces).toMatchObject({
    exporters,
    url,
    protocol: 'http/protobuf',
    sampler: 'parentbased_always_on',
    takesParents: true,
    timeout: 10_000,
    batches: { delay: 5000, timeout: 30_000, queued: 2048, sent: 512 }
  })
})

test.each([
  [{ OTEL_TRACES_EXPORTER: 'zipkin' }, 'OTEL_TRACES_EXPORTER is "zipkin", but must be otlp, console, '],
  [{ OTEL_TRACES_EXPORTER: 'otlp,none' }, 'OTEL_TRACES_EXPORTER is "otlp,none", but must be otlp, console, '],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' },
    'OTEL_EXPORTER_OTLP_ENDPOINT is "collector:4318", but must be '
  ],
  [
    { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://a:b:c' },
    'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is no address'
  ],
  [
    { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
    'OTEL_EXPORTER_OTLP_PROTOCOL is "grpc", but must be one of http/protobuf, http/json'
  ],
  [
    { OTEL_EXPORTER_OTLP_TIMEOUT: '0' },
    'OTEL_EXPORTER_OTLP_TIMEOUT is "0", but must be a whole number from 1'
  ],
  [
    { OTEL_EXPORTER_OTLP_COMPRESSION: 'zip' },
    'OTEL_EXPORTER_OTLP_COMPRESSION is "zip", but must be one of none, gzip'
  ],
  [
    { OTEL_EXPORTER_OTLP_HEADERS: 'hush' },
    'OTEL_EXPORTER_OTLP_HEADERS must be name=value, or several of them'
  ],
  [
    { OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'key=hush%' },
    'OTEL_EXPORTER_OTLP_TRACES_HEADERS must be name=value, or several of them'
  ],
  [{ OTEL_RESOURCE_ATTRIBUTES: 'test' }, 'OTEL_RESOURCE_ATTRIBUTES must be name=value, or several of them'],
  [
    { OTEL_TRACES_SAMPLER: 'jaeger_remote' },
    'OTEL_TRACES_SAMPLER is "jaeger_remote", but must be one of always_on, '
  ],
  [{ OTEL_TRACES_SAMPLER_ARG: '2' }, 'OTEL_TRACES_SAMPLER_ARG is "2", but must be a number from 0 to 1'],
  [{ OTEL_PROPAGATORS: 'b3' }, 'OTEL_PROPAGATORS is "b3", but must be tracecontext, '],
  [{ OTEL_BSP_SCHEDULE_DELAY: 'x' }, 'OTEL_BSP_SCHEDULE_DELAY is "x", but must be a whole number from 1'],
  [
    { OTEL_BSP_MAX_QUEUE_SIZE: '100' },
    'OTEL_BSP_MAX_EXPORT_BATCH_SIZE must not be more than OTEL_BSP_MAX_QUEUE_SIZE'
  ],
  [{ OTEL_SDK_DISABLED: 'perhaps' }, 'OTEL_SDK_DISABLED is "perhaps", but must be true or false']
] as [Record<string, string>, string][])('%j: is told what is wrong', (settings, problem) => {
  const problems = problemsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: LOCAL, ...settings })
  expect(problems).toEqual([expect.stringContaining(problem)])
  expect(problems.join()).not.toContain('hush')
})

test('all that is wrong is told at once, with that of other settings', () => {
  const settings = { OTEL_TRACES_EXPORTER: 'otlp', OTEL_PROPAGATORS: 'b3', OTEL_TRACES_SAMPLER_ARG: '1e9' }
  expect(problemsOf({ ...settings, SERAI_PORT: 'x' })).toHaveLength(3)
})

test('a sampler takes a share as people write it', () => {
  for (const [text, share] of [
    ['0.25', 0.25],
    ['.5', 0.5],
    ['1', 1],
    ['0', 0]
  ] as const) {
    const settings = { OTEL_TRACES_EXPORTER: 'otlp', OTEL_TRACES_SAMPLER_ARG: text }
    expect(readConfig(settings).traces?.sampledShare).toBe(share)
  }
})

test('the documents name variables that there are', () => {
  const root = join(import.meta.dirname, '..')
  const texts = ['.env.example', 'docs/monitoring/README.md', 'CHANGELOG.md'].map(file =>
    readFileSync(join(root, file), 'utf8')
  )
  const named = new Set(texts.join('\n').match(/\bOTEL_[A-Z_]+/g))
  expect(named.size).toBeGreaterThan(6)
  const known = Object.keys(TracesSettingsSchema.properties)
  for (const name of named) expect(known).toContain(name)
})
