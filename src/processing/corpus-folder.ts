/**
 * A folder of uploads on disk: reads and checks its files (`fixtures/README.md`). Whatever is wrong with one of them
 * is a `BadFile`; the rest stays readable.
 */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { createGunzip, gunzip } from 'node:zlib'
import type { TSchema } from 'typebox'
import type { JsonObject } from '../archive/definitions.ts'
import { jsonParts } from '../archive/json-parts.ts'
import { isFilePath } from '../files/raw-path.ts'
import { decodeBase64 } from './base64-stream.ts'
import {
  DatasetRecord,
  GroupRecord,
  type RawFileRecord,
  recordFault,
  UploadRecord,
  UserRecord
} from './corpus-records.ts'
import { BadFile, type ImportProblem } from './import-problem.ts'
import { type ArchiveInput, fileFault, partsOfFile, type UploadFiles } from './upload-files.ts'

const unzip = promisify(gunzip)

/** Bytes of archives that are read at once. */
const READ_SIZE = 256 * 1024

/** Checked records and what was wrong with the others. */
export interface Records<T> {
  readonly records: readonly T[]
  readonly problems: readonly ImportProblem[]
}

/** A path that is no folder of uploads. */
export class UnknownLayout extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UnknownLayout'
  }
}

/** A folder in the layout of the corpus. */
export class CorpusFolder implements UploadFiles {
  readonly path: string
  readonly list = 'uploads.json'
  readonly hasRaw = true

  private constructor(path: string) {
    this.path = path
  }

  /** Whether a path is of this layout: a folder with a list of uploads, or of people only. */
  static async isOne(path: string): Promise<boolean> {
    for (const name of ['uploads.json', 'users.json']) {
      if ((await stat(join(path, name)).catch(() => undefined))?.isFile()) return true
    }
    return false
  }

  /** @throws UnknownLayout when there is no such folder */
  static async open(path: string): Promise<CorpusFolder> {
    if (await CorpusFolder.isOne(path)) return new CorpusFolder(path)
    if (!(await stat(path).catch(() => undefined))) throw new UnknownLayout(`${path} does not exist`)
    throw new UnknownLayout(
      `${path} is not something that can be imported: a folder of uploads (with the files uploads.json, users.json, … and the folder uploads/), an upload bundle, or the folder of an upload in the file storage of a NOMAD server`
    )
  }

  users(): Promise<Records<UserRecord>> {
    return this.#records('users.json', UserRecord, 'user_id')
  }

  groups(): Promise<Records<GroupRecord>> {
    return this.#records('groups.json', GroupRecord, 'group_id')
  }

  datasets(): Promise<Records<DatasetRecord>> {
    return this.#records('datasets.json', DatasetRecord, 'dataset_id')
  }

  uploads(): Promise<Records<UploadRecord>> {
    return this.#records('uploads.json', UploadRecord, 'upload_id')
  }

