/** The members of the zip of many entries: the files beside each mainfile, then the manifest (`search.md` §7.2). */
import type { RawFile, RawFileStore } from './raw-files.ts'
import { directoryOf } from './raw-path.ts'
import type { Selection } from './selection.ts'
import type { ZipMember } from './zip.ts'

/** An entry whose files are asked for. */
export interface EntryLocation {
  readonly entry_id: string
  readonly upload_id: string
  readonly mainfile: string
  /** Of an entry that shares its mainfile with others. */
  readonly mainfile_key?: string
}

/**
 * The files directly in the directory of an entry's mainfile: the mainfile first, then by path (`search.md` §14 D16).
 */
export async function entryFiles(
  files: RawFileStore,
  entry: Pick<EntryLocation, 'upload_id' | 'mainfile'>
): Promise<RawFile[]> {
  const nodes = await files.list(entry.upload_id, directoryOf(entry.mainfile))
  const found = nodes.filter(node => node.kind === 'file')
  return [
    ...found.filter(file => file.path === entry.mainfile),
    ...found.filter(file => file.path !== entry.mainfile)
  ]
}

/** A file as a member of a zip. */
export function fileMember(files: RawFileStore, uploadId: string, file: RawFile, name: string): ZipMember {
  return { name, modified: file.modified, open: () => files.open(uploadId, file.path) }
}

/**
 * The members: a file that several entries share comes once; `manifest.json` comes last and lists the entries, but not
 * those all of whose files were filtered out.
 * @param entries ordered by upload, so that only the directories of one upload must be remembered
 */
export async function* entryMembers(
  files: RawFileStore,
  entries: AsyncIterable<EntryLocation> | Iterable<EntryLocation>,
  selection: Selection
): AsyncGenerator<ZipMember> {
  const manifest: EntryLocation[] = []
  let uploadId: string | undefined
  let modified = new Date(0)
  /** Directories of the upload that are in the zip, and whether their entries stand in the manifest. */
  let packed = new Map<string, boolean>()

  for await (const entry of entries) {
    if (entry.upload_id !== uploadId) {
      uploadId = entry.upload_id
      packed = new Map()
    }
    const directory = directoryOf(entry.mainfile)
    let listed = packed.get(directory)
    if (listed === undefined) {
      const found = await entryFiles(files, entry)
      const taken = found.filter(file => selection(file.path))
      for (const file of taken) {
        if (file.modified > modified) modified = file.modified
        yield fileMember(files, entry.upload_id, file, `${entry.upload_id}/${file.path}`)
      }
      listed = taken.length > 0 || found.length === 0
      packed.set(directory, listed)
    }
    if (listed) {
      const { entry_id, upload_id, mainfile } = entry
      manifest.push({ entry_id, upload_id, mainfile: `${upload_id}/${mainfile}` })
    }
  }
  // As old as the youngest file: the same files give the same zip.
  yield { name: 'manifest.json', modified, open: () => Buffer.from(JSON.stringify(manifest)) }
}

/**
 * The files below a directory of an upload, named relative to it.
 * @param directory canonical path; `''` is the whole upload
 */
export async function* directoryMembers(
  files: RawFileStore,
  uploadId: string,
  directory: string,
  selection: Selection
): AsyncGenerator<ZipMember> {
  const skip = directory === '' ? 0 : directory.length + 1
  for await (const file of files.walk(uploadId, directory)) {
    if (selection(file.path)) yield fileMember(files, uploadId, file, file.path.slice(skip))
  }
}
