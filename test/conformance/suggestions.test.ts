import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { entryQuantities, type Quantity } from '../../src/query/quantities.ts'
import { suggestionPatterns } from '../../src/query/suggestion.ts'
import { ALL, NONE, type Query } from '../../src/query/tree.ts'
import type { EntryIndex, IndexDocument } from '../../src/search/entry-index.ts'
import { profiles } from '../app.ts'
import { openOwnIndex } from './own-index.ts'

const quantities = entryQuantities()
const Q = (name: string) => quantities.get(name) as Quantity

const OPEN: Query = { kind: 'terms', quantity: Q('published'), values: [true] }

const LABEL = 'results.material.topology.label'
const ELEMENT = 'results.material.topology.elemental_composition.element'

const DOCUMENTS: IndexDocument[] = [
  {
    entry_id: 'a',
    published: true,
    mainfile: 'run_1/vasprun.xml',
    upload_name: 'Vibrations, 100 %',
    authors: [{ name: 'Ines Albrecht' }, { name: 'Jan Novák' }],
    datasets: { dataset_name: 'small molecules' },
    results: {
      material: {
        elements: ['Si', 'O', 'Ti'],
        chemical_formula_hill: 'O2Si',
        topology: [
          { label: 'original', elemental_composition: [{ element: 'Si' }, { element: 'O' }] },
          { label: 'subsystem of it' }
        ]
      }
    }
  },
  {
    entry_id: 'b',
    published: false,
    mainfile: 'run_2/vasprun.xml',
    upload_name: 'Vacancies',
    authors: { name: 'Ines Secret' },
    datasets: [{ dataset_name: 'secret set' }, { dataset_name: 'small molecules' }],
    results: {
      material: {
        elements: ['Se', 'Si'],
        chemical_formula_hill: 'SeSi',
        topology: [{ label: 'secret', elemental_composition: { element: 'Se' } }, { label: 'original' }]
      }
    }
  },
  {
    entry_id: 'c',
    published: true,
    mainfile: 'VASP/OUTCAR',
    upload_name: 'ovens_(10%).a|b',
    results: { material: { elements: 'S', chemical_formula_hill: 'S', topology: { label: 'subset' } } }
  },
  { entry_id: 'd', published: true, mainfile: '', upload_name: '\ud800 half', description: 'x'.repeat(9000) }
]