  /**
   * The further section definitions; empty when the folder has none.
   * @throws BadFile
   */
  async packages(): Promise<readonly JsonObject[]> {
    const file = await this.#jsonFile('metainfo/packages')
    if (!file) return []
    const content = (await this.#json(file)) as { packages?: unknown }
    const packages = Array.isArray(content) ? content : content?.packages
    const usable = Array.isArray(packages) && packages.every(p => isObject(p) && typeof p.name === 'string')
    if (!usable) throw new BadFile(file, 'must be a list of packages with names')
    return packages as JsonObject[]
  }

  async archive(uploadId: string, entryId: string, required: boolean): Promise<ArchiveInput | undefined> {
    const name = `uploads/${uploadId}/archive/${entryId}`
    const file = await this.#jsonFile(name)
    if (!file && required) throw new BadFile(`${name}.json`, 'is missing')
    if (!file) return undefined
    return {
      file,
      checksum: () => this.#checksum(file),
      parts: () => partsOfFile(file, () => jsonParts(this.#bytes(file)))
    }
  }

  /** Path of a raw file inside the folder. */
  rawFile(uploadId: string, file: RawFileRecord): string {
    return `uploads/${uploadId}/raw/${file.path}${file.encoding === 'base64' ? '.b64' : ''}`
  }

  /** The true bytes of a raw file. */
  openRaw(uploadId: string, file: RawFileRecord): Readable {
    const source = createReadStream(join(this.path, this.rawFile(uploadId, file)))
    if (file.encoding !== 'base64') return source
    const decoder = decodeBase64()
    // An error of either side reaches the reader, and a reader that goes away closes the file.
    void pipeline(source, decoder).catch(() => {})
    return decoder
  }

  /**
   * Reads a raw file once, to see that it can be imported.
   * @param hash gets its true bytes
   * @throws BadFile when it leaves the upload, is missing, has another size than listed, or is no base64
   */
  async checkRaw(uploadId: string, file: RawFileRecord, hash: Hash): Promise<void> {
    const name = this.rawFile(uploadId, file)
    if (!isFilePath(file.path)) throw new BadFile(name, 'is not a path inside the upload')
    await this.#requireInside(name, `uploads/${uploadId}/raw`)
    let size = 0
    try {
      for await (const chunk of this.openRaw(uploadId, file)) {
        size += (chunk as Buffer).byteLength
        hash.update(chunk as Buffer)
      }
    } catch (error) {
      throw new BadFile(name, (error as Error).message)
    }
    if (size !== file.size) throw new BadFile(name, `has ${size} bytes, but uploads.json says ${file.size}`)
  }

  /** @throws BadFile */
  async #checksum(file: string): Promise<string> {
    const hash = createHash('sha256')
    try {
      await pipeline(createReadStream(join(this.path, file)), hash)
    } catch (error) {
      throw new BadFile(file, fileFault(error))
    }
    return hash.digest('hex')
  }

  /** The bytes of a file, unpacked. */
  async *#bytes(file: string): AsyncGenerator<Buffer> {
    const source = createReadStream(join(this.path, file), { highWaterMark: READ_SIZE })
    if (!file.endsWith('.gz')) yield* source
    else {
      const unpacked = createGunzip({ chunkSize: READ_SIZE })
      pipeline(source, unpacked).catch(() => {})
      yield* unpacked
    }
  }

  /** A link may not bring in what lies outside the upload. */
  async #requireInside(file: string, root: string): Promise<void> {
    try {
      const [path, folder] = await Promise.all([
        realpath(join(this.path, file)),
        realpath(join(this.path, root))
      ])
      if (!path.startsWith(folder + sep)) throw new BadFile(file, 'is a link that leaves the upload')
      if (!(await stat(path)).isFile()) throw new BadFile(file, 'is not a file')
    } catch (error) {
      throw error instanceof BadFile ? error : new BadFile(file, fileFault(error))
    }
  }

  async #jsonFile(name: string): Promise<string | undefined> {
    for (const file of [`${name}.json`, `${name}.json.gz`]) {
      if (await stat(join(this.path, file)).catch(() => undefined)) return file
    }
    return undefined
  }

  async #json(file: string): Promise<unknown> {
    try {
      const bytes = await readFile(join(this.path, file))
      return JSON.parse((file.endsWith('.gz') ? await unzip(bytes) : bytes).toString('utf8'))
    } catch (error) {
      throw new BadFile(
        file,
        error instanceof SyntaxError ? `is not valid JSON: ${error.message}` : fileFault(error)
      )
    }
  }

  /** Records of a list file; a file that is not there has none. */
  async #records<T extends TSchema, R>(file: string, schema: T, id: string): Promise<Records<R>> {
    if (!(await stat(join(this.path, file)).catch(() => undefined))) return { records: [], problems: [] }
    const problems: ImportProblem[] = []
    const records: R[] = []
    const known = new Set<unknown>()
    let content: unknown
    try {
      content = await this.#json(file)
    } catch (error) {
      if (!(error instanceof BadFile)) throw error
      return { records, problems: [{ file, message: error.message }] }
    }
    if (!Array.isArray(content)) return { records, problems: [{ file, message: 'must hold a list' }] }
    for (const [index, record] of content.entries()) {
      const name = isObject(record) && typeof record[id] === 'string' ? record[id] : `number ${index + 1}`
      const fault = recordFault(schema, record)
      if (fault) problems.push({ file, message: `${name}: ${fault}` })
      else if (known.has(name)) problems.push({ file, message: `${name}: is listed twice` })
      else records.push(record as R)
      known.add(name)
    }
    return { records, problems }
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
