/** Which other entries an archive names, so that what is needed of them can be fetched before it is indexed. */
import { parseEntryUrl } from '../archive/entry-url.ts'

/** Ids of entries named by an archive. */
export interface LinkedEntries {
  /** Those whose `definitions` the archive uses: named by an `m_def` or within its own `definitions`. */
  readonly schemas: ReadonlySet<string>
  /** All that are named. */
  readonly all: ReadonlySet<string>
}

const BY_ID = /^entry_id:([\w-]+)(?:\.|$)/

/**
 * Collects the entries that any text of an archive names (`archive.md` §3.1, §5.3).
 * @param uploadId upload of the archive, for URLs that name none
 */
export function linkedEntries(archive: unknown, uploadId: string): LinkedEntries {
  const schemas = new Set<string>()
  const all = new Set<string>()
  // A list of its own instead of recursion: archives may be deeper than the stack.
  const waiting: { value: unknown; schema: boolean }[] = [{ value: archive, schema: false }]
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { value, schema } = next
    if (typeof value === 'string') {
      const id = BY_ID.exec(value)?.[1] ?? parseEntryUrl(value, uploadId)?.entryId
      if (id) {
        all.add(id)
        if (schema) schemas.add(id)
      }
    } else if (Array.isArray(value)) {
      // Lists of numbers hold most of a large archive and no text.
      if (typeof value[0] !== 'number') for (const item of value) waiting.push({ value: item, schema })
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, member] of Object.entries(value)) {
        if (typeof member === 'number') continue
        waiting.push({ value: member, schema: schema || key === 'm_def' || key === 'definitions' })
      }
    }
  }
  return { schemas, all }
}
