/** Sends the entries of a walk in one of the forms that a client may ask for. */
import { stringify } from 'csv-stringify/sync'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { PresentedEntry } from './entry-text.ts'
import type { EntryWalk } from './entry-walk.ts'
import type { Format } from './formats.ts'
import { sendNdjson } from './ndjson.ts'
import { type Column, cellOf } from './present/entry-table.ts'
import { sendParts } from './text-stream.ts'

/** Characters that are sent together, about. */
const PART = 64 * 1024

/** Media type of tables, for clients that asked for one by `Accept`. */
export const CSV = 'text/csv; charset=utf-8; header=present'

/** How entries are sent. */
export interface EntriesAnswer {
  readonly format: Format
  /** Of the answer when it is no error; those of lines may leave out the type. */
  readonly headers: Readonly<Record<string, string>>
  /** Of a table. */
  readonly columns: readonly Column[]
  /** Given a signal that tells when nobody wants the entries any more. */
  readonly walk: (over: AbortSignal) => EntryWalk
  /** Looks at the walk when the number of entries is known; may throw. */
  readonly check?: (walk: EntryWalk) => void
}

/**
 * Sends every entry of the walk.
 * @throws SeraiError what the first page or `check` throws
 */
export function sendEntries(
  request: FastifyRequest,
  reply: FastifyReply,
  { format, headers, columns, walk, check = () => {} }: EntriesAnswer
): Promise<FastifyReply> {
  if (format === 'ndjson') {
    return sendNdjson(request, reply, headers, over => {
      const entries = walk(over)
      return {
        batches: checked(entries, check),
        end: () => ({ pagination: entries.pagination() }),
        onFailure: () => entries.next()
      }
    })
  }
  return sendParts(request, reply, headers, over => {
    const entries = walk(over)
    const pages = checked(entries, check)
    return format === 'csv' ? tableParts(pages, columns) : arrayParts(pages)
  })
}

type Pages = AsyncGenerator<PresentedEntry[]>

async function* checked(walk: EntryWalk, check: (walk: EntryWalk) => void): Pages {
  let known = false
  for await (const page of walk.pages()) {
    if (!known) check(walk)
    known = true
    yield page
  }
}

/** A JSON array, a page in one or several parts. */
async function* arrayParts(pages: Pages): AsyncGenerator<string> {
  let part = '['
  let separator = ''
  for await (const page of pages) {
    for (const entry of page) {
      part += separator + entry.text
      separator = ','
      if (part.length < PART) continue
      yield part
      part = ''
    }
    if (part && separator) yield part
    if (separator) part = ''
  }
  yield `${part}]`
}

/**
 * A table (RFC 4180). Without entries there is not even a header row, as in the reference. A cell is what the value is, also
 * when it begins with `=`, `+`, `-` or `@`: spreadsheets may take such text for a formula, but changed data would be worse.
 */
async function* tableParts(pages: Pages, columns: readonly Column[]): AsyncGenerator<string> {
  let header: string[][] = [columns.map(column => column.name)]
  for await (const page of pages) {
    if (page.length === 0) continue
    const rows = page.map(({ value }) => columns.map(column => cellOf(value, column)))
    yield stringify([...header, ...rows], { record_delimiter: '\r\n' })
    header = []
  }
}
