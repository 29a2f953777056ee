/** Finding the borders of MessagePack values without unpacking them. */

/** Bytes of a value, its first byte included, by that byte, from 0xc0 on; 0: the number stands behind it. */
const SIZES = [
  1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 5, 9, 2, 3, 5, 9, 2, 3, 5, 9, 3, 4, 6, 10, 18, 0, 0, 0, 0, 0, 0, 0
]

/** How many values a list or map has (of a map: keys), and where the first begins. */
export interface ContainerHeader {
  readonly count: number
  readonly begin: number
}

/** Of the list that begins at a position. @throws Error when it is no list */
export function listHeader(bytes: Buffer, at = 0): ContainerHeader {
  return header(bytes, at, 0x90, 0xdc) ?? wrong('list')
}

/** Of the map that begins at a position. @throws Error when it is no map */
export function mapHeader(bytes: Buffer, at = 0): ContainerHeader {
  return header(bytes, at, 0x80, 0xde) ?? wrong('map')
}

/** Whether the value that begins at a position is a list. */
export function isList(bytes: Buffer, at: number): boolean {
  return header(bytes, at, 0x90, 0xdc) !== undefined
}

function header(bytes: Buffer, at: number, small: number, wide: number): ContainerHeader | undefined {
  const type = bytes.readUInt8(at)
  if ((type & 0xf0) === small) return { count: type & 0x0f, begin: at + 1 }
  if (type === wide) return { count: bytes.readUInt16BE(at + 1), begin: at + 3 }
  if (type === wide + 1) return { count: bytes.readUInt32BE(at + 1), begin: at + 5 }
  return undefined
}

function wrong(kind: string): never {
  throw new Error(`not a ${kind}`)
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
