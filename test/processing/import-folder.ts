/** Folders of uploads for tests of the import: a copy of `fixtures/guide` that tests may spoil. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { UploadRecord } from '../../src/processing/corpus-records.ts'
import { ALL, type Query } from '../../src/query/tree.ts'
import { walk } from '../../src/search/entry-index.ts'
import type { Services } from '../../src/services.ts'

const FIXTURES = join(import.meta.dirname, '../../fixtures')

/** Upload of `fixtures/guide`. */
export const UPLOAD = 'KzR8Vh6NRcygQlIrmuLHeA'
/** Entries of `fixtures/guide`, by the folders of their mainfiles. */
export const ENTRIES = {
  slab: '--btEqakO1kKnV6MWyTproNqkO3M',
  rutile: 'EGOjc1BuRhGx2jsVQexjmPMUoWiD',
  salt: 'acSgANLg9_fuQUbn4VPDQO00nFVT',
  ice: 'eRr35e5PeHztrNxCdQJa5rIWFMNK'
} as const
/** Main author and coauthor of `fixtures/guide`. */
export const AUTHOR = '5b1e8f36-7c2a-4d94-a6e0-3d9c41f7b806'
export const COAUTHOR = 'e27a94c1-0b5d-4f38-8d6f-92b4c7a1e307'

/** All of `uploads.json` in `fixtures/corpus`. */
export async function corpusUploads(): Promise<UploadRecord[]> {
  return JSON.parse(await readFile(join(FIXTURES, 'corpus', 'uploads.json'), 'utf8'))
}

/** A record of an upload that may be changed. */
export type MutableUpload = { -readonly [K in keyof UploadRecord]: UploadRecord[K] }

/** A folder that a test may spoil. */
export class ImportFolder {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  /** A copy of `fixtures/guide`. */
  static async guide(): Promise<ImportFolder> {
    const folder = new ImportFolder(await mkdtemp(join(tmpdir(), 'serai-import-')))
    await cp(join(FIXTURES, 'guide'), folder.path, { recursive: true })
    return folder
  }

  /** `fixtures/corpus` with these uploads alone. */
  static async corpus(...uploadIds: string[]): Promise<ImportFolder> {
    const folder = new ImportFolder(await mkdtemp(join(tmpdir(), 'serai-import-')))
    const source = join(FIXTURES, 'corpus')
    for (const name of ['users.json', 'groups.json', 'datasets.json', 'metainfo']) {
      await cp(join(source, name), join(folder.path, name), { recursive: true })
    }
    for (const id of uploadIds) {
      await cp(join(source, 'uploads', id), join(folder.path, 'uploads', id), { recursive: true })
    }
    const uploads = await corpusUploads()
    await folder.write('uploads.json', JSON.stringify(uploads.filter(u => uploadIds.includes(u.upload_id))))
    return folder
  }

  read(file: string): Promise<string> {
    return readFile(join(this.path, file), 'utf8')
  }

  write(file: string, content: string): Promise<void> {
    return writeFile(join(this.path, file), content)
  }

  remove(file: string): Promise<void> {
    return rm(join(this.path, file))
  }

  /** Changes the first upload in `uploads.json`. */
  async change(edit: (upload: MutableUpload) => void): Promise<void> {
    const file = join(this.path, 'uploads.json')
    const uploads = JSON.parse(await readFile(file, 'utf8')) as [MutableUpload, ...MutableUpload[]]
    edit(uploads[0])
    await writeFile(file, JSON.stringify(uploads))
  }

  end(): Promise<void> {
    return rm(this.path, { recursive: true })
  }
}

/** Path of an archive inside the folder. */
export const archiveFile = (entryId: string) => `uploads/${UPLOAD}/archive/${entryId}.json`

/** Path of a raw file inside the folder. */
export const rawFile = (path: string) => `uploads/${UPLOAD}/raw/${path}`

/** All entries of `fixtures/guide`, ordered. */
export const EVERYTHING: readonly string[] = Object.values(ENTRIES).sort()

/** All but these. */
export const without = (...ids: string[]) => EVERYTHING.filter(id => !ids.includes(id))

/** Ids of the entries that are found. */
export async function found(services: Services, query: Query = ALL): Promise<string[]> {
  return (await Array.fromAsync(walk(services.index, { query, order: 'asc' }))).map(hit => hit.entryId)
}

/** What the stores hold of the upload of `fixtures/guide`. */
export async function stored(services: Services) {
  return {
    entries: (await services.documents.entriesOfUpload(UPLOAD)).map(e => e.entry_id).sort(),
    archives: [...(await services.archives.contents(EVERYTHING)).keys()].sort(),
    index: await found(services),
    files: (await Array.fromAsync(services.files.walk(UPLOAD, ''))).map(f => f.path)
  }
}
