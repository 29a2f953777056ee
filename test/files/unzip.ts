/** Reads zips in tests, with checksums. */
import { crc32 } from 'node:zlib'
import { type Entry, fromBuffer, type ZipFile } from 'yauzl'

/** A member of a zip. */
export interface Unzipped {
  readonly name: string
  readonly content: Buffer
  readonly crc32: number
  readonly stored: boolean
  readonly modified: Date
}

/**
 * All members in their order.
 * @throws Error when the zip is not complete or a member does not have its checksum
 */
export async function unzip(bytes: Buffer): Promise<Unzipped[]> {
  const zip = await new Promise<ZipFile>((resolve, reject) => {
    fromBuffer(bytes, { lazyEntries: true, validateEntrySizes: true }, (error, file) =>
      error ? reject(error) : resolve(file as ZipFile)
    )
  })
  const members: Unzipped[] = []
  return new Promise((resolve, reject) => {
    zip.on('error', reject)
    zip.on('end', () => resolve(members))
    zip.on('entry', (entry: Entry) => {
      zip.openReadStream(entry, async (error, stream) => {
        if (error) return reject(error)
        try {
          const content = Buffer.concat(await Array.fromAsync(stream as AsyncIterable<Buffer>))
          if (crc32(content) !== entry.crc32) throw new Error(`${entry.fileName} does not have its checksum`)
          members.push({
            name: entry.fileName,
            content,
            crc32: entry.crc32,
            stored: entry.compressionMethod === 0,
            modified: entry.getLastModDate({ timezone: 'UTC' })
          })
          zip.readEntry()
        } catch (fault) {
          reject(fault)
        }
      })
    })
    zip.readEntry()
  })
}
