import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fullIsoDate, timeSpan } from '../../src/query/dates.ts'

const anyDate = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })

test('a date of full precision is one moment, in every zone', () => {
  fc.assert(
    fc.property(anyDate, fc.integer({ min: -14 * 60, max: 14 * 60 }), (date, minutes) => {
      const moment = { first: date.getTime(), last: date.getTime() }
      expect(timeSpan(date.toISOString())).toEqual(moment)
      const two = (n: number) => String(n).padStart(2, '0')
      const zone = `${minutes < 0 ? '-' : '+'}${two(Math.trunc(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`
      const local = new Date(date.getTime() + minutes * 60_000)
      fc.pre(local.getUTCFullYear() > 0 && local.getUTCFullYear() < 10_000)
      expect(timeSpan(local.toISOString().replace('Z', zone))).toEqual(moment)
    })
  )
})

const utc = (text: string) => Date.parse(text)

test.each([
  ['2024', '2024-01-01T00:00:00.000Z', '2024-01-01T23:59:59.999Z'],
  ['2024-02', '2024-02-01T00:00:00.000Z', '2024-02-01T23:59:59.999Z'],
  ['2024-02-29', '2024-02-29T00:00:00.000Z', '2024-02-29T23:59:59.999Z'],
  ['2024-02-29T', '2024-02-29T00:00:00.000Z', '2024-02-29T23:59:59.999Z'],
  ['2024-02-29T10', '2024-02-29T10:00:00.000Z', '2024-02-29T10:59:59.999Z'],
  ['2024-02-29T10:20', '2024-02-29T10:20:00.000Z', '2024-02-29T10:20:59.999Z'],
  ['2024-02-29 10:20:30', '2024-02-29T10:20:30.000Z', '2024-02-29T10:20:30.999Z'],
  ['2024-02-29T10:20:30,5', '2024-02-29T10:20:30.500Z', '2024-02-29T10:20:30.500Z'],
  ['2024-02-29T10:20:30.123456Z', '2024-02-29T10:20:30.123Z', '2024-02-29T10:20:30.123Z'],
  ['2024-02-29T10:20:30+0130', '2024-02-29T08:50:30.000Z', '2024-02-29T08:50:30.999Z'],
  ['2024-02-29T10-05', '2024-02-29T15:00:00.000Z', '2024-02-29T15:59:59.999Z']
])('%s', (text, first, last) => {
  expect(timeSpan(text)).toEqual({ first: utc(first), last: utc(last) })
})

test.each([
  '',
  'now',
  '24-01-01',
  '2024-13',
  '2024-00-01',
  '2023-02-29',
  '2024-01-01T24:00',
  '2024-01-01Z',
  '2024-1-1'
])('%j is no date', text => {
  expect(timeSpan(text)).toBeUndefined()
  expect(fullIsoDate(text)).toBeUndefined()
})

test('milliseconds are numbers or their text, but four digits are a year', () => {
  expect(timeSpan(1715000400000)).toEqual({ first: 1715000400000, last: 1715000400000 })
  expect(timeSpan('-5')).toEqual({ first: -5, last: -5 })
  expect(timeSpan('2024')?.first).toBe(utc('2024-01-01T00:00:00Z'))
})

test.each([
  ['2024-06-27', '2024-06-27T00:00:00'],
  ['2024-06-27T10', '2024-06-27T10:00:00'],
  ['2024-02-05T10:12:00Z', '2024-02-05T10:12:00+00:00'],
  ['2024-02-05T10:12:00.5+0200', '2024-02-05T10:12:00.500000+02:00']
])('a date of a URL is written out: %s', (text, full) => {
  expect(fullIsoDate(text)).toBe(full)
})
