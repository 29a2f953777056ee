/**
 * Zips as a stream: members are made one after the other while the client reads. A zip that cannot be completed
 * ends with an error, never with a proper end.
 */
import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { ZipArchive } from 'archiver'

/** One file of a zip. */
export interface ZipMember {
  /** Path in the zip, with `/`. */
  readonly name: string
  readonly modified: Date
  /** The bytes; called when the member's turn comes. The zip destroys the stream that it was given. */
  open(): Promise<Readable> | Buffer
}

/** How members are kept. */
export interface ZipOptions {
  /** Deflate; false: stored as they are. */
  readonly compress: boolean
}

/** Level of deflate: of the time that the best one takes, some 95 % of its effect. */
const LEVEL = 6

/**
 * The zip of the members in their order. Reading drives it: at most one member is open, and a client that does not read
 * holds what one buffer takes. Destroying the stream closes the open member and ends `members` (`return()`).
 */
export function zipStream(members: AsyncIterable<ZipMember>, { compress }: ZipOptions): Readable {
  const archive = new ZipArchive({
    store: !compress,
    zlib: { level: LEVEL },
    highWaterMark: 256 * 1024
  }) as ZipArchive & Readable
  const closed = new AbortController()
  archive.once('close', () => closed.abort())
  // Without a listener an error of the library before the first reader came would end the process.
  archive.on('error', () => {})
  fill(archive, members, closed.signal).catch(error => archive.destroy(error as Error))
  return archive
}

async function fill(
  archive: ZipArchive & Readable,
  members: AsyncIterable<ZipMember>,
  closed: AbortSignal
): Promise<void> {
  for await (const member of members) {
    if (closed.aborted) return
    const source = await member.open()
    await append(archive, source, member, closed)
    if (closed.aborted) return
  }
  // The promise of `finalize` waits for the reader; errors come by the stream.
  archive.finalize().catch(() => {})
}

/** Resolves when the member is in the zip as a whole, or the zip was closed. */
async function append(
  archive: ZipArchive & Readable,
  source: Readable | Buffer,
  member: ZipMember,
  closed: AbortSignal
): Promise<void> {
  const data = { name: memberName(member.name), date: member.modified, mode: 0o644 }
  const done = new Promise<void>((resolve, reject) => {
    const end = () => {
      archive.off('entry', end)
      closed.removeEventListener('abort', end)
      resolve()
    }
    archive.once('entry', end)
    if (closed.aborted) end()
    else closed.addEventListener('abort', end)
    // The library goes on after an error of its source and would end the zip properly.
    if (!Buffer.isBuffer(source)) source.once('error', reject)
  })
  try {
    if (!closed.aborted) archive.append(source, data)
    await done
  } finally {
    if (!Buffer.isBuffer(source)) {
      source.destroy()
      await finished(source).catch(() => {})
    }
  }
}

/**
 * The name of a file in a zip. What looks like a drive letter gets a directory before it: the library would take it away
 * (`T10:20.txt` would become `20.txt`), and readers refuse it. `\\` goes, which some take for `/`, so that a file's name
 * could lead out of the reader's folder.
 */
export function memberName(name: string): string {
  const safe = name.replaceAll('\\', '_')
  return /^\w+:/.test(safe) ? `./${safe}` : safe
}
