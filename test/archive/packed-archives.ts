/** Packed archives in memory. */
import type { JsonObject } from '../../src/archive/definitions.ts'
import { jsonParts } from '../../src/archive/json-parts.ts'
import { packArchive } from '../../src/archive/pack.ts'
import { packStream } from '../../src/archive/stream-pack.ts'

/** A store of one archive that counts the bytes which it gives at once, at most. */
export function stored(contents: Uint8Array, blocks: ReadonlyMap<number, Uint8Array>) {
  let most = 0
  return {
    most: () => most,
    archive: { entryId: 'e', uploadId: 'u', generation: 'g', bytes: contents },
    read: async (numbers: readonly number[]) => {
      const found = new Map(numbers.flatMap(n => (blocks.has(n) ? [[n, blocks.get(n)!] as const] : [])))
      most = Math.max(
        most,
        [...found.values()].reduce((sum, b) => sum + b.byteLength, 0)
      )
      return found
    }
  }
}

/** An archive that was packed as a whole. */
export function packed(archive: JsonObject) {
  const writer = packArchive(archive)
  const blocks = new Map([...writer.blocks].map(b => [b.number, b.bytes]))
  return { blocks, contents: writer.contents() }
}

/** An archive that was packed as it came. */
export async function streamed(archive: JsonObject) {
  const text = Buffer.from(JSON.stringify(archive))
  const writer = packStream(jsonParts([text], { whole: 64, waiting: 32 }))
  const blocks = new Map((await Array.fromAsync(writer.blocks)).map(b => [b.number, b.bytes]))
  return { blocks, contents: writer.contents() }
}

/** An archive of many blocks. */
export const large = {
  name: 'x',
  run: Array.from({ length: 40 }, (_, i) => ({
    i,
    values: Array.from({ length: 9000 }, (_, j) => Math.sin(i * j)),
    small: Array.from({ length: 300 }, (_, j) => j / 7)
  })),
  end: { of: 'it' }
}

/** The blocks of an archive of which one is damaged. */
export function damaged(
  blocks: ReadonlyMap<number, Uint8Array>,
  number: number,
  how: 'changed' | 'gone'
): Map<number, Uint8Array> {
  const found = new Map(blocks)
  const bytes = Uint8Array.from(blocks.get(number)!)
  bytes[bytes.length >> 1]! ^= 1
  if (how === 'gone') found.delete(number)
  else found.set(number, bytes)
  return found
}
