import { randomBytes, randomInt } from 'node:crypto'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { directoryMembers, entryMembers } from '../../src/files/entry-zip.ts'
import { LocalRawFiles } from '../../src/files/local/local-raw-files.ts'
import { type StoredZip, storedZip } from '../../src/files/stored-zip.ts'
import { bytesOf, readAll } from './bytes.ts'
import { openFilesBelow } from './open-files.ts'
import { unzip } from './unzip.ts'

const TIME = new Date('2026-03-04T05:06:08Z')
const ALL = () => true

let root: string
let files: LocalRawFiles

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'serai-stored-'))
  files = await LocalRawFiles.open(root)
})
afterEach(async () => {
  await files.close()
  await rm(root, { recursive: true })
})

async function store(contents: Record<string, string | Buffer>, modified = TIME): Promise<void> {
  await files.replace(
    'up',
    Object.entries(contents).map(([path, content]) => ({
      path,
      modified,
      open: () => Readable.from([Buffer.from(content)])
    }))
  )
}

/** Where the bytes of a file of the upload stand. */
async function placeOf(path: string): Promise<string> {
  const [head] = (await readFile(join(root, 'up/up/manifest.jsonl'), 'utf8')).split('\n', 1)
  return join(root, 'up/up', (JSON.parse(head as string) as { generation: string }).generation, path)
}

async function overwrite(path: string, at: number): Promise<void> {
  const handle = await open(await placeOf(path), 'r+')
  try {
    await handle.write(Buffer.from('!'), 0, 1, at)
  } finally {
    await handle.close()
  }
}

const everything = (limit?: number): Promise<StoredZip> =>
  storedZip(files, directoryMembers(files, 'up', '', ALL), limit)

describe('a zip of stored files', () => {
  const contents = {
    'a.txt': 'a',
    'd/Übung 🧪.txt': 'some text',
    'd/T10:20.txt': 'x',
    'd/back\\..\\slash': 'y',
    empty: '',
    'large.bin': randomBytes(700_000)
  }

  it('holds the files as they are', async () => {
    await store(contents)
    const zip = await everything()
    const bytes = await bytesOf(zip)
    expect(bytes.length).toBe(zip.size)
    const read = await unzip(bytes)
    expect(read.map(m => m.name)).toEqual([
      'a.txt',
      'd/T10:20.txt',
      'd/back_.._slash',
      'd/Übung 🧪.txt',
      'empty',
      'large.bin'
    ])
    expect(read.at(-1)?.content.equals(contents['large.bin'])).toBe(true)
    expect(read.every(m => m.stored && m.modified.getTime() === TIME.getTime())).toBe(true)
    expect(await openFilesBelow(root)).toEqual([])
  })

  it('gives the same bytes from everywhere, through buffers of any size', async () => {
    await store(contents)
    const zip = await everything()
    const whole = await bytesOf(zip)
    for (let i = 0; i < 60; i++) {
      const start = randomInt(zip.size)
      const end = randomInt(start, zip.size + 1)
      const part = await readAll(zip.reader(start, end), randomInt(1000, 300_000))
      expect([start, end, part.equals(whole.subarray(start, end))]).toEqual([start, end, true])
    }
  })

  it('opens one file at a time, and none before its bytes are read', async () => {
    await store(Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`f${i}`, Buffer.alloc(1000, i)])))
    const reader = (await everything()).reader(0, (await everything()).size)
    expect(await openFilesBelow(root)).toEqual([])
    const buffer = Buffer.alloc(100)
    const seen = new Set<string>()
    for (;;) {
      const count = await reader.read(buffer)
      const opened = await openFilesBelow(root)
      expect(opened.length).toBeLessThanOrEqual(1)
      for (const path of opened) seen.add(path)
      if (count === 0) break
    }
    expect(seen.size).toBe(30)
    await reader.close()
    const abandoned = (await everything()).reader(0, 500)
    await abandoned.read(buffer)
    expect((await openFilesBelow(root)).length).toBe(1)
    await abandoned.close()
    expect(await openFilesBelow(root)).toEqual([])
  })

  it('has a fingerprint that every change shows', async () => {
    await store(contents)
    const { fingerprint } = await everything()
    await store(contents)
    expect((await everything()).fingerprint).toBe(fingerprint)
    const others: [Record<string, string | Buffer>, Date?][] = [
      [{ ...contents, 'a.txt': 'b' }],
      [{ ...contents, more: '' }],
      [{ 'a.txt': 'a' }],
      [{ ...contents, 'a.txt': '', empty: 'a' }],
      [contents, new Date('2026-03-04T05:06:10Z')]
    ]
    const seen = new Set([fingerprint])
    for (const [changed, time] of others) {
      await store(changed, time)
      seen.add((await everything()).fingerprint)
    }
    expect(seen.size).toBe(others.length + 1)
  })

  it('tells other entries and other selections apart', async () => {
    await store({ 'r/main': 'm', 'r/a': 'a', 's/main': 'm' })
    const entry = (entry_id: string, mainfile: string) => ({ entry_id, upload_id: 'up', mainfile })
    const zips = [
      [[entry('e1', 'r/main')], ALL],
      [[entry('e2', 'r/main')], ALL],
      [[entry('e1', 'r/main'), entry('e2', 'r/a')], ALL],
      [[entry('e1', 'r/main')], (path: string) => path.endsWith('a')],
      [[], ALL]
    ] as const
    const seen = new Set<string>()
    for (const [entries, selection] of zips) {
      const zip = await storedZip(files, entryMembers(files, [entries], selection))
      seen.add(zip.fingerprint)
      const read = await unzip(await bytesOf(zip))
      expect(read.at(-1)?.name).toBe('manifest.json')
      expect(JSON.parse(String(read.at(-1)?.content))).toHaveLength(entries.length)
    }
    expect(seen.size).toBe(zips.length)
  })

  it('is refused where it has more files than one may have', async () => {
    await store(contents)
    expect((await everything(6)).size).toBeGreaterThan(700_000)
    await expect(everything(5)).rejects.toMatchObject({ code: 'DOWNLOAD_FILES_LIMIT', status: 400 })
  })
})

