/**
 * JSON text in parts. Only the borders of containers are looked for here, whatever is in between is left to
 * `JSON.parse`: that is ten times as fast as libraries that give every number by itself, and numbers are what large archives
 * consist of.
 */
import type { JsonObject } from './definitions.ts'
import { type CutFrame, PartCutter, type PartDecoder } from './part-cutter.ts'
import { type ArchivePart, UnusableArchive } from './parts.ts'

const QUOTE = 34
const COMMA = 44
const OPEN_LIST = 91
const BACKSLASH = 92
const CLOSE_LIST = 93
const OPEN_MAP = 123
const CLOSE_MAP = 125

function isBlank(byte: number): boolean {
  return byte === 32 || byte === 10 || byte === 13 || byte === 9
}

function allBlank(bytes: Buffer): boolean {
  return bytes.every(isBlank)
}

function wrong(why: string): UnusableArchive {
  return new UnusableArchive(`is not valid JSON: ${why}`)
}

function parse(text: () => string): unknown {
  try {
    return JSON.parse(text())
  } catch (error) {
    throw wrong((error as Error).message)
  }
}

const decoder: PartDecoder = {
  value: bytes => parse(() => bytes.toString('utf8')),
  items(bytes) {
    if (allBlank(bytes)) throw wrong('a list begins with a comma')
    return parse(() => `[${bytes.toString('utf8')}]`) as unknown[]
  },
  members(bytes) {
    if (allBlank(bytes)) throw wrong('an object begins with a comma')
    return parse(() => `{${bytes.toString('utf8')}}`) as JsonObject
  },
  gap(bytes) {
    if (!allBlank(bytes)) throw wrong(`unexpected ${bytes.toString('utf8').trim().slice(0, 20)}`)
  },
  key(bytes) {
    const keys = Object.keys(parse(() => `{${bytes.toString('utf8')}0}`) as JsonObject)
    if (keys.length !== 1) throw wrong('a member has no name')
    return keys[0]!
  }
}

/**
 * The parts of a JSON object.
 * @param chunks its text in UTF-8
 * @param limits see `PartCutter`
 * @throws UnusableArchive when it is no JSON, no object, or too deep; errors of `chunks` as they come
 */
export async function* jsonParts(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  limits?: { whole?: number; waiting?: number }
): AsyncGenerator<ArchivePart> {
  const scanner = new JsonScanner(limits)
  for await (const chunk of chunks) yield* scanner.scan(chunk)
  scanner.end()
}

class JsonScanner {
  readonly #cutter: PartCutter
  /** Position of the next byte to look at. */
  #at = 0
  #inText = false
  #done = false

  constructor(limits?: { whole?: number; waiting?: number }) {
    this.#cutter = new PartCutter(decoder, limits)
  }

  scan(chunk: Uint8Array): ArchivePart[] {
    return this.#cutter.cut(chunk, () => this.#look())
  }

  end(): void {
    if (!this.#done) throw wrong('it ends too early')
  }

  #look(): void {
    const { bytes, base, length } = this.#cutter.window
    let i = this.#at - base
    let inText = this.#inText
    if (this.#cutter.frames.length === 0) i = this.#begin(bytes, i, length, base)
    while (i < length) {
      const byte = bytes[i]!
      if (inText) {
        if (byte === BACKSLASH) i++
        else if (byte === QUOTE) inText = false
      } else if (byte === COMMA) this.#comma(base + i)
      else if (byte === QUOTE) inText = true
      else if (byte === OPEN_LIST || byte === OPEN_MAP) {
        this.#cutter.open(byte === OPEN_LIST, base + i, base + i + 1)
      } else if (byte === CLOSE_LIST || byte === CLOSE_MAP) {
        this.#close(byte === CLOSE_LIST, base + i)
        if (this.#done) {
          i = this.#begin(bytes, i + 1, length, base)
          break
        }
      }
      i++
    }
    this.#at = base + i
    this.#inText = inText
  }

  /** Passes over what may stand around the archive. */
  #begin(bytes: Buffer, from: number, length: number, base: number): number {
    let i = from
    while (i < length && isBlank(bytes[i]!)) i++
    if (i === length) return i
    if (this.#done) throw wrong(`more text at byte ${base + i}`)
    if (bytes[i] === OPEN_MAP) return i
    const first = String.fromCharCode(bytes[i]!)
    throw /[[0-9"tfn-]/.test(first)
      ? new UnusableArchive('must hold a JSON object')
      : wrong(`unexpected ${first} at byte ${base + i}`)
  }

  #comma(at: number): void {
    const frame = this.#cutter.frames[this.#cutter.frames.length - 1]!
    if (frame.closedChild) this.#afterChild(frame, at, at + 1)
    else this.#cutter.child(at, at + 1)
  }

  #close(list: boolean, at: number): void {
    const frame = this.#cutter.frames[this.#cutter.frames.length - 1]!
    if (frame.list !== list) throw wrong(`unexpected ${list ? ']' : '}'} at byte ${at}`)
    if (this.#cutter.isOpened) {
      if (frame.closedChild) this.#afterChild(frame, at, at)
      else if (!allBlank(this.#cutter.slice(frame.next, at))) this.#cutter.child(at, at)
      else if (frame.begun || frame.count > 0) throw wrong(`nothing before byte ${at}`)
    }
    this.#cutter.close(at + 1)
    this.#done = this.#cutter.frames.length === 0
  }

  /** A child that was opened is followed by nothing but a comma or the end. */
  #afterChild(frame: CutFrame, at: number, next: number): void {
    if (!allBlank(this.#cutter.slice(frame.from, at))) throw wrong(`unexpected text before byte ${at}`)
    frame.closedChild = false
    frame.from = next
    frame.end = next
    frame.next = next
  }
}
