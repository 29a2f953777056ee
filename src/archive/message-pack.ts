/** Finding the borders of MessagePack values without unpacking them. */

/** Bytes of a value, its first byte included, by that byte, from 0xc0 on; 0: the number stands behind it. */
const SIZES = [
  1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 5, 9, 2, 3, 5, 9, 2, 3, 5, 9, 3, 4, 6, 10, 18, 0, 0, 0, 0, 0, 0, 0
]

/**
 * How many values a list has, and where the first begins.
 * @throws Error when the bytes are no list
 */
export function listHeader(bytes: Buffer): { count: number; begin: number } {
  const type = bytes.readUInt8(0)
  if ((type & 0xf0) === 0x90) return { count: type & 0x0f, begin: 1 }
  if (type === 0xdc) return { count: bytes.readUInt16BE(1), begin: 3 }
  if (type === 0xdd) return { count: bytes.readUInt32BE(1), begin: 5 }
  throw new Error('not a list')
}

/** Where the value that begins at a position ends. @throws RangeError when it does not */
export function endOfValue(bytes: Buffer, begin: number): number {
  let at = begin
  for (let left = 1; left > 0; left--) {
    const type = bytes.readUInt8(at)
    if (type < 0x80 || type >= 0xe0) at++
    else if (type < 0x90) {
      left += 2 * (type & 0x0f)
      at++
    } else if (type < 0xa0) {
      left += type & 0x0f
      at++
    } else if (type < 0xc0) at += 1 + (type & 0x1f)
    else if (SIZES[type - 0xc0]! > 0) at += SIZES[type - 0xc0]!
    else if (type >= 0xdc) {
      const wide = (type & 1) === 1
      const count = wide ? bytes.readUInt32BE(at + 1) : bytes.readUInt16BE(at + 1)
      left += type >= 0xde ? 2 * count : count
      at += wide ? 5 : 3
    } else at = endOfBytes(bytes, at, type)
  }
  if (at > bytes.length) throw new RangeError('a value ends behind the bytes')
  return at
}

/** Text, bytes and extensions: their length in one, two or four bytes, an extension's type, then they themselves. */
function endOfBytes(bytes: Buffer, at: number, type: number): number {
  const isText = type >= 0xd9
  const isExtension = type >= 0xc7 && !isText
  const width = 1 << (isText ? type - 0xd9 : (type - 0xc4) % 3)
  return at + 1 + width + (isExtension ? 1 : 0) + bytes.readUIntBE(at + 1, width)
}
