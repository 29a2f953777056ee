/**
 * Raw files on a local disk. Below the store's folder:
 *
 * ```
 * <first two letters of the id>/<upload_id>/manifest.jsonl     which files there are, and in which generation
 * <first two letters of the id>/<upload_id>/<generation>/…     the files by their paths
 * .replacing/                                                  replacements under way
 * ```
 *
 * Files are read by the manifest, never by looking into folders: a path that is not listed does not exist. The manifest
 * is put in place last and in one step, so readers see the old tree or the new one.
 */
import { randomBytes } from 'node:crypto'
import type { ReadStream } from 'node:fs'
import {
  access,
  constants,
  type FileHandle,
  mkdir,
  readdir,
  realpath,
  rm,
  rmdir,
  stat
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { failure } from '../../errors.ts'
import type { ByteReader } from '../byte-source.ts'
import { syncDirectory } from '../directory-sync.ts'
import type { RawFile, RawFileStore, RawInput, RawNode, RawTree } from '../raw-files.ts'
import { LocalFileReader, type OpenFile, openFile } from './local-file.ts'
import { readManifest, writeManifest } from './manifest.ts'
import { type Replacement, Replacements } from './replacements.ts'
import { writeTree } from './tree-writer.ts'
import type { UploadTree } from './upload-tree.ts'

/** Files of all manifests kept in memory together; some 300 bytes each. */
const FILES_IN_MEMORY = 200_000

const GENERATION = /^[0-9a-z]+-[0-9a-f]{12}$/
const TEMPORARY_MANIFEST = /^manifest\.([0-9a-z]+-[0-9a-f]{12})\.tmp$/

/** Files that are remembered as damaged. */
const DAMAGED_MAX = 10_000

interface CachedTree {
  /** Changes with the file. */
  readonly version: string
  readonly tree: UploadTree
  /** Folder of the bytes, without links in its path; asked for when a file is opened. */
  place?: Promise<string>
}

/** The adapter; see the head of this file. */
export class LocalRawFiles implements RawFileStore {
  readonly #root: string
  readonly #replacements: Replacements
  /** Least recently used first. */
  readonly #trees = new Map<string, CachedTree>()
  #filesInMemory = 0
  readonly #running = new Set<Promise<void>>()
  /** Files whose bytes were found to be others than were stored, by where they are. */
  readonly #damaged = new Map<string, string>()

  private constructor(root: string) {
    this.#root = root
    this.#replacements = new Replacements(join(root, '.replacing'))
  }

  /**
   * Opens the store, makes its folder if need be and removes what killed replacements left.
   * @param root folder of the store, absolute
   */
  static async open(root: string): Promise<LocalRawFiles> {
    await mkdir(root, { recursive: true })
    const store = new LocalRawFiles(await realpath(root))
    await store.#replacements.prepare()
    for (const replacement of await store.#replacements.abandoned()) {
      await store.#sweep(replacement)
      await store.#replacements.end(replacement)
    }
    return store
  }

  async tree(uploadId: string): Promise<RawTree | undefined> {
    return (await this.#cached(uploadId))?.tree
  }

  async node(uploadId: string, path: string): Promise<RawNode | undefined> {
    return (await this.tree(uploadId))?.node(path)
  }

  async list(uploadId: string, directory: string): Promise<RawNode[]> {
    return [...((await this.tree(uploadId))?.list(directory) ?? [])]
  }

  async *walk(uploadId: string, directory: string): AsyncGenerator<RawFile> {
    const tree = await this.tree(uploadId)
    if (tree) yield* tree.walk(directory)
  }

  async open(
    uploadId: string,
    path: string,
    range: { readonly offset: number; readonly length?: number } = { offset: 0 }
  ): Promise<Readable> {
    const file = await this.node(uploadId, path)
    if (file?.kind !== 'file') throw failure('FILE_NOT_FOUND')
    const end = Math.min(file.size, range.length === undefined ? file.size : range.offset + range.length)
    const { handle } = await this.#open(uploadId, file)
    if (range.offset >= end) {
      await handle.close()
      return Readable.from([])
    }
    return readStream(handle, range.offset, end)
  }

  reader(uploadId: string, file: RawFile, start: number, end: number): ByteReader {
    return new LocalFileReader({
      file,
      start,
      end,
      open: () => this.#open(uploadId, file),
      damaged: identity => {
        this.#damaged.set(keyOf(uploadId, file), identity)
        const [oldest] = this.#damaged.keys()
        if (this.#damaged.size > DAMAGED_MAX && oldest !== undefined) this.#damaged.delete(oldest)
        return failure('FILE_DAMAGED', { path: file.path, upload_id: uploadId })
      }
    })
  }

  replace(uploadId: string, files: AsyncIterable<RawInput> | Iterable<RawInput>): Promise<void> {
    return this.#change(uploadId, async (folder, generation) => {
      const tree = join(folder, generation)
      await mkdir(tree, { recursive: true })
      const written = await writeTree(tree, files)
      await syncDirectory(folder)
      await syncDirectory(dirname(folder))
      await syncDirectory(this.#root)
      await writeManifest(
        join(folder, 'manifest.jsonl'),
        join(folder, `manifest.${generation}.tmp`),
        generation,
        written
      )
    })
  }

  async remove(uploadId: string): Promise<void> {
    if (!isUploadId(uploadId)) return
    await this.#change(uploadId, folder => rm(join(folder, 'manifest.jsonl'), { force: true }))
  }

  async ping(): Promise<void> {
    await access(this.#root, constants.R_OK | constants.W_OK | constants.X_OK)
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#running)
    this.#trees.clear()
    this.#filesInMemory = 0
  }

  /** Runs a change so that whatever it leaves behind is removed, now or at the next start. */
  #change(uploadId: string, change: (folder: string, generation: string) => Promise<void>): Promise<void> {
    const run = async (): Promise<void> => {
      if (!isUploadId(uploadId)) throw new Error(`${JSON.stringify(uploadId)} cannot be the id of an upload`)
      const generation = `${Date.now().toString(36)}-${randomBytes(6).toString('hex')}`
      const replacement = { uploadId, generation }
      await this.#replacements.begin(replacement)
      try {
        await change(this.#folder(uploadId), generation)
      } finally {
        await this.#sweep(replacement)
        await this.#replacements.end(replacement)
      }
    }
    const running = run()
    const settled = running.then(
      () => {},
      () => {}
    )
    this.#running.add(settled)
    settled.finally(() => this.#running.delete(settled))
    return running
  }

  /** Removes the generations of an upload that neither its manifest nor another running replacement needs. */
  async #sweep({ uploadId, generation }: Replacement): Promise<void> {
    const folder = this.#folder(uploadId)
    const others = (await this.#replacements.list()).filter(
      r => r.uploadId === uploadId && r.generation !== generation
    )
    const current = (await this.#cached(uploadId))?.tree
    const needed = new Set([current?.generation, ...others.map(r => r.generation)])
    const names = await readdir(folder).catch(ignoreMissing)
    for (const name of names ?? []) {
      const of = GENERATION.test(name) ? name : TEMPORARY_MANIFEST.exec(name)?.[1]
      if (of !== undefined && !needed.has(of)) await rm(join(folder, name), { recursive: true, force: true })
    }
    if (!current && others.length === 0) await rmdir(folder).catch(() => {})
  }

  #folder(uploadId: string): string {
    return join(this.#root, uploadId.slice(0, 2), uploadId)
  }

  /** @throws SeraiError FILE_NOT_FOUND, FILE_REPLACED, FILE_DAMAGED */
  async #open(uploadId: string, file: RawFile): Promise<OpenFile> {
    const { path } = file
    // A tree that is known need not be the present one: as long as the file is there, it is the right one.
    const known = this.#trees.get(uploadId)
    const opened = known && (await this.#openIn(known, uploadId, file))
    if (opened) return opened
    for (let tried = known; ; ) {
      const cached = await this.#cached(uploadId)
      const now = cached?.tree.node(path)
      if (cached === undefined || now?.kind !== 'file') throw failure('FILE_NOT_FOUND')
      if (now.sha256 !== file.sha256 || now.size !== file.size)
        throw failure('FILE_REPLACED', { path, upload_id: uploadId })
      // The files may be replaced again between the two steps.
      if (cached.tree.generation === tried?.tree.generation) break
      const opened = await this.#openIn(cached, uploadId, file)
      if (opened) return opened
      tried = cached
    }
    throw failure('FILE_DAMAGED', { path, upload_id: uploadId })
  }

  /** Opens a file of a tree; undefined if it is not there as it was stored. */
  async #openIn(cached: CachedTree, uploadId: string, file: RawFile): Promise<OpenFile | undefined> {
    const listed = cached.tree.node(file.path)
    if (listed?.kind !== 'file' || listed.sha256 !== file.sha256) return undefined
    try {
      cached.place ??= realpath(join(this.#folder(uploadId), cached.tree.generation))
      const opened = await openFile(await cached.place, file)
      if (this.#damaged.get(keyOf(uploadId, file)) !== opened.identity) return opened
      await opened.handle.close()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EMFILE') throw error
    }
    return undefined
  }

  /** The upload's files as they are now; undefined if it has none. */
  async #cached(uploadId: string): Promise<CachedTree | undefined> {
    if (!isUploadId(uploadId)) return undefined
    const path = join(this.#folder(uploadId), 'manifest.jsonl')
    const found = await stat(path, { bigint: true }).catch(ignoreMissing)
    const cached = this.#trees.get(uploadId)
    if (cached) {
      this.#trees.delete(uploadId)
      this.#filesInMemory -= cached.tree.files.length
    }
    if (!found) return undefined
    const version = `${found.ino}:${found.mtimeNs}:${found.size}`
    if (cached?.version === version) {
      this.#keep(uploadId, cached)
      return cached
    }
    // A manifest put in place between the two calls is read under the version before it, and read once more next time.
    const tree = await readManifest(path).catch(ignoreMissing)
    if (!tree) return undefined
    const read: CachedTree = { version, tree }
    this.#keep(uploadId, read)
    return read
  }

  #keep(uploadId: string, cached: CachedTree): void {
    const before = this.#trees.get(uploadId)
    if (before) this.#filesInMemory -= before.tree.files.length
    this.#trees.delete(uploadId)
    this.#trees.set(uploadId, cached)
    this.#filesInMemory += cached.tree.files.length
    for (const [oldest, { tree }] of this.#trees) {
      if (this.#filesInMemory <= FILES_IN_MEMORY || oldest === uploadId) break
      this.#trees.delete(oldest)
      this.#filesInMemory -= tree.files.length
    }
  }
}

/** Upload ids become folder names: letters, digits, `_` and `-` only. */
function isUploadId(uploadId: string): boolean {
  return /^[\w-]{1,128}$/.test(uploadId)
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
  return undefined
}

/** Names a file among those of all uploads, by what it holds. */
function keyOf(uploadId: string, { path, sha256 }: RawFile): string {
  return `${uploadId}/${path}:${sha256}`
}

/** @param end first byte behind what is read */
function readStream(handle: FileHandle, start: number, end: number): ReadStream {
  return handle.createReadStream({ start, end: end - 1, highWaterMark: 256 * 1024 })
}
