import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/archive/definitions.ts'
import { JsonText } from '../../src/archive/json-text.ts'
import { StoredText } from '../../src/archive/stored-text.ts'
import { withArchive } from '../../src/http/archive-text.ts'
import type { ReadArchive } from '../../src/storage/archive-reader.ts'
import { arbitraryArchive } from '../archive/arbitrary-archives.ts'
import { packed, stored } from '../archive/packed-archives.ts'

async function text(read: ReadArchive, indent: number): Promise<string> {
  const into = new JsonText(indent)
  const parts = await Array.fromAsync(withArchive(into, { a: 1, b: [2] }, 'archive', read))
  return Buffer.concat([...parts, into.rest()]).toString()
}

describe('an answer with an archive', () => {
  test('is the same for one that is in memory and one that is not, on one line and on many', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryArchive(), async given => {
        const { m_ref_archives: _, ...archive } = JSON.parse(JSON.stringify(given)) as JsonObject
        const { blocks, contents } = packed(archive)
        const store = stored(contents, blocks)
        const whole = { entryId: 'e', whole: new StoredText(store.archive, store.read) }
        const objects = { entryId: 'e', archive: { ...archive, m_ref_archives: {} } }
        for (const indent of [0, 2]) {
          const expected = JSON.stringify({ a: 1, b: [2], archive: objects.archive }, null, indent)
          expect((await text(whole, indent)) === expected).toBe(true)
          expect((await text(objects, indent)) === expected).toBe(true)
        }
      }),
      { numRuns: 25 }
    )
  })
})
