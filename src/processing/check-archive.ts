/** Checks one stored archive: every block, and that the blocks hold what the table of contents tells. */
import { ANONYMOUS } from '../access/caller.ts'
import { checksum } from '../archive/block.ts'
import { type Contents, readContents } from '../archive/contents.ts'
import { definitionIdsOf } from '../archive/definition-ids.ts'
import type { JsonObject } from '../archive/definitions.ts'
import { parseRequired } from '../archive/required.ts'
import type { ReadBlocks } from '../archive/stored-blocks.ts'
import { storedParts } from '../archive/stored-parts.ts'
import { SeraiError } from '../errors.ts'
import type { Services } from '../services.ts'
import { ArchiveReader } from '../storage/archive-reader.ts'
import type { ArchiveContents } from '../storage/archives.ts'
import { blockReader } from '../storage/block-reader.ts'
import type { Entry } from '../storage/documents.ts'

/** Bytes of blocks that are read at once. */
const AT_ONCE = 1024 * 1024

/** What is wrong somewhere in an archive. */
export interface ArchiveProblem {
  /** `block 3`, `table of contents`, or empty for the archive as a whole. */
  readonly part: string
  readonly message: string
}

/** What an archive tells of its entry and defines. */
const TOLD = parseRequired({ metadata: { entry_id: '*', upload_id: '*' }, definitions: '*' })

/** Everything that is wrong with the archive of an entry. Memory holds some blocks of it. */
export async function checkArchive(
  services: Pick<Services, 'archives' | 'documents' | 'definitions'>,
  entry: Entry,
  stored: ArchiveContents
): Promise<ArchiveProblem[]> {
  const problems: ArchiveProblem[] = []
  if (stored.uploadId !== entry.upload_id) {
    problems.push({ part: '', message: `belongs to upload ${stored.uploadId}` })
  }
  const contents = contentsOf(stored)
  if (!contents) return [...problems, { part: 'table of contents', message: 'does not have its checksum' }]
  const read = blockReader(services.archives, stored)
  const damaged = await damagedBlocks(contents, read)
  problems.push(...damaged)
  if (damaged.length > 0) return problems
  problems.push(...(await wrongPieces(stored, read)))
  if (problems.length === 0) problems.push(...(await wrongWords(services, entry)))
  return problems
}

function contentsOf(stored: ArchiveContents): Contents | undefined {
  try {
    return readContents(stored.bytes, stored.entryId)
  } catch (error) {
    if (error instanceof SeraiError) return undefined
    throw error
  }
}

async function damagedBlocks({ blocks }: Contents, read: ReadBlocks): Promise<ArchiveProblem[]> {
  const problems: ArchiveProblem[] = []
  for (let next = 0; next < blocks.length; ) {
    const numbers: number[] = []
    for (let bytes = 0; next < blocks.length && bytes < AT_ONCE; next++) {
      numbers.push(next + 1)
      bytes += blocks[next]!.bytes
    }
    const found = await read(numbers)
    for (const number of numbers) {
      const bytes = found.get(number)
      const part = `block ${number}`
      const row = blocks[number - 1]
      if (!bytes) problems.push({ part, message: 'is missing' })
      else if (bytes.byteLength !== row?.bytes) {
        problems.push({ part, message: `has ${bytes.byteLength} bytes instead of ${row?.bytes}` })
      } else if (checksum(bytes) !== row.checksum) {
        problems.push({ part, message: 'does not have its checksum' })
      }
    }
  }
  return problems
}

/** Goes through all pieces as a reader of the whole archive does. */
async function wrongPieces(stored: ArchiveContents, read: ReadBlocks): Promise<ArchiveProblem[]> {
  try {
    for await (const _ of storedParts(stored, read)) {
      // Only that all parts are there counts.
    }
    return []
  } catch (error) {
    if (error instanceof SeraiError && error.code === 'STORE_UNAVAILABLE') throw error
    return [
      { part: '', message: `does not hold what its table of contents tells: ${(error as Error).message}` }
    ]
  }
}

/** What the archive says of itself against what the documents say. */
async function wrongWords(
  services: Pick<Services, 'archives' | 'documents' | 'definitions'>,
  entry: Entry
): Promise<ArchiveProblem[]> {
  const problems: ArchiveProblem[] = []
  const reader = new ArchiveReader(services)
  for await (const { archive } of reader.read([entry.entry_id], TOLD, ANONYMOUS)) {
    const metadata = (archive?.metadata ?? {}) as Record<string, unknown>
    for (const name of ['entry_id', 'upload_id'] as const) {
      const told = metadata[name]
      if (told !== undefined && told !== entry[name]) {
        problems.push({ part: '', message: `says that its ${name} is ${told}` })
      }
    }
    const definitions = archive?.definitions as JsonObject | undefined
    for (const id of definitions ? definitionIdsOf(definitions) : []) {
      if ((await services.documents.entriesDefining(id)).includes(entry.entry_id)) continue
      problems.push({ part: '', message: `defines ${id}, which the documents do not know: import it again` })
      break
    }
  }
  return problems
}
