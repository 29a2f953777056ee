import { mkdtemp, rm, truncate } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { directoryMembers, entryMembers } from '../../src/files/entry-zip.ts'
import { LocalRawFiles } from '../../src/files/local/local-raw-files.ts'
import { streamedMembers } from '../../src/files/stored-zip.ts'
import { type ZipMember, zipStream } from '../../src/files/zip.ts'
import { eventually, openFilesBelow } from './open-files.ts'
import { unzip } from './unzip.ts'

const TIME = new Date('2026-03-04T05:06:08Z')
const ALL = () => true

let root: string
let files: LocalRawFiles

async function store(uploadId: string, contents: Record<string, string | Buffer>): Promise<void> {
  await files.replace(
    uploadId,
    Object.entries(contents).map(([path, content]) => ({
      path,
      modified: TIME,
      open: () => Readable.from([Buffer.from(content)])
    }))
  )
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'serai-zip-'))
  files = await LocalRawFiles.open(root)
})
afterEach(async () => {
  await files.close()
  await rm(root, { recursive: true })
})

async function* members(...list: ZipMember[]): AsyncGenerator<ZipMember> {
  yield* list
}

/** All files of the upload `up`. */
function everything(): AsyncIterable<ZipMember> {
  return streamedMembers(files, directoryMembers(files, 'up', '', ALL))
}

function member(name: string, content: string): ZipMember {
  return { name, modified: TIME, open: async () => Readable.from([Buffer.from(content)]) }
}

describe('a zip', () => {
  for (const compress of [false, true]) {
    it(`holds its members ${compress ? 'deflated' : 'stored'}, with names of any script`, async () => {
      const names = [
        'a.txt',
        'dir/Übung №1.txt',
        '測試/🧪.txt',
        'T10:20.txt',
        'C:x',
        'back\\..\\slash',
        'empty'
      ]
      const zip = zipStream(members(...names.map(n => member(n, n === 'empty' ? '' : `content of ${n}`))), {
        compress
      })
      const read = await unzip(await buffer(zip))
      expect(read.map(m => m.name)).toEqual([
        'a.txt',
        'dir/Übung №1.txt',
        '測試/🧪.txt',
        './T10:20.txt',
        './C:x',
        'back_.._slash',
        'empty'
      ])
      expect(read.map(m => m.content.toString())).toEqual(
        names.map(n => (n === 'empty' ? '' : `content of ${n}`))
      )
      expect(read[0]?.stored).toBe(!compress)
      expect(read[0]?.modified).toEqual(TIME)
    })
  }

  it('of nothing is a proper zip', async () => {
    expect(await unzip(await buffer(zipStream(members(), { compress: false })))).toEqual([])
  })

  it('is byte for byte the same each time', async () => {
    await store('up', { a: 'a', 'd/b': 'b' })
    const zip = () => buffer(zipStream(everything(), { compress: false }))
    const first = await zip()
    await new Promise(resolve => setTimeout(resolve, 2100))
    expect((await zip()).equals(first)).toBe(true)
  })
})

describe('the zip of entries', () => {
  const entry = (entry_id: string, upload_id: string, mainfile: string) => ({ entry_id, upload_id, mainfile })

  async function zipped(entries: ReturnType<typeof entry>[], selection: (path: string) => boolean = ALL) {
    const members = streamedMembers(files, entryMembers(files, [entries], selection))
    const read = await unzip(await buffer(zipStream(members, { compress: false })))
    return {
      names: read.map(m => m.name),
      manifest: JSON.parse(String(read.at(-1)?.content)) as unknown[]
    }
  }

  beforeEach(async () => {
    await store('u1', {
      'run/main.out': 'm',
      'run/a.in': 'a',
      'run/sub/deep': 'd',
      'top.yaml': 't',
      'x/o.out': 'o'
    })
    await store('u2', { 'run/main.out': 'other' })
  })

  it('holds the files beside each mainfile, shared ones once, and the manifest last', async () => {
    const { names, manifest } = await zipped([
      entry('e1', 'u1', 'run/main.out'),
      entry('e2', 'u1', 'run/a.in'),
      entry('e3', 'u1', 'top.yaml'),
      entry('e4', 'u2', 'run/main.out')
    ])
    expect(names).toEqual([
      'u1/run/main.out',
      'u1/run/a.in',
      'u1/top.yaml',
      'u2/run/main.out',
      'manifest.json'
    ])
    expect(manifest).toEqual([
      entry('e1', 'u1', 'u1/run/main.out'),
      entry('e2', 'u1', 'u1/run/a.in'),
      entry('e3', 'u1', 'u1/top.yaml'),
      entry('e4', 'u2', 'u2/run/main.out')
    ])
  })

  it('leaves entries out of the manifest whose files are filtered out, not those without files', async () => {
    const { names, manifest } = await zipped(
      [
        entry('e1', 'u1', 'run/main.out'),
        entry('e2', 'u1', 'x/o.out'),
        entry('e3', 'u1', 'gone/main.out'),
        entry('e4', 'unknown', 'main.out')
      ],
      path => path.endsWith('.in')
    )
    expect(names).toEqual(['u1/run/a.in', 'manifest.json'])
    expect(manifest.map(m => (m as { entry_id: string }).entry_id)).toEqual(['e1', 'e3', 'e4'])
  })

  it('of no entry holds an empty manifest', async () => {
    expect(await zipped([])).toEqual({ names: ['manifest.json'], manifest: [] })
  })
})

