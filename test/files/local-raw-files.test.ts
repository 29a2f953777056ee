import { fork } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LocalRawFiles } from '../../src/files/local/local-raw-files.ts'
import type { RawInput } from '../../src/files/raw-files.ts'

const UPLOAD = 'aB3_-upload'
const TIME = new Date('2026-03-04T05:06:07.890Z')

let folder: string
let root: string
let files: LocalRawFiles

function input(path: string, content: string | Buffer = path): RawInput {
  return { path, modified: TIME, open: () => Readable.from([Buffer.from(content)]) }
}

/** Everything below a folder, without the notes of replacements. */
async function onDisk(): Promise<string[]> {
  const found = await readdir(root, { recursive: true, withFileTypes: true })
  return found.filter(f => f.isFile()).map(f => join(f.parentPath.slice(root.length), f.name))
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serai-raw-'))
  root = join(folder, 'raw')
  files = await LocalRawFiles.open(root)
})
afterEach(async () => {
  await files.close()
  await rm(folder, { recursive: true })
})

describe('reading what was stored', () => {
  beforeEach(async () => {
    await files.replace(UPLOAD, [
      input('b/deep/x.txt', 'xyz'),
      input('a.txt', '0123456789'),
      input('b.txt'),
      input('b/y.txt'),
      input('b-c/z.txt'),
      input('empty', ''),
      input('Übung – №1 🧪.txt', 'unicode')
    ])
  })

  it('gives files with size, time and checksums', async () => {
    expect(await files.node(UPLOAD, 'b/deep/x.txt')).toEqual({
      kind: 'file',
      path: 'b/deep/x.txt',
      size: 3,
      modified: TIME,
      crc32: 0xeb8eba67,
      sha256: '3608bca1e44ea6c4d268eb6db02260269892c0b42b86bbf1e77a6fa16c3c9282'
    })
    expect(await files.node(UPLOAD, 'b/deep')).toEqual({ kind: 'directory', path: 'b/deep' })
    expect(await files.node(UPLOAD, '')).toEqual({ kind: 'directory', path: '' })
    expect(await files.node(UPLOAD, 'c')).toBeUndefined()
    expect(await files.node('unknown', '')).toBeUndefined()
  })

  it('lists a directory and walks below one, ordered by path', async () => {
    const names = async (directory: string) => (await files.list(UPLOAD, directory)).map(n => n.path)
    expect(await names('')).toEqual(['a.txt', 'b', 'b-c', 'b.txt', 'empty', 'Übung – №1 🧪.txt'])
    expect(await names('b')).toEqual(['b/deep', 'b/y.txt'])
    expect(await names('a.txt')).toEqual([])
    const walked = await Array.fromAsync(files.walk(UPLOAD, 'b'), f => f.path)
    expect(walked).toEqual(['b/deep/x.txt', 'b/y.txt'])
    expect((await Array.fromAsync(files.walk(UPLOAD, ''))).length).toBe(7)
  })

  it('reads whole files and windows of them', async () => {
    const read = async (offset: number, length?: number) =>
      text(await files.open(UPLOAD, 'a.txt', { offset, ...(length === undefined ? {} : { length }) }))
    expect(await read(0)).toBe('0123456789')
    expect(await read(3, 4)).toBe('3456')
    expect(await read(8, 100)).toBe('89')
    expect(await read(10)).toBe('')
    expect(await read(4, 0)).toBe('')
    expect(await text(await files.open(UPLOAD, 'empty'))).toBe('')
    expect(await text(await files.open(UPLOAD, 'Übung – №1 🧪.txt'))).toBe('unicode')
  })

  it('is the same for another process that opens the folder', async () => {
    const other = await LocalRawFiles.open(root)
    expect(await text(await other.open(UPLOAD, 'a.txt'))).toBe('0123456789')
    await other.replace(UPLOAD, [input('a.txt', 'new')])
    expect(await text(await files.open(UPLOAD, 'a.txt'))).toBe('new')
    await other.close()
  })
})

