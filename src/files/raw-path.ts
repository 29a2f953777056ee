/**
 * Paths inside an upload, and what requests may write for them (`uploads.md` §5.1). Pure.
 */

/**
 * The canonical form of a path that a caller wrote: no `.`, `..` or empty segment, no trailing slash; `''` is the upload
 * itself. Undefined when the path leaves the upload on its way or cannot be one: absolute, `//`, NUL.
 * @example canonicalPath('a/../b/') // 'b'
 */
export function canonicalPath(path: string): string | undefined {
  if (path.startsWith('/') || path.includes('//') || path.includes('\0')) return undefined
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue
    if (segment !== '..') segments.push(segment)
    else if (segments.pop() === undefined) return undefined
  }
  return segments.join('/')
}

/** Whether a path names a file inside an upload and is written in its canonical form. */
export function isFilePath(path: string): boolean {
  return path !== '' && canonicalPath(path) === path
}

/** Directory part of a canonical path; `''` for what stands directly in the upload. */
export function directoryOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0))
}

/** Last segment of a canonical path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
