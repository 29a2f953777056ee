/** Zips of archives (`archive.md` §8.2). */
import { Readable } from 'node:stream'
import type { Caller } from '../access/caller.ts'
import { JsonText } from '../archive/json-text.ts'
import type { RequiredRequest } from '../archive/required.ts'
import type { ZipMember } from '../files/zip.ts'
import type { Quantity } from '../query/quantities.ts'
import type { Query } from '../query/tree.ts'
import { walk } from '../search/entry-index.ts'
import type { Services } from '../services.ts'
import { ArchiveReader } from '../storage/archive-reader.ts'
import { type EntryHead, HEAD_MEMBERS, headOf } from './archive-answer.ts'
import { withArchive, writtenText } from './archive-text.ts'
import { jsonChunks } from './json-chunks.ts'

/** Entries whose archives are read together. */
const GROUP = 100

const INDENT = 2

/** What the index tells of an entry. */
interface ZippedEntry extends EntryHead {
  readonly last_processing_time?: string
}

/**
 * The members: for each entry of the search, ordered by upload, its archive as `<upload_id>/<entry_id>.json`, and last
 * `manifest.json`, which lists also the entries that have none.
 * @throws SeraiError REQUIRED_INDEX, REFERENCE_REMOTE (400), INVALID (422), ARCHIVE_DAMAGED (500)
 */
export async function* archiveMembers(
  services: Services,
  query: Query,
  required: RequiredRequest,
  caller: Caller,
  signal: AbortSignal
): AsyncGenerator<ZipMember> {
  const reader = new ArchiveReader(services)
  const manifest: object[] = []
  let modified = new Date(0)
  for await (const group of groups(services, query, signal)) {
    const byId = new Map(group.map(entry => [entry.entry_id, entry]))
    for (const entry of group) manifest.push({ ...headOf(entry), path: pathOf(entry) })
    for await (const read of reader.read([...byId.keys()], required, caller, signal)) {
      if (!read.archive && !read.whole) continue
      const entry = byId.get(read.entryId)!
      const time = new Date(entry.last_processing_time ?? 0)
      if (time > modified) modified = time
      const { entry_id, parser_name } = entry
      yield {
        name: pathOf(entry),
        modified: time,
        open: async () => text(into => withArchive(into, { entry_id, parser_name }, 'archive', read))
      }
    }
  }
  // As old as the youngest archive: the same archives give the same zip.
  yield {
    name: 'manifest.json',
    modified,
    open: async () => text(into => writtenText(into, jsonChunks(manifest, INDENT)))
  }
}

function pathOf({ upload_id, entry_id }: EntryHead): string {
  return `${upload_id}/${entry_id}.json`
}

function text(write: (into: JsonText) => Iterable<Buffer> | AsyncIterable<Buffer>): Readable {
  const parts = async function* () {
    const into = new JsonText(INDENT)
    yield* write(into)
    yield into.rest()
  }
  return Readable.from(parts(), { objectMode: false })
}

/** The entries of a search, some at a time. */
async function* groups(
  { index, quantities }: Services,
  query: Query,
  signal: AbortSignal
): AsyncGenerator<ZippedEntry[]> {
  const orderBy = quantities.get('upload_id') as Quantity
  const source = { include: [...HEAD_MEMBERS, 'last_processing_time'] }
  let group: ZippedEntry[] = []
  for await (const hit of walk(index, { query, orderBy, order: 'asc', source, signal })) {
    group.push(hit.document as unknown as ZippedEntry)
    if (group.length < GROUP) continue
    yield group
    group = []
  }
  if (group.length > 0) yield group
}
