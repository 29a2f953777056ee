/**
 * URLs by which one archive names a place in the archive of another entry (`archive.md` §3.1, forms 3 to 7).
 */
import { entryIdOf } from './entry-id.ts'

/** What such a URL says. */
export interface EntryUrl {
  /** Id of the entry, computed from the mainfile where the URL names one. */
  readonly entryId: string
  /** The upload it names; undefined when it names none, as in `../upload/archive/<entry id>` and `../entries/…`. */
  readonly uploadId?: string
  /** The mainfile it names, if it names the entry by its mainfile. */
  readonly mainfile?: string
  /** Path inside the archive as written after `#`, with its leading slash. */
  readonly path: string
  /** Leads to another installation: never resolved. */
  readonly remote: boolean
}

const BY_UPLOAD = /^([^?#]*)\/uploads?\/(?:(?!(?:archive|raw)\/)([\w=-]+)\/)?(archive|raw)\/([^?#]+)#([^?]+)$/
const BY_ENTRY = /^(?:\.\.)?\/entries\/([^?#/]+)\/archive#([^?]+)$/
const BY_MAINFILE = 'mainfile/'

function withSlash(path: string): string {
  return path.startsWith('/') ? path : '/' + path
}

/**
 * Reads a URL into the archive of an entry.
 * @param uploadId upload of the archive in which the URL stands; a URL without upload means this one
 * @returns undefined when the text has none of the forms 3 to 7; local paths (forms 1 and 2) have none of them
 */
export function parseEntryUrl(text: string, uploadId: string): EntryUrl | undefined {
  const entry = BY_ENTRY.exec(text)
  if (entry) return { entryId: entry[1]!, path: withSlash(entry[2]!), remote: false }
  const match = BY_UPLOAD.exec(text)
  if (!match) return undefined
  const [, prefix, named, kind, place, path] = match as unknown as [
    string,
    string,
    string | undefined,
    string,
    string,
    string
  ]
  const common = {
    path: withSlash(path),
    remote: prefix !== '' && prefix !== '..',
    ...(named ? { uploadId: named } : {})
  }
  const byMainfile = kind === 'archive' && place.startsWith(BY_MAINFILE)
  if (kind === 'raw' || byMainfile) {
    const mainfile = byMainfile ? place.slice(BY_MAINFILE.length) : place
    return { ...common, mainfile, entryId: entryIdOf(named ?? uploadId, mainfile) }
  }
  // An entry id has no slash: anything else under `archive/` names nothing.
  return place.includes('/') ? undefined : { ...common, entryId: place }
}
