/**
 * The list of a backup, `serai-backup.json`: what it holds, with sizes and checksums. It is put in place last and in one
 * step; a folder without it is no backup.
 */
import { open, readdir, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import Type, { type Static } from 'typebox'
import Value from 'typebox/value'
import { syncDirectory } from '../files/directory-sync.ts'

/** Counts up with every change of the files that an older version cannot read. */
const FORMAT = 1

const NAME = 'serai-backup.json'

/** File of a backup with what is beside the uploads (`site.ts`): JSON, packed with zstd. */
export const SITE = 'site.json.zst'

const Written = {
  size: Type.Integer({ minimum: 0 }),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' })
}

const Manifest = Type.Object({
  serai_backup: Type.Integer(),
  /** Version of Serai that made it. */
  version: Type.String(),
  /** Names this backup among all. */
  id: Type.String(),
  started_at: Type.String(),
  finished_at: Type.String(),
  /** Storage profile that it was made of; any other can be filled from it. */
  profile: Type.String(),
  site: Type.Object(Written),
  uploads: Type.Array(
    Type.Object({
      // It becomes a file name.
      upload_id: Type.String({ pattern: '^[\\w-]{1,128}$' }),
      entries: Type.Integer({ minimum: 0 }),
      archives: Type.Integer({ minimum: 0 }),
      files: Type.Integer({ minimum: 0 }),
      ...Written
    })
  ),
  /** What could not be copied, in words. */
  problems: Type.Array(Type.String())
})
export type Manifest = Static<typeof Manifest>

/** Name of the file of an upload inside a backup. */
export function uploadFileName(uploadId: string): string {
  return join('uploads', uploadId.slice(0, 2), `${uploadId}.tar.zst`)
}

/** Puts the list into its place; all files of the backup are on disk before. */
export async function writeManifest(folder: string, manifest: Omit<Manifest, 'serai_backup'>): Promise<void> {
  const path = join(folder, NAME)
  const file = await open(`${path}.tmp`, 'wx', 0o600)
  try {
    await file.writeFile(`${JSON.stringify({ serai_backup: FORMAT, ...manifest }, null, 1)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.tmp`, path)
  await syncDirectory(folder)
}

/**
 * Reads the list and makes sure that every file is there in its size.
 * @throws Error that says what is wrong: no backup, not finished, of a newer version, damaged
 */
export async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, NAME)
  let manifest: unknown
  try {
    manifest = JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) throw new Error(`${path} is damaged: it is not JSON`)
    const names = await readdir(folder).catch(() => undefined)
    if (!names) throw new Error(`${folder} is not a folder that can be read`)
    throw new Error(
      names.includes('uploads')
        ? `${folder} holds a backup that was not finished: it has no ${NAME}`
        : `${folder} is not a backup: it has no ${NAME}`
    )
  }
  const format = (manifest as { serai_backup?: unknown }).serai_backup
  if (typeof format === 'number' && format > FORMAT) {
    throw new Error(`${folder} was made by a newer version of Serai; this one reads formats up to ${FORMAT}`)
  }
  if (!Value.Check(Manifest, manifest)) throw new Error(`${path} is damaged: it is not the list of a backup`)
  for (const [name, { size }] of filesOf(manifest)) {
    const found = await stat(join(folder, name)).catch(() => undefined)
    if (found?.size === size) continue
    const told = found ? `it has ${found.size} bytes instead of ${size}` : 'it is missing'
    throw new Error(`${join(folder, name)} is damaged: ${told}`)
  }
  return manifest
}

/** The files of a backup by their names in the folder. */
export function filesOf({ site, uploads }: Manifest): [name: string, { size: number; sha256: string }][] {
  return [[SITE, site], ...uploads.map(row => [uploadFileName(row.upload_id), row] as [string, typeof row])]
}
