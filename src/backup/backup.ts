/**
 * A backup: a folder from which an installation of any storage profile can be filled. It is made while the server and
 * imports go on; every upload is in it as it was at one moment.
 *
 * ```
 * serai-backup.json                    list of the files, put in place last (`manifest.ts`)
 * site.json.zst                        people, groups, datasets, settings, accounts (`site.ts`)
 * uploads/<first two letters>/<upload_id>.tar.zst      one upload each (`upload-file.ts`)
 * ```
 *
 * The search index is not in it: it follows from the rest.
 */
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { zstdCompress } from 'node:zlib'
import { syncDirectory } from '../files/directory-sync.ts'
import { VERSION } from '../version.ts'
import { type CopyProgress, type CopyReport, copyEveryUpload, problemText, totals } from './every-upload.ts'
import { type Manifest, SITE, uploadFileName, writeManifest } from './manifest.ts'
import { readSite, type SiteStores } from './site.ts'
import { type CopiedUpload, copyStoredUpload, type UploadSource } from './stored-upload.ts'
import { ToDisk } from './to-disk.ts'
import type { CopyProblem } from './upload-copy.ts'
import { UploadFile, type WrittenFile } from './upload-file.ts'

/**
 * Makes a backup.
 * @param folder is made; or empty
 * @param profile name of the storage profile, for the list
 * @throws Error when the folder is not empty or cannot be written; SeraiError when a store fails. What was written then is
 *   no backup.
 */
export async function backUp(
  stores: UploadSource & SiteStores,
  folder: string,
  profile: string,
  onProgress: (event: CopyProgress) => void = () => {}
): Promise<CopyReport & { readonly bytes: number }> {
  await makeEmptyFolder(folder)
  const started_at = new Date().toISOString()
  const written = new Map<string, WrittenFile>()
  const toDisk = new ToDisk()
  const copied = await copyEveryUpload(
    stores.documents,
    async uploadId => {
      const upload = await backUpUpload(uploadId, stores, folder, written)
      if (written.has(uploadId)) await toDisk.add(join(folder, uploadFileName(uploadId)))
      return upload
    },
    onProgress
  )
  await toDisk.end()
  const uploads: Manifest['uploads'] = []
  const problems: CopyProblem[] = []
  for (const [upload_id, { entries, archives, files, problems: told }] of copied) {
    problems.push(...told)
    const file = written.get(upload_id)
    if (file) uploads.push({ upload_id, entries, archives, files, ...file })
  }
  const site = await readSite(stores)
  const writtenSite = await writePacked(join(folder, SITE), site)
  await syncFolders(folder)
  await writeManifest(folder, {
    version: VERSION,
    id: randomUUID(),
    started_at,
    finished_at: new Date().toISOString(),
    profile,
    site: writtenSite,
    uploads,
    problems: problems.map(problemText)
  })
  const bytes = uploads.reduce((sum, { size }) => sum + size, writtenSite.size)
  return { ...totals(uploads), users: site.users.length, problems, bytes }
}

/** @param written its row is that of the file, if there is one */
async function backUpUpload(
  uploadId: string,
  stores: UploadSource,
  folder: string,
  written: Map<string, WrittenFile>
): Promise<CopiedUpload | undefined> {
  const path = join(folder, uploadFileName(uploadId))
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await rm(path, { force: true })
  written.delete(uploadId)
  let file: UploadFile | undefined
  const begin = async () => {
    file = new UploadFile(path)
    return file
  }
  const copied = await copyStoredUpload(uploadId, stores, begin, begun => begun.discard())
  if (file?.written) written.set(uploadId, file.written)
  return copied
}

async function makeEmptyFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const names = await readdir(folder)
  if (names.length === 0) return
  throw new Error(
    names.includes('uploads') && !names.includes('serai-backup.json')
      ? `${folder} holds a backup that was not finished; remove it, or choose another folder`
      : `${folder} is not empty; choose a new folder`
  )
}

async function writePacked(path: string, value: unknown): Promise<WrittenFile> {
  const bytes = await promisify(zstdCompress)(JSON.stringify(value))
  await writeFile(path, bytes, { flag: 'wx', mode: 0o600, flush: true })
  return { size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** Makes the names of all files permanent. */
async function syncFolders(folder: string): Promise<void> {
  const uploads = join(folder, 'uploads')
  await mkdir(uploads, { recursive: true, mode: 0o700 })
  for (const name of await readdir(uploads)) await syncDirectory(join(uploads, name))
  await syncDirectory(uploads)
  await syncDirectory(folder)
}
