/** Writes files of packed archives by hand, in the formats of `archive.md` §12.3 and §12.4. */
import { Packr } from 'msgpackr'
import type { JsonObject } from '../../src/archive/definitions.ts'

const messagePack = new Packr({ useRecords: false, variableMapSize: true })
const pack = (value: unknown) => Buffer.from(messagePack.pack(value))
const bytes = (text: string) => Buffer.from(text, 'latin1')

/** Archives by entry id. */
export type Archives = Readonly<Record<string, JsonObject>>

/** A position as the first two formats write it. */
export function position(from: number, to: number): Buffer {
  const packed = Buffer.alloc(10)
  packed.writeUIntLE(from, 0, 5)
  packed.writeUIntLE(to, 5, 5)
  return packed
}

const bin = (content: Buffer) => Buffer.concat([Buffer.from([0xc4, content.length]), content])
const text = (value: string) => pack(value)
const mapHead = (n: number) => (n < 16 ? Buffer.from([0x80 | n]) : Buffer.from([0xde, n >> 8, n & 255]))

/** A file in the first or the second format. */
export function mapFile(format: 'v1' | 'v2', archives: Archives): Buffer {
  const magic = format === 'v2' ? bytes('nomad-archive-v2023') : Buffer.alloc(0)
  const ids = Object.keys(archives).sort()
  const head = magic.length + 1 + 8 + 2 + 10
  const tocLength = mapHead(ids.length).length + ids.length * (29 + 1 + 12 + 12)
  const tocStart = head + text('toc').length
  const data: Buffer[] = [text('data'), mapHead(ids.length)]
  let at = tocStart + tocLength + data[0]!.length + data[1]!.length
  const toc: Buffer[] = [mapHead(ids.length)]
  for (const id of ids) {
    const key = text(id.padStart(28))
    const archive = pack(archives[id])
    const entryToc = pack({ pos: [0, archive.length] })
    const before = Buffer.concat([key, mapHead(2), text('toc')])
    const tocAt = at + before.length
    const dataAt = tocAt + entryToc.length + text('data').length
    data.push(before, entryToc, text('data'), archive)
    const [a, b] = [position(tocAt, tocAt + entryToc.length), position(dataAt, dataAt + archive.length)]
    toc.push(key, Buffer.from([0x92]), bin(a), bin(b))
    at = dataAt + archive.length
  }
  const tocPos = bin(position(tocStart, tocStart + tocLength))
  return Buffer.concat([magic, mapHead(3), text('toc_pos'), tocPos, text('toc'), ...toc, ...data])
}

function number(value: number): Buffer {
  const packed = pack(value)
  return Buffer.concat([Buffer.alloc(10 - packed.length), packed])
}

/** A block of the third format. */
export function block(payload: Buffer, toc: Buffer): Buffer {
  const head = [Buffer.alloc(20), bytes('msglc-2024'), number(payload.length), number(toc.length)]
  return Buffer.concat([...head, payload, toc])
}

/** The file of one entry in the third format. */
export function blockFile(entryId: string, archive: JsonObject): Buffer {
  const payload = pack({ [entryId]: archive })
  return block(payload, pack({ p: [0, payload.length] }))
}

/** The file of all entries in the third format. */
export function combinedFile(archives: Archives): Buffer {
  const starts: Record<string, number> = {}
  const blocks: Buffer[] = []
  let at = 0
  for (const [id, archive] of Object.entries(archives)) {
    const payload = pack(archive)
    const inner = block(payload, pack({ p: [0, payload.length] }))
    starts[id] = at
    at += inner.length
    blocks.push(inner)
  }
  const toc = pack({ t: blocks.length > 0 ? starts : null })
  return block(Buffer.concat(blocks), toc)
}
