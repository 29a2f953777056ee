/**
 * One upload of the reference, as a server of its keeps it on disk (staging or public directory) or exports it (a bundle,
 * as zip or as folder): what it consists of, and its files. See `archive.md` §12 and §13.
 */
import type { Hash } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { PackedFile } from '../../archive/formats/packed-file.ts'
import { type ArchiveParts, UnusableArchive } from '../../archive/parts.ts'
import { isFilePath } from '../../files/raw-path.ts'
import { ZipReader } from '../../files/zip-reader.ts'
import type { DocumentStore } from '../../storage/documents.ts'
import { ArchiveOutline } from '../archive-outline.ts'
import type { DatasetRecord, RawFileRecord, UploadRecord } from '../corpus-records.ts'
import { BadFile, type ImportProblem } from '../import-problem.ts'
import { type ArchiveInput, fileFault, partsOfFile, type UploadFiles } from '../upload-files.ts'
import { type ArchiveMetadata, describeByMetadata } from './archive-metadata.ts'
import { readBundleInfo } from './bundle-info.ts'
import { type FileTree, FolderTree, ZipTree } from './file-tree.ts'
import { isUpload, layoutOf, pathOfRaw, rawPath, type UploadLayout } from './layout.ts'

/** What an upload is made from. */
export interface UploadDescription {
  readonly record: UploadRecord
  readonly datasets: readonly DatasetRecord[]
  readonly problems: readonly ImportProblem[]
}

/** See above. */
export class ReferenceUpload implements UploadFiles {
  readonly #tree: FileTree
  readonly #layout: UploadLayout
  /** Zip with the raw files of a published upload. */
  readonly #raw: ZipReader | undefined
  /** Archives of a published upload. */
  readonly #archives: PackedFile | undefined
  readonly #checksums = new Map<string, Promise<string>>()

  private constructor(
    tree: FileTree,
    layout: UploadLayout,
    raw: ZipReader | undefined,
    archives: PackedFile | undefined
  ) {
    this.#tree = tree
    this.#layout = layout
    this.#raw = raw
    this.#archives = archives
  }

  /**
   * Opens an upload.
   * @param path of a folder or a zip
   * @returns undefined when it is something else
   * @throws BadFile when a file of it cannot be used
   */
  static async open(path: string): Promise<ReferenceUpload | undefined> {
    const tree = await openTree(path)
    if (!tree) return undefined
    try {
      const layout = layoutOf(tree.sizes)
      if (layout)
        return new ReferenceUpload(tree, layout, await rawOf(tree, layout), await archivesOf(tree, layout))
    } catch (error) {
      await tree.close()
      throw error
    }
    await tree.close()
    return undefined
  }

  close(): Promise<void> {
    return this.#tree.close()
  }

  get list(): string {
    return this.#layout.info ?? this.#layout.archives ?? 'archive'
  }

  get hasRaw(): boolean {
    return this.#raw !== undefined || this.#layout.rawFiles.length > 0
  }

