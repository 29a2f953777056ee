import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/archive/definitions.ts'
import { jsonParts } from '../../src/archive/json-parts.ts'
import type { ArchiveParts } from '../../src/archive/parts.ts'
import { archiveText, withArchive } from '../../src/http/archive-text.ts'
import { arbitraryArchive } from '../archive/arbitrary-archives.ts'

async function joined(text: AsyncIterable<string>): Promise<string> {
  return (await Array.fromAsync(text)).join('')
}

/** An archive in many parts. */
function inParts(archive: JsonObject): () => ArchiveParts {
  const text = Buffer.from(JSON.stringify(archive))
  async function* parts(): ArchiveParts {
    let opened = false
    for await (const part of jsonParts([text], { whole: 16, waiting: 8 })) {
      // A small archive comes as one value; large ones are always opened.
      if (!opened && part.kind === 'value') {
        yield { kind: 'map' }
        if (Object.keys(archive).length > 0) yield { kind: 'members', members: archive }
        yield { kind: 'end' }
      } else yield part
      opened = true
    }
  }
  return parts
}

describe('the text of an archive', () => {
  test('is the same in parts and as a whole, on one line and on many', async () => {
    const small = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }), {
      maxKeys: 5,
      noNullPrototype: true
    })
    await fc.assert(
      fc.asyncProperty(
        fc.oneof({ weight: 5, arbitrary: small as fc.Arbitrary<JsonObject> }, arbitraryArchive()),
        async given => {
          const { m_ref_archives: _, ...archive } = JSON.parse(JSON.stringify(given)) as JsonObject
          const whole = { ...archive, m_ref_archives: {} }
          const large = { entryId: 'e', archive: undefined, large: inParts(archive) }
          for (const indent of [0, 2]) {
            const text = JSON.stringify(whole, null, indent)
            expect((await joined(archiveText(large, indent))) === text).toBe(true)
            expect((await joined(archiveText({ entryId: 'e', archive: whole }, indent))) === text).toBe(true)
            const around = JSON.stringify({ a: 1, b: [2], archive: whole }, null, indent)
            expect((await joined(withArchive({ a: 1, b: [2] }, 'archive', large, indent))) === around).toBe(
              true
            )
          }
        }
      ),
      { numRuns: 25 }
    )
  })
})
