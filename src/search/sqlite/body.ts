/**
 * Stored documents: JSON packed with zstd. Documents of an installation resemble each
 * other, so the first ones serve as dictionary for all, which halves the size.
 */
import { createHash } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

const DICTIONARY = 'dictionary'

/** Bytes of the dictionary at most; more makes every document slower to pack. */
const DICTIONARY_MAX = 64 * 1024

/** Smaller batches of first documents are no good sample. */
const SAMPLE_MIN = 16 * 1024

/** A third faster than the default, and a tenth larger. */
const FAST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** Packed with the dictionary; the first byte of a body tells whether it was. */
const PLAIN = 0
const WITH_DICTIONARY = 1

/** Tells whether a stored document is still the same: another text for another one. */
export function bodyVersion(body: Uint8Array): string {
  return createHash('sha1').update(body).digest('base64')
}

/** Packs and unpacks the documents of one file. */
export class Bodies {
  readonly #database: DatabaseSync
  #dictionary: Uint8Array | undefined

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#dictionary = this.#load()
  }

  #load(): Uint8Array | undefined {
    const row = this.#database.prepare('SELECT value FROM setting WHERE name = ?').get(DICTIONARY)
    return row?.value as Uint8Array | undefined
  }

  /** Takes the dictionary from the first documents, unless there is one. Call it before they are packed. */
  learn(texts: Iterable<string>): void {
    this.#dictionary ??= this.#load()
    if (this.#dictionary) return
    const parts: Buffer[] = []
    let size = 0
    for (const text of texts) {
      if (size >= DICTIONARY_MAX) break
      const part = Buffer.from(text).subarray(0, DICTIONARY_MAX - size)
      parts.push(part)
      size += part.length
    }
    if (size < SAMPLE_MIN) return
    // Another process may have been first; its dictionary counts.
    this.#database
      .prepare('INSERT OR IGNORE INTO setting VALUES (?, ?)')
      .run(DICTIONARY, Buffer.concat(parts))
    this.#dictionary = this.#load()
  }

  /** Reads the dictionary anew when it is needed: a transaction that may have stored it was rolled back. */
  forget(): void {
    this.#dictionary = undefined
  }

  pack(text: string): Uint8Array {
    const dictionary = this.#dictionary
    const packed = zstdCompressSync(text, dictionary ? { ...FAST, dictionary } : FAST)
    return Buffer.concat([Uint8Array.of(dictionary ? WITH_DICTIONARY : PLAIN), packed])
  }

  /** The JSON text of a stored body. */
  unpack(body: Uint8Array): string {
    if (body[0] === PLAIN) return zstdDecompressSync(body.subarray(1)).toString()
    this.#dictionary ??= this.#load()
    return zstdDecompressSync(body.subarray(1), { dictionary: this.#dictionary as Uint8Array }).toString()
  }
}
