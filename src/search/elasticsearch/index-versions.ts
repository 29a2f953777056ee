/** The versions of an index behind its alias: `<alias>_v1`, `<alias>_v2` and so on. */
import type { Client, estypes } from '@elastic/elasticsearch'

/** An index with a name of a version of the alias. */
export interface IndexVersion {
  readonly index: string
  readonly version: number
  /** Whether the alias leads to it. */
  readonly isCurrent: boolean
  /** `_meta` of its mapping; empty when Serai did not make it. */
  readonly meta: Readonly<Record<string, unknown>>
}

/** The number in the name of an index; 0 when it has none. */
export function indexVersion(alias: string, index: string): number {
  return index.startsWith(`${alias}_v`) ? Number(/^\d+$/.exec(index.slice(alias.length + 2))?.[0] ?? 0) : 0
}

/** All versions that there are. */
export async function indexVersions(client: Client, alias: string): Promise<IndexVersion[]> {
  const found = await client.indices.get({ index: `${alias}_v*`, allow_no_indices: true })
  return Object.entries(found)
    .map(([index, state]) => versionOf(alias, index, state))
    .filter(({ version }) => version > 0)
}

/** One of them; undefined when it is not there. */
export async function oneVersion(
  client: Client,
  alias: string,
  index: string
): Promise<IndexVersion | undefined> {
  const found = await client.indices.get({ index }, { ignore: [404] })
  const state = 'error' in found ? undefined : (found[index] as estypes.IndicesIndexState | undefined)
  return state && versionOf(alias, index, state)
}

function versionOf(alias: string, index: string, state: estypes.IndicesIndexState): IndexVersion {
  return {
    index,
    version: indexVersion(alias, index),
    isCurrent: state.aliases?.[alias] !== undefined,
    meta: state.mappings?._meta ?? {}
  }
}
