import type { ArchiveStore } from '../../src/storage/archives.ts'

/** What reading took from a store. */
export interface Costs {
  bytes: number
  trips: number
}

/** A store that adds up the bytes and round trips of reading. */
export function counted(archives: ArchiveStore, costs: Costs): Pick<ArchiveStore, 'contents' | 'blocks'> {
  const add = <T>(found: Map<string, T>, bytesOf: (value: T) => number): Map<string, T> => {
    for (const value of found.values()) costs.bytes += bytesOf(value)
    costs.trips++
    return found
  }
  return {
    contents: async ids => add(await archives.contents(ids), contents => contents.bytes.byteLength),
    blocks: async addresses => add(await archives.blocks(addresses), block => block.byteLength)
  }
}
