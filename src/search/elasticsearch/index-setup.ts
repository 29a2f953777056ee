/**
 * Finds or makes the index behind its alias. `<name>` is an alias of `<name>_v1`; after a change of the quantities
 * the documents are copied into `<name>_v2` (`index-copy.ts`), while searches and writes of other processes go on.
 */
import { createHash } from 'node:crypto'
import type { Client, estypes } from '@elastic/elasticsearch'
import { failure } from '../../errors.ts'
import type { Quantities } from '../../query/quantities.ts'
import { removeOldVersions } from './copy-claim.ts'
import { errorType } from './failures.ts'
import { copyIndex } from './index-copy.ts'
import { entryMapping, INDEX_FORMAT, INDEX_SETTINGS } from './mapping.ts'

/** Kept in the mapping's `_meta`. */
interface IndexMeta {
  readonly serai_format: number
  /** Checksum of the mapping that the documents were indexed with. */
  readonly fields: string
}

/**
 * Makes sure that the alias leads to an index of this version with the fields of these quantities.
 * @throws SeraiError STORE_NEWER when a later version made the index; STORE_UNUSABLE when Serai did not make it, or
 *   something else has an index of the name of a copy
 */
export async function setUpIndex(client: Client, alias: string, quantities: Quantities): Promise<void> {
  const wanted = wantedMapping(quantities)
  for (;;) {
    const present = (await current(client, alias)) ?? (await create(client, alias, wanted))
    if (present === undefined) return
    requireKnown(alias, present.meta)
    const { index: from, meta } = present
    if (meta.fields === wanted._meta.fields) break
    if (await copyIndex(client, { alias, from, mappings: wanted })) break
  }
  await removeOldVersions(client, alias)
}

/**
 * Copies the index into a new one, which takes its place; waits if another process is doing it.
 * @throws as {@link setUpIndex}
 */
export async function renewIndex(
  client: Client,
  alias: string,
  quantities: Quantities,
  onProgress: (done: number, total: number) => void
): Promise<void> {
  const present = await current(client, alias)
  if (!present) return setUpIndex(client, alias, quantities)
  requireKnown(alias, present.meta)
  await copyIndex(client, { alias, from: present.index, mappings: wantedMapping(quantities), onProgress })
}

function wantedMapping(quantities: Quantities) {
  const mapping = entryMapping(quantities)
  const fields = createHash('sha256').update(JSON.stringify(mapping)).digest('hex').slice(0, 16)
  return { ...mapping, _meta: { serai_format: INDEX_FORMAT, fields } satisfies IndexMeta }
}

function requireKnown(alias: string, { serai_format: format }: Partial<IndexMeta>): void {
  const file = `The Elasticsearch index ${alias}`
  if (format === undefined) throw failure('STORE_UNUSABLE', { file, reason: 'Serai did not make it' })
  if (format > INDEX_FORMAT) throw failure('STORE_NEWER', { file, found: format, known: INDEX_FORMAT })
}

/** The index that the alias leads to. */
async function current(
  client: Client,
  alias: string
): Promise<{ index: string; meta: Partial<IndexMeta> } | undefined> {
  const found = await client.indices.getMapping({ index: alias }, { ignore: [404] })
  const [first] = 'error' in found ? [] : Object.entries(found)
  return first && { index: first[0], meta: first[1].mappings._meta ?? {} }
}

/** Makes the first index; undefined when that went well. */
async function create(
  client: Client,
  alias: string,
  mappings: estypes.MappingTypeMapping
): Promise<Awaited<ReturnType<typeof current>>> {
  try {
    await client.indices.create({
      index: `${alias}_v1`,
      settings: INDEX_SETTINGS,
      mappings,
      aliases: { [alias]: { is_write_index: true } }
    })
    return undefined
  } catch (error) {
    if (errorType(error) !== 'resource_already_exists_exception') throw error
    // Another process was first.
    const present = await current(client, alias)
    if (present) return present
    throw failure('STORE_UNUSABLE', {
      file: `The Elasticsearch index ${alias}_v1`,
      reason: `it exists, but no alias ${alias} leads to it`
    })
  }
}
