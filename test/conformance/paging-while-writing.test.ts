/**
 * Paging through many entries while others are added: every entry that was there at the beginning comes exactly once, none
 * comes twice, and the order holds over all pages.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { entryQuantities, type Quantity } from '../../src/query/quantities.ts'
import { ALL } from '../../src/query/tree.ts'
import { type EntryIndex, type IndexDocument, type SortValue, walk } from '../../src/search/entry-index.ts'
import { profiles } from '../app.ts'
import { compareValues, sortValueOf } from '../search/naive.ts'
import { openOwnIndex } from './own-index.ts'

const quantities = entryQuantities()
const ENTRIES = 10_000
const PAGE = 1000

/** Entries that are added after each page. */
const ADDED = 10

/** A quantity of every kind that scalar ones have. */
const SORTED: readonly Quantity[] = [
  'upload_name',
  'published',
  'n_quantities',
  'results.method.simulation.dft.smearing_width',
  'upload_create_time'
].map(name => quantities.get(name) as Quantity)

const CUSTOM = ['data.label#entry_id:s.Sample#str', 'data.count#entry_id:s.Sample#int'].map(
  name => quantities.custom(name) as Quantity
)

/** Values with many ties, and such that text, numbers and signs decide. */
const VALUES: Readonly<Record<string, readonly unknown[]>> = {
  keyword: ['', 'a', 'a:b', 'A', 'ä', '\u{1f600}', '\uffee', 'None', '10', '9', 'x'.repeat(300), ' '],
  boolean: [true, false],
  whole: [0, 1, -1, 7, 2 ** 31 - 1, -(2 ** 31), 100, 99],
  number: [0, 0.1, 1 / 3, -2.5, 1e-19, 1e19, 7],
  date: [
    '1969-12-31T23:59:59.999Z',
    '2024-01-01T00:00:00Z',
    '2024-01-01T00:00:00.001Z',
    '2030-06-30T12:00:00+02:00'
  ]
}

function valuesOf({ kind }: Quantity): readonly unknown[] {
  if (kind === 'integer' || kind === 'long') return VALUES.whole as readonly unknown[]
  return VALUES[kind === 'float' || kind === 'double' ? 'number' : kind] as readonly unknown[]
}

/** Always the same numbers from 0 to 1 for one entry. */
function numbersOf(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1)
  return () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x297a2d39
    return ((state ^ (state >>> 12)) >>> 0) / 2 ** 32
  }
}

function documentOf(n: number): IndexDocument {
  const random = numbersOf(n)
  // One in six has no value.
  const value = (quantity: Quantity) => {
    const values = valuesOf(quantity)
    return values[Math.floor(random() * values.length * 1.2)]
  }
  const document = { entry_id: `${Math.floor(random() * 1e9)}-${n}` }
  for (const quantity of SORTED) put(document, quantity.source.split('.'), value(quantity))
  const [label, count] = CUSTOM.map(value)
  const search_quantities = [custom('label', { str_value: label }), custom('count', { int_value: count })]
  return {
    ...document,
    search_quantities: search_quantities.filter(each => Object.values(each).at(-1) !== undefined)
  }
}

function custom(name: string, member: object): object {
  const classes = ['entry_id:s.Sample']
  return {
    id: `data.${name}#${classes[0]}`,
    path_archive: `data.${name}`,
    segments: { 1: { path: 'data', definitions: classes }, 2: { path: name, definitions: classes } },
    ...member
  }
}

function put(object: Record<string, unknown>, [name, ...rest]: readonly string[], value: unknown): void {
  if (name === undefined || value === undefined) return
  if (rest.length === 0) object[name] = value
  else {
    object[name] ??= {}
    put(object[name] as Record<string, unknown>, rest, value)
  }
}

describe.each(profiles())('paging through the index of the %s profile', profile => {
  let index: EntryIndex
  let next = 0

  beforeAll(async () => {
    index = await openOwnIndex(profile)
    const documents = Array.from({ length: ENTRIES }, () => documentOf(next++))
    for (let from = 0; from < ENTRIES; from += 2000) await index.put(documents.slice(from, from + 2000))
  }, 60_000)

  afterAll(() => index?.close())

  const orders = [undefined, ...SORTED, ...CUSTOM].flatMap(quantity =>
    (['asc', 'desc'] as const).map(order => [quantity?.name ?? 'entry_id', order, quantity] as const)
  )

  test.each(orders)(
    'by %s, %s',
    async (_, order, orderBy) => {
      const before = next
      const seen = new Map<string, SortValue | undefined>()
      let last: { value: SortValue | undefined; entryId: string } | undefined
      let adding: Promise<void> = Promise.resolve()
      const request = {
        query: ALL,
        order,
        source: { include: ['entry_id'] },
        ...(orderBy ? { orderBy } : {})
      }
      for await (const { entryId, sortValue } of walk(index, request, PAGE)) {
        if (seen.has(entryId)) expect.fail(`${entryId} comes twice`)
        seen.set(entryId, sortValue)
        const place = { value: sortValue, entryId }
        if (last && compare(last, place, order) >= 0)
          expect.fail(`${JSON.stringify(last)} comes before ${JSON.stringify(place)}`)
        last = place
        if (seen.size % PAGE === 0) {
          await adding
          adding = index.put(Array.from({ length: ADDED }, () => documentOf(next++)))
        }
      }
      await adding
      expect(next).toBeGreaterThan(before)
      for (let n = 0; n < before; n++) {
        const document = documentOf(n)
        if (!seen.has(document.entry_id)) expect.fail(`${document.entry_id} does not come`)
        if (orderBy) {
          const value = sortValueOf(orderBy, document, order)
          if (seen.get(document.entry_id) !== value)
            expect.fail(`${document.entry_id} comes with ${seen.get(document.entry_id)}, not ${value}`)
        }
      }
    },
    60_000
  )
})

/** Order of two places of a walk; entries without a value come last. */
function compare(
  a: { value: SortValue | undefined; entryId: string },
  b: { value: SortValue | undefined; entryId: string },
  order: 'asc' | 'desc'
): number {
  const sign = order === 'asc' ? 1 : -1
  const missing = Number(a.value === null) - Number(b.value === null)
  if (missing !== 0) return missing
  if (a.value !== null && a.value !== undefined && b.value !== null && b.value !== undefined) {
    const values = sign * compareValues(a.value, b.value)
    if (values !== 0) return values
  }
  return sign * compareValues(a.entryId, b.entryId)
}
