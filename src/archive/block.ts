/**
 * Blocks: the packed bytes in which an archive is stored. A block is a list of pieces (JSON values), written as
 * MessagePack and compressed with zstd. Pure: a store only keeps the bytes.
 */
import { crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { Packr } from 'msgpackr'
import { endOfValue, listHeader } from './message-pack.ts'

const messagePack = new Packr({ useRecords: false, variableMapSize: true })

/** Packs a value. `undefined` inside is kept: it marks what stands in another piece. */
export function pack(value: unknown): Uint8Array {
  return zstdCompressSync(messagePack.pack(value))
}

/** The value that {@link pack} was given. */
export function unpack(bytes: Uint8Array): unknown {
  return messagePack.unpack(decompressed(bytes))
}

/** A value that is packed but not compressed, among others. */
export interface PackedValue {
  readonly bytes: Buffer
  /** Where it begins. */
  readonly at: number
}

/** The value itself. */
export function unpackValue({ bytes, at }: PackedValue): unknown {
  return messagePack.unpack(bytes.subarray(at, endOfValue(bytes, at)))
}

function decompressed(bytes: Uint8Array): Buffer {
  return zstdDecompressSync(bytes, { chunkSize: Math.max(CHUNK, sizeOf(bytes)) })
}

/** A block of which pieces are unpacked when they are asked for: a small one costs little, whatever stands beside it. */
export class PackedPieces {
  readonly #plain: Buffer
  /** Where pieces begin, as far as it is known. */
  readonly #begins: number[]
  readonly #values = new Map<number, unknown>()
  /** Number of pieces. */
  readonly length: number

  /** @param bytes what {@link pack} made of a list */
  constructor(bytes: Uint8Array) {
    this.#plain = decompressed(bytes)
    const { count, begin } = listHeader(this.#plain)
    this.length = count
    this.#begins = [begin]
  }

  /** Value of a piece; undefined when there is none. */
  piece(slot: number): unknown {
    if (slot >= this.length) return undefined
    if (this.#values.has(slot)) return this.#values.get(slot)
    const value = messagePack.unpack(this.#plain.subarray(this.#begin(slot), this.#begin(slot + 1)))
    this.#values.set(slot, value)
    return value
  }

  /** A piece as it is packed; undefined when there is none. */
  packed(slot: number): PackedValue | undefined {
    return slot < this.length ? { bytes: this.#plain, at: this.#begin(slot) } : undefined
  }

  #begin(slot: number): number {
    for (let last = this.#begins.length - 1; last < slot; last++) {
      this.#begins.push(endOfValue(this.#plain, this.#begins[last]!))
    }
    return this.#begins[slot]!
  }
}

/** Bytes that are made room for at once, at least. */
const CHUNK = 16 * 1024

/** Largest size that the header of a frame is believed in. */
const LARGEST = 16 * 1024 * 1024

/**
 * Bytes of what is compressed, as the header tells it (RFC 8878 §3.1.1.1); 0 when it does not. With room for all of it
 * decompression needs no second buffer.
 */
function sizeOf(bytes: Uint8Array): number {
  if (bytes.byteLength < 18) return 0
  const view = new DataView(bytes.buffer, bytes.byteOffset, 18)
  const descriptor = view.getUint8(4)
  // Two and four bytes after the descriptor; other frames are small or have other headers than ours.
  if ((descriptor & 0b0010_0011) !== 0b0010_0000) return 0
  if (descriptor >> 6 === 1) return view.getUint16(5, true) + 256
  return descriptor >> 6 === 2 ? Math.min(LARGEST, view.getUint32(5, true)) : 0
}

/** CRC-32 of packed bytes. */
export function checksum(bytes: Uint8Array): number {
  return crc32(bytes)
}

/**
 * A key as it is packed. MessagePack libraries of JavaScript refuse or rename `__proto__`, so it gets a mark, and what
 * looks marked gets one more.
 */
export function packedKey(key: string): string {
  return key.endsWith('__proto__') && /^\0*__proto__$/.test(key) ? '\0' + key : key
}

/** A copy of an unpacked value in which marked keys have their own names again. */
export function withOwnKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withOwnKeys)
  if (typeof value !== 'object' || value === null) return value
  const own: Record<string, unknown> = {}
  for (const [key, member] of Object.entries(value)) {
    setMember(own, withOwnKey(key), withOwnKeys(member))
  }
  return own
}

/** The name that {@link packedKey} was given. */
export function withOwnKey(key: string): string {
  return /^\0+__proto__$/.test(key) ? key.slice(1) : key
}

/** Sets an own member of a JSON object, whatever its name. */
export function setMember(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
}
