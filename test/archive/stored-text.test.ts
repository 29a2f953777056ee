import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readContents } from '../../src/archive/contents.ts'
import type { JsonObject } from '../../src/archive/definitions.ts'
import { JsonText } from '../../src/archive/json-text.ts'
import { StoredText } from '../../src/archive/stored-text.ts'
import { arbitraryArchive } from './arbitrary-archives.ts'
import { damaged, large, packed, stored, streamed } from './packed-archives.ts'

async function written(text: StoredText, indent = 0, level = 0): Promise<string> {
  const into = new JsonText(indent)
  const parts = await Array.fromAsync(text.write(into, level))
  return Buffer.concat([...parts, into.rest()]).toString()
}

const small = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 5, noNullPrototype: true })

describe('the text of a stored archive', () => {
  test('is what JSON.stringify gives, however it was packed and laid out', async () => {
    const archives = fc.oneof(
      { weight: 5, arbitrary: small as fc.Arbitrary<JsonObject> },
      arbitraryArchive(),
      arbitraryArchive().map(archive => ({ ...archive, ['__proto__']: { below: [archive, null] } }))
    )
    await fc.assert(
      fc.asyncProperty(archives, async given => {
        const { m_ref_archives: _, ...archive } = JSON.parse(JSON.stringify(given)) as JsonObject
        const whole = { ...archive, m_ref_archives: {} }
        for (const { blocks, contents } of [packed(archive), await streamed(archive)]) {
          const store = stored(contents, blocks)
          const text = new StoredText(store.archive, store.read)
          expect((await written(text)) === JSON.stringify(whole)).toBe(true)
          expect((await written(text, 2)) === JSON.stringify(whole, null, 2)).toBe(true)
          const inner = JSON.stringify({ a: whole }, null, 3)
          expect(`{\n   "a": ${await written(text, 3, 1)}\n}` === inner).toBe(true)
        }
      }),
      { numRuns: 40 }
    )
  })

  test('is read some blocks at a time, and comes in parts', async () => {
    for (const { blocks, contents } of [packed(large), await streamed(large)]) {
      const store = stored(contents, blocks)
      const text = new StoredText(store.archive, store.read)
      expect(text.bytes).toBe([...blocks.values()].reduce((sum, b) => sum + b.byteLength, 0))
      const into = new JsonText()
      let most = 0
      let size = 0
      for await (const part of text.write(into, 0)) {
        most = Math.max(most, part.length)
        size += part.length
      }
      expect(size).toBeGreaterThan(6_000_000)
      expect(most).toBeLessThan(600_000)
      expect(store.most()).toBeLessThan(400_000)
      await text.require()
    }
  })

  test.each(['changed', 'gone'] as const)(
    'a block that is %s is named, beforehand or where it is',
    async what => {
      const { blocks, contents } = packed(large)
      const count = readContents(contents, 'e').blocks.length
      for (const number of [1, Math.ceil(count / 2), count]) {
        const store = stored(contents, damaged(blocks, number, what))
        const text = new StoredText(store.archive, store.read)
        const error = { code: 'ARCHIVE_DAMAGED', message: expect.stringContaining(`block ${number} `) }
        await expect(text.require()).rejects.toMatchObject(error)
        await expect(written(text)).rejects.toMatchObject(error)
      }
    }
  )

  test('a table of contents that is damaged is named', () => {
    const { blocks, contents } = packed(large)
    const bytes = Uint8Array.from(contents)
    bytes[bytes.length >> 1]! ^= 1
    const store = stored(bytes, blocks)
    expect(() => new StoredText(store.archive, store.read)).toThrow('contents')
  })
})