describe('a zip that cannot be completed', () => {
  it('ends with an error when a file is damaged', async () => {
    await store('up', { a: 'a'.repeat(1000), b: 'b'.repeat(1000) })
    const { generation } = JSON.parse(
      (await buffer((await import('node:fs')).createReadStream(join(root, 'up/up/manifest.jsonl'))))
        .toString()
        .split('\n')[0] as string
    ) as { generation: string }
    await truncate(join(root, 'up/up', generation, 'b'), 10)
    const zip = zipStream(everything(), { compress: false })
    await expect(buffer(zip)).rejects.toMatchObject({ code: 'FILE_DAMAGED' })
    expect(await openFilesBelow(root)).toEqual([])
  })

  it('ends with an error when a member breaks off in the middle', async () => {
    async function* half(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(100_000)
      throw new Error('broken')
    }
    for (const compress of [false, true]) {
      const broken: ZipMember = { name: 'x', modified: TIME, open: async () => Readable.from(half()) }
      const zip = zipStream(members(member('a', 'a'), broken, member('b', 'b')), { compress })
      const chunks: Buffer[] = []
      let ended = false
      zip.on('data', chunk => chunks.push(chunk)).on('end', () => (ended = true))
      await expect(new Promise((_, reject) => zip.on('error', reject))).rejects.toThrow('broken')
      await new Promise(resolve => setTimeout(resolve, 50))
      expect(ended).toBe(false)
      await expect(unzip(Buffer.concat(chunks))).rejects.toThrow()
    }
  })

  it('ends with an error when the list of members breaks off', async () => {
    async function* list(): AsyncGenerator<ZipMember> {
      yield member('a', 'a')
      throw new Error('search failed')
    }
    await expect(buffer(zipStream(list(), { compress: false }))).rejects.toThrow('search failed')
  })
})

describe('clients of a zip over a socket', () => {
  const SIZE = 4_000_000
  const COUNT = 20
  let server: Server
  let returned: boolean
  let outcome: Promise<unknown>

  beforeEach(async () => {
    returned = false
    await store(
      'up',
      Object.fromEntries(Array.from({ length: COUNT }, (_, i) => [`f${i}`, Buffer.alloc(SIZE, i)]))
    )
    async function* tracked(): AsyncGenerator<ZipMember> {
      try {
        yield* everything()
      } finally {
        returned = true
      }
    }
    server = createServer((_request, response) => {
      const compress = _request.url === '/deflate'
      outcome = new Promise(resolve => pipeline(zipStream(tracked(), { compress }), response, resolve))
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  })
  afterEach(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })

  function ask(path = '/') {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
    return socket
  }

  it('that do not read hold one open file and one buffer, not the zip', async () => {
    const before = process.memoryUsage()
    const socket = ask().pause()
    await eventually(async () => (await openFilesBelow(root)).length > 0)
    await new Promise(resolve => setTimeout(resolve, 300))
    expect((await openFilesBelow(root)).length).toBe(1)
    const now = process.memoryUsage()
    expect(now.arrayBuffers - before.arrayBuffers).toBeLessThan(20_000_000)
    socket.destroy()
    await eventually(async () => (await openFilesBelow(root)).length === 0)
  })

  for (const path of ['/', '/deflate']) {
    it(`that go away in the middle of ${path} free everything within a second`, async () => {
      const socket = ask(path)
      await new Promise(resolve => socket.once('data', resolve))
      await eventually(async () => (await openFilesBelow(root)).length === 1)
      socket.pause()
      socket.destroy()
      await eventually(async () => (await openFilesBelow(root)).length === 0)
      await eventually(async () => returned)
      expect(await outcome).toBeInstanceOf(Error)
    })
  }

  it('that read slowly get every byte, with one file open at a time', async () => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const body = (await fetch(url)).body as unknown as AsyncIterable<Uint8Array>
    const chunks: Uint8Array[] = []
    let most = 0
    let i = 0
    for await (const chunk of body) {
      chunks.push(chunk)
      if (i++ % 50 === 0) {
        most = Math.max(most, (await openFilesBelow(root)).length)
        await new Promise(resolve => setTimeout(resolve, 5))
      }
    }
    const read = await unzip(Buffer.concat(chunks))
    expect(read.length).toBe(COUNT)
    for (const { name, content } of read)
      expect(content.equals(Buffer.alloc(SIZE, Number(name.slice(1))))).toBe(true)
    expect(most).toBe(1)
    expect(await openFilesBelow(root)).toEqual([])
  })
})
