/** The dashboard and the alerts of `docs/monitoring` ask for metrics that there are. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Metrics } from '../../src/metrics/metrics.ts'

const FOLDER = join(import.meta.dirname, '../../docs/monitoring')

/** Names of metrics in an expression, those of the series of a histogram as the histogram's. */
function metricsIn(text: string): Set<string> {
  const names = text.match(/\b(?:serai|process|nodejs)_\w+/g) ?? []
  return new Set(names.map(name => name.replace(/_(?:bucket|count|sum)$/, '')))
}

test.each([
  ['serai-dashboard.json', 15],
  ['alerts.yml', 4]
])('%s names no metric that there is not', async (file, atLeast) => {
  const metrics = new Metrics({ version: '1', profile: 'embedded' })
  metrics.follow([])
  const known = new Set(
    (await metrics.registry.getMetricsAsJSON()).map(metric => (metric as unknown as { name: string }).name)
  )
  const text = readFileSync(join(FOLDER, file), 'utf8')
  const named = file.endsWith('.json')
    ? [...text.matchAll(/"expr": "((?:[^"\\]|\\.)*)"/g)].map(([, expression]) => expression).join('\n')
    : text
  const found = metricsIn(named)
  expect(found.size).toBeGreaterThanOrEqual(atLeast)
  expect([...found].filter(name => !known.has(name))).toEqual([])
})
