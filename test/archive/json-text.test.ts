import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { describe, expect, test } from 'vitest'
import { JsonText } from '../../src/archive/json-text.ts'

const messagePack = new Packr({ useRecords: false, variableMapSize: true })

/** Text with everything that is escaped. Halves of pairs are in short ones only: packing loses them in long ones. */
const string = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom(
      '"',
      '\\',
      '\n',
      '\u0000',
      '\u001f',
      '\u007f',
      'é',
      '\ud7ff',
      '\ue000',
      '😀',
      '\ud800',
      '\udfff',
      'a'
    )
  })
)

const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(
    0,
    -0,
    9,
    10,
    99,
    100,
    127,
    128,
    255,
    256,
    999,
    1000,
    9999,
    10_000,
    65_535,
    65_536,
    2 ** 31,
    2 ** 32,
    2 ** 53
  ),
  fc.constantFrom(
    -1,
    -32,
    -33,
    -128,
    -129,
    -32_768,
    -32_769,
    -(2 ** 31),
    -(2 ** 31) - 1,
    1e21,
    1e-7,
    5e-324,
    1.7e308
  )
)

const value = fc.letrec(tie => ({
  value: fc.oneof(
    { depthSize: 'small' },
    string,
    number,
    fc.constantFrom(null, true, false, undefined),
    tie('list'),
    tie('map')
  ),
  list: fc.oneof(
    fc.array(tie('value'), { maxLength: 20 }),
    fc.nat({ max: 300 }).map(n => Array(n).fill(n / 7))
  ),
  map: fc.dictionary(
    string.filter(key => !/__proto__$/.test(key)),
    tie('value'),
    { maxKeys: 20, noNullPrototype: true }
  )
})).value

describe('the JSON text of packed values', () => {
  test('is what JSON.stringify makes of the values', () => {
    fc.assert(
      fc.property(value, value, (before, given) => {
        const bytes = Buffer.concat([messagePack.pack(before), messagePack.pack(given)])
        const begin = messagePack.pack(before).length
        for (const [indent, level] of [
          [0, 0],
          [0, 3],
          [2, 0],
          [2, 3]
        ] as const) {
          const text = new JsonText(indent)
          expect(text.packed(bytes, begin, level, false)).toBe(bytes.length)
          const expected = JSON.stringify(given, null, indent) ?? 'null'
          const laidOut =
            typeof given === 'object'
              ? expected.replaceAll('\n', `\n${' '.repeat(indent * level)}`)
              : expected
          expect(text.rest().toString() === laidOut).toBe(true)
        }
      }),
      { numRuns: 150 }
    )
  })

  test.each([15, 16, 255, 256, 65_535, 65_536])('is so for lists, maps and strings of %i', count => {
    const given = {
      list: Array(count).fill(1),
      map: Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i])),
      text: 'ü'.repeat(count)
    }
    const text = new JsonText()
    text.packed(messagePack.pack(given), 0, 0, false)
    expect(text.rest().toString() === JSON.stringify(given)).toBe(true)
  })

  test('cut and unknown bytes are an error', () => {
    const bytes = messagePack.pack([
      'some text',
      { a: 1.5, ['b'.repeat(40)]: 'é'.repeat(400) },
      Array(20).fill(70_000)
    ])
    for (let length = 0; length < bytes.length; length++) {
      expect(() => new JsonText().packed(bytes.subarray(0, length), 0, 0, false)).toThrow(RangeError)
    }
    for (const type of [0xc1, 0xc4, 0xc7, 0xcf, 0xd3, 0xd8]) {
      expect(() => new JsonText().packed(Buffer.from([type, 0, 0]), 0, 0, false)).toThrow(RangeError)
    }
    expect(() => new JsonText().packed(Buffer.from([0x81, 0x01, 0x01]), 0, 0, false)).toThrow('a key')
  })

  test('marks of keys are taken off', () => {
    const packed = messagePack.pack({ '\0__proto__': 1, '\0\0__proto__': 2, '\0x': 3, __proto: 4 })
    const text = new JsonText()
    text.packed(packed, 0, 0, true)
    expect(text.rest().toString()).toBe('{"__proto__":1,"\\u0000__proto__":2,"\\u0000x":3,"__proto":4}')
  })
})

test('text comes when it is worth being sent', () => {
  const text = new JsonText()
  text.text('é'.repeat(30_000))
  expect(text.part()).toBeUndefined()
  text.text('x'.repeat(3_000_000))
  const part = text.part()
  expect(part?.toString()).toBe('é'.repeat(30_000) + 'x'.repeat(3_000_000))
  expect(text.part()).toBeUndefined()
  text.text('end')
  expect(part?.subarray(0, 2).toString()).toBe('é')
  expect(text.rest().toString()).toBe('end')
  expect(text.rest()).toHaveLength(0)
})
