/**
 * JSON text on its way to a client: bytes, gathered until they are worth being sent. Packed values are written as they stand in
 * their blocks, without making objects and strings of them first: that is quicker and leaves little garbage behind.
 */
import { withOwnKey } from './block.ts'

/** Bytes that are worth being sent by themselves. */
const PART = 64 * 1024

/** Room at first, and room that is not kept. */
const ROOM = PART / 4
const LARGEST = 16 * PART

/** Bytes of a character that is escaped, at most; also those of a unit of a string as UTF-8. */
const ESCAPED = 6
const UTF8 = 3

/** How `undefined` is packed. In maps it is left out, in lists it is null, as `JSON.stringify` has it. */
const MISSING = 0xd4
const MISSING_BYTES = 3

const [NULL, FALSE, TRUE] = ['null', 'false', 'true'].map(word => Buffer.from(word)) as [
  Buffer,
  Buffer,
  Buffer
]
const HEX = Buffer.from('0123456789abcdef')

/** Letters after the backslash, by what they stand for; 0: `u` and four digits. */
const LETTERS = new Uint8Array(0x20)
for (const [i, letter] of [...'btn fr'].entries()) if (letter !== ' ') LETTERS[8 + i] = letter.charCodeAt(0)

/** JSON text. What is written stays here until it is taken. */
export class JsonText {
  readonly indent: number
  #bytes = Buffer.allocUnsafeSlow(ROOM)
  #at = 0
  /** Packed bytes that a value is read from. */
  #packed: Uint8Array = this.#bytes
  #view = new DataView(this.#packed.buffer)
  #from = 0
  /** Whether keys have marks, see `packedKey`. */
  #marked = false

  /** @param indent blanks by which each level is indented; 0: everything on one line */
  constructor(indent = 0) {
    this.indent = indent
  }

  /** What was written, if it is worth being sent. */
  part(): Buffer | undefined {
    return this.#at < PART ? undefined : this.rest()
  }

