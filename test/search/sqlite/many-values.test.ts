/**
 * Aggregations over more values and entries than the random documents of the conformance tests have: values are then counted
 * by row, read from the documents of few matches, or found in the postings, and all of these must come to the same.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { entryQuantities, type Quantity } from '../../../src/query/quantities.ts'
import { ALL, type Query } from '../../../src/query/tree.ts'
import type { Aggregation, Metric } from '../../../src/search/aggregation.ts'
import type { EntryIndex, IndexDocument } from '../../../src/search/entry-index.ts'
import { openSqliteEntryIndex } from '../../../src/search/sqlite/sqlite-entry-index.ts'
import { aggregated } from '../naive-aggregations.ts'

const quantities = entryQuantities()
const Q = (name: string) => quantities.get(name) as Quantity

/** More than a chunk of rows, so that sets have several. */
const ENTRIES = 9000

const documents: IndexDocument[] = Array.from({ length: ENTRIES }, (_, n) => ({
  entry_id: `e${(n * 7919) % ENTRIES}`,
  ...(n % 11 ? { upload_name: [`name ${n % 4001}`, ...(n % 50 ? [] : ['twice', 'twice'])] } : {}),
  domain: n % 3 ? 'dft' : 'eln',
  published: n % 5 === 0,
  files: [`f${n}`, `f${(n * 31) % 5000}`, `f${n}`],
  n_quantities: n % 97,
  upload_create_time: new Date(Date.UTC(2020, n % 60, 1 + (n % 28))).toISOString(),
  results: {
    material: {
      topology: Array.from({ length: n % 4 }, (_, i) => ({
        label: `l${(n + i) % 3000}`,
        n_atoms: i,
        elemental_composition: i ? [{ element: `X${n % 2500}` }, { element: 'O' }] : []
      }))
    }
  }
}))

let folder: string
let index: EntryIndex

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serai-'))
  index = await openSqliteEntryIndex({ file: join(folder, 'search.sqlite'), quantities, timeout: 60_000 })
  await index.put(documents)
}, 60_000)

afterAll(async () => {
  await index.close()
  await rm(folder, { recursive: true })
})

const terms = (name: string, ...values: (string | number | boolean)[]): Query => ({
  kind: 'terms',
  quantity: Q(name),
  values
})

const QUERIES: Readonly<Record<string, Query>> = {
  'all entries': ALL,
  'most entries': terms('domain', 'dft'),
  'some entries': terms('n_quantities', 3, 60),
  'few entries': { kind: 'substring', quantity: Q('upload_name'), at: 'end', text: ' 17' },
  'one entry': terms('entry_id', 'e5'),
  'no entry': terms('domain', 'none')
}

const LABEL = Q('results.material.topology.label')
const ELEMENT = Q('results.material.topology.elemental_composition.element')
const metrics: Metric[] = [
  { name: 'entries', kind: 'entries' },
  { name: 'names', kind: 'cardinality', quantity: Q('upload_name') },
  { name: 'files', kind: 'cardinality', quantity: Q('files') },
  { name: 'sum', kind: 'sum', quantity: Q('n_quantities') }
]

const AGGREGATIONS: Readonly<Record<string, Aggregation>> = {
  'largest names': { kind: 'terms', quantity: Q('upload_name'), size: 5, metrics },
  'all names': { kind: 'terms', quantity: Q('upload_name'), size: 10_000 },
  'some files': { kind: 'terms', quantity: Q('files'), size: 7, include: { kind: 'contains', text: '99' } },
  'named files': {
    kind: 'terms',
    quantity: Q('files'),
    size: 7,
    include: { kind: 'values', values: ['f1', 'f31', 'f5', 'x'] }
  },
  ids: { kind: 'terms', quantity: Q('entry_id'), size: 4 },
  labels: { kind: 'terms', quantity: LABEL, size: 9 },
  elements: { kind: 'terms', quantity: ELEMENT, size: 9 },
  booleans: { kind: 'terms', quantity: Q('published'), size: 9, metrics },
  'a page of names': {
    kind: 'terms_page',
    quantity: Q('upload_name'),
    size: 6,
    order: 'desc',
    after: { value: 'name 17' }
  },
  'a page of labels': { kind: 'terms_page', quantity: LABEL, size: 6, order: 'asc' },
  'a page of ids': {
    kind: 'terms_page',
    quantity: Q('entry_id'),
    size: 6,
    order: 'asc',
    after: { value: 'e4999' }
  },
  'names by date': {
    kind: 'terms_page',
    quantity: Q('upload_name'),
    size: 6,
    order: 'asc',
    orderBy: Q('upload_create_time'),
    after: { value: 'name 9', orderValue: Date.UTC(2021, 3, 4) }
  },
  'names by domain': {
    kind: 'terms_page',
    quantity: Q('upload_name'),
    size: 6,
    order: 'desc',
    orderBy: Q('domain')
  },
  numbers: { kind: 'histogram', quantity: Q('n_quantities'), interval: 10, offset: 3, metrics },
  atoms: { kind: 'histogram', quantity: Q('results.material.topology.n_atoms'), interval: 2, offset: 0 },
  quarters: { kind: 'calendar', quantity: Q('upload_create_time'), unit: 'quarter' },
  ranges: { kind: 'ranges', quantity: Q('n_quantities'), edges: [1, 2, 50, 60, 1000] },
  bounds: { kind: 'min_max', quantity: Q('upload_create_time') },
  percentiles: {
    kind: 'percentiles',
    quantity: Q('n_quantities'),
    percents: [0, 12.5, 50, 99, 100],
    groupBy: { quantity: Q('domain'), size: 3 }
  },
  statistics: { kind: 'statistics', metrics }
}

test.each(Object.keys(QUERIES))('%s', async name => {
  const query = QUERIES[name] as Query
  const asked = Object.fromEntries(
    Object.entries(AGGREGATIONS).map(([n, aggregation]) => [n, { query, aggregation }])
  )
  const { aggregations } = await index.search({ query, order: 'asc', size: 0, aggregations: asked })
  for (const [n, request] of Object.entries(asked)) {
    expect({ [n]: aggregations?.[n] }).toEqual({ [n]: aggregated(request, documents) })
  }
})
