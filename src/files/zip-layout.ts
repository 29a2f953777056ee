/**
 * The layout of a zip of stored (not compressed) members whose names, sizes and checksums are known: how long it is, and
 * what stands at any of its bytes, without a byte of the members. Pure.
 *
 * Sections in comments are those of APPNOTE.TXT 6.3.10, PKWARE's description of the format.
 */

/** What the layout needs to know of a member. */
export interface LayoutMember {
  /** Path in the zip, with `/`. */
  readonly name: string
  /** Bytes. */
  readonly size: number
  readonly crc32: number
  readonly modified: Date
}

/** What stands in a stretch of a zip: bytes of the zip itself, or a stretch of a member. */
export type ZipPiece =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'member'; readonly index: number; readonly start: number; readonly end: number }

// 4.3.7, 4.3.12, 4.3.14, 4.3.15, 4.3.16
const LOCAL_HEADER = 0x04034b50
const CENTRAL_HEADER = 0x02014b50
const ZIP64_END = 0x06064b50
const ZIP64_LOCATOR = 0x07064b50
const END = 0x06054b50

const LOCAL_BYTES = 30
const CENTRAL_BYTES = 46
const END_BYTES = 22
const ZIP64_END_BYTES = 56
const ZIP64_LOCATOR_BYTES = 20

/** 4.4.4: the name is UTF-8. No bit 3: sizes and checksums stand before the bytes. */
const FLAGS = 0x0800

/** 4.4.3: plain files need 2.0 of their reader, zip64 needs 4.5. */
const PLAIN_VERSION = 20
const ZIP64_VERSION = 45

/** 4.4.2: made on Unix, so that the upper half of the external attributes is the mode. */
const MADE_BY = (3 << 8) | ZIP64_VERSION

/** 4.4.15: a plain file, `rw-r--r--`. */
const ATTRIBUTES = 0o100644 * 2 ** 16

/** 4.5.3: stands where the true value is in the zip64 field. */
const MAX_16 = 0xffff
const MAX_32 = 0xffffffff
const ZIP64_FIELD = 0x0001

/** 4.6.1 names it: the time in seconds of UTC, which the DOS time, of an unknown zone, is not. */
const TIME_FIELD = 0x5455
const TIME_BYTES = 9

/** Entries of the directory that are made at a time. */
const DIRECTORY_PIECE = 256

/** A zip that nobody has made yet. */
export class ZipLayout {
  /** Bytes of the zip. */
  readonly size: number
  readonly #members: readonly LayoutMember[]
  /** Where the local header of each member begins, and last where the directory begins. */
  readonly #offsets: Float64Array
  /** Where every {@link DIRECTORY_PIECE}th entry of the directory begins, and last where the directory ends. */
  readonly #directory: readonly number[]

  /** @throws RangeError when a name is longer than a zip can hold */
  constructor(members: readonly LayoutMember[]) {
    this.#members = members
    this.#offsets = new Float64Array(members.length + 1)
    const directory: number[] = []
    let offset = 0
    let bytes = 0
    members.forEach((member, i) => {
      this.#offsets[i] = offset
      const name = Buffer.byteLength(member.name)
      if (name > MAX_16) throw new RangeError(`The name ${member.name.slice(0, 80)}… is too long for a zip.`)
      if (i % DIRECTORY_PIECE === 0) directory.push(bytes)
      bytes += CENTRAL_BYTES + name + centralExtraBytes(member, offset)
      offset += LOCAL_BYTES + name + localExtraBytes(member) + member.size
    })
    this.#offsets[members.length] = offset
    this.#directory = [...directory, bytes].map(at => offset + at)
    this.size = offset + bytes + this.#end().length
  }

  /** What stands from `start` up to, not including, `end`. */
  *pieces(start: number, end: number): Generator<ZipPiece> {
    for (const piece of this.#from(start, end)) {
      const { at } = piece
      const skip = Math.max(start - at, 0)
      if (piece.kind === 'member') {
        const size = this.#member(piece.index).size
        const stop = Math.min(size, end - at)
        if (skip < stop) yield { kind: 'member', index: piece.index, start: skip, end: stop }
      } else {
        const bytes = piece.bytes.subarray(skip, Math.max(end - at, 0))
        if (bytes.length > 0) yield { kind: 'bytes', bytes }
      }
    }
  }

