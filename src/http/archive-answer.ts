/** The archive of one entry as an answer, with an ETag (`archive.md` §6, §8.1, §9). */
import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fresh from 'fresh'
import type { Caller } from '../access/caller.ts'
import { isVisible } from '../access/upload-access.ts'
import { JsonText } from '../archive/json-text.ts'
import { parseRequired } from '../archive/required.ts'
import { failure } from '../errors.ts'
import type { Services } from '../services.ts'
import { ArchiveReader, type ArchiveSource, type ReadArchive } from '../storage/archive-reader.ts'
import type { Entry } from '../storage/documents.ts'
import { VERSION } from '../version.ts'
import { archiveText, withArchive } from './archive-text.ts'
import { sendParts } from './text-stream.ts'
import { varyBy } from './vary.ts'

/** What an answer tells of an entry beside its archive. */
export type EntryHead = Pick<Entry, 'entry_id' | 'upload_id' | 'parser_name'>

/** The members of {@link EntryHead}. */
export const HEAD_MEMBERS = ['entry_id', 'upload_id', 'parser_name'] as const

/** An entry as an answer tells it. */
export function headOf(entry: EntryHead): EntryHead {
  const { entry_id, upload_id, parser_name } = entry
  return { entry_id, upload_id, parser_name }
}

/** What {@link sendArchive} works with. */
type ArchiveServices = Pick<Services, 'archives' | 'documents' | 'definitions'>

/**
 * The entry, if the caller may see its archive: owner rule `visible`, also for the administrator.
 * @param uploadId the upload that it must belong to, where the request names one
 * @throws SeraiError ARCHIVE_ENTRY_NOT_FOUND (404)
 */
export async function archiveEntry(
  { documents }: Pick<Services, 'documents'>,
  entryId: string,
  caller: Caller,
  uploadId?: string
): Promise<Entry> {
  const entry = await documents.entry(entryId)
  const inUpload = entry && (uploadId === undefined || entry.upload_id === uploadId)
  const upload = inUpload && (await documents.upload(entry.upload_id))
  if (!entry || !upload || !isVisible(upload, caller)) throw failure('ARCHIVE_ENTRY_NOT_FOUND')
  return entry
}

/** Which archive is sent, and how. */
export interface WantedArchive {
  readonly entry: Entry
  /** As it stands in the request; absent: everything. */
  readonly required?: unknown
  /** The archive alone, as a file of this name. */
  readonly fileName?: string
}

/**
 * Sends an archive, or 304 to who has it already.
 * @throws SeraiError ARCHIVE_MISSING (404), INVALID (422), REQUIRED_DIRECTIVE, REQUIRED_INDEX, REFERENCE_REMOTE (400),
 *   ARCHIVE_DAMAGED (500)
 */
export async function sendArchive(
  request: FastifyRequest,
  reply: FastifyReply,
  services: ArchiveServices,
  { entry, required, fileName }: WantedArchive
): Promise<FastifyReply> {
  const wanted = parseRequired(required)
  const echo = required ?? '*'
  const tag = (sources: readonly ArchiveSource[]) =>
    archiveTag([headOf(entry), echo, services.definitions.fingerprint], sources)
  // Everything as it is depends on this archive alone: it need not be read to know that it is the same.
  if (wanted.tree === 'all' && request.headers['if-none-match'] !== undefined) {
    const contents = (await services.archives.contents([entry.entry_id])).get(entry.entry_id)
    if (contents && isKnown(request, tag([contents]))) return notModified(reply, tag([contents]))
  }
  const parts = new ArchiveReader(services).parts([entry.entry_id], wanted, request.caller, request.signal)
  const { value: part } = await parts.next()
  const read = part?.archives[0]
  if (!part || !read || (!read.archive && !read.whole)) throw failure('ARCHIVE_MISSING')
  const etag = tag(part.sources())
  if (isKnown(request, etag)) return notModified(reply, etag)
  validate(reply, etag)
  if (fileName !== undefined) reply.header('content-disposition', `attachment; filename="${fileName}"`)
  return sendJson(
    request,
    reply,
    fileName === undefined
      ? answerText({ entry_id: entry.entry_id, required: echo }, entry, read)
      : fileText(read)
  )
}

async function* answerText(head: object, entry: EntryHead, read: ReadArchive): AsyncGenerator<Buffer> {
  const text = new JsonText()
  text.text(`${JSON.stringify(head).slice(0, -1)},"data":`)
  yield* withArchive(text, headOf(entry), 'archive', read)
  text.text('}')
  yield text.rest()
}

async function* fileText(read: ReadArchive): AsyncGenerator<Buffer> {
  const text = new JsonText()
  yield* archiveText(text, read)
  yield text.rest()
}

/** Sends JSON that comes in parts: what is small as a whole, with its length. */
async function sendJson(
  request: FastifyRequest,
  reply: FastifyReply,
  parts: AsyncGenerator<Buffer>
): Promise<FastifyReply> {
  const type = { 'content-type': 'application/json; charset=utf-8' }
  const first = (await parts.next()).value as Buffer
  const second = await parts.next()
  if (second.done) return reply.headers(type).send(first)
  const { eagerCollection } = request.server
  return sendParts(request, reply, type, async function* () {
    try {
      yield first
      yield second.value
      yield* eagerCollection.during(parts)
    } finally {
      await parts.return(undefined)
    }
  })
}

/**
 * The ETag of an answer. It is made of all that the answer is made of: the entry, what was asked for, the definitions, this
 * version of the server, and the generation of every archive that was looked at. References may lead to archives of other
 * entries, which change by themselves, and of which not every caller sees the same ones; those that are not there, or that
 * the caller does not see, are named too. So two answers with the same tag are the same. It is a weak one: compression
 * changes the bytes.
 */
function archiveTag(told: readonly unknown[], sources: readonly ArchiveSource[]): string {
  const generations = sources.map(({ entryId, generation }) => `${entryId} ${generation ?? ''}`).sort()
  const text = JSON.stringify([VERSION, ...told, generations])
  return `W/"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`
}

/** Who keeps the answer asks each time whether it is still the same, and keeps those of different callers apart. */
function validate(reply: FastifyReply, etag: string): FastifyReply {
  return varyBy(reply.headers({ etag, 'cache-control': 'no-cache' }), 'authorization')
}

function isKnown(request: FastifyRequest, etag: string): boolean {
  return fresh(request.headers, { etag })
}

function notModified(reply: FastifyReply, etag: string): FastifyReply {
  return validate(reply, etag).code(304).send()
}
