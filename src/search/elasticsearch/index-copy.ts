/**
 * Puts the documents of an index into a new one, which takes its place behind the alias at once, while searches and writes
 * of all processes go on: what is written meanwhile is copied too, round by round, and the last of it while the old index
 * takes no writes, which wait for that moment (`bulk-writer.ts`).
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Client, estypes } from '@elastic/elasticsearch'
import { claimCopy, discardCopy, fillingAlias, otherCopy } from './copy-claim.ts'
import { indexVersion } from './index-versions.ts'

/** What is copied. */
export interface IndexCopy {
  readonly alias: string
  /** The index that the alias leads to. */
  readonly from: string
  /** Of the new index, `_meta` included. */
  readonly mappings: estypes.MappingTypeMapping
  /** Told now and then. */
  readonly onProgress?: (done: number, total: number) => void
}

/** Milliseconds between two looks at a task. */
const INTERVAL = 250

/** Rounds in which what was written meanwhile is copied, and the number of documents that is few enough for the last one. */
const ROUNDS = 10
const FEW = 500

/** Documents whose ids are compared at once. */
const PAGE = 5000

/** Milliseconds that searches get to finish on an index that is out of use. */
const RETIREMENT = 3000

/**
 * Copies the index, or waits for another process that does.
 * @returns whether it was this process
 * @throws SeraiError STORE_UNUSABLE when something else has an index of the name
 */
export async function copyIndex(client: Client, copy: IndexCopy): Promise<boolean> {
  const { alias, from, mappings } = copy
  const to = `${alias}_v${indexVersion(alias, from) + 1}`
  const claim = await claimCopy(client, { alias, from, to, mappings })
  if (!claim) {
    await otherCopy(client, { alias, from, to })
    return false
  }
  try {
    await fill(client, to, copy)
    await claim.end()
    await exchange(client, to, copy)
  } catch (error) {
    await claim.end()
    await discardCopy(client, { alias, from, to }, claim.owner)
    throw error
  }
  // Searches that began before end on the old index.
  await delay(RETIREMENT)
  await client.indices.delete({ index: from }, { ignore: [404] })
  return true
}

/** Copies everything, until the old index takes no writes and the new one has all. */
async function fill(client: Client, to: string, { from, onProgress = () => {} }: IndexCopy): Promise<void> {
  let known = await changesOf(client, from)
  await client.indices.refresh({ index: from })
  await copyDocuments(client, { index: from }, to, onProgress)
  const catchUp = async () => {
    const now = await changesOf(client, from)
    await client.indices.refresh({ index: from })
    const query = { range: { _seq_no: { gt: known } } }
    const copied = now > known ? await copyDocuments(client, { index: from, query }, to) : 0
    known = now
    return copied
  }
  for (let round = 0; round < ROUNDS; round++) if ((await catchUp()) < FEW) break
  await removeStrays(client, from, to)
  // Answers when the writes under way are done.
  await client.indices.addBlock({ index: from, block: 'write' })
  await catchUp()
  await removeStrays(client, from, to)
}

/** All changes of documents up to this number are done; later ones have greater numbers. */
async function changesOf(client: Client, index: string): Promise<number> {
  const { indices = {} } = await client.indices.stats({ index, level: 'shards' })
  const shards = Object.values(indices[index]?.shards ?? {}).flat()
  const numbers = shards
    .filter(shard => shard.routing?.primary)
    .map(shard => shard.seq_no?.local_checkpoint ?? -1)
  return numbers.length > 0 ? Math.min(...numbers) : -1
}

/** @returns how many */
async function copyDocuments(
  client: Client,
  source: { readonly index: string; readonly query?: estypes.QueryDslQueryContainer },
  to: string,
  onProgress: (done: number, total: number) => void = () => {}
): Promise<number> {
  const { task } = await client.reindex({
    source,
    dest: { index: fillingAlias(to) },
    // What still runs when its index is taken away must not make another one.
    require_alias: true,
    wait_for_completion: false
  })
  const task_id = String(task)
  try {
    for (;;) {
      const { completed, error, response, task: state } = await client.tasks.get({ task_id })
      const { failures = [], total = 0 } = (response ?? {}) as { failures?: unknown[]; total?: number }
      if (error || failures.length > 0) {
        throw new Error(`the documents could not be indexed anew: ${JSON.stringify(error ?? failures[0])}`)
      }
      if (completed) return total
      const status = state.status as { created?: number; updated?: number; total?: number } | undefined
      onProgress((status?.created ?? 0) + (status?.updated ?? 0), status?.total ?? 0)
      await delay(INTERVAL)
    }
  } catch (error) {
    await client.tasks.cancel({ task_id }).catch(() => {})
    throw error
  }
}

/** Removes documents from the copy that were removed from the index after they were copied. */
async function removeStrays(client: Client, from: string, to: string): Promise<void> {
  await client.indices.refresh({ index: [from, to] })
  const count = async (index: string) => (await client.count({ index })).count
  if ((await count(from)) === (await count(to))) return
  for (let after: string | undefined; ; ) {
    const ids = await idsOf(client, to, { match_all: {} }, after)
    if (ids.length === 0) break
    const kept = new Set(await idsOf(client, from, { terms: { entry_id: ids } }))
    const operations = ids.filter(id => !kept.has(id)).map(_id => ({ delete: { _id } }))
    if (operations.length > 0) await client.bulk({ index: to, operations })
    after = ids.at(-1)
  }
  await client.indices.refresh({ index: to })
}

/** The next ids in their order. */
async function idsOf(
  client: Client,
  index: string,
  query: NonNullable<estypes.QueryDslQueryContainer>,
  after?: string
): Promise<string[]> {
  const { hits } = await client.search({
    index,
    query,
    size: PAGE,
    sort: [{ entry_id: 'asc' }],
    _source: false,
    stored_fields: '_none_',
    track_total_hits: false,
    ...(after === undefined ? {} : { search_after: [after] })
  })
  return hits.hits.map(hit => String(hit.sort?.[0]))
}

/** Puts the copy into use, all at once. */
async function exchange(client: Client, to: string, { alias, from, mappings }: IndexCopy): Promise<void> {
  await client.indices.putMapping({ index: to, _meta: mappings._meta as estypes.Metadata })
  await client.indices.putSettings({ index: to, settings: { refresh_interval: null } } as never)
  await client.indices.updateAliases({
    actions: [
      { add: { index: to, alias, is_write_index: true } },
      { remove: { index: to, alias: fillingAlias(to) } },
      { remove: { index: from, alias } }
    ]
  })
}