  /** The pieces that touch the stretch, whole, with where they begin. */
  *#from(
    start: number,
    end: number
  ): Generator<
    | { readonly kind: 'bytes'; readonly at: number; readonly bytes: Buffer }
    | { readonly kind: 'member'; readonly at: number; readonly index: number }
  > {
    for (let i = this.#memberAt(start); i < this.#members.length; i++) {
      const at = this.#offset(i)
      if (at >= end) return
      const member = this.#member(i)
      const header = localHeader(member)
      yield { kind: 'bytes', at, bytes: header }
      if (member.size > 0) yield { kind: 'member', at: at + header.length, index: i }
    }
    for (const [piece, at] of this.#directory.slice(0, -1).entries()) {
      if (at >= end) return
      if ((this.#directory[piece + 1] as number) <= start) continue
      const first = piece * DIRECTORY_PIECE
      const headers = this.#members
        .slice(first, first + DIRECTORY_PIECE)
        .map((member, i) => centralHeader(member, this.#offset(first + i)))
      yield { kind: 'bytes', at, bytes: Buffer.concat(headers) }
    }
    yield { kind: 'bytes', at: this.#directoryEnd, bytes: this.#end() }
  }

  get #directoryEnd(): number {
    return this.#directory.at(-1) as number
  }

  #member(index: number): LayoutMember {
    return this.#members[index] as LayoutMember
  }

  #offset(index: number): number {
    return this.#offsets[index] as number
  }

  /** Index of the member that the byte belongs to; behind the last one it belongs to the directory. */
  #memberAt(byte: number): number {
    let low = 0
    let high = this.#members.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#offset(middle + 1) <= byte) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Everything behind the directory (4.3.14 to 4.3.16). */
  #end(): Buffer {
    const count = this.#members.length
    const start = this.#offset(count)
    const size = this.#directoryEnd - start
    const end = Buffer.alloc(END_BYTES)
    end.writeUInt32LE(END, 0)
    end.writeUInt16LE(Math.min(count, MAX_16), 8)
    end.writeUInt16LE(Math.min(count, MAX_16), 10)
    end.writeUInt32LE(Math.min(size, MAX_32), 12)
    end.writeUInt32LE(Math.min(start, MAX_32), 16)
    if (count < MAX_16 && size < MAX_32 && start < MAX_32) return end

    const zip64 = Buffer.alloc(ZIP64_END_BYTES + ZIP64_LOCATOR_BYTES)
    zip64.writeUInt32LE(ZIP64_END, 0)
    // The size leaves out itself and the signature.
    writeUInt64(zip64, ZIP64_END_BYTES - 12, 4)
    zip64.writeUInt16LE(MADE_BY, 12)
    zip64.writeUInt16LE(ZIP64_VERSION, 14)
    writeUInt64(zip64, count, 24)
    writeUInt64(zip64, count, 32)
    writeUInt64(zip64, size, 40)
    writeUInt64(zip64, start, 48)
    zip64.writeUInt32LE(ZIP64_LOCATOR, 56)
    writeUInt64(zip64, this.#directoryEnd, 64)
    zip64.writeUInt32LE(1, 72)
    return Buffer.concat([zip64, end])
  }
}

/** 4.3.7 */
function localHeader(member: LayoutMember): Buffer {
  const name = Buffer.from(member.name)
  const isLarge = member.size >= MAX_32
  const header = Buffer.alloc(LOCAL_BYTES + name.length + localExtraBytes(member))
  header.writeUInt32LE(LOCAL_HEADER, 0)
  writeCommon(header, member, isLarge, 4)
  header.writeUInt16LE(name.length, 26)
  header.writeUInt16LE(localExtraBytes(member), 28)
  name.copy(header, LOCAL_BYTES)
  let at = LOCAL_BYTES + name.length
  if (isLarge) {
    // 4.5.3: in a local header both sizes are there.
    at = writeField(header, ZIP64_FIELD, [member.size, member.size], at)
  }
  writeTime(header, member, at)
  return header
}

/** 4.3.12 */
function centralHeader(member: LayoutMember, offset: number): Buffer {
  const name = Buffer.from(member.name)
  const extra = centralExtraBytes(member, offset)
  const large = largeValues(member, offset)
  const header = Buffer.alloc(CENTRAL_BYTES + name.length + extra)
  header.writeUInt32LE(CENTRAL_HEADER, 0)
  header.writeUInt16LE(MADE_BY, 4)
  writeCommon(header, member, large.length > 0, 6)
  header.writeUInt16LE(name.length, 28)
  header.writeUInt16LE(extra, 30)
  header.writeUInt32LE(ATTRIBUTES, 38)
  header.writeUInt32LE(Math.min(offset, MAX_32), 42)
  name.copy(header, CENTRAL_BYTES)
  let at = CENTRAL_BYTES + name.length
  if (large.length > 0) at = writeField(header, ZIP64_FIELD, large, at)
  writeTime(header, member, at)
  return header
}

/** What both headers tell in the same order, from the version up to the sizes. */
function writeCommon(header: Buffer, member: LayoutMember, isZip64: boolean, at: number): void {
  const [date, time] = dosTime(member.modified)
  header.writeUInt16LE(isZip64 ? ZIP64_VERSION : PLAIN_VERSION, at)
  header.writeUInt16LE(FLAGS, at + 2)
  // 4.4.5: 0, stored
  header.writeUInt16LE(time, at + 6)
  header.writeUInt16LE(date, at + 8)
  header.writeUInt32LE(member.crc32, at + 10)
  header.writeUInt32LE(Math.min(member.size, MAX_32), at + 14)
  header.writeUInt32LE(Math.min(member.size, MAX_32), at + 18)
}

/** 4.5.3: the values that do not fit into a central header, in the order of the zip64 field. */
function largeValues({ size }: LayoutMember, offset: number): number[] {
  return [...(size >= MAX_32 ? [size, size] : []), ...(offset >= MAX_32 ? [offset] : [])]
}

function localExtraBytes(member: LayoutMember): number {
  return (member.size >= MAX_32 ? 20 : 0) + timeBytes(member)
}

function centralExtraBytes(member: LayoutMember, offset: number): number {
  const count = (member.size >= MAX_32 ? 2 : 0) + (offset >= MAX_32 ? 1 : 0)
  return (count > 0 ? 4 + 8 * count : 0) + timeBytes(member)
}

function writeField(header: Buffer, id: number, values: readonly number[], at: number): number {
  header.writeUInt16LE(id, at)
  header.writeUInt16LE(8 * values.length, at + 2)
  values.forEach((value, i) => {
    writeUInt64(header, value, at + 4 + 8 * i)
  })
  return at + 4 + 8 * values.length
}

/** Seconds; undefined where the field, of 32 bits with a sign, cannot hold them. */
function seconds({ modified }: LayoutMember): number | undefined {
  const value = Math.floor(modified.getTime() / 1000)
  return value >= -(2 ** 31) && value < 2 ** 31 ? value : undefined
}

function timeBytes(member: LayoutMember): number {
  return seconds(member) === undefined ? 0 : TIME_BYTES
}

function writeTime(header: Buffer, member: LayoutMember, at: number): void {
  const value = seconds(member)
  if (value === undefined) return
  header.writeUInt16LE(TIME_FIELD, at)
  header.writeUInt16LE(TIME_BYTES - 4, at + 2)
  // The one time that is there is that of the last change.
  header.writeUInt8(1, at + 4)
  header.writeInt32LE(value, at + 5)
}

/** 4.4.6: two numbers of 16 bits, in steps of two seconds, from 1980 to 2107; here in UTC. */
function dosTime(time: Date): [date: number, time: number] {
  const year = time.getUTCFullYear()
  if (!(year >= 1980)) return [(1 << 5) | 1, 0]
  if (year > 2107) return [(127 << 9) | (12 << 5) | 31, (23 << 11) | (59 << 5) | 29]
  return [
    ((year - 1980) << 9) | ((time.getUTCMonth() + 1) << 5) | time.getUTCDate(),
    (time.getUTCHours() << 11) | (time.getUTCMinutes() << 5) | (time.getUTCSeconds() >> 1)
  ]
}

function writeUInt64(buffer: Buffer, value: number, at: number): void {
  buffer.writeUInt32LE(value % 2 ** 32, at)
  buffer.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4)
}