  /**
   * Describes the upload: by its description, or by what its archives tell.
   * @throws BadFile when it cannot be imported
   */
  async describe(documents: DocumentStore): Promise<UploadDescription> {
    const rawFiles = this.#rawFiles()
    const problems: ImportProblem[] = this.#layout.hdf5.map(file => ({
      file,
      message: 'holds values in HDF5, which are not imported'
    }))
    if (!this.#layout.info) {
      const found = await this.#metadata(problems)
      const named = found.flatMap(({ metadata: { datasets } }) => (Array.isArray(datasets) ? datasets : []))
      const known = new Set((await documents.datasets([...new Set(named)])).map(d => d.dataset_id))
      const described = describeByMetadata(found, this.#layout.access, rawFiles, known)
      return { ...described, datasets: [], problems: [...problems, ...described.problems] }
    }
    const description = readBundleInfo(await this.#json(this.#layout.info), rawFiles, Date.now())
    this.#requireAccess(description.record)
    return { ...description, problems }
  }

  async checkRaw(_uploadId: string, { path, size }: RawFileRecord, hash: Hash): Promise<void> {
    const name = this.#raw ? `${this.#layout.rawZip}: ${path}` : rawPath(path)
    if (!isFilePath(path)) throw new BadFile(name, 'is not a path inside the upload')
    const entry = this.#raw?.files.get(path)
    hash.update(entry ? `${entry.crc32} ${size}` : await this.#tree.checksum(rawPath(path)))
  }

  openRaw(_uploadId: string, { path }: RawFileRecord): Readable {
    return this.#raw ? this.#raw.open(path) : this.#tree.open(rawPath(path))
  }

  async archive(_uploadId: string, entryId: string, required: boolean): Promise<ArchiveInput | undefined> {
    const { archives, entryArchives } = this.#layout
    const file = archives ?? entryArchives.get(entryId)
    if (!file || (this.#archives && !this.#archives.has(entryId))) {
      if (!required) return undefined
      throw new BadFile(file ?? 'archive', `has no archive of the entry ${entryId}`)
    }
    const packed = this.#archives
    return {
      file,
      checksum: () => this.#checksum(file),
      parts: () => partsOfFile(file, () => (packed ? packed.parts(entryId) : this.#entryParts(file, entryId)))
    }
  }

  #rawFiles(): RawFileRecord[] {
    if (this.#raw)
      return [...this.#raw.files].map(([path, entry]) => ({ path, size: entry.uncompressedSize }))
    return this.#layout.rawFiles.map(path => ({ path: pathOfRaw(path), size: this.#tree.sizes.get(path)! }))
  }

  /** Never shows restricted files to everyone. */
  #requireAccess({ publish_time, embargo_length = 0 }: UploadRecord): void {
    const { info, access, rawFiles, entryArchives } = this.#layout
    const refuse = (why: string) => {
      throw new BadFile(info!, why)
    }
    if (access === 'restricted' && embargo_length === 0) {
      refuse('upload.embargo_length is 0, but the files are restricted')
    }
    if (access && !publish_time)
      refuse('upload.publish_time is missing, but the files are those of a published upload')
    if (publish_time && rawFiles.length + entryArchives.size > 0) {
      refuse('upload.publish_time is set, but the files are those of an upload that is not published')
    }
  }

  #checksum(file: string): Promise<string> {
    const known = this.#checksums.get(file) ?? this.#tree.checksum(file)
    this.#checksums.set(file, known)
    return known
  }

  async #json(file: string): Promise<unknown> {
    try {
      const chunks = await Array.fromAsync(this.#tree.open(file) as AsyncIterable<Buffer>)
      return JSON.parse(Buffer.concat(chunks).toString('utf8'))
    } catch (error) {
      throw new BadFile(
        file,
        error instanceof SyntaxError ? `is not valid JSON: ${error.message}` : fileFault(error)
      )
    }
  }

  async *#entryParts(file: string, entryId: string): ArchiveParts {
    const source = await this.#tree.source(file)
    try {
      yield* (await PackedFile.open(source)).parts(entryId)
    } finally {
      await source.close()
    }
  }

  async #metadata(problems: ImportProblem[]): Promise<ArchiveMetadata[]> {
    const found: ArchiveMetadata[] = []
    for (const entryId of this.#archives?.entryIds ?? this.#layout.entryArchives.keys()) {
      try {
        const input = (await this.archive('', entryId, true))!
        const outline = new ArchiveOutline()
        for await (const _ of outline.watch(input.parts()));
        const { metadata } = outline.archive
        const isObject = typeof metadata === 'object' && metadata !== null
        if (isObject)
          found.push({ entryId, file: input.file, metadata: metadata as ArchiveMetadata['metadata'] })
        else problems.push({ file: input.file, message: `${entryId}: has no metadata` })
      } catch (error) {
        if (!(error instanceof BadFile)) throw error
        problems.push({ file: error.file, message: error.message })
      }
    }
    return found
  }
}

async function openTree(path: string): Promise<FileTree | undefined> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory()) return isUpload(await readdir(path)) ? FolderTree.open(path) : undefined
  if (!found?.isFile()) return undefined
  return ZipTree.open(path).catch(error => {
    if (/\.zip$/i.test(path)) throw new BadFile(path, `cannot be read as a zip: ${error.message}`)
    return undefined
  })
}

async function rawOf(tree: FileTree, { rawZip }: UploadLayout): Promise<ZipReader | undefined> {
  if (!rawZip) return undefined
  const source = await tree.source(rawZip)
  try {
    return await ZipReader.open(source)
  } catch (error) {
    throw new BadFile(rawZip, `cannot be read as a zip: ${fileFault(error)}`)
  }
}

async function archivesOf(tree: FileTree, { archives }: UploadLayout): Promise<PackedFile | undefined> {
  if (!archives) return undefined
  const source = await tree.source(archives)
  try {
    return await PackedFile.open(source)
  } catch (error) {
    throw new BadFile(archives, error instanceof UnusableArchive ? error.message : fileFault(error))
  }
}
