import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jsonChunks } from '../../src/http/json-chunks.ts'

const joined = (value: unknown, indent = 0) => [...jsonChunks(value, indent)].join('')

describe('JSON in parts', () => {
  test('is what JSON.stringify gives', () => {
    const large = fc.jsonValue({ maxDepth: 3 }).map(v => ({ list: Array.from({ length: 1500 }, () => v), v }))
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), large), value => {
        expect(joined(value) === JSON.stringify(value)).toBe(true)
        expect(joined(value, 2) === JSON.stringify(value, null, 2)).toBe(true)
      }),
      { numRuns: 100 }
    )
  })

  test.each([
    ['members without a value', { a: undefined, b: Array.from({ length: 9000 }, () => ({ c: undefined })) }],
    ['mixed lists', [...Array(9000).fill(1), {}, null, 'x', [], ...Array(5000).fill('y'), { z: 1 }, 2]],
    ['reserved names', JSON.parse(`{"__proto__":${JSON.stringify(Array(9000).fill(0.5))},"1":2,"":3}`)],
    ['numbers that JSON has not', [Number.NaN, Number.POSITIVE_INFINITY, -0]]
  ])('writes %s', (_, value) => {
    expect(joined(value)).toBe(JSON.stringify(value))
    expect(joined(value, 2)).toBe(JSON.stringify(value, null, 2))
  })

  test('no part holds much more than it has to', () => {
    const parts = [
      ...jsonChunks({ rows: Array.from({ length: 200_000 }, (_, i) => ({ i, x: [i / 7, 'text'] })) })
    ]
    expect(parts.length).toBeGreaterThan(20)
    expect(Math.max(...parts.map(p => p.length))).toBeLessThan(400_000)
  })
})
