import { Packr } from 'msgpackr'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/archive/definitions.ts'
import { type ByteSource, bytesSource } from '../../src/archive/formats/byte-source.ts'
import { PackedFile } from '../../src/archive/formats/packed-file.ts'
import { type ArchivePart, UnusableArchive } from '../../src/archive/parts.ts'
import { type Archives, block, blockFile, combinedFile, mapFile, position } from './packed-files.ts'

const A = 'WPTLuEgh0DGLi9fiq7Mzf-CHk4IS'
const B = 'nGEytEvOoF9sN3Jzj2ATwli72qjP'
const pack = (value: unknown) => Buffer.from(new Packr({ useRecords: false }).pack(value))

const ARCHIVES: Archives = {
  [A]: {
    metadata: { entry_id: A, upload_id: null, 'a.b': '$c' },
    run: [{ system: [{ positions: [[0.5, -1e300, 3]], labels: ['é', ''] }, null] }],
    n: [0, -1, 127, 128, -32, -33, 65_536, 2 ** 31, -(2 ** 31), 2 ** 53 - 1, -(2 ** 53) + 1, true, false]
  },
  [B]: { metadata: { entry_id: B }, data: { values: Array.from({ length: 500 }, (_, i) => i / 7) } },
  short: {}
}

/** The archives of a file; every limit is small, so that they come in parts. */
async function archivesOf(bytes: Uint8Array): Promise<Record<string, unknown>> {
  const file = await PackedFile.open(bytesSource(bytes))
  const archives: Record<string, unknown> = {}
  for (const id of file.entryIds) {
    const [whole] = await Array.fromAsync(file.parts(id))
    archives[id] = (whole as ArchivePart & { kind: 'value' }).value
  }
  return archives
}

describe('files of packed archives', () => {
  test.each([
    ['v1', mapFile('v1', ARCHIVES)],
    ['v2', mapFile('v2', ARCHIVES)],
    ['v3', combinedFile(ARCHIVES)]
  ])('of all entries in the format %s', async (format, bytes) => {
    const file = await PackedFile.open(bytesSource(bytes))
    expect(file.format).toBe(format)
    expect([...file.entryIds].sort()).toEqual(Object.keys(ARCHIVES).sort())
    expect(await archivesOf(bytes)).toEqual(ARCHIVES)
  })

  test.each([
    ['v1', (id: string, archive: JsonObject) => mapFile('v1', { [id]: archive })],
    ['v2', (id: string, archive: JsonObject) => mapFile('v2', { [id]: archive })],
    ['v3', blockFile]
  ])('of one entry in the format %s', async (_, write) => {
    expect(await archivesOf(write(A, ARCHIVES[A]!))).toEqual({ [A]: ARCHIVES[A] })
  })

  test.each([
    ['v1', mapFile('v1', {})],
    ['v2', mapFile('v2', {})],
    ['v3', combinedFile({})]
  ])('without entries in the format %s', async (format, bytes) => {
    const file = await PackedFile.open(bytesSource(bytes))
    expect([file.format, file.entryIds]).toEqual([format, []])
  })

  test('the example of 64 bytes', async () => {
    const bytes = Buffer.concat([
      Buffer.alloc(20),
      Buffer.from('msglc-2024'),
      Buffer.from('000000000000000000080000000000000000000681a2453181a1610181a17092000' + '8', 'hex')
    ])
    expect(bytes.length).toBe(64)
    expect(await archivesOf(bytes)).toEqual({ E1: { a: 1 } })
  })

  test('lists in blocks, whose table of contents is another', async () => {
    const payload = pack({ E1: { list: [1, 2, 3, 4] } })
    const bytes = block(
      payload,
      pack({
        t: {
          E1: {
            t: {
              list: {
                p: [
                  [2, 12, 14],
                  [2, 14, 16]
                ]
              }
            }
          }
        },
        p: [0, 20]
      })
    )
    expect(await archivesOf(bytes)).toEqual({ E1: { list: [1, 2, 3, 4] } })
  })

  test('reads only the archive that is asked for', async () => {
    const bytes = combinedFile({
      ...ARCHIVES,
      large: { values: Array.from({ length: 300_000 }, Math.random) }
    })
    let read = 0
    const counting: ByteSource = {
      size: bytes.length,
      async read(from, to) {
        read += to - from
        return bytes.subarray(from, to)
      }
    }
    const file = await PackedFile.open(counting)
    expect(await Array.fromAsync(file.parts(A))).toEqual([{ kind: 'value', value: ARCHIVES[A] }])
    expect(read).toBeLessThan(2000)
    expect(bytes.length).toBeGreaterThan(900_000)
    const parts = await Array.fromAsync(file.parts('large', { whole: 1000, waiting: 100_000 }))
    expect(parts.flatMap(p => (p.kind === 'items' ? p.items : []))).toHaveLength(300_000)
    await expect(Array.fromAsync(file.parts('unknown'))).rejects.toThrow(
      'has no archive of the entry unknown'
    )
  })

  describe('that are damaged', () => {
    const files: [string, Buffer][] = [
      ['v1', mapFile('v1', ARCHIVES)],
      ['v2', mapFile('v2', ARCHIVES)],
      ['v3', combinedFile(ARCHIVES)],
      ['v3 of one entry', blockFile(A, ARCHIVES[A]!)]
    ]

    test.each(files)('%s, cut off anywhere, is told', async (_, bytes) => {
      for (let end = 0; end < bytes.length; end += end < 200 ? 1 : 97) {
        await expect(archivesOf(bytes.subarray(0, end)), `cut at ${end}`).rejects.toThrow(UnusableArchive)
      }
    })

    test.each(files)('%s, with any byte another, is read or told', async (_, bytes) => {
      for (let at = 0; at < bytes.length; at += at < 400 ? 1 : 53) {
        const spoilt = Buffer.from(bytes)
        spoilt[at]! ^= 0xff
        await archivesOf(spoilt).catch(error => expect(error, `byte ${at}`).toBeInstanceOf(UnusableArchive))
      }
    })

    test.each([
      ['', 'is not in a format of packed archives'],
      ['PK\u0003\u0004 this is a zip', 'is not in a format of packed archives'],
      ['nomad-archive-v2023', 'is damaged']
    ])('%o', async (content, message) => {
      await expect(archivesOf(Buffer.from(content))).rejects.toThrow(message)
    })

    test('positions outside of the file are told by what stands there', async () => {
      const bytes = mapFile('v2', { [A]: ARCHIVES[A]! })
      const at = bytes.indexOf(Buffer.from([0x92, 0xc4, 10])) + 13 + 2
      position(100, 1_000_000).copy(bytes, at)
      await expect(archivesOf(bytes)).rejects.toThrow(
        `is damaged: the archive of ${A} should stand at the bytes 100 to 1000000, but the file has ${bytes.length} bytes`
      )
    })

    test('one archive does not spoil the others', async () => {
      const bytes = combinedFile(ARCHIVES)
      bytes[bytes.indexOf('values') + 6] = 0xc1
      const file = await PackedFile.open(bytesSource(bytes))
      expect(await Array.fromAsync(file.parts(A))).toEqual([{ kind: 'value', value: ARCHIVES[A] }])
      await expect(Array.fromAsync(file.parts(B))).rejects.toThrow(
        `entry ${B}: is damaged: it holds a value of the MessagePack type c1`
      )
    })

    test('the variant in CBOR is refused by name', async () => {
      const bytes = blockFile('E1', { a: 1 })
      bytes[30] = 0x08
      await expect(archivesOf(bytes)).rejects.toThrow('is written as CBOR, which cannot be read')
    })
  })
})
