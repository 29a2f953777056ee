/**
 * Has other programs read our zips, those that this machine has. Reading more than 4 GB takes them a minute or two: it is done
 * when `SERAI_TEST_LARGE_ZIPS` is set.
 */
import { execFile, execFileSync } from 'node:child_process'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LayoutMember, ZipLayout } from '../../src/files/zip-layout.ts'

const run = promisify(execFile)

/** Milliseconds for a program to read 5 GB. */
const PATIENCE = 300_000

const PYTHON = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    assert z.testzip() is None
    print(len(z.infolist()), sum(i.file_size for i in z.infolist()))
`

interface Reader {
  /** Tells whether the program is there. */
  readonly probe: readonly [string, ...string[]]
  /** Reads all bytes and compares checksums; fails if they differ. */
  readonly test: (zip: string) => [string, ...string[]]
  /** What it says of a good zip. */
  readonly expected: (count: number, bytes: number) => RegExp
}

const READERS: Readonly<Record<string, Reader>> = {
  unzip: {
    probe: ['unzip', '-v'],
    test: zip => ['unzip', '-tqq', zip],
    expected: () => /^$/
  },
  zipinfo: {
    probe: ['zipinfo', '-h'],
    test: zip => ['zipinfo', '-t', zip],
    expected: (count, bytes) => new RegExp(`^${count} files?, ${bytes} bytes uncompressed`, 'm')
  },
  '7z': {
    probe: ['7z', 'i'],
    test: zip => ['7z', 't', zip],
    expected: (_, bytes) => new RegExp(`Everything is Ok[\\s\\S]*Size: +${bytes}`)
  },
  bsdtar: {
    probe: ['bsdtar', '--version'],
    // Repacks it to nowhere, which compares checksums, and lists it by its directory and as a stream.
    test: zip => [
      'sh',
      '-c',
      'bsdtar -cf /dev/null --format pax "@$0" && bsdtar -tf "$0" | wc -l && cat "$0" | bsdtar -tf - | wc -l',
      zip
    ],
    expected: count => new RegExp(`^${count}\\s+${count}\\s*$`)
  },
  python: {
    probe: ['python3', '--version'],
    test: zip => ['python3', '-c', PYTHON, zip],
    expected: (count, bytes) => new RegExp(`^${count} ${bytes}$`, 'm')
  },
  java: {
    probe: ['javac', '-version'],
    test: zip => ['java', join(import.meta.dirname, 'ZipReader.java'), zip],
    expected: (count, bytes) => new RegExp(`^${count} ${bytes} ${count} ${bytes}$`, 'm')
  }
}

function isThere([program, ...rest]: readonly [string, ...string[]]): boolean {
  try {
    execFileSync(program, rest, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serai-readers-'))
})
afterAll(() => rm(folder, { recursive: true }))

const TIME = new Date('2026-03-04T05:06:08Z')
const ZEROS = Buffer.alloc(2 ** 20)

/** A zip of zeros; holes of the file stand for them. */
async function write(name: string, members: readonly LayoutMember[]): Promise<string> {
  const layout = new ZipLayout(members)
  const path = join(folder, name)
  const file = await open(path, 'w')
  let at = 0
  let pending: Buffer[] = []
  let start = 0
  const flush = async () => {
    const bytes = Buffer.concat(pending)
    if (bytes.length > 0) await file.write(bytes, 0, bytes.length, start)
    pending = []
  }
  for (const piece of layout.pieces(0, layout.size)) {
    const size = piece.kind === 'bytes' ? piece.bytes.length : piece.end - piece.start
    if (piece.kind === 'member' && size > ZEROS.length) await flush()
    else {
      if (pending.length === 0) start = at
      pending.push(piece.kind === 'bytes' ? piece.bytes : ZEROS.subarray(0, size))
    }
    at += size
  }
  await flush()
  await file.truncate(layout.size)
  await file.close()
  return path
}

function zeros(name: string, size: number): LayoutMember {
  let crc = 0
  for (let left = size; left > 0; left -= ZEROS.length)
    crc = crc32(left < ZEROS.length ? ZEROS.subarray(0, left) : ZEROS, crc)
  return { name, size, crc32: crc, modified: TIME }
}

/** Has every program that is there read the zip. */
function readBy(members: () => readonly LayoutMember[]): void {
  let zip: string
  let list: readonly LayoutMember[]
  beforeAll(async () => {
    list = members()
    zip = await write('some.zip', list)
  })
  for (const [name, reader] of Object.entries(READERS)) {
    it.skipIf(!isThere(reader.probe))(
      `by ${name}`,
      async () => {
        const [program, ...rest] = reader.test(zip)
        const { stdout } = await run(program, rest, { maxBuffer: 2 ** 28, encoding: 'latin1' })
        const bytes = list.reduce((sum, { size }) => sum + size, 0)
        expect(stdout.slice(0, 10_000)).toMatch(reader.expected(list.length, bytes))
      },
      PATIENCE
    )
  }
}

describe('a zip of a few files is read', () => {
  readBy(() => [
    zeros('a.txt', 1),
    zeros('dir/Übung №1.txt', 100_000),
    zeros('測試/🧪.txt', 5),
    zeros('empty', 0),
    zeros('dir/deep/er/x', 3_000_000)
  ])
})

describe('a zip of 70,000 files is read', () => {
  readBy(() => Array.from({ length: 70_000 }, (_, i) => ({ ...zeros('', 3), name: `d${i % 100}/${i}` })))
})

describe.runIf(process.env.SERAI_TEST_LARGE_ZIPS)('a zip beyond 4 GB is read', () => {
  readBy(() => [
    zeros('first', 10),
    zeros('large1', 4_500_000_000),
    zeros('between', 10),
    zeros('large2', 100_000_000),
    zeros('last/one', 1000)
  ])
})
