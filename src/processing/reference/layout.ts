/**
 * How the files of one upload of the reference are named (`archive.md` §12.1, §13.1). Pure.
 */
import { BadFile } from '../import-problem.ts'

/** Who may read the files of a published upload. */
export type Access = 'public' | 'restricted'

/** What is where. */
export interface UploadLayout {
  /** Path of the description, in bundles. */
  readonly info: string | undefined
  /** Absent in uploads that are not published. */
  readonly access: Access | undefined
  /** Zip with the raw files of a published upload. */
  readonly rawZip: string | undefined
  /** Paths of the raw files of one that is not, inside the upload. */
  readonly rawFiles: readonly string[]
  /** File with the archives of all entries of a published upload. */
  readonly archives: string | undefined
  /** Files with the archive of one entry of one that is not, by entry id. */
  readonly entryArchives: ReadonlyMap<string, string>
  /** Files of values that archives refer to. */
  readonly hdf5: readonly string[]
}

const INFO = 'bundle_info.json'
const RAW_FOLDER = 'raw/'

/** Files of so many bytes hold nothing. */
const EMPTY_ZIP = 22
const EMPTY_ARCHIVES = 32
const EMPTY_HDF5 = 96

const RAW = /^raw-(public|restricted)\.plain\.zip$/
const ARCHIVES = /^archive-(public|restricted)(?:-(.+))?\.msg\.msg$/
const ENTRY = /^archive\/([A-Za-z0-9_-]{28})(?:-(.+))?\.msg$/
const HDF5 = /^(?:archive-(?:public|restricted)(?:-.+)?|archive\/.+)\.h5$/

/** Suffixes that the reference reads by default, the first one first; others come after them. */
const SUFFIXES = ['v1.2', 'v1', '']

/** Whether these names, directly in a folder, are those of an upload of the reference. */
export function isUpload(names: readonly string[]): boolean {
  return names.some(name => name === INFO || RAW.test(name) || ARCHIVES.test(name) || name === 'archive')
}

function rank(suffix: string): number {
  const known = SUFFIXES.indexOf(suffix)
  return known < 0 ? SUFFIXES.length : known
}

/**
 * Finds out what is where.
 * @param sizes of all files
 * @returns undefined when it is no upload of the reference
 * @throws BadFile when files contradict each other
 */
export function layoutOf(sizes: ReadonlyMap<string, number>): UploadLayout | undefined {
  const raw = new Map<Access, string>()
  const archives = new Map<Access, { path: string; suffix: string }>()
  const entries = new Map<string, { path: string; suffix: string }>()
  const hdf5: string[] = []
  let known = sizes.has(INFO)
  for (const [path, size] of sizes) {
    const zip = RAW.exec(path)
    const msg = ARCHIVES.exec(path)
    const entry = ENTRY.exec(path)
    known ||= Boolean(zip ?? msg ?? entry)
    if (zip && size > EMPTY_ZIP) raw.set(zip[1] as Access, path)
    if (msg && size > EMPTY_ARCHIVES) better(archives, msg[1] as Access, path, msg[2] ?? '')
    if (entry) better(entries, entry[1]!, path, entry[2] ?? '')
    if (HDF5.test(path) && size > EMPTY_HDF5) hdf5.push(path)
  }
  if (!known) return undefined
  const accesses = new Set([...raw.keys(), ...archives.keys()])
  if (accesses.size > 1) {
    const [first, second] = [...raw.values(), ...[...archives.values()].map(a => a.path)].sort()
    throw new BadFile(first!, `contradicts ${second}: an upload is either public or restricted`)
  }
  const [access] = accesses
  return {
    info: sizes.has(INFO) ? INFO : undefined,
    access,
    rawZip: access && raw.get(access),
    rawFiles: access ? [] : [...sizes.keys()].filter(path => path.startsWith(RAW_FOLDER)),
    archives: access && archives.get(access)?.path,
    entryArchives: access ? new Map() : new Map([...entries].map(([id, { path }]) => [id, path])),
    hdf5
  }
}

/** Path of a raw file in an upload that is not published. */
export function rawPath(path: string): string {
  return RAW_FOLDER + path
}

/** The path inside the upload. */
export function pathOfRaw(path: string): string {
  return path.slice(RAW_FOLDER.length)
}

function better<K>(
  files: Map<K, { path: string; suffix: string }>,
  key: K,
  path: string,
  suffix: string
): void {
  const other = files.get(key)
  if (!other || rank(suffix) < rank(other.suffix)) files.set(key, { path, suffix })
}
