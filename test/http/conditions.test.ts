import { describe, expect, it } from 'vitest'
import { preconditions, stretches } from '../../src/http/conditions.ts'
import { digestHeaders } from '../../src/http/digests.ts'

const ETAG = '"abc"'
const TIME = new Date('2026-03-04T05:06:08.700Z')
const SAME = 'Wed, 04 Mar 2026 05:06:08 GMT'
const BEFORE = 'Wed, 04 Mar 2026 05:06:07 GMT'
const FILE = { etag: ETAG, lastModified: TIME }

describe('preconditions', () => {
  const cases: [string, Record<string, string>, string][] = [
    ['GET', {}, 'holds'],
    ['GET', { 'if-none-match': ETAG }, 'not modified'],
    ['HEAD', { 'if-none-match': ETAG }, 'not modified'],
    ['POST', { 'if-none-match': ETAG }, 'failed'],
    ['GET', { 'if-none-match': `"x", W/${ETAG}` }, 'not modified'],
    ['GET', { 'if-none-match': '*' }, 'not modified'],
    ['GET', { 'if-none-match': '"x"' }, 'holds'],
    ['GET', { 'if-modified-since': SAME }, 'not modified'],
    ['GET', { 'if-modified-since': BEFORE }, 'holds'],
    ['GET', { 'if-modified-since': 'yesterday' }, 'holds'],
    ['POST', { 'if-modified-since': SAME }, 'holds'],
    // The tag is the better proof.
    ['GET', { 'if-none-match': '"x"', 'if-modified-since': SAME }, 'holds'],
    ['GET', { 'if-none-match': ETAG, 'if-modified-since': BEFORE }, 'not modified'],
    ['GET', { 'if-match': ETAG }, 'holds'],
    ['GET', { 'if-match': '*' }, 'holds'],
    ['GET', { 'if-match': `"x",${ETAG}` }, 'holds'],
    ['GET', { 'if-match': `W/${ETAG}` }, 'failed'],
    ['GET', { 'if-match': '"x"' }, 'failed'],
    ['GET', { 'if-match': '"x"', 'if-none-match': ETAG }, 'failed'],
    ['GET', { 'if-unmodified-since': SAME }, 'holds'],
    ['GET', { 'if-unmodified-since': BEFORE }, 'failed'],
    ['GET', { 'if-unmodified-since': 'yesterday' }, 'holds'],
    ['GET', { 'if-match': ETAG, 'if-unmodified-since': BEFORE }, 'holds']
  ]
  for (const [method, headers, state] of cases) {
    it(`of ${method} ${JSON.stringify(headers)}: ${state}`, () => {
      expect(preconditions(method, headers, FILE)).toBe(state)
    })
  }

  it('by time are left aside where there is no time', () => {
    expect(preconditions('GET', { 'if-modified-since': SAME }, { etag: ETAG })).toBe('holds')
    expect(preconditions('GET', { 'if-unmodified-since': BEFORE }, { etag: ETAG })).toBe('holds')
  })
})

describe('the stretches of a request', () => {
  const cases: [string, [number, number][] | undefined][] = [
    ['bytes=0-9', [[0, 10]]],
    ['bytes=0-', [[0, 100]]],
    ['bytes=99-', [[99, 100]]],
    ['bytes=90-1000', [[90, 100]]],
    ['bytes=-10', [[90, 100]]],
    ['bytes=-1000', [[0, 100]]],
    ['BYTES=5-5', [[5, 6]]],
    ['bytes=100-', []],
    ['bytes=100-200,300-', []],
    ['bytes=-0', []],
    [
      'bytes=0-9,20-29',
      [
        [0, 10],
        [20, 30]
      ]
    ],
    [
      'bytes=20-29,0-9',
      [
        [20, 30],
        [0, 10]
      ]
    ],
    ['bytes=0-9,5-20', [[0, 21]]],
    ['bytes=0-9,10-19', [[0, 20]]],
    ['bytes=0-9,200-', [[0, 10]]],
    [
      'bytes=-5,0-4',
      [
        [95, 100],
        [0, 5]
      ]
    ],
    ['bytes=9-0', undefined],
    ['bytes=a-b', undefined],
    ['bytes=', undefined],
    ['bytes 0-9', undefined],
    ['bytes=1.5-9', undefined],
    ['bytes=+1-9', undefined],
    ['bytes=0x1-9', undefined],
    ['bytes=1-2;3', undefined],
    ['items=0-9', undefined],
    [
      `bytes=${Array.from({ length: 70 }, (_, i) => `${i * 1}-${i}`)
        .filter((_, i) => i % 2 === 0)
        .join()}`,
      Array.from({ length: 35 }, (_, i) => [2 * i, 2 * i + 1])
    ]
  ]
  for (const [range, expected] of cases) {
    it(`of ${range.slice(0, 40)}`, () => {
      const found = stretches({ range }, 100, FILE)
      expect(found?.map(({ start, end }) => [start, end])).toEqual(expected)
    })
  }

  it('are not looked at where there are too many, or none is asked for', () => {
    const many = `bytes=${Array.from({ length: 65 }, (_, i) => `${2 * i}-${2 * i}`).join()}`
    expect(stretches({ range: many }, 1000, FILE)).toBeUndefined()
    expect(stretches({}, 1000, FILE)).toBeUndefined()
  })

  it('of nothing are nothing', () => {
    for (const range of ['bytes=0-', 'bytes=-5', 'bytes=0-9']) {
      expect(stretches({ range }, 0, FILE)).toBeUndefined()
    }
  })

  it('hold for the state that the client knows only', () => {
    const range = 'bytes=0-9'
    expect(stretches({ range, 'if-range': ETAG }, 100, FILE)).toHaveLength(1)
    for (const other of ['"x"', `W/${ETAG}`, SAME, BEFORE, 'abc', '']) {
      expect([other, stretches({ range, 'if-range': other }, 100, FILE)]).toEqual([other, undefined])
    }
  })
})

describe('digests', () => {
  const SHA = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
  const DIGEST = 'sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:'

  it('come to who wants them', () => {
    const wanted = { 'want-repr-digest': 'sha-512=3, sha-256=10', 'want-content-digest': 'sha-256=1' }
    expect(digestHeaders(wanted, SHA, true)).toEqual({ 'repr-digest': DIGEST, 'content-digest': DIGEST })
    expect(digestHeaders(wanted, SHA, false)).toEqual({ 'repr-digest': DIGEST })
    expect(digestHeaders({}, SHA, true)).toEqual({})
    for (const other of [
      'sha-512=1',
      'sha-256=0',
      'sha-256',
      'sha-256=?1',
      'sha-256="x"',
      'sha-256=',
      '🧪',
      'SHA-256=1'
    ]) {
      expect([other, digestHeaders({ 'want-repr-digest': other }, SHA, true)]).toEqual([other, {}])
    }
  })
})
