/** Takes uploads into the stores, from another installation or out of a backup. */
import type { Services } from '../services.ts'
import type { ArchiveBlock } from '../storage/archives.ts'
import type { Upload } from '../storage/documents.ts'
import type { CopiedArchive, CopiedEntry, CopiedFile, UploadSink } from './upload-copy.ts'

/** The stores that uploads are put into. */
export type UploadTarget = Pick<Services, 'documents' | 'archives' | 'files'>

/** Entries whose documents are written together. */
const BATCH = 200

/** Archives that are written at once, and bytes up to which one is held in memory for that. */
const WRITING = 8
const SMALL = 256 * 1024

/** One upload on its way into the stores; what is there of it already is replaced. */
export class UploadStore implements UploadSink {
  readonly #uploadId: string
  readonly #target: UploadTarget
  /** Entries whose archives were stored. */
  readonly #archives: string[] = []
  #hasFiles = false

  constructor(uploadId: string, target: UploadTarget) {
    this.#uploadId = uploadId
    this.#target = target
  }

  /** @throws Error naming a file that is not what was once stored, or cannot be written */
  async files(files: AsyncIterable<CopiedFile>): Promise<void> {
    const expected = new Map<string, string>()
    async function* noted() {
      for await (const file of files) {
        expected.set(file.path, file.sha256)
        yield file
      }
    }
    this.#hasFiles = true
    await this.#target.files.replace(this.#uploadId, noted())
    const tree = await this.#target.files.tree(this.#uploadId)
    for (const [path, sha256] of expected) {
      const node = tree?.node(path)
      if (node?.kind !== 'file' || node.sha256 !== sha256)
        throw new Error(`The file ${path} of the upload ${this.#uploadId} has not arrived as it was stored`)
    }
  }

  async archives(archives: AsyncIterable<CopiedArchive>): Promise<void> {
    const writing = new Set<Promise<void>>()
    let failed: { readonly error: unknown } | undefined
    try {
      for await (const archive of archives) {
        const { entryId, contents, sizes } = archive
        if (sizes.reduce((sum, size) => sum + size, 0) > SMALL) {
          await this.#put(entryId, contents, archive.blocks)
          continue
        }
        const blocks = await Array.fromAsync(archive.blocks)
        const put = this.#put(entryId, contents, blocks)
          .catch(error => {
            failed ??= { error }
          })
          .finally(() => writing.delete(put))
        writing.add(put)
        if (writing.size >= WRITING) await Promise.race(writing)
        if (failed) break
      }
    } finally {
      await Promise.all(writing)
    }
    if (failed) throw failed.error
  }

  #put(
    entryId: string,
    contents: Uint8Array,
    blocks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
  ): Promise<void> {
    this.#archives.push(entryId)
    return this.#target.archives.put(
      entryId,
      this.#uploadId,
      async (store: (block: ArchiveBlock) => Promise<void>) => {
        let number = 0
        for await (const bytes of blocks) await store({ number: ++number, bytes })
        return contents
      }
    )
  }

  async documents(
    upload: Upload,
    entries: AsyncIterable<CopiedEntry> | Iterable<CopiedEntry>
  ): Promise<void> {
    const { documents, archives } = this.#target
    const left = new Set((await documents.entriesOfUpload(this.#uploadId)).map(entry => entry.entry_id))
    let batch: CopiedEntry[] = []
    const flush = async () => {
      for (const { entry, definitionIds } of batch) {
        const known = left.delete(entry.entry_id)
        if (known || definitionIds.length > 0) await documents.putDefinitionIds(entry.entry_id, definitionIds)
      }
      await documents.putEntries(batch.map(({ entry }) => entry))
      batch = []
    }
    for await (const entry of entries) {
      batch.push(entry)
      if (batch.length >= BATCH) await flush()
    }
    await flush()
    // What an earlier copy has left of entries that are gone.
    await documents.removeEntries([...left])
    await archives.remove([...left])
    await documents.putUpload(upload)
  }

  /** Removes what was stored before the documents. */
  async discard(): Promise<void> {
    await this.#target.archives.remove(this.#archives)
    if (this.#hasFiles) await this.#target.files.remove(this.#uploadId)
  }
}
