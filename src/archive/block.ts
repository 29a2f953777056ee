/**
 * Blocks: the packed bytes in which an archive is stored. A block is a list of pieces (JSON values), written as
 * MessagePack and compressed with zstd. Pure: a store only keeps the bytes.
 */
import { crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { Packr } from 'msgpackr'

const messagePack = new Packr({ useRecords: false, variableMapSize: true })

/** Packs a value. `undefined` inside is kept: it marks what stands in another piece. */
export function pack(value: unknown): Uint8Array {
  return zstdCompressSync(messagePack.pack(value))
}

/** The value that {@link pack} was given. */
export function unpack(bytes: Uint8Array): unknown {
  return messagePack.unpack(zstdDecompressSync(bytes))
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
    setMember(own, /^\0+__proto__$/.test(key) ? key.slice(1) : key, withOwnKeys(member))
  }
  return own
}

/** Sets an own member of a JSON object, whatever its name. */
export function setMember(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
}
