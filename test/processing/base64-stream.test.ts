import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeBase64 } from '../../src/processing/base64-stream.ts'

const decode = (...chunks: string[]) =>
  buffer(Readable.from(chunks.map(c => Buffer.from(c))).pipe(decodeBase64()))

describe('decoding base64 as a stream', () => {
  test('gives the bytes back, wherever lines and chunks end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 1, max: 80 }),
        async (bytes, width) => {
          const encoded = Buffer.from(bytes).toString('base64')
          const lines = encoded.replace(/.{1,76}/g, line => `${line}\n`)
          const chunks = lines.match(new RegExp(`[^]{1,${width}}`, 'g')) ?? []
          expect(Buffer.compare(await decode(...chunks), bytes)).toBe(0)
        }
      )
    )
  })

  test.each([
    ['other characters', ['QUJD', 'Q!JD']],
    ['an incomplete end', ['QUJD', 'QU']],
    ['padding in the middle', ['QQ==', 'QUJD']],
    ['the alphabet of URLs', ['QU_-']]
  ])('refuses %s', async (_, chunks) => {
    const source = Readable.from(chunks.map(c => Buffer.from(c)))
    await expect(buffer(source.compose(decodeBase64()))).rejects.toThrow('is not valid base64')
  })
})
