/** Conditions of requests (RFC 9110 §13) and the stretches that they ask for (§14). Pure. */
import type { IncomingHttpHeaders } from 'node:http'
import fresh from 'fresh'
import { combineRanges, parse } from 'range-parser'

/** What tells one state of a file from others. */
export interface Validators {
  /** Strong, with its quotes. */
  readonly etag: string
  readonly lastModified?: Date
}

/** A stretch of bytes. */
export interface Stretch {
  readonly start: number
  /** First byte behind it. */
  readonly end: number
}

/** Stretches in one answer at most; who asks for more gets everything. */
const STRETCHES_MAX = 64

/** Whether the request is to be answered, the client has it already (304), or did not want it like this (412). */
export function preconditions(
  method: string,
  headers: IncomingHttpHeaders,
  { etag, lastModified }: Validators
): 'holds' | 'not modified' | 'failed' {
  const ifMatch = headers['if-match']
  const ifUnmodified = headers['if-unmodified-since']
  if (ifMatch !== undefined) {
    // Strong comparison: `W/"…"` is no match.
    if (ifMatch.trim() !== '*' && !tagsOf(ifMatch).includes(etag)) return 'failed'
  } else if (ifUnmodified !== undefined && lastModified) {
    const since = Date.parse(ifUnmodified)
    if (Math.floor(lastModified.getTime() / 1000) * 1000 > since) return 'failed'
  }
  const isReading = method === 'GET' || method === 'HEAD'
  const { 'if-none-match': ifNoneMatch, 'if-modified-since': ifModified, ...others } = headers
  const asked = {
    ...(ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch }),
    ...(ifNoneMatch === undefined && isReading && ifModified !== undefined
      ? { 'if-modified-since': ifModified }
      : {})
  }
  if (Object.keys(asked).length === 0) return 'holds'
  const told = { etag, ...(lastModified ? { 'last-modified': lastModified.toUTCString() } : {}) }
  if (!fresh({ ...others, ...asked }, told)) return 'holds'
  return isReading ? 'not modified' : 'failed'
}

function tagsOf(list: string): string[] {
  return list.match(/(?:W\/)?"[^"]*"/g) ?? []
}

/**
 * The stretches that the request asks for, in its order, those that touch each other as one; undefined for everything. A
 * header that is no byte range is ignored, and so is one that holds for another state than this (`If-Range`).
 * @returns empty when there is nothing where the client asks (416)
 */
export function stretches(
  headers: IncomingHttpHeaders,
  size: number,
  { etag }: Validators
): readonly Stretch[] | undefined {
  const { range, 'if-range': ifRange } = headers
  if (range === undefined || !/^\s*bytes\s*=/i.test(range)) return undefined
  // Only the tag is a proof: files keep the times that they were uploaded with, whatever their bytes are.
  if (ifRange !== undefined && ifRange !== etag) return undefined
  const { code, ranges } = parse(size, range)
  if ((code & 1) !== 0) return undefined
  if (ranges.length === 0) return size === 0 ? undefined : []
  const combined = combineRanges(ranges)
  if (combined.length > STRETCHES_MAX) return undefined
  return combined.map(({ start, end }) => ({ start, end: end + 1 }))
}
