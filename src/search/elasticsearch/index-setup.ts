/**
 * Finds or makes the index behind its alias. `<name>` is an alias of `<name>_v1`; after a change of the quantities
 * the documents are copied into `<name>_v2` and the alias moves there at once, so that searches go on meanwhile.
 */
import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Client, estypes } from '@elastic/elasticsearch'
import { failure } from '../../errors.ts'
import type { Quantities } from '../../query/quantities.ts'
import { errorType } from './failures.ts'
import { entryMapping, INDEX_FORMAT, INDEX_SETTINGS } from './mapping.ts'

/** Kept in the mapping's `_meta`. */
interface IndexMeta {
  readonly serai_format: number
  /** Checksum of the mapping that the documents were indexed with. */
  readonly fields: string
}

/** Milliseconds between two looks at a copy that runs. */
const COPY_INTERVAL = 500

/**
 * Makes sure that the alias leads to an index of this version with the fields of these quantities.
 * @throws SeraiError STORE_NEWER when a later version made the index; STORE_UNUSABLE when Serai did not make it, or a
 *   copy of it is in the way
 */
export async function setUpIndex(client: Client, alias: string, quantities: Quantities): Promise<void> {
  const mapping = entryMapping(quantities)
  const fields = createHash('sha256').update(JSON.stringify(mapping)).digest('hex').slice(0, 16)
  const wanted = { ...mapping, _meta: { serai_format: INDEX_FORMAT, fields } satisfies IndexMeta }

  const present = (await current(client, alias)) ?? (await create(client, alias, wanted))
  if (present === undefined) return
  const { serai_format: format, fields: found } = present.meta
  if (format === undefined) {
    throw failure('STORE_UNUSABLE', {
      file: `The Elasticsearch index ${alias}`,
      reason: 'Serai did not make it'
    })
  }
  if (format > INDEX_FORMAT) {
    throw failure('STORE_NEWER', {
      file: `The Elasticsearch index ${alias}`,
      found: format,
      known: INDEX_FORMAT
    })
  }
  if (found !== fields) await copy(client, alias, present.index, wanted)
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

/** Indexes every document anew and moves the alias; documents that are written meanwhile by others may be lost. */
async function copy(
  client: Client,
  alias: string,
  from: string,
  mappings: estypes.MappingTypeMapping
): Promise<void> {
  const to = `${alias}_v${Number(/_v(\d+)$/.exec(from)?.[1] ?? 0) + 1}`
  try {
    await client.indices.create({ index: to, settings: INDEX_SETTINGS, mappings })
  } catch (error) {
    if (errorType(error) !== 'resource_already_exists_exception') throw error
    throw failure('STORE_UNUSABLE', {
      file: `The Elasticsearch index ${alias}`,
      reason: `it has to be copied to ${to}, which exists; if no other process is copying, delete ${to}`
    })
  }
  try {
    const { task } = await client.reindex({
      source: { index: from },
      dest: { index: to },
      wait_for_completion: false
    })
    await finished(client, String(task))
    await client.indices.refresh({ index: to })
    await client.indices.updateAliases({
      actions: [{ add: { index: to, alias, is_write_index: true } }, { remove_index: { index: from } }]
    })
  } catch (error) {
    await client.indices.delete({ index: to }, { ignore: [404] })
    throw error
  }
}

async function finished(client: Client, task: string): Promise<void> {
  for (;;) {
    const { completed, error, response } = await client.tasks.get({ task_id: task })
    const { failures = [] } = (response ?? {}) as { failures?: unknown[] }
    if (error || failures.length > 0) {
      throw new Error(`the documents could not be indexed anew: ${JSON.stringify(error ?? failures[0])}`)
    }
    if (completed) return
    await delay(COPY_INTERVAL)
  }
}
