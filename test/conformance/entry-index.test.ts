import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { entryQuantities, type Quantities, type Quantity } from '../../src/query/quantities.ts'
import { ALL, NONE, type Query, type TextMode } from '../../src/query/tree.ts'
import { type EntryIndex, type IndexDocument, walk } from '../../src/search/entry-index.ts'
import { profiles } from '../app.ts'
import { newPlace, type Place } from './places.ts'

const quantities = entryQuantities()

const Q = (name: string) => quantities.get(name) as Quantity
const terms = (name: string, ...values: (string | number | boolean)[]): Query => ({
  kind: 'terms',
  quantity: Q(name),
  values
})
const range = (name: string, bounds: Extract<Query, { kind: 'range' }>['bounds']): Query => ({
  kind: 'range',
  quantity: Q(name),
  bounds
})
const text = (name: string, mode: TextMode, words: string): Query => ({
  kind: 'text',
  quantity: Q(name),
  mode,
  text: words
})
const nested = (path: string, query: Query): Query => ({ kind: 'nested', path, query })
const not = (of: Query): Query => ({ kind: 'not', of })

const doc = (entry_id: string, rest: object = {}): IndexDocument => ({ entry_id, ...rest })

describe.each(profiles())('the entries index of the %s profile', profile => {
  let place: Place
  let index: EntryIndex

  beforeAll(async () => {
    place = await newPlace(profile)
    index = await place.openIndex()
  })

  afterAll(async () => {
    await index?.close()
    await place?.drop()
  })

  afterEach(async () => {
    const all: string[] = []
    for await (const hit of walk(index, { query: ALL, order: 'asc', source: { include: ['entry_id'] } }))
      all.push(hit.entryId)
    await index.remove(all)
  })

  async function ids(query: Query): Promise<string[]> {
    return (await index.search({ query, order: 'asc', size: 100 })).hits.map(h => h.entryId)
  }

  describe('criteria', () => {
    test('all, none, and, or, not', async () => {
      await index.put([doc('a', { domain: 'x' }), doc('b', { domain: 'y' }), doc('c')])
      const [x, y] = [terms('domain', 'x'), terms('domain', 'y')]
      expect(await ids(ALL)).toEqual(['a', 'b', 'c'])
      expect(await ids(NONE)).toEqual([])
      expect(await ids({ kind: 'and', of: [] })).toEqual(['a', 'b', 'c'])
      expect(await ids({ kind: 'or', of: [] })).toEqual([])
      expect(await ids({ kind: 'or', of: [x, y] })).toEqual(['a', 'b'])
      expect(await ids({ kind: 'and', of: [x, y] })).toEqual([])
      expect(await ids({ kind: 'and', of: [not(x), not(y)] })).toEqual(['c'])
      expect(await ids(not(NONE))).toEqual(['a', 'b', 'c'])
    })

    test('keywords are exact: case, accents, spaces; ranges go by UTF-8 bytes', async () => {
      await index.put([
        doc('a', { domain: 'Novák' }),
        doc('b', { domain: 'novák' }),
        doc('c', { domain: 'novak ' }),
        doc('d', { domain: '\u{1f600}' }),
        doc('e', { domain: '\uffee' }),
        doc('f', { domain: '' })
      ])
      expect(await ids(terms('domain', 'novák'))).toEqual(['b'])
      expect(await ids(terms('domain', ''))).toEqual(['f'])
      expect(await ids(terms('domain'))).toEqual([])
      expect(await ids(range('domain', { gt: '\uffee' }))).toEqual(['d'])
      expect(await ids(range('domain', { gte: 'n', lt: 'o' }))).toEqual(['b', 'c'])
      expect(await ids(range('domain', { lte: 'Novák' }))).toEqual(['a', 'f'])
      expect(await ids({ kind: 'exists', quantity: Q('domain') })).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
    })

    test('odd text is kept apart and breaks nothing', async () => {
      const odd = ['a\0b', 'a', '%', '_', '"', "'", '\\', '\n', '\ud800', 'null', '__proto__']
      await index.put(
        odd.map((domain, i) => doc(`e${String(i).padStart(2, '0')}`, { domain, comment: domain }))
      )
      for (const [i, value] of odd.entries()) {
        expect([value, await ids(terms('domain', value))]).toEqual([
          value,
          [`e${String(i).padStart(2, '0')}`]
        ])
      }
    })

    test('keywords longer than 8191 characters are kept, but not found', async () => {
      const [fits, long] = ['x'.repeat(8191), 'x'.repeat(8192)]
      await index.put([doc('a', { domain: fits }), doc('b', { domain: long })])
      expect(await ids({ kind: 'exists', quantity: Q('domain') })).toEqual(['a'])
      expect(await ids(terms('domain', fits, long))).toEqual(['a'])
      expect(await ids(range('domain', { lt: long }))).toEqual(['a'])
      const { hits } = await index.search({ query: terms('entry_id', 'b'), order: 'asc', size: 1 })
      expect(hits[0]?.document.domain).toBe(long)
    })

    test('numbers, booleans and dates', async () => {
      await index.put([
        doc('a', { n_quantities: 2, published: true, upload_create_time: '2024-01-01T00:00:00' }),
        doc('b', { n_quantities: 300, published: false, upload_create_time: '2024-01-01T01:00:00.5+01:00' }),
        doc('c', { n_quantities: -70_000, upload_create_time: 1_704_067_200_001 }),
        doc('d', { n_quantities: null, published: [], upload_create_time: 'soon' })
      ])
      expect(await ids(range('n_quantities', { gt: 2 }))).toEqual(['b'])
      expect(await ids(range('n_quantities', { gte: 2, lt: 300 }))).toEqual(['a'])
      expect(await ids(range('n_quantities', { lt: 2.5 }))).toEqual(['a', 'c'])
      expect(await ids(terms('n_quantities', 300, 2.5, -70_000))).toEqual(['b', 'c'])
      expect(await ids({ kind: 'exists', quantity: Q('n_quantities') })).toEqual(['a', 'b', 'c'])
      expect(await ids(terms('published', false))).toEqual(['b'])
      expect(await ids(not(terms('published', true)))).toEqual(['b', 'c', 'd'])
      const midnight = Date.parse('2024-01-01T00:00:00Z')
      expect(await ids(terms('upload_create_time', midnight))).toEqual(['a'])
      expect(await ids(range('upload_create_time', { gt: midnight }))).toEqual(['b', 'c'])
      expect(await ids(range('upload_create_time', { gt: midnight, lt: midnight + 2 }))).toEqual(['c'])
    })

    test('entry ids', async () => {
      await index.put([doc('-a'), doc('A'), doc('_b'), doc('b')])
      expect(await ids(ALL)).toEqual(['-a', 'A', '_b', 'b'])
      expect(await ids(terms('entry_id', 'b', 'none', '-a'))).toEqual(['-a', 'b'])
      expect(await ids(range('entry_id', { gt: 'A', lte: '_b' }))).toEqual(['_b'])
      expect(await ids({ kind: 'exists', quantity: Q('entry_id') })).toHaveLength(4)
    })

    test('text by words, phrase and prefix; a phrase never spans two values', async () => {
      await index.put([
        doc('a', { entry_name: 'Silicon band gap', text_search_contents: ['VASP geometry', 'optimization'] }),
        doc('b', { entry_name: 'gap of silicon-band', text_search_contents: ['geometry optimization'] }),
        doc('c', { entry_name: 'Novák', text_search_contents: 'Geometric' }),
        doc('d', { entry_name: '--' })
      ])
      expect(await ids(text('entry_name.prefix', 'words', 'gap novák'))).toEqual(['a', 'b', 'c'])
      expect(await ids(text('entry_name.prefix', 'words', 'novak'))).toEqual([])
      expect(await ids(text('entry_name.prefix', 'phrase_prefix', 'SILICON ba'))).toEqual(['a', 'b'])
      expect(await ids(text('entry_name.prefix', 'phrase_prefix', 'silicon band g'))).toEqual(['a'])
      expect(await ids(text('entry_name.prefix', 'phrase_prefix', 'band silicon'))).toEqual([])
      expect(await ids(text('entry_name.prefix', 'phrase_prefix', 'sil'))).toEqual(['a', 'b'])
      expect(await ids(text('entry_name.prefix', 'phrase_prefix', '--'))).toEqual([])
      expect(await ids(text('text_search_contents', 'phrase_prefix', 'geometry opt'))).toEqual(['b'])
      expect(await ids(text('text_search_contents', 'bool_prefix', 'vasp geometri'))).toEqual(['a', 'c'])
      expect(await ids(terms('entry_name', 'Silicon band gap'))).toEqual(['a'])
      expect(await ids({ kind: 'exists', quantity: Q('entry_name.prefix') })).toEqual(['a', 'b', 'c', 'd'])
    })

    test('paths by segment, case kept', async () => {
      await index.put([
        doc('a', { mainfile: 'Run/x 1/vasprun.xml' }),
        doc('b', { mainfile: 'run/vasprun.xml' })
      ])
      expect(await ids(text('mainfile.path', 'words', 'run'))).toEqual(['b'])
      expect(await ids(text('mainfile.path', 'words', 'x 1/run'))).toEqual(['a', 'b'])
      expect(await ids(terms('mainfile', 'run/vasprun.xml'))).toEqual(['b'])
    })

    test('one nested object meets all of a criterion; complements stay among the objects', async () => {
      const topology = 'results.material.topology'
      const system = (label: string, n_atoms: number, ...elements: string[]) => ({
        label,
        n_atoms,
        elemental_composition: elements.map((element, i) => ({ element, mass_fraction: i + 1 }))
      })
      await index.put([
        doc('a', { results: { material: { topology: [system('x', 1, 'Ti', 'O'), system('y', 2)] } } }),
        doc('b', { results: { material: { topology: system('x', 2, 'O', 'Ti') } } }),
        doc('c', { results: { material: {} } })
      ])
      const x = terms(`${topology}.label`, 'x')
      expect(await ids(nested(topology, { kind: 'and', of: [x, terms(`${topology}.n_atoms`, 2)] }))).toEqual([
        'b'
      ])
      expect(await ids(nested(topology, not(x)))).toEqual(['a'])
      expect(await ids(not(nested(topology, x)))).toEqual(['c'])
      const deep = `${topology}.elemental_composition`
      const first = (element: string): Query =>
        nested(deep, {
          kind: 'and',
          of: [terms(`${deep}.element`, element), terms(`${deep}.mass_fraction`, 1)]
        })
      expect(await ids(nested(topology, first('Ti')))).toEqual(['a'])
      expect(await ids(nested(topology, { kind: 'and', of: [first('O'), x] }))).toEqual(['b'])
      expect(await ids(nested(topology, not(nested(deep, ALL))))).toEqual(['a'])
      // Without its nested node the quantity has no value.
      expect(await ids(x)).toEqual([])
    })

    test('thousands of values and deep trees', async () => {
      await index.put(
        Array.from({ length: 50 }, (_, i) => doc(`e${i}`, { domain: `d${i}`, n_quantities: i }))
      )
      const many = Array.from({ length: 65_536 }, (_, i) => i)
      expect(await index.count(terms('domain', ...many.map(i => `d${i * 2}`)))).toBe(25)
      expect(await index.count(terms('entry_id', ...many.map(i => `e${i * 5}`)))).toBe(10)
      expect(await index.count(terms('n_quantities', ...many.map(i => i * 10)))).toBe(5)
      let tree: Query = { kind: 'or', of: many.slice(0, 1000).map(i => terms('domain', `d${i * 25}`)) }
      for (let i = 0; i < 22; i++) tree = not(tree)
      expect(await index.count(tree)).toBe(2)
      // As deep as a caller's query may be, below a rule of the server.
      tree = terms('domain', 'd7')
      const other = terms('n_quantities', 8)
      for (let i = 0; i < 23; i++) {
        tree =
          i % 2
            ? { kind: 'and', of: [tree, not(terms('published', true))] }
            : { kind: 'or', of: [tree, other] }
      }
      expect(await ids({ kind: 'and', of: [tree, { kind: 'or', of: [not(NONE), other] }] })).toEqual([
        'e7',
        'e8'
      ])
    })
  })

  describe('order and pages', () => {
    test('entries without a value come last in both directions, ties by id in the same direction', async () => {
      await index.put([
        doc('a', { n_quantities: 5 }),
        doc('b'),
        doc('c', { n_quantities: -1 }),
        doc('d'),
        doc('e', { n_quantities: 5 })
      ])
      const sorted = async (order: 'asc' | 'desc') =>
        (await index.search({ query: ALL, orderBy: Q('n_quantities'), order, size: 9 })).hits.map(h => [
          h.entryId,
          h.sortValue
        ])
      expect(await sorted('asc')).toEqual([
        ['c', -1],
        ['a', 5],
        ['e', 5],
        ['b', null],
        ['d', null]
      ])
      expect(await sorted('desc')).toEqual([
        ['e', 5],
        ['a', 5],
        ['c', -1],
        ['d', null],
        ['b', null]
      ])
    })

    test('sort values can stand in a cursor: text, numbers, 0 and 1, milliseconds', async () => {
      await index.put([
        doc('a', {
          domain: 'x',
          published: true,
          upload_create_time: '2024-01-01T00:00:00+00:00',
          n_quantities: 1.5
        })
      ])
      const value = async (name: string) =>
        (await index.search({ query: ALL, orderBy: Q(name), order: 'asc', size: 1 })).hits[0]?.sortValue
      expect(await value('domain')).toBe('x')
      expect(await value('published')).toBe(1)
      expect(await value('upload_create_time')).toBe(Date.UTC(2024, 0, 1))
      expect(await value('results.material.n_elements')).toBe(null)
      // What stands in nested objects is no value of the entry.
      expect(await value('results.material.topology.label')).toBe(null)
      expect(await value('entry_id')).toBe(undefined)
      await expect(value('comment')).rejects.toMatchObject({ code: 'SEARCH_REFUSED' })
    })

    test('few matches among many terms, and many matches, are paged alike', async () => {
      const all = Array.from({ length: 3000 }, (_, i) =>
        doc(`e${(i * 7919) % 3000}`, {
          mainfile: `m${(i * 31) % 2500}`,
          n_quantities: i % 40,
          ...(i % 700 === 3 ? { domain: 'rare' } : { domain: 'usual' })
        })
      )
      await index.put(all)
      for (const orderBy of [undefined, 'mainfile', 'n_quantities', 'domain']) {
        for (const order of ['asc', 'desc'] as const) {
          for (const [query, size] of [
            [terms('domain', 'rare'), 2] as const,
            [not(terms('domain', 'rare')), 711] as const
          ]) {
            const request = { query, order, ...(orderBy ? { orderBy: Q(orderBy) } : {}) }
            const whole = await index.search({ ...request, size: 3000 })
            const walked: string[] = []
            for await (const hit of walk(index, request, size)) walked.push(hit.entryId)
            expect(walked).toEqual(whole.hits.map(h => h.entryId))
            expect(new Set(walked).size).toBe(whole.total)
            const key = (id: string) => {
              const found = all.find(d => d.entry_id === id) as unknown as Record<string, string | number>
              return orderBy ? (found[orderBy] as string | number) : id
            }
            const values = walked.map(key)
            const sign = order === 'asc' ? 1 : -1
            expect(
              values.every(
                (v, i) =>
                  i === 0 || (values[i - 1] === v ? 0 : (values[i - 1] as string) < v ? -1 : 1) * sign <= 0
              )
            ).toBe(true)
          }
        }
      }
    })

    test('entries added or removed meanwhile do not disturb a walk', async () => {
      await index.put(Array.from({ length: 20 }, (_, i) => doc(`m${10 + i}`, { n_quantities: i % 4 })))
      const seen: string[] = []
      let page = 0
      for await (const hit of walk(index, { query: ALL, orderBy: Q('n_quantities'), order: 'asc' }, 3)) {
        seen.push(hit.entryId)
        if (seen.length % 3 !== 0) continue
        page++
        await index.put([doc(`a${page}`, { n_quantities: -5 })])
        await index.remove([hit.entryId])
      }
      expect(seen).toHaveLength(20)
      expect(new Set(seen).size).toBe(20)
    })

    test('size 0, offsets and pages beyond the end', async () => {
      await index.put([doc('a'), doc('b'), doc('c')])
      expect(await index.search({ query: ALL, order: 'asc', size: 0 })).toEqual({ total: 3, hits: [] })
      const at = async (offset: number) =>
        (await index.search({ query: ALL, order: 'asc', size: 2, offset })).hits.map(h => h.entryId)
      expect(await at(1)).toEqual(['b', 'c'])
      expect(await at(3)).toEqual([])
      expect(await index.search({ query: ALL, order: 'asc', size: 2, after: { entryId: 'c' } })).toEqual({
        total: 3,
        hits: []
      })
    })
  })

  describe('documents', () => {
    test('come back as they were, without completion fields, and filtered', async () => {
      const results = { material: { elements: ['Ti'], n_elements: 1, empty: {}, none: null, list: [] } }
      await index.put([
        doc('a', {
          results: { ...results, label__suggestion: ['x'] },
          name__suggestion: ['y'],
          comment: 'quotes " and \u2028',
          deep: [{ a: 1, a__suggestion: 2 }]
        })
      ])
      const get = async (source?: { include?: string[]; exclude?: string[] }) =>
        (await index.search({ query: ALL, order: 'asc', size: 1, ...(source ? { source } : {}) })).hits[0]
          ?.document
      expect(await get()).toEqual({
        entry_id: 'a',
        results,
        comment: 'quotes " and \u2028',
        deep: [{ a: 1 }]
      })
      expect(await get({ include: ['results.material.elements', 'entry_id'] })).toEqual({
        entry_id: 'a',
        results: { material: { elements: ['Ti'] } }
      })
      expect(await get({ exclude: ['results*', 'deep'] })).toEqual({
        entry_id: 'a',
        comment: 'quotes " and \u2028'
      })
    })

    test('are replaced whole, the last one of a batch counts, and removed ones are gone', async () => {
      const material = (label: string) => ({
        results: { material: { topology: [{ label }, { label: 'both' }] } }
      })
      await index.put([
        doc('a', { domain: 'old', comment: 'old words', n_quantities: 1, ...material('old') }),
        doc('b')
      ])
      await index.put([
        doc('a', { domain: 'mid' }),
        doc('a', { comment: 'new words', n_quantities: 2, ...material('new') })
      ])
      const label = (value: string) =>
        nested('results.material.topology', terms('results.material.topology.label', value))
      expect(await ids(terms('domain', 'old', 'mid'))).toEqual([])
      expect(await ids(text('comment', 'words', 'old'))).toEqual([])
      expect(await ids(text('comment', 'phrase_prefix', 'new wor'))).toEqual(['a'])
      expect(await ids(terms('n_quantities', 1))).toEqual([])
      expect(await ids(terms('n_quantities', 2))).toEqual(['a'])
      expect(await ids(label('old'))).toEqual([])
      expect(await ids(label('new'))).toEqual(['a'])
      await index.remove(['a', 'none'])
      expect(await ids(ALL)).toEqual(['b'])
      expect(await ids(label('both'))).toEqual([])
      expect(await ids(not(terms('domain', 'x')))).toEqual(['b'])
      await index.put([doc('a')])
      expect(await ids(ALL)).toEqual(['a', 'b'])
      expect(await ids(label('both'))).toEqual([])
    })

    test('are indexed anew when the quantities change', async () => {
      await index.put([doc('a', { domain: 'x', comment: 'kept words' }), doc('b', { domain: 'y' })])
      await index.close()
      const list = quantities.list.map(q => (q.name === 'domain' ? { ...q, kind: 'text' as const } : q))
      const changed: Quantities = { ...quantities, list, get: name => list.find(q => q.name === name) }
      index = await place.openIndex({ quantities: changed })
      const domain = changed.get('domain') as Quantity
      expect(await ids({ kind: 'text', quantity: domain, mode: 'words', text: 'X' })).toEqual(['a'])
      expect(await ids(text('comment', 'phrase_prefix', 'kept wo'))).toEqual(['a'])
      expect(await ids(ALL)).toEqual(['a', 'b'])
      await index.put([doc('a')])
      expect(await ids({ kind: 'text', quantity: domain, mode: 'words', text: 'X' })).toEqual([])
    })
  })

  describe('access', () => {
    test('many searches at once are all answered, and writes are seen by the next search', async () => {
      for (let i = 0; i < 20; i++) {
        await index.put([doc(`e${i}`, { n_quantities: i })])
        const counts = await Promise.all(Array.from({ length: 6 }, () => index.count(ALL)))
        expect(counts).toEqual(Array(6).fill(i + 1))
      }
    })

    test('a closed index refuses further searches', async () => {
      const closed = await place.openIndex()
      await closed.close()
      await expect(closed.count(ALL)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
      await expect(closed.put([doc('a')])).rejects.toThrow()
      await closed.close()
    })
  })
})
