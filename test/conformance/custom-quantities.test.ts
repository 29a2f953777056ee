import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compile } from '../../src/query/compile.ts'
import { readCriteria } from '../../src/query/criteria-reader.ts'
import { entryQuantities, type Quantity } from '../../src/query/quantities.ts'
import { ALL } from '../../src/query/tree.ts'
import { type EntryIndex, type IndexDocument, walk } from '../../src/search/entry-index.ts'
import { profiles } from '../app.ts'
import { openOwnIndex } from './own-index.ts'

const quantities = entryQuantities()

type Value = Readonly<Record<string, unknown>>

/** One value of a schema at a path below `data`. */
function value(path: string, classes: readonly string[], member: Value): Value {
  const names = ['data', ...path.split('.')]
  return {
    id: `${names.join('.')}#${classes[0]}`,
    path_archive: names.join('.'),
    segments: Object.fromEntries(
      names.map((name, i) => [
        String(i + 1),
        { path: name, definitions: i === 0 ? classes : ['entry_id:s.Step'] }
      ])
    ),
    ...member
  }
}

const entry = (entry_id: string, ...search_quantities: Value[]): IndexDocument => ({
  entry_id,
  search_quantities
})

const BASE = ['entry_id:s.Base']
const SAMPLE = ['entry_id:s.Sample', ...BASE]
const count = (n: number, classes = SAMPLE) => value('steps.count', classes, { int_value: n })
const label = (text: string, classes = SAMPLE) => value('label', classes, { str_value: text })

const custom = (name: string) => quantities.custom(name) as Quantity
const COUNT = 'data.steps.count#entry_id:s.Sample#int'
const LABEL = 'data.label#entry_id:s.Sample#str'

