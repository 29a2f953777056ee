/** `POST /entries/archive/query` for clients that ask for lines: the archives of the whole result, not of a page of it. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from '../access/caller.ts'
import { refuseOwnerAll } from '../access/owner.ts'
import { parseRequired, type RequiredRequest } from '../archive/required.ts'
import { type ErrorCode, SeraiError } from '../errors.ts'
import { bodyPagination } from '../query/pagination.ts'
import { requiredFields } from '../query/required-fields.ts'
import type { Services } from '../services.ts'
import { ArchiveReader, type ReadArchive } from '../storage/archive-reader.ts'
import { type EntryHead, HEAD_MEMBERS, headOf } from './archive-answer.ts'
import { withArchive } from './archive-text.ts'
import { bodySearch } from './entry-search.ts'
import type { PresentedEntry } from './entry-text.ts'
import { EntryWalk } from './entry-walk.ts'
import { sendNdjson, WrittenLine } from './ndjson.ts'
import { wireError } from './plugins/errors.ts'

/** Entries that are read together; those of a group in which one cannot be read are read one by one. */
const GROUP = 50

/** What can be wrong with one archive while the next one is fine. */
const OF_ONE_ARCHIVE: readonly ErrorCode[] = [
  'ARCHIVE_DAMAGED',
  'REQUIRED_INDEX',
  'REFERENCE_REMOTE',
  'INVALID'
]

/** The parts of the body that matter here, as the schema leaves them. */
export interface StreamedArchivesBody {
  readonly owner?: unknown
  readonly query?: unknown
  readonly pagination?: { readonly page_size?: unknown } | null
  readonly required?: unknown
}

/**
 * Sends a line for each entry that has an archive: `{entry_id, upload_id, parser_name, archive}`, or with `error` instead of
 * `archive` where that one cannot be read as it was asked for. Then the line with the pagination. All entries come, or as many
 * as `page_size` says, which may be any number here.
 * @throws SeraiError as the answer with one page
 */
export function streamedArchives(
  request: FastifyRequest,
  reply: FastifyReply,
  body: StreamedArchivesBody,
  services: Services
): Promise<FastifyReply> {
  const { index, quantities } = services
  const wanted = parseRequired(body.required)
  const { owner, query } = bodySearch(body, request.caller, quantities)
  refuseOwnerAll(owner)
  const pagination = bodyPagination(body.pagination, quantities, Number.POSITIVE_INFINITY)
  const limit = (body.pagination?.page_size ?? null) === null ? undefined : pagination.echo.page_size
  const required = requiredFields({ include: HEAD_MEMBERS }, [pagination.orderName], quantities)
  return sendNdjson(request, reply, { vary: 'accept' }, over => {
    const walk = new EntryWalk(index, { query, pagination, required, limit, signal: over })
    const lines = new ArchiveLines(request, new ArchiveReader(services), wanted, over)
    return {
      batches: lines.of(walk.pages()),
      end: () => ({ pagination: walk.pagination() }),
      onFailure: () => walk.next()
    }
  })
}

/** Makes lines of entries. */
class ArchiveLines {
  readonly #request: FastifyRequest
  readonly #reader: ArchiveReader
  readonly #required: RequiredRequest
  readonly #caller: Caller
  readonly #signal: AbortSignal

  constructor(
    request: FastifyRequest,
    reader: ArchiveReader,
    required: RequiredRequest,
    signal: AbortSignal
  ) {
    this.#request = request
    this.#reader = reader
    this.#required = required
    this.#caller = request.caller
    this.#signal = signal
  }

  async *of(pages: AsyncIterable<readonly PresentedEntry[]>): AsyncGenerator<object[]> {
    for await (const page of pages) {
      const heads = page.map(({ value }) => value as unknown as EntryHead)
      for (let i = 0; i < heads.length; i += GROUP) yield* this.#group(heads.slice(i, i + GROUP))
    }
  }

  async *#group(heads: readonly EntryHead[]): AsyncGenerator<object[]> {
    const byId = new Map(heads.map(head => [head.entry_id, head]))
    const ids = [...byId.keys()]
    const line = (read: ReadArchive) => lineOf(headOf(byId.get(read.entryId)!), read)
    let done = 0
    try {
      for await (const archives of this.#read(ids)) {
        yield archives.filter(hasArchive).map(line)
        done += archives.length
      }
    } catch (error) {
      if (!isOfOneArchive(error)) throw error
      for (const id of ids.slice(done)) yield await this.#single(byId.get(id)!, line)
    }
  }

  async #single(head: EntryHead, line: (read: ReadArchive) => object): Promise<object[]> {
    try {
      for await (const [read] of this.#read([head.entry_id]))
        return read && hasArchive(read) ? [line(read)] : []
      return []
    } catch (error) {
      if (!isOfOneArchive(error)) throw error
      const { status, detail } = wireError(error, this.#request)
      return [{ ...headOf(head), error: { status, detail } }]
    }
  }

  async *#read(ids: readonly string[]): AsyncGenerator<readonly ReadArchive[]> {
    for await (const part of this.#reader.parts(ids, this.#required, this.#caller, this.#signal)) {
      yield part.archives
    }
  }
}

function hasArchive({ archive, whole }: ReadArchive): boolean {
  return archive !== undefined || whole !== undefined
}

function lineOf(head: EntryHead, read: ReadArchive): object {
  return read.whole
    ? new WrittenLine(text => withArchive(text, head, 'archive', read))
    : { ...head, archive: read.archive }
}

function isOfOneArchive(error: unknown): boolean {
  return error instanceof SeraiError && OF_ONE_ARCHIVE.includes(error.code)
}
