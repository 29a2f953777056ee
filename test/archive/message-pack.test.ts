import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { describe, expect, test } from 'vitest'
import { PackedPieces, pack } from '../../src/archive/block.ts'
import { endOfValue, listHeader } from '../../src/archive/message-pack.ts'

const messagePack = new Packr({ useRecords: false, variableMapSize: true })

const value = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constant(undefined),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  fc.nat({ max: 70_000 }).map(n => 'x'.repeat(n)),
  fc.nat({ max: 70_000 }).map(n => Array.from({ length: n }, (_, i) => i)),
  fc.nat({ max: 300 }).map(n => Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, i / 3]))),
  fc.uint8Array({ maxLength: 300 })
)

describe('the borders of packed values', () => {
  test('are found as they were written', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 20 }), values => {
        const bytes = Buffer.concat(values.map(v => Buffer.from(messagePack.pack(v))))
        let at = 0
        for (const v of values) {
          const end = endOfValue(bytes, at)
          expect(end - at).toBe(messagePack.pack(v).length)
          at = end
        }
        expect(at).toBe(bytes.length)
      }),
      { numRuns: 200 }
    )
  })

  test.each([0, 15, 16, 70_000])('a list of %i values tells its length', count => {
    const list = Array.from({ length: count }, () => 0)
    const bytes = Buffer.from(messagePack.pack(list))
    expect(listHeader(bytes)).toEqual({ count, begin: bytes.length - count })
  })

  test('cut bytes are an error', () => {
    const bytes = Buffer.from(messagePack.pack(['some text', { a: 1.5 }]))
    for (let length = 0; length < bytes.length; length++) {
      expect(() => endOfValue(bytes.subarray(0, length), 0)).toThrow(RangeError)
    }
    expect(() => listHeader(Buffer.from(messagePack.pack({})))).toThrow('not a list')
  })
})

test('pieces come in any order, each with what was packed', () => {
  const packed = fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 30 })
  fc.assert(
    fc.property(packed, fc.array(fc.nat({ max: 35 })), (values, slots) => {
      const pieces = new PackedPieces(pack(values))
      expect(pieces.length).toBe(values.length)
      for (const slot of slots) expect(pieces.piece(slot)).toEqual(values[slot])
    })
  )
})
