/** References inside archives: their forms, and what they mean seen from the archive in which they stand (`archive.md` §3.1). */
import { parseEntryUrl } from './entry-url.ts'

/** What a text says as a reference. */
export type Reference =
  | { readonly kind: 'none' }
  /** Another installation: never resolved. */
  | { readonly kind: 'remote' }
  | { readonly kind: 'local'; readonly path: string }
  | {
      readonly kind: 'foreign'
      readonly entryId: string
      readonly path: string
      /** Key of the entry in `m_ref_archives`, and what the reference begins with in an answer. */
      readonly archiveUrl: string
    }

const NONE: Reference = { kind: 'none' }

/**
 * Reads a reference.
 * @param from ids of the entry in whose archive it stands
 */
export function parseReference(
  text: string,
  from: { readonly entryId: string; readonly uploadId: string }
): Reference {
  if (text.startsWith('#/')) return { kind: 'local', path: text.slice(1) }
  const local = text.startsWith('/') && !text.startsWith('/entries') && !text.startsWith('/uploads')
  if (local) return { kind: 'local', path: text }
  const url = parseEntryUrl(text, from.uploadId)
  if (!url) return NONE
  if (url.remote) return { kind: 'remote' }
  if (url.entryId === from.entryId) return { kind: 'local', path: url.path }
  // A reference to a raw file names the entry by its file in the answer too (`archive.md` §3.6).
  const byFile = url.mainfile !== undefined && /\/raw\/[^#]*#/.test(text)
  return {
    kind: 'foreign',
    entryId: url.entryId,
    path: url.path,
    archiveUrl: `../uploads/${url.uploadId ?? from.uploadId}/archive/${byFile ? url.mainfile : url.entryId}`
  }
}

/**
 * The steps of a path inside an archive: keys, and indices where a step is a whole number. Slashes at the ends do not count.
 * Undefined when there is none.
 */
export function pathSteps(path: string): (string | number)[] | undefined {
  const steps = path.replace(/^\/+|\/+$/g, '').split('/')
  if (steps.length === 1 && steps[0] === '') return undefined
  return steps.map(step => (/^\d+$/.test(step) ? Number(step) : step))
}
