/** Fills an empty installation from a backup, whatever storage profile either of them has. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { zstdDecompress } from 'node:zlib'
import type { ReindexProgress } from '../processing/reindex.ts'
import type { Services } from '../services.ts'
import { eachAtOnce } from './at-once.ts'
import { type CopyProgress, type CopyReport, totals } from './every-upload.ts'
import { beginFilling, endFilling } from './filling.ts'
import { filesOf, type Manifest, readManifest, SITE, uploadFileName } from './manifest.ts'
import { Measured } from './measured.ts'
import type { Site } from './site.ts'
import { damaged, readUploadFile } from './upload-file-reader.ts'
import { UploadStore } from './upload-store.ts'

/** Told how far it is: first the copying, then the indexing. */
export type FillProgress =
  | ({ readonly step: 'copying' } & CopyProgress)
  | (ReindexProgress & { readonly step: 'indexing' })

/**
 * Restores a backup. Killed in between, the installation cannot be used until the same is run again, which goes on.
 * @throws Error when it is no backup, or damaged, or when the installation is not empty; SeraiError when a store fails
 */
export async function restore(
  folder: string,
  services: Services,
  onProgress: (event: FillProgress) => void = () => {}
): Promise<CopyReport> {
  const manifest = await readManifest(folder)
  const site = await readSiteFile(folder, manifest)
  await beginFilling(services, `the backup ${manifest.id}`)
  const total = manifest.uploads.reduce((sum, upload) => sum + upload.entries, 0)
  let done = 0
  await eachAtOnce(manifest.uploads, async upload => {
    const { upload_id: uploadId, entries } = upload
    onProgress({ step: 'copying', done, total, name: uploadId })
    // The upload document is stored last: with it the upload is complete.
    if (!(await services.documents.upload(uploadId))) {
      const path = join(folder, uploadFileName(uploadId))
      await readUploadFile(path, uploadId, upload, new UploadStore(uploadId, services))
    }
    done += entries
  })
  onProgress({ step: 'copying', done, total, name: '' })
  const problems = await endFilling(services, site, ({ done, total, name }) =>
    onProgress({ step: 'indexing', done, total, name })
  )
  return { ...totals(manifest.uploads), users: site.users.length, problems }
}

/**
 * Reads all of a backup and compares it with its checksums; nothing else is touched.
 * @throws Error that names the first file that is damaged
 */
export async function verifyBackup(
  folder: string,
  onProgress: (event: CopyProgress) => void = () => {}
): Promise<Manifest> {
  const manifest = await readManifest(folder)
  const files = filesOf(manifest)
  for (const [i, [name, { sha256 }]] of files.entries()) {
    onProgress({ done: i, total: files.length, name })
    const measured = new Measured()
    for await (const _ of measured.through(createReadStream(join(folder, name))));
    if (measured.sha256() !== sha256) throw damaged(join(folder, name))
  }
  onProgress({ done: files.length, total: files.length, name: '' })
  return manifest
}

async function readSiteFile(folder: string, { site }: Manifest): Promise<Site> {
  const path = join(folder, SITE)
  const bytes = await readFile(path)
  if (createHash('sha256').update(bytes).digest('hex') !== site.sha256) throw damaged(path)
  return JSON.parse((await promisify(zstdDecompress)(bytes)).toString()) as Site
}