  /** All that was written. */
  rest(): Buffer {
    // A copy: the room is used again.
    const bytes = Buffer.allocUnsafe(this.#at)
    this.#bytes.copy(bytes, 0, 0, this.#at)
    this.#at = 0
    if (this.#bytes.length > LARGEST) this.#bytes = Buffer.allocUnsafeSlow(ROOM)
    return bytes
  }

  /** Writes text as it is. */
  text(text: string): void {
    this.#reserve(text.length * UTF8)
    this.#at += this.#bytes.write(text, this.#at)
  }

  /** Writes the bracket that opens a list or map. */
  open(bracket: '[' | '{'): void {
    this.#byte(bracket === '[' ? 0x5b : 0x7b)
  }

  /** Writes what stands before an item or a key. @param level levels above it */
  next(isFirst: boolean, level: number): void {
    if (!isFirst) this.#byte(0x2c)
    this.#line(level)
  }

  /** Writes the bracket that closes a list or map. @param level levels above it */
  close(bracket: ']' | '}', isEmpty: boolean, level: number): void {
    if (!isEmpty) this.#line(level)
    this.#byte(bracket === ']' ? 0x5d : 0x7d)
  }

  /** Begins a line, where there are lines. */
  #line(level: number): void {
    if (this.indent === 0) return
    const blanks = level * this.indent
    this.#reserve(blanks + 1)
    this.#bytes[this.#at++] = 0x0a
    this.#bytes.fill(0x20, this.#at, this.#at + blanks)
    this.#at += blanks
  }

  /** Writes the colon after a key. */
  colon(): void {
    this.#reserve(2)
    this.#bytes[this.#at++] = 0x3a
    if (this.indent > 0) this.#bytes[this.#at++] = 0x20
  }

  /**
   * Writes a packed value.
   * @param bytes MessagePack, as `block.ts` packs it
   * @param at where the value begins
   * @param level levels above it
   * @returns where it ends
   * @throws RangeError when the bytes are no value
   */
  packed(bytes: Uint8Array, at: number, level: number, marked: boolean): number {
    this.#read(bytes, at, marked)
    this.#value(level)
    return this.#from
  }

  /** Writes a packed key. @returns where it ends @throws RangeError */
  packedKey(bytes: Uint8Array, at: number, marked: boolean): number {
    this.#read(bytes, at, marked)
    this.#key()
    return this.#from
  }

  #read(bytes: Uint8Array, at: number, marked: boolean): void {
    if (this.#packed !== bytes) {
      this.#packed = bytes
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    this.#from = at
    this.#marked = marked
  }

  /** Makes room. */
  #reserve(bytes: number): void {
    const needed = this.#at + bytes
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length))
    larger.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = larger
  }

  #value(level: number): void {
    const type = this.#view.getUint8(this.#from++)
    if (type < 0x80) this.#integer(type)
    else if (type < 0x90) this.#map(type & 0x0f, level)
    else if (type < 0xa0) this.#list(type & 0x0f, level)
    else if (type < 0xc0) this.#string(type & 0x1f)
    else if (type >= 0xe0) this.#number(type - 0x100)
    else this.#wide(type, level)
  }

  #wide(type: number, level: number): void {
    const view = this.#view
    const at = this.#from
    switch (type) {
      case 0xc0:
        this.#literal(NULL)
        break
      case 0xc2:
        this.#literal(FALSE)
        break
      case 0xc3:
        this.#literal(TRUE)
        break
      case 0xca:
        this.#from += 4
        this.#number(view.getFloat32(at))
        break
      case 0xcb:
        this.#from += 8
        this.#number(view.getFloat64(at))
        break
      case 0xcc:
        this.#from += 1
        this.#integer(view.getUint8(at))
        break
      case 0xcd:
        this.#from += 2
        this.#integer(view.getUint16(at))
        break
      case 0xce:
        this.#from += 4
        this.#number(view.getUint32(at))
        break
      case 0xd0:
        this.#from += 1
        this.#number(view.getInt8(at))
        break
      case 0xd1:
        this.#from += 2
        this.#number(view.getInt16(at))
        break
      case 0xd2:
        this.#from += 4
        this.#number(view.getInt32(at))
        break
      case MISSING:
        this.#from += MISSING_BYTES - 1
        this.#literal(NULL)
        break
      case 0xd9:
        this.#from += 1
        this.#string(view.getUint8(at))
        break
      case 0xda:
        this.#from += 2
        this.#string(view.getUint16(at))
        break
      case 0xdb:
        this.#from += 4
        this.#string(view.getUint32(at))
        break
      case 0xdc:
        this.#from += 2
        this.#list(view.getUint16(at), level)
        break
      case 0xdd:
        this.#from += 4
        this.#list(view.getUint32(at), level)
        break
      case 0xde:
        this.#from += 2
        this.#map(view.getUint16(at), level)
        break
      case 0xdf:
        this.#from += 4
        this.#map(view.getUint32(at), level)
        break
      default:
        throw new RangeError(`a value of type 0x${type.toString(16)}`)
    }
  }

  #list(count: number, level: number): void {
    this.open('[')
    for (let i = 0; i < count; i++) {
      this.next(i === 0, level + 1)
      this.#value(level + 1)
    }
    this.close(']', count === 0, level)
  }

  #map(count: number, level: number): void {
    this.open('{')
    let isEmpty = true
    for (let i = 0; i < count; i++) {
      const before = this.#at
      this.next(isEmpty, level + 1)
      this.#key()
      if (this.#view.getUint8(this.#from) === MISSING) {
        this.#at = before
        this.#from += MISSING_BYTES
        continue
      }
      this.colon()
      this.#value(level + 1)
      isEmpty = false
    }
    this.close('}', isEmpty, level)
  }

  #literal(word: Uint8Array): void {
    this.#reserve(word.length)
    for (let i = 0; i < word.length; i++) this.#bytes[this.#at++] = word[i]!
  }

  #byte(byte: number): void {
    this.#reserve(1)
    this.#bytes[this.#at++] = byte
  }

  #key(): void {
    const at = this.#from
    const type = this.#view.getUint8(at)
    const width = type < 0xc0 ? 0 : type === 0xd9 ? 1 : type === 0xda ? 2 : type === 0xdb ? 4 : -1
    if (type < 0xa0 || width < 0) throw new RangeError(`a key of type 0x${type.toString(16)}`)
    this.#from += 1 + width
    const length =
      width === 0
        ? type & 0x1f
        : width === 1
          ? this.#view.getUint8(at + 1)
          : width === 2
            ? this.#view.getUint16(at + 1)
            : this.#view.getUint32(at + 1)
    // A mark is one more NUL before the name.
    if (this.#marked && isMarked(this.#packed.subarray(this.#from, this.#from + length))) {
      this.#from++
      this.#string(length - 1)
    } else this.#string(length)
  }

  /** A small integer that is not negative. */
  #integer(value: number): void {
    this.#reserve(5)
    if (value >= 10) {
      let scale = value >= 10_000 ? 10_000 : value >= 1000 ? 1000 : value >= 100 ? 100 : 10
      for (; scale >= 10; scale = (scale / 10) | 0) {
        this.#bytes[this.#at++] = 0x30 + (((value / scale) | 0) % 10)
      }
    }
    this.#bytes[this.#at++] = 0x30 + (value % 10)
  }

  #number(value: number): void {
    const text = Number.isFinite(value) ? `${value}` : 'null'
    this.#reserve(text.length)
    for (let i = 0; i < text.length; i++) this.#bytes[this.#at++] = text.charCodeAt(i)
  }

  /** A string of so many bytes of UTF-8, as `JSON.stringify` writes it. */
  #string(length: number): void {
    const end = this.#from + length
    if (end > this.#packed.length) throw new RangeError('a value ends behind the bytes')
    this.#reserve(length * ESCAPED + 2)
    const from = this.#packed
    const to = this.#bytes
    let at = this.#at
    to[at++] = 0x22
    for (let i = this.#from; i < end; i++) {
      const byte = from[i]!
      if (byte >= 0x20 && byte !== 0x22 && byte !== 0x5c && byte !== 0xed) to[at++] = byte
      else if (byte === 0x22 || byte === 0x5c) {
        to[at++] = 0x5c
        to[at++] = byte
      } else if (byte === 0xed) {
        // Half of a pair of surrogates, which has no UTF-8, is packed as if it had.
        if (from[i + 1]! < 0xa0) to[at++] = byte
        else {
          at = escapeUnit(to, at, 0xd000 | ((from[i + 1]! & 0x3f) << 6) | (from[i + 2]! & 0x3f))
          i += 2
        }
      } else if (LETTERS[byte]! > 0) {
        to[at++] = 0x5c
        to[at++] = LETTERS[byte]!
      } else at = escapeUnit(to, at, byte)
    }
    to[at++] = 0x22
    this.#at = at
    this.#from = end
  }
}

/** Writes `\u` and four digits. */
function escapeUnit(to: Uint8Array, at: number, unit: number): number {
  to[at] = 0x5c
  to[at + 1] = 0x75
  for (let i = 0; i < 4; i++) to[at + 2 + i] = HEX[(unit >> (12 - 4 * i)) & 0x0f]!
  return at + 6
}

function isMarked(key: Uint8Array): boolean {
  if (key[0] !== 0) return false
  const name = Buffer.from(key).toString()
  return withOwnKey(name) !== name
}
