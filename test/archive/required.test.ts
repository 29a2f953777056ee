import { describe, expect, test } from 'vitest'
import { EVERYTHING, indexRange, parseRequired, type RequiredMembers } from '../../src/archive/required.ts'
import type { SeraiError } from '../../src/errors.ts'

function errorOf(json: unknown): SeraiError {
  try {
    parseRequired(json)
  } catch (error) {
    return error as SeraiError
  }
  throw new Error(`${JSON.stringify(json)} was accepted`)
}

const membersOf = (json: unknown) => (parseRequired(json).tree as RequiredMembers).members

describe('required is read', () => {
  test('nothing and null mean everything', () => {
    expect(parseRequired(undefined)).toBe(EVERYTHING)
    expect(parseRequired(null)).toBe(EVERYTHING)
  })

  test.each([
    ['*', 'all'],
    ['include', 'all'],
    ['include-resolved', 'resolved']
  ])('directive %s', (text, tree) => {
    expect(parseRequired(text)).toEqual({ tree, inPlace: false })
    expect(membersOf({ run: text })).toEqual([{ name: 'run', value: tree }])
  })

  test('resolve-inplace is a switch at the root alone', () => {
    expect(parseRequired({ 'resolve-inplace': true, run: '*' })).toEqual({
      tree: { members: [{ name: 'run', value: 'all' }] },
      inPlace: true
    })
    expect(parseRequired({ 'resolve-inplace': null }).inPlace).toBe(false)
    expect(parseRequired({ run: { 'resolve-inplace': true } }).inPlace).toBe(false)
    expect(parseRequired({ resolve_inplace: true }).inPlace).toBe(false)
  })

  test('a wildcard stands for all other members, exclude leaves one out', () => {
    expect(parseRequired({ '*': { a: '*' }, b: 'exclude' }).tree).toEqual({
      members: [{ name: 'b', value: 'exclude' }],
      others: { members: [{ name: 'a', value: 'all' }] }
    })
  })

  test.each([
    ['run', undefined],
    [' run ', undefined],
    ['run[]', undefined],
    ['run[3]', { at: 3 }],
    ['run[-1]', { at: -1 }],
    ['run[1:]', { start: 1, end: undefined }],
    ['run[:-2]', { start: undefined, end: -2 }],
    ['run[-3:2]', { start: -3, end: 2 }],
    ['run[:]', { start: undefined, end: undefined }]
  ])('key %s', (key, index) => {
    expect(membersOf({ [key]: '*' })).toEqual([{ name: 'run', ...(index ? { index } : {}), value: 'all' }])
  })

  test.each([
    'a.b',
    'a:B',
    'a/b',
    'a[x]',
    'a[?]',
    'a[--1]',
    'a[0,1]',
    'a[0][1]',
    'a[0:2:1]',
    'a[1.0]',
    'a[',
    'a]',
    ''
  ])('key %j is refused, and named as it is', key => {
    const error = errorOf({ run: { [` ${key}`]: '*' } })
    expect([error.status, error.detail]).toEqual([
      422,
      [{ type: 'value_error', loc: [key], msg: 'invalid required key' }]
    ])
  })

  test.each([['bad'], [''], ['INCLUDE'], ['exclude']])('directive %j is unknown', text => {
    expect([errorOf(text).status, errorOf(text).detail]).toEqual([400, `unknown directive ${text}`])
    expect(errorOf({ run: { '*': text } }).detail).toBe(`unknown directive ${text}`)
  })

  test.each([[5], [true], [['*']]])('%j is no required', json => {
    expect(errorOf(json).status).toBe(422)
    expect(errorOf(json).detail).toMatchObject([
      { type: 'string_type', loc: ['body', 'required', 'str'], input: json },
      { type: 'dict_type', loc: ['body', 'required', 'dict[str,any]'], input: json }
    ])
  })

  test('resolve-inplace must be a boolean', () => {
    const error = errorOf({ 'resolve-inplace': 'yes', 'bad.key': 'bad' })
    expect([error.status, error.detail]).toMatchObject([
      422,
      [{ loc: ['required', 'resolve-inplace'], msg: 'resolve-inplace is not a bool' }]
    ])
  })

  test('endless depth and very many keys are refused', () => {
    let deep: unknown = '*'
    for (let i = 0; i < 101; i++) deep = { a: deep }
    expect(errorOf(deep).status).toBe(422)
    const wide = Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`k${i}`, '*']))
    expect(errorOf(wide).status).toBe(422)
  })
})

describe('an index picks from a list', () => {
  const list = ['c0', 'c1', 'c2']
  const pick = (key: string, from: readonly string[]) => {
    const range = indexRange(membersOf({ [key]: '*' })[0]!.index, from.length)
    return range && from.slice(...range)
  }

  test.each([
    ['c', list],
    ['c[]', list],
    ['c[:]', list],
    ['c[0]', ['c0']],
    ['c[2]', ['c2']],
    ['c[-1]', ['c2']],
    ['c[-9]', ['c0']],
    ['c[3]', undefined],
    ['c[9]', undefined],
    ['c[0:2]', ['c0', 'c1']],
    ['c[:2]', ['c0', 'c1']],
    ['c[1:]', ['c1', 'c2']],
    ['c[-2:]', ['c1', 'c2']],
    ['c[0:-1]', ['c0', 'c1']],
    ['c[1:1]', ['c1']],
    ['c[0:0]', ['c0']],
    ['c[3:9]', undefined],
    ['c[2:1]', []],
    ['c[-1:0]', []]
  ])('%s of three', (key, expected) => {
    expect(pick(key, list)).toEqual(expected)
  })

  test.each([
    ['c', []],
    ['c[0]', undefined],
    ['c[-1]', undefined]
  ])('%s of none', (key, expected) => {
    expect(pick(key, [])).toEqual(expected)
  })
})
