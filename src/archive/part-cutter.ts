/**
 * Cuts a stream of bytes into parts of an archive. A scanner of some format tells where containers begin and end and
 * where their children end; as long as the bytes of a container are few they wait, and it becomes one value. When
 * too many wait, the outermost container is opened and what is complete in it is given.
 */
import { type ArchivePart, MAX_LEVELS, tooDeep } from './parts.ts'

/** Turns bytes into values; `count` children stand between `bytes`' ends. */
export interface PartDecoder {
  value(bytes: Buffer): unknown
  items(bytes: Buffer, count: number): readonly unknown[]
  members(bytes: Buffer, count: number): { readonly [key: string]: unknown }
  /** The key before a member that is opened. */
  key(bytes: Buffer): string
  /** Looks at what stands before an item that is opened. */
  gap(bytes: Buffer): void
}

/** A container that has begun. Positions count from the first byte of the stream. */
export interface CutFrame {
  readonly list: boolean
  readonly start: number
  /** Where that begins which has not been given yet. */
  from: number
  /** End of the last complete child that has not been given, and where the next one begins. */
  end: number
  next: number
  /** Number of complete children between `from` and `end`. */
  count: number
  /** Something of it has been given. */
  begun: boolean
  /** Its last child was opened, given and closed. */
  closedChild: boolean
}

/** Bytes up to which an archive comes as one value. */
const WHOLE = 8 * 1024 * 1024

/** Bytes that wait in an archive that does not. */
const WAITING = 256 * 1024

/** See above. */
export class PartCutter {
  readonly frames: CutFrame[] = []
  /** What has been cut and not been taken. */
  #parts: ArchivePart[] = []
  readonly #decoder: PartDecoder
  readonly #whole: number
  readonly #waiting: number
  /** The outer frames that were opened. */
  #opened = 0
  #bytes: Buffer = Buffer.alloc(64 * 1024)
  /** Position of the first byte in `#bytes`, and behind the last one. */
  #base = 0
  #filled = 0
  /** Where the archive begins, or ends when it is complete. */
  #start = 0

  /** @param limits bytes up to which an archive is one value, and that wait in others; smaller ones are for tests */
  constructor(decoder: PartDecoder, limits: { whole?: number; waiting?: number } = {}) {
    this.#decoder = decoder
    this.#whole = limits.whole ?? WHOLE
    this.#waiting = limits.waiting ?? WAITING
  }

  /** The waiting bytes, to be scanned: valid until the next `cut`. Byte `i` has the position `base + i`. */
  get window(): { readonly bytes: Buffer; readonly base: number; readonly length: number } {
    return { bytes: this.#bytes, base: this.#base, length: this.#filled - this.#base }
  }

  /** Whether the innermost container has been opened. */
  get isOpened(): boolean {
    return this.#opened === this.frames.length && this.#opened > 0
  }

  /**
   * Takes further bytes of the stream, and gives the parts that are complete then.
   * @param look looks through the new bytes of the window, and tells where containers and values begin and end
   */
  cut(chunk: Uint8Array, look: () => void): ArchivePart[] {
    this.#feed(chunk)
    look()
    this.#relieve()
    const parts = this.#parts
    this.#parts = []
    return parts
  }

  #feed(chunk: Uint8Array): void {
    const keep = this.#kept()
    const needed = this.#filled - this.#base + chunk.byteLength
    if (needed > this.#bytes.length) {
      const left = this.#filled - keep
      const size = left + chunk.byteLength
      const target = size > this.#bytes.length ? Buffer.alloc(size * 2) : this.#bytes
      this.#bytes.copy(target, 0, keep - this.#base, this.#filled - this.#base)
      this.#bytes = target
      this.#base = keep
    }
    this.#bytes.set(chunk, this.#filled - this.#base)
    this.#filled += chunk.byteLength
  }

  /**
   * A container begins.
   * @param from where its first child begins
   * @throws UnusableArchive when there are too many levels
   */
  open(list: boolean, start: number, from: number): void {
    if (this.frames.length >= MAX_LEVELS) throw tooDeep()
    if (this.frames.length === 0) this.#start = start
    this.frames.push({
      list,
      start,
      from,
      end: from,
      next: from,
      count: 0,
      begun: false,
      closedChild: false
    })
  }

  /** A child of the innermost container is complete. */
  child(end: number, next: number): void {
    const frame = this.frames[this.frames.length - 1]!
    frame.end = end
    frame.next = next
    frame.count++
  }

  /** The innermost container is complete. Says whether it had been opened. */
  close(end: number): boolean {
    const opened = this.isOpened
    const frame = this.frames[this.frames.length - 1]!
    if (opened) {
      this.#give(frame)
      this.#parts.push({ kind: 'end' })
      this.#opened--
    }
    this.frames.pop()
    const parent = this.frames[this.frames.length - 1]
    if (!parent) {
      if (!opened)
        this.#parts.push({ kind: 'value', value: this.#decoder.value(this.slice(frame.start, end)) })
      this.#start = end
    } else if (opened) {
      parent.closedChild = true
      parent.from = end
      parent.end = end
      parent.next = end
    }
    return opened
  }

  /** Gives what is complete, when too many bytes wait. */
  #relieve(): void {
    const limit = () => (this.#opened > 0 ? this.#waiting : this.#whole)
    while (this.frames.length > 0 && this.#filled - this.#kept() > limit()) {
      const outer = this.frames[this.#opened - 1]
      if (outer && outer.count > 0) this.#give(outer)
      else if (!this.#openNext(outer)) return
    }
  }

  /** Bytes between two positions that wait. */
  slice(from: number, to: number): Buffer {
    return this.#bytes.subarray(from - this.#base, to - this.#base)
  }

  #kept(): number {
    const opened = this.frames[this.#opened - 1]
    return opened ? opened.from : this.#start
  }

  #give(frame: CutFrame): void {
    if (frame.count > 0) {
      const bytes = this.slice(frame.from, frame.end)
      this.#parts.push(
        frame.list
          ? { kind: 'items', items: this.#decoder.items(bytes, frame.count) }
          : { kind: 'members', members: this.#decoder.members(bytes, frame.count) }
      )
      frame.begun = true
    }
    frame.from = frame.next
    frame.count = 0
  }

  /** Opens the next container. Says whether there is one: what waits may also be one long text. */
  #openNext(outer: CutFrame | undefined): boolean {
    const inner = this.frames[this.#opened]
    if (!inner) return false
    if (outer) {
      outer.begun = true
      const before = this.slice(outer.from, inner.start)
      if (outer.list) this.#decoder.gap(before)
      else this.#parts.push({ kind: 'key', name: this.#decoder.key(before) })
    }
    this.#parts.push({ kind: inner.list ? 'list' : 'map' })
    this.#opened++
    return true
  }
}
