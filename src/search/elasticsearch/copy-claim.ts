/**
 * Who copies an index: one process at a time. It gives signs of life in the new index; what a process left that gives none
 * any more is taken away by those whom it hinders.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Client, estypes } from '@elastic/elasticsearch'
import { failure } from '../../errors.ts'
import { errorType } from './failures.ts'
import { indexVersions, oneVersion } from './index-versions.ts'
import { INDEX_SETTINGS } from './mapping.ts'

/** What is to be copied. */
export interface CopyPlan {
  readonly alias: string
  /** The index that the alias leads to. */
  readonly from: string
  /** The new one. */
  readonly to: string
}

/** The right to copy. */
export interface CopyClaim {
  readonly owner: string
  /** Ends the signs of life. */
  end(): Promise<void>
}

/** Milliseconds between two signs of life, and after which somebody without them counts as gone. */
const BEAT = 2000
const GONE = 16_000

/** Milliseconds between two looks. */
const INTERVAL = 500

/** Settings that an administrator may have changed. */
const KEPT_SETTINGS = ['number_of_shards', 'number_of_replicas', 'auto_expand_replicas'] as const

/** A sign of life as it stands in `_meta`. */
interface Sign {
  readonly owner: string
  readonly beat: number
}

/** Alias of an index that is being filled; without it nothing is written to it. */
export function fillingAlias(to: string): string {
  return `${to}_filling`
}

/**
 * Makes the new index; undefined when another process is about it.
 * @throws SeraiError STORE_UNUSABLE when something else has an index of the name
 */
export async function claimCopy(
  client: Client,
  { mappings, ...plan }: CopyPlan & { readonly mappings: estypes.MappingTypeMapping }
): Promise<CopyClaim | undefined> {
  const { from, to } = plan
  const owner = randomUUID()
  const meta = (beat: number) => ({ ...mappings._meta, copying: { owner, beat } satisfies Sign })
  const old = (await client.indices.getSettings({ index: from }))[from]?.settings?.index
  const kept = Object.fromEntries(
    KEPT_SETTINGS.filter(name => old?.[name] !== undefined).map(name => [name, old?.[name]])
  )
  for (;;) {
    try {
      await client.indices.create({
        index: to,
        settings: { ...INDEX_SETTINGS, ...kept, refresh_interval: -1 },
        mappings: { ...mappings, _meta: meta(0) },
        aliases: { [fillingAlias(to)]: {} }
      })
      break
    } catch (error) {
      if (errorType(error) !== 'resource_already_exists_exception') throw error
    }
    if (!(await isAbandoned(client, plan))) return undefined
    await discardCopy(client, plan)
  }
  return alive(owner, async beat => {
    await client.indices.putMapping({ index: to, _meta: meta(beat) })
  })
}

/** Gives signs of life until the end. */
function alive(owner: string, give: (beat: number) => Promise<void>): CopyClaim {
  let beat = 0
  let last: Promise<void> = Promise.resolve()
  const timer = setInterval(() => {
    last = last.then(() => give(++beat)).catch(() => {})
  }, BEAT)
  return {
    owner,
    end: () => {
      clearInterval(timer)
      return last
    }
  }
}

/** Waits until another process has put its copy into use; takes it away if that process is gone. */
export async function otherCopy(client: Client, plan: CopyPlan): Promise<void> {
  for (;;) {
    const copy = await oneVersion(client, plan.alias, plan.to)
    if (!copy || copy.isCurrent) return
    if (await isAbandoned(client, plan)) {
      await discardCopy(client, plan)
      return
    }
  }
}

/** Takes away what a process left that was copying the alias's index and is gone: the copy, and the hold on writes. */
export async function releaseAbandonedCopy(client: Client, alias: string): Promise<void> {
  const versions = await indexVersions(client, alias)
  const current = versions.find(({ isCurrent }) => isCurrent)
  if (!current) return
  for (const { index, version } of versions) {
    if (version <= current.version) continue
    const plan = { alias, from: current.index, to: index }
    if (await isAbandoned(client, plan)) await discardCopy(client, plan)
  }
}

/** Takes away older versions of the index that a process left which had put a new one into use. */
export async function removeOldVersions(client: Client, alias: string): Promise<void> {
  const versions = await indexVersions(client, alias)
  const current = versions.find(({ isCurrent }) => isCurrent)
  for (const { index, version, meta } of versions) {
    if (!current || version >= current.version || meta.serai_format === undefined) continue
    await client.indices.delete({ index }, { ignore: [404] })
  }
}

/**
 * Looks for signs of life for as long as it takes.
 * @throws SeraiError STORE_UNUSABLE when Serai did not make the index
 */
async function isAbandoned(client: Client, { alias, to }: CopyPlan): Promise<boolean> {
  const sign = async () => {
    const copy = await oneVersion(client, alias, to)
    if (!copy || copy.isCurrent) return undefined
    if (copy.meta.serai_format === undefined) {
      throw failure('STORE_UNUSABLE', {
        file: `The Elasticsearch index ${to}`,
        reason: `Serai did not make it, and would put the next version of ${alias} there`
      })
    }
    return JSON.stringify(copy.meta.copying ?? null)
  }
  const first = await sign()
  for (const end = Date.now() + GONE; first !== undefined && Date.now() < end; await delay(INTERVAL)) {
    if ((await sign()) !== first) return false
  }
  return first !== undefined
}

/**
 * Takes a copy away that is not in use; the old index takes writes again.
 * @param owner only if it is this one's
 */
export async function discardCopy(
  client: Client,
  { alias, from, to }: CopyPlan,
  owner?: string
): Promise<void> {
  const copy = await oneVersion(client, alias, to)
  if (copy?.isCurrent) return
  const sign = copy?.meta.copying as Sign | undefined
  if (owner !== undefined && sign !== undefined && sign.owner !== owner) return
  if (copy) await client.indices.delete({ index: to }, { ignore: [404] })
  await client.indices.putSettings({ index: from, settings: { blocks: { write: null } } } as never, {
    ignore: [404]
  })
}
