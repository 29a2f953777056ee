/** The members of the zip of many entries: the files beside each mainfile, then the manifest (`search.md` §7.2). */
import type { RawFile, RawFileStore, RawTree } from './raw-files.ts'
import { directoryOf } from './raw-path.ts'
import type { Selection } from './selection.ts'
import { bytesMember, fileMember, type StoredMember } from './stored-zip.ts'

/** An entry whose files are asked for. */
export interface EntryLocation {
  readonly entry_id: string
  readonly upload_id: string
  readonly mainfile: string
  /** Of an entry that shares its mainfile with others. */
  readonly mainfile_key?: string
}

/** Members that are given at a time. */
const BATCH = 1000

/**
 * The files directly in the directory of an entry's mainfile: the mainfile first, then by path (`search.md` §14 D16).
 * @param tree the files of the entry's upload; undefined if it has none
 */
export function entryFiles(
  tree: RawTree | undefined,
  { mainfile }: Pick<EntryLocation, 'mainfile'>
): RawFile[] {
  const found = (tree?.list(directoryOf(mainfile)) ?? []).filter(node => node.kind === 'file')
  return [...found.filter(file => file.path === mainfile), ...found.filter(file => file.path !== mainfile)]
}

/**
 * The members, some at a time: a file that several entries share comes once; `manifest.json` comes last and lists the
 * entries, but not those all of whose files were filtered out.
 * @param pages entries ordered by upload, so that only the directories of one upload must be remembered
 */
export async function* entryMembers(
  files: RawFileStore,
  pages: AsyncIterable<readonly EntryLocation[]> | Iterable<readonly EntryLocation[]>,
  selection: Selection
): AsyncGenerator<StoredMember[]> {
  const manifest: EntryLocation[] = []
  let uploadId: string | undefined
  let tree: RawTree | undefined
  let modified = new Date(0)
  /** Directories of the upload that are in the zip, and whether their entries stand in the manifest. */
  let packed = new Map<string, boolean>()

  for await (const page of pages) {
    let batch: StoredMember[] = []
    for (const entry of page) {
      const { entry_id, upload_id, mainfile } = entry
      if (upload_id !== uploadId) {
        uploadId = upload_id
        tree = await files.tree(upload_id)
        packed = new Map()
      }
      const directory = directoryOf(mainfile)
      let listed = packed.get(directory)
      if (listed === undefined) {
        const found = entryFiles(tree, entry)
        const taken = found.filter(file => selection(file.path))
        for (const file of taken) {
          if (file.modified > modified) modified = file.modified
          batch.push(fileMember(upload_id, file, `${upload_id}/${file.path}`))
        }
        listed = taken.length > 0 || found.length === 0
        packed.set(directory, listed)
      }
      if (listed) manifest.push({ entry_id, upload_id, mainfile: `${upload_id}/${mainfile}` })
      if (batch.length < BATCH) continue
      yield batch
      batch = []
    }
    if (batch.length > 0) yield batch
  }
  // As old as the youngest file: the same files give the same zip.
  yield [bytesMember(Buffer.from(JSON.stringify(manifest)), 'manifest.json', modified)]
}

/**
 * The files below a directory of an upload, named relative to it, some at a time.
 * @param directory canonical path; `''` is the whole upload
 */
export async function* directoryMembers(
  files: RawFileStore,
  uploadId: string,
  directory: string,
  selection: Selection
): AsyncGenerator<StoredMember[]> {
  const skip = directory === '' ? 0 : directory.length + 1
  const tree = await files.tree(uploadId)
  let batch: StoredMember[] = []
  for (const file of tree?.walk(directory) ?? []) {
    if (!selection(file.path)) continue
    batch.push(fileMember(uploadId, file, file.path.slice(skip)))
    if (batch.length < BATCH) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