describe.each(profiles())('custom quantities in the index of the %s profile', profile => {
  let index: EntryIndex

  beforeAll(async () => {
    index = await openOwnIndex(profile)
  })
  afterAll(() => index?.close())

  /** The index with these documents and no others. */
  async function hold(documents: readonly IndexDocument[]): Promise<void> {
    const old: string[] = []
    for await (const hit of walk(index, { query: ALL, order: 'asc' })) old.push(hit.entryId)
    await index.remove(old)
    await index.put(documents)
  }

  async function found(json: object): Promise<string[]> {
    const query = compile(readCriteria(json, quantities))
    return (await index.search({ query, order: 'asc', size: 100 })).hits.map(hit => hit.entryId)
  }

  /** The first entries in order, read in pages of this size. */
  async function ordered(
    name: string,
    order: 'asc' | 'desc',
    size: number,
    most = Number.POSITIVE_INFINITY
  ): Promise<[string, unknown][]> {
    const hits: [string, unknown][] = []
    const request = { query: ALL, orderBy: custom(name), order, source: { include: ['entry_id'] } }
    for await (const { entryId, sortValue } of walk(index, request, size)) {
      if (hits.push([entryId, sortValue]) >= most) break
    }
    return hits
  }

  test('are found by the name of the section and of what it is based on', async () => {
    await hold([
      entry('base', count(1, BASE)),
      entry('sample', count(1)),
      entry('other', count(1, ['entry_id:s.Other'])),
      entry(
        'elsewhere',
        value('count', SAMPLE, { int_value: 1 }),
        value('steps.other', SAMPLE, { int_value: 1 })
      ),
      entry('plain', { id: 'data.steps.count#entry_id:s.Sample', int_value: 1 }),
      entry('none')
    ])
    expect(await found({ [COUNT]: 1 })).toEqual(['plain', 'sample'])
    expect(await found({ 'data.steps.count#entry_id:s.Base#int': 1 })).toEqual(['base', 'sample'])
    expect(await found({ 'data.steps.count#entry_id:s.Other#int': 1 })).toEqual(['other'])
    expect(await found({ 'data.steps.count#entry_id:s.Step#int': 1 })).toEqual([])
    expect(await found({ 'data.steps.count#entry_id:s.Sample#float': 1 })).toEqual([])
    expect(await found({ not: { 'data.steps.count#entry_id:s.Base#int': 1 } })).toEqual([
      'elsewhere',
      'none',
      'other',
      'plain'
    ])
  })

  test('every value of a criterion may stand in another object, the bounds of a range in one', async () => {
    await hold([entry('a', count(1), count(5), label('x')), entry('b', count(3), label('y'))])
    expect(await found({ [COUNT]: [1, 5] })).toEqual(['a'])
    expect(await found({ [`${COUNT}:any`]: [5, 3] })).toEqual(['a', 'b'])
    expect(await found({ [`${COUNT}:none`]: [5] })).toEqual(['b'])
    expect(await found({ [COUNT]: { gt: 1, lt: 5 } })).toEqual(['b'])
    expect(await found({ [COUNT]: { gt: 1 }, [LABEL]: 'x' })).toEqual(['a'])
    expect(await found({ [LABEL]: 'X' })).toEqual([])
  })

  test('names of every length, and segments of every shape', async () => {
    const deep = Array.from({ length: 40 }, (_, i) => `n${i}`).join('.')
    const long = `entry_id:s.${'x'.repeat(9000)}`
    await hold([
      entry('deep', value(deep, SAMPLE, { bool_value: true })),
      entry('long', label('x', [long, ...BASE])),
      entry(
        'odd',
        { ...label('x', BASE), segments: null },
        { ...label('x', BASE), segments: { 1: {}, 2: {} } }
      )
    ])
    expect(await found({ [`data.${deep}#entry_id:s.Sample#bool`]: true })).toEqual(['deep'])
    expect(await found({ 'data.label#entry_id:s.Base#str': 'x' })).toEqual(['long', 'odd'])
    expect(await found({ [`data.label#${long}#str`]: 'x' })).toEqual([])
  })

  test.each([1, 2, 100])(
    'order entries by the first value in the order, without a value last, in pages of %s',
    async size => {
      await hold([
        entry('a', count(5), count(2), count(9, BASE)),
        entry('b', count(3)),
        entry('c', count(-1, BASE)),
        entry('d', count(2)),
        entry('e'),
        entry('f', count(7), count(1), label('7'))
      ])
      expect(await ordered(COUNT, 'asc', size)).toEqual([
        ['f', 1],
        ['a', 2],
        ['d', 2],
        ['b', 3],
        ['c', null],
        ['e', null]
      ])
      expect(await ordered(COUNT, 'desc', size)).toEqual([
        ['f', 7],
        ['a', 5],
        ['b', 3],
        ['d', 2],
        ['e', null],
        ['c', null]
      ])
      expect((await ordered('data.steps.count#entry_id:s.Base#int', 'asc', size)).slice(0, 2)).toEqual([
        ['c', -1],
        ['f', 1]
      ])
    }
  )

  test.each([
    ['float_value', 'float', [0.5, 2, -3], [-3, 0.5, 2]],
    ['bool_value', 'bool', [true, false], [0, 1]],
    [
      'datetime_value',
      'datetime',
      ['2024-01-02T00:00:00Z', '2024-01-01T00:00:00+00:00'],
      [1_704_067_200_000, 1_704_153_600_000]
    ]
  ])('order by %s', async (member, type, values, sorted) => {
    await hold(values.map((v, i) => entry(`e${i}`, value('x', SAMPLE, { [member]: v }))))
    const hits = await ordered(`data.x#entry_id:s.Sample#${type}`, 'asc', 1)
    expect(hits.map(([, v]) => v)).toEqual(sorted)
  })

  test('order a few entries among many other texts, and many entries', async () => {
    const other = ['entry_id:s.Other']
    const many = Array.from({ length: 300 }, (_, i) =>
      entry(
        `m${String(i).padStart(3, '0')}`,
        label(`text ${(i * 7) % 300}`, other),
        label(`text ${i + 500}`, other)
      )
    )
    await hold([
      ...many,
      entry('x', label('m', other), label('c'), label('a', BASE), label('b')),
      entry('y', label('a', other), label('B'), label('d')),
      entry('z', label('z', BASE))
    ])
    expect(await ordered(LABEL, 'asc', 2, 3)).toEqual([
      ['y', 'B'],
      ['x', 'b'],
      ['m000', null]
    ])
    expect(await ordered(LABEL, 'desc', 2, 3)).toEqual([
      ['y', 'd'],
      ['x', 'c'],
      ['z', null]
    ])
    const texts = (await ordered('data.label#entry_id:s.Other#str', 'asc', 50, 302)).map(([, v]) => v)
    expect(texts).toEqual(
      [...texts].sort((a, b) => Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b))))
    )
    expect(texts).not.toContain(null)
  })

  test('order thousands of objects', async () => {
    const values = (i: number) => Array.from({ length: 5 }, (_, k) => (i * 37 + k * 1009) % 4999)
    const id = (i: number) => `e${String(i).padStart(4, '0')}`
    await hold(
      Array.from({ length: 2000 }, (_, i) => entry(id(i), ...values(i).map(n => count(n)), label('x')))
    )
    for (const [order, first, sign] of [
      ['asc', Math.min, 1],
      ['desc', Math.max, -1]
    ] as const) {
      const wanted = Array.from({ length: 2000 }, (_, i) => [id(i), first(...values(i))] as const).sort(
        ([a, x], [b, y]) => sign * (x - y || (a < b ? -1 : 1))
      )
      expect(await ordered(COUNT, order, 700)).toEqual(wanted)
    }
  })
})