describe('a file that is not what was stored', () => {
  it('breaks the zip off before its last bytes, and is refused from then on until it is put back', async () => {
    await store({ a: 'a', b: Buffer.alloc(100_000, 'b'), c: 'c' })
    const zip = await everything()
    const whole = await bytesOf(zip)
    await overwrite('b', 5)
    const reader = zip.reader(0, zip.size)
    const buffer = Buffer.alloc(30_000)
    let given = 0
    const reading = async () => {
      for (;;) given += await reader.read(buffer)
    }
    await expect(reading()).rejects.toMatchObject({ code: 'FILE_DAMAGED' })
    await reader.close()
    expect(given).toBeLessThan(100_000)
    // Going on behind the damage would complete a zip that is wrong.
    await expect(readAll(zip.reader(given, zip.size))).rejects.toMatchObject({ code: 'FILE_DAMAGED' })
    expect(await openFilesBelow(root)).toEqual([])

    const handle = await open(await placeOf('b'), 'r+')
    await handle.write(Buffer.from('b'), 0, 1, 5)
    await handle.close()
    expect((await readAll(zip.reader(0, zip.size))).equals(whole)).toBe(true)
  })

  it('breaks the zip off when it is shorter, gone or another kind of file', async () => {
    await store({ a: 'a', b: 'b'.repeat(1000) })
    const zip = await everything()
    const place = await placeOf('b')
    const handle = await open(place, 'r+')
    await handle.truncate(10)
    await handle.close()
    await expect(bytesOf(zip)).rejects.toMatchObject({ code: 'FILE_DAMAGED' })
    await rm(place)
    await expect(bytesOf(zip)).rejects.toMatchObject({ code: 'FILE_DAMAGED' })
    expect(await openFilesBelow(root)).toEqual([])
  })

  it('breaks the zip off when it was replaced; a file that stayed the same goes on', async () => {
    await store({ a: 'a', b: 'b', c: 'c' })
    const zip = await everything()
    const whole = await bytesOf(zip)
    await store({ a: 'a', b: 'b', c: 'c', d: 'd' })
    expect((await bytesOf(zip)).equals(whole)).toBe(true)
    await store({ a: 'a', b: 'other', c: 'c' })
    await expect(bytesOf(zip)).rejects.toMatchObject({ code: 'FILE_REPLACED' })
    await store({ a: 'a' })
    await expect(bytesOf(zip)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
    expect(await openFilesBelow(root)).toEqual([])
  })
})