describe.each(profiles())('suggestions of the %s profile', profile => {
  let index: EntryIndex

  beforeAll(async () => {
    index = await openOwnIndex(profile)
    await index.put(DOCUMENTS)
  })

  afterAll(() => index?.close())

  async function values(
    name: string,
    input: string,
    query: Query = OPEN,
    size = 20
  ): Promise<readonly string[]> {
    const quantity = Q(name)
    const style = quantity.suggestion ?? 'default'
    const [found] = await index.suggest({ query, input, wanted: [{ quantity, style, size }] })
    return found as readonly string[]
  }

  test('values that begin with the text come first, then those in which a part does', async () => {
    expect(await values('mainfile', 'va')).toEqual(['VASP/OUTCAR', 'run_1/vasprun.xml'])
    expect(await values('mainfile', 'VASPRUN.x')).toEqual(['run_1/vasprun.xml'])
    expect(await values('upload_name', 'v')).toEqual(['Vibrations, 100 %'])
    expect(await values('authors.name', 'nová')).toEqual(['Jan Novák'])
    expect(await values('authors.name', 'NOVÁK')).toEqual(['Jan Novák'])
    expect(await values('datasets.dataset_name', 'mol')).toEqual(['small molecules'])
  })

  test('the style of the quantity decides where a text may begin', async () => {
    expect(await values('results.material.elements', 's')).toEqual(['S', 'Si'])
    expect(await values('results.material.elements', 'i')).toEqual([])
    expect(await values('results.material.chemical_formula_hill', 'si')).toEqual(['O2Si'])
    expect(await values('results.material.chemical_formula_hill', 's')).toEqual(['S', 'O2Si'])
    expect(await values('results.material.chemical_formula_hill', 'i')).toEqual([])
  })

  test('only values of matching entries, of nested objects too', async () => {
    expect(await values('results.material.elements', 's', ALL)).toEqual(['S', 'Se', 'Si'])
    expect(await values('results.material.elements', 's', NONE)).toEqual([])
    expect(await values(LABEL, 's')).toEqual(['subset', 'subsystem of it'])
    expect(await values(LABEL, 's', ALL)).toEqual(['secret', 'subset', 'subsystem of it'])
    expect(await values(LABEL, 'o')).toEqual(['original', 'subsystem of it'])
    expect(await values(ELEMENT, '')).toEqual(['O', 'Si'])
    expect(await values(ELEMENT, '', ALL)).toEqual(['O', 'Se', 'Si'])
    expect(await values('authors.name', 'ines')).toEqual(['Ines Albrecht'])
    expect(await values('datasets.dataset_name', 's')).toEqual(['small molecules'])
  })

  test('every character is itself', async () => {
    expect(await values('upload_name', '(10%)')).toEqual(['ovens_(10%).a|b'])
    expect(await values('upload_name', '100 %')).toEqual(['Vibrations, 100 %'])
    expect(await values('upload_name', 'a|b')).toEqual(['ovens_(10%).a|b'])
    expect(await values('upload_name', '_')).toEqual(['ovens_(10%).a|b'])
    expect(await values('upload_name', '%')).toEqual(['Vibrations, 100 %'])
    for (const input of ['.*', '%%', '1__', '[a-z]', '"', '\\', '#', '@', '~', 'ove\ud800', '\0']) {
      expect([input, await values('upload_name', input)]).toEqual([input, []])
    }
  })

  test('no more than wanted, and several quantities at once', async () => {
    expect(await values('mainfile', 'v', ALL, 1)).toEqual(['VASP/OUTCAR'])
    expect(await values('mainfile', 'v', ALL, 2)).toEqual(['VASP/OUTCAR', 'run_1/vasprun.xml'])
    const wanted = ['mainfile', 'datasets.dataset_name', 'results.material.elements'].map(name => ({
      quantity: Q(name),
      style: Q(name).suggestion ?? ('default' as const),
      size: 2
    }))
    expect(await index.suggest({ query: OPEN, input: 's', wanted })).toEqual([
      [],
      ['small molecules'],
      ['S', 'Si']
    ])
    expect(await index.suggest({ query: OPEN, input: 's', wanted: [] })).toEqual([])
  })

  test('the empty text is completed by every value; long texts are no trouble', async () => {
    expect(await values('mainfile', ' ')).toEqual(['', 'VASP/OUTCAR', 'run_1/vasprun.xml'])
    expect(await values('mainfile', '', ALL, 2)).toEqual(['', 'VASP/OUTCAR'])
    expect(await values('mainfile', 'ab'.repeat(75))).toEqual([])
    expect(await values('mainfile', '\u{1f600}'.repeat(150))).toEqual([])
    expect(await values('upload_name', '|'.repeat(150))).toEqual([])
    expect(await values('description', 'x')).toEqual([])
  })

  test('the same as looking at every value', async () => {
    const texts = ['s', 'o', 'v', 'in', 'r', 'x', '1', '2', 'a', 'b', 'sub', 'ti', '/', '.', 'run_']
    for (const quantity of quantities.list.filter(q => q.suggestion)) {
      const leaves = (object: unknown, path: readonly string[]): string[] => {
        if (Array.isArray(object)) return object.flatMap(item => leaves(item, path))
        const [name, ...rest] = path
        if (name === undefined) return typeof object === 'string' && object.length < 8192 ? [object] : []
        return typeof object === 'object' && object
          ? leaves((object as Record<string, unknown>)[name], rest)
          : []
      }
      const held = DOCUMENTS.filter(d => d.published).flatMap(d => leaves(d, quantity.source.split('.')))
      if (held.length === 0) continue
      for (const input of texts) {
        const groups = suggestionPatterns(quantity.suggestion as 'simple', input).map(pattern =>
          held
            .filter(value => pattern !== undefined && new RegExp(`^(?:${pattern})$`, 's').test(value))
            .sort()
        )
        expect([quantity.name, input, await values(quantity.name, input)]).toEqual([
          quantity.name,
          input,
          [...new Set(groups.flat())]
        ])
      }
    }
  })

  test('ends with its client', async () => {
    const gone = AbortSignal.abort(new Error('gone'))
    const wanted = [{ quantity: Q('mainfile'), style: 'default' as const, size: 5 }]
    await expect(index.suggest({ query: ALL, input: 'v', wanted, signal: gone })).rejects.toThrow('gone')
  })
})
