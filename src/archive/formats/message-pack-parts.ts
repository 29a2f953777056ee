/**
 * MessagePack in parts, as the reference's archive files hold archives (`archive.md` §12). Only the borders of values are
 * looked for here, msgpackr decodes what is in between.
 */
import { Unpackr } from 'msgpackr'
import { setMember } from '../block.ts'
import { PartCutter, type PartDecoder } from '../part-cutter.ts'
import { type ArchivePart, UnusableArchive } from '../parts.ts'

/** Integers of 64 bits become numbers, as in JSON. */
const OPTIONS = { useRecords: false, int64AsType: 'number' as const }
const toObjects = new Unpackr({ ...OPTIONS, mapsAsObjects: true })
/** Keeps keys that the other one renames. */
const toMaps = new Unpackr({ ...OPTIONS, mapsAsObjects: false })

/**
 * Decodes one value; strings, numbers, lists and maps as JSON has them.
 * @throws UnusableArchive
 */
export function decodeMessagePack(bytes: Uint8Array): unknown {
  try {
    if (!Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes('__proto__')) {
      return toObjects.unpack(bytes)
    }
    return objects(toMaps.unpack(bytes))
  } catch (error) {
    throw damaged((error as Error).message)
  }
}

function objects(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(objects)
  if (!(value instanceof Map)) return value
  const object: Record<string, unknown> = {}
  for (const [key, member] of value) setMember(object, String(key), objects(member))
  return object
}

function damaged(why: string): UnusableArchive {
  return new UnusableArchive(`is damaged: ${why}`)
}

/** A list or map of a given number of children. */
function container(type: 0xdd | 0xdf, count: number, bytes: Uint8Array): Uint8Array {
  const whole = Buffer.allocUnsafe(5 + bytes.byteLength)
  whole.writeUInt8(type, 0)
  whole.writeUInt32BE(count, 1)
  whole.set(bytes, 5)
  return whole
}

const decoder: PartDecoder = {
  value: decodeMessagePack,
  items: (bytes, count) => decodeMessagePack(container(0xdd, count, bytes)) as unknown[],
  members: (bytes, count) => decodeMessagePack(container(0xdf, count, bytes)) as Record<string, unknown>,
  key: bytes => String(decodeMessagePack(bytes)),
  gap() {}
}

/**
 * The parts of a map.
 * @param chunks its bytes and nothing else
 * @param limits see `PartCutter`
 * @throws UnusableArchive when it is no map, is too deep, or not what the format allows; errors of `chunks` as they come
 */
export async function* messagePackParts(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  limits?: { whole?: number; waiting?: number }
): AsyncGenerator<ArchivePart> {
  const scanner = new MessagePackScanner(limits)
  for await (const chunk of chunks) yield* scanner.scan(chunk)
  scanner.end()
}

/** What a value begins with. */
interface Head {
  /** Bytes before the content. */
  readonly size: number
  /** Bytes of content, if it is no container. */
  readonly content: number
  /** Number of values in a container. */
  readonly children?: number
  readonly list?: boolean
}

const scalar = (size: number, content: number): Head => ({ size, content })
const list = (size: number, children: number): Head => ({ size, content: 0, children, list: true })
const map = (size: number, pairs: number): Head => ({ size, content: 0, children: 2 * pairs, list: false })

/** Content bytes of the types 0xca to 0xd3: numbers. */
const NUMBERS = [4, 8, 1, 2, 4, 8, 1, 2, 4, 8]
/** Bytes of a head that tells a length. */
const LENGTHS: Readonly<Record<number, number>> = {
  217: 2,
  218: 3,
  219: 5,
  220: 3,
  221: 5,
  222: 3,
  223: 5
}

/**
 * Reads the head of a value; undefined when its bytes are not all there.
 * @throws UnusableArchive for types that JSON does not have
 */
export function readHead(bytes: Buffer, at: number, end: number): Head | undefined {
  const type = bytes[at]!
  if (type < 0x80 || type >= 0xe0) return scalar(1, 0)
  if (type < 0x90) return map(1, type & 0x0f)
  if (type < 0xa0) return list(1, type & 0x0f)
  if (type < 0xc0) return scalar(1, type & 0x1f)
  if (type === 0xc0 || type === 0xc2 || type === 0xc3) return scalar(1, 0)
  const content = NUMBERS[type - 0xca]
  if (content !== undefined) return scalar(1, content)
  const size = LENGTHS[type]
  if (size === undefined) throw damaged(`it holds a value of the MessagePack type ${type.toString(16)}`)
  if (end - at < size) return undefined
  const length = bytes.readUIntBE(at + 1, size - 1)
  return type < 0xdc ? scalar(size, length) : type < 0xde ? list(size, length) : map(size, length)
}

class MessagePackScanner {
  readonly #cutter: PartCutter
  /** Values that are still to come in each container, and whether they are keys and members in turn. */
  readonly #open: { left: number; readonly list: boolean }[] = []
  #at = 0
  #done = false

  constructor(limits?: { whole?: number; waiting?: number }) {
    this.#cutter = new PartCutter(decoder, limits)
  }

  scan(chunk: Uint8Array): ArchivePart[] {
    return this.#cutter.cut(chunk, () => this.#look())
  }

  end(): void {
    if (!this.#done) throw damaged('it ends too early')
  }

  #look(): void {
    const { bytes, base, length } = this.#cutter.window
    let i = this.#at - base
    while (i < length) {
      if (this.#done) throw damaged('more follows than it says')
      const head = readHead(bytes, i, length)
      if (!head) break
      const { size, content, children, list: isList = false } = head
      if (children === undefined) {
        if (this.#open.length === 0) throw new UnusableArchive('does not hold an archive: it is no map')
        if (i + size + content > length) break
        i += size + content
        this.#complete(base + i, false)
        continue
      }
      const above = this.#open[this.#open.length - 1]
      if (!above && isList) throw new UnusableArchive('does not hold an archive: it is no map')
      if (above && !above.list && above.left % 2 === 0) throw damaged('a key is a list or a map')
      this.#cutter.open(isList, base + i, base + i + size)
      this.#open.push({ left: children, list: isList })
      i += size
      if (children === 0) this.#close(base + i)
    }
    this.#at = base + i
  }

  /** A value is complete. */
  #complete(end: number, opened: boolean): void {
    const container = this.#open[this.#open.length - 1]!
    container.left--
    const whole = container.list || container.left % 2 === 0
    if (opened) this.#cutter.frames[this.#cutter.frames.length - 1]!.closedChild = false
    else if (whole) this.#cutter.child(end, end)
    if (container.left === 0) this.#close(end)
  }

  #close(end: number): void {
    const opened = this.#cutter.close(end)
    this.#open.pop()
    if (this.#open.length > 0) this.#complete(end, opened)
    else this.#done = true
  }
}
