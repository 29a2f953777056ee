import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CHUNK_ROWS, decodeInto, emptyBits, encodeBits, RowSet } from '../../../src/search/sqlite/row-set.ts'

const rows = fc.oneof(
  fc.uniqueArray(fc.integer({ min: 0, max: 9000 }), { maxLength: 60 }),
  fc.integer({ min: 1, max: 7 }).map(step => Array.from({ length: 1500 }, (_, i) => i * step))
)

function setOf(list: readonly number[]): RowSet {
  const set = new RowSet()
  for (const row of list) set.add(row)
  return set
}

const ascending = (list: Iterable<number>) => [...list].sort((a, b) => a - b)

describe('sets of rows', () => {
  test('do what sets do', () => {
    fc.assert(
      fc.property(rows, rows, (a, b) => {
        const [x, y] = [setOf(a), setOf(b)]
        expect(x.size).toBe(a.length)
        expect(ascending(x)).toEqual(ascending(a))
        expect(ascending(x.and(y))).toEqual(ascending(a.filter(r => b.includes(r))))
        expect(ascending(x.minus(y))).toEqual(ascending(a.filter(r => !b.includes(r))))
        expect(x.minus(x).isEmpty).toBe(true)
        const union = setOf(a)
        union.addAll(y)
        expect(ascending(union)).toEqual(ascending(new Set([...a, ...b])))
        // The operands are as before.
        expect(ascending(x)).toEqual(ascending(a))
        expect(ascending(y)).toEqual(ascending(b))
      })
    )
  })

  test('come back from storage, whichever form is smaller', () => {
    fc.assert(
      fc.property(rows, list => {
        for (const bits of setOf(list).chunks.values()) {
          const stored = encodeBits(bits) as Uint8Array
          expect(stored.byteLength).toBeLessThanOrEqual(CHUNK_ROWS / 8)
          const read = emptyBits()
          decodeInto(read, stored)
          expect(read).toEqual(bits)
        }
      })
    )
    expect(encodeBits(emptyBits())).toBeUndefined()
  })
})