describe('paths that leave the upload', () => {
  beforeEach(async () => {
    await writeFile(join(folder, 'secret'), 'secret')
    await files.replace('other-upload', [input('theirs')])
    await files.replace(UPLOAD, [input('dir/mine', 'secret'), input('plain', 'secret')])
  })

  const paths = [
    '..',
    '../',
    '../secret',
    '../../secret',
    '../../../secret',
    'dir/../../../../secret',
    'dir/..',
    './plain',
    'dir/../plain',
    '/etc/passwd',
    '//etc/passwd',
    'dir//mine',
    'dir/',
    'plain\0',
    '\0',
    '../../ot/other-upload/manifest.jsonl',
    'manifest.jsonl',
    '../manifest.jsonl',
    '__proto__',
    'constructor',
    '..\\secret'
  ]
  for (const path of paths) {
    it(`finds nothing at ${JSON.stringify(path)}`, async () => {
      expect(await files.node(UPLOAD, path)).toBeUndefined()
      expect(await files.list(UPLOAD, path)).toEqual([])
      expect(await Array.fromAsync(files.walk(UPLOAD, path))).toEqual([])
      await expect(files.open(UPLOAD, path)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
    })
  }

  for (const id of ['', '.', '..', '../raw', 'a/b', '/', `${UPLOAD}/dir`, 'x\0', '.replacing']) {
    it(`finds no upload ${JSON.stringify(id)}`, async () => {
      expect(await files.node(id, '')).toBeUndefined()
      await expect(files.replace(id, [])).rejects.toThrow('cannot be the id of an upload')
      await files.remove(id)
    })
  }

  it('does not follow links that somebody put into the folder', async () => {
    const at = (await onDisk()).find(p => p.endsWith('/plain')) as string
    await rm(join(root, at))
    await symlink(join(folder, 'secret'), join(root, at))
    await expect(files.open(UPLOAD, 'plain')).rejects.toMatchObject({ code: 'FILE_DAMAGED' })

    const directory = join(root, at, '../dir')
    await rm(directory, { recursive: true })
    await symlink(folder, directory)
    await writeFile(join(folder, 'mine'), 'secret')
    await expect(files.open(UPLOAD, 'dir/mine')).rejects.toMatchObject({ code: 'FILE_DAMAGED' })
  })

  it('refuses a file that is not what was stored', async () => {
    const at = (await onDisk()).find(p => p.endsWith('/plain')) as string
    await truncate(join(root, at), 3)
    await expect(files.open(UPLOAD, 'plain')).rejects.toMatchObject({ code: 'FILE_DAMAGED' })
  })
})

describe('replacing', () => {
  it('takes away what is not there any more', async () => {
    await files.replace(UPLOAD, [input('old'), input('both', '1')])
    await files.replace(UPLOAD, [input('new'), input('both', '2')])
    expect((await files.list(UPLOAD, '')).map(n => n.path)).toEqual(['both', 'new'])
    expect(await text(await files.open(UPLOAD, 'both'))).toBe('2')
    expect((await onDisk()).length).toBe(3)
  })

  it('lets a reader finish the file it has open', async () => {
    const big = Buffer.alloc(5_000_000, 'old ')
    await files.replace(UPLOAD, [input('big', big)])
    const reading = await files.open(UPLOAD, 'big')
    await files.replace(UPLOAD, [input('big', 'new')])
    expect((await buffer(reading)).equals(big)).toBe(true)
  })

  it('shows the old tree until the new one is complete', async () => {
    await files.replace(UPLOAD, [input('file', 'old'), input('gone', 'old')])
    const seen: string[] = []
    async function* slowly(): AsyncGenerator<RawInput> {
      yield input('file', 'new')
      seen.push(
        await text(await files.open(UPLOAD, 'file')),
        (await files.list(UPLOAD, '')).length.toString()
      )
      yield input('more', 'new')
    }
    await files.replace(UPLOAD, slowly())
    expect(seen).toEqual(['old', '2'])
    expect(await text(await files.open(UPLOAD, 'file'))).toBe('new')
  })

  const refused: [string, RawInput[]][] = [
    ['a path upwards', [input('../x')]],
    ['an absolute path', [input('/x')]],
    ['an empty path', [input('')]],
    ['a path with an empty segment', [input('a//b')]],
    ['a path with NUL', [input('a\0b')]],
    ['a path that is not canonical', [input('./a')]],
    ['the same path twice', [input('a'), input('a')]],
    ['a file where a directory is', [input('a/b'), input('a')]],
    ['a directory where a file is', [input('a'), input('a/b')]],
    ['a name that the disk cannot hold', [input('x'.repeat(300))]]
  ]
  for (const [what, inputs] of refused) {
    it(`refuses ${what}, names it and changes nothing`, async () => {
      await files.replace(UPLOAD, [input('kept')])
      const before = await onDisk()
      await expect(files.replace(UPLOAD, [input('first'), ...inputs])).rejects.toThrow(
        JSON.stringify(inputs.at(-1)?.path)
      )
      expect(await onDisk()).toEqual(before)
      expect((await files.list(UPLOAD, '')).map(n => n.path)).toEqual(['kept'])
    })
  }

  it('changes nothing when an input breaks off', async () => {
    await files.replace(UPLOAD, [input('kept')])
    const before = await onDisk()
    async function* broken(): AsyncGenerator<Buffer> {
      yield Buffer.from('part')
      throw new Error('no more')
    }
    const inputs: RawInput[] = [input('first'), { path: 'second', open: () => Readable.from(broken()) }]
    await expect(files.replace(UPLOAD, inputs)).rejects.toThrow('"second" cannot be stored: no more')
    expect(await onDisk()).toEqual(before)
  })

  it('leaves one of the two when two replace the same upload at once', async () => {
    const inputs = (mark: string) => Array.from({ length: 50 }, (_, i) => input(`${mark}/${i}`))
    await Promise.all([files.replace(UPLOAD, inputs('a')), files.replace(UPLOAD, inputs('b'))])
    const listed = await Array.fromAsync(files.walk(UPLOAD, ''), f => f.path[0])
    expect(listed.length).toBe(50)
    expect(new Set(listed).size).toBe(1)
    expect((await onDisk()).length).toBe(51)
  })

  it('removes an upload', async () => {
    await files.replace(UPLOAD, [input('a')])
    await files.remove(UPLOAD)
    await files.remove('unknown')
    expect(await files.node(UPLOAD, '')).toBeUndefined()
    expect(await onDisk()).toEqual([])
  })
})

describe('a killed replacement', () => {
  /** Runs a replacement in another process and kills it at the file named `kill`. */
  async function killedReplacement(): Promise<void> {
    const program = join(folder, 'replace.mts')
    const store = join(import.meta.dirname, '../../src/files/local/local-raw-files.ts')
    await writeFile(
      program,
      `import { Readable } from 'node:stream'
       import { LocalRawFiles } from ${JSON.stringify(store)}
       const files = await LocalRawFiles.open(${JSON.stringify(root)})
       async function* inputs() {
         for (let i = 0; i < 100; i++) yield { path: 'new/' + i, open: () => Readable.from([Buffer.from('new')]) }
         process.send('half')
         await new Promise(() => setInterval(() => {}, 1000))
       }
       await files.replace(${JSON.stringify(UPLOAD)}, inputs())`
    )
    const child = fork(program, { execArgv: ['--no-warnings'] })
    await new Promise(resolve => child.once('message', resolve))
    // While it runs, a store that is opened leaves its files alone.
    const meanwhile = await LocalRawFiles.open(root)
    expect((await onDisk()).filter(p => p.includes('/new/')).length).toBe(100)
    await meanwhile.close()
    const ended = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }

  it('leaves the old tree, and its rest goes at the next start', async () => {
    await files.replace(UPLOAD, [input('old', 'old')])
    const before = await onDisk()
    await killedReplacement()
    expect((await onDisk()).length).toBeGreaterThan(before.length)
    expect(await text(await files.open(UPLOAD, 'old'))).toBe('old')

    const next = await LocalRawFiles.open(root)
    expect(await onDisk()).toEqual(before)
    expect(await text(await next.open(UPLOAD, 'old'))).toBe('old')
    await next.close()
  })

  it('of a new upload leaves nothing', async () => {
    await killedReplacement()
    expect(await files.node(UPLOAD, '')).toBeUndefined()
    await (await LocalRawFiles.open(root)).close()
    expect(await onDisk()).toEqual([])
  })
})

describe('a manifest that cannot be used', () => {
  const manifest = async () => join(root, (await onDisk()).find(p => p.endsWith('manifest.jsonl')) as string)

  it('of a newer version is refused by name', async () => {
    await files.replace(UPLOAD, [input('a')])
    const path = await manifest()
    await writeFile(path, (await readFile(path, 'utf8')).replace('"raw_files":1', '"raw_files":2'))
    await expect(files.node(UPLOAD, 'a')).rejects.toMatchObject({ code: 'STORE_NEWER' })
  })

  it('cut off is refused by name', async () => {
    await files.replace(UPLOAD, [input('a'), input('b')])
    const path = await manifest()
    const lines = (await readFile(path, 'utf8')).split('\n')
    await writeFile(path, `${lines.slice(0, 2).join('\n')}\n`)
    await expect(files.node(UPLOAD, 'a')).rejects.toThrow(/manifest\.jsonl.*1 files instead of 2/)
    await writeFile(path, '{"raw_')
    await expect(files.node(UPLOAD, 'a')).rejects.toMatchObject({ code: 'STORE_UNUSABLE' })
  })
})
