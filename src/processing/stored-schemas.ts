/** The schemas that stored archives define. */
import type { JsonObject } from '../archive/definitions.ts'
import { MISSING, StoredArchive } from '../archive/stored-archive.ts'
import { type ArchiveStore, blockKey } from '../storage/archives.ts'

/**
 * Reads the `definitions` section of an entry's archive, and no other block of it.
 * @returns a function that gives undefined when the entry has no archive, or its archive no such section
 */
export function storedSchemas(archives: ArchiveStore): (entryId: string) => Promise<JsonObject | undefined> {
  return async entryId => {
    const contents = (await archives.contents([entryId])).get(entryId)
    if (!contents) return undefined
    const archive = new StoredArchive(contents)
    for (;;) {
      const node = archive.root.member('definitions')
      if (node === undefined) return undefined
      const value = node === MISSING ? MISSING : node.whole()
      if (value !== MISSING) return isObject(value) ? value : undefined
      const { generation } = contents
      const addresses = [...archive.wanted].map(number => ({ entryId, generation, number }))
      const blocks = await archives.blocks(addresses)
      for (const address of addresses) archive.supply(address.number, blocks.get(blockKey(address)))
    }
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
