import { readFile, truncate } from 'node:fs/promises'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestServices, type TestServices, testApp } from '../../app.ts'
import { eventually, openFilesBelow } from '../../files/open-files.ts'
import { publishedUpload } from '../../upload.ts'

const API = '/api/v1'

describe('raw files over a socket', () => {
  const UPLOAD = 'abcdefghijklmnopqrstuv'
  const NAME = 'Übung "№1" 🧪 100%.txt'
  const BIG = 30_000_000
  let services: TestServices
  let app: FastifyInstance
  let base: string
  let folder: string

  beforeAll(async () => {
    services = await openTestServices('embedded')
    folder = join(services.config.dataDir, 'raw')
    const upload = publishedUpload(UPLOAD)
    await services.documents.putUpload(upload)
    const input = (path: string, bytes: Buffer) => ({ path, open: () => Readable.from([bytes]) })
    await services.files.replace(UPLOAD, [
      input(NAME, Buffer.from('named')),
      input('d/big', Buffer.alloc(BIG, 'big ')),
      input('d/bigger', Buffer.alloc(BIG, 'bigger ')),
      input('page.html', Buffer.from('<!doctype html><script>alert(1)</script>')),
      input('no.gz', Buffer.from('not compressed'))
    ])
    app = await testApp(services)
    await app.listen({ port: 0, host: '127.0.0.1' })
    base = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}${API}/uploads/${UPLOAD}/raw`
  })
  afterAll(async () => {
    await app?.close()
    await services?.close()
  })

  it('can have names of any script', async () => {
    const response = await fetch(`${base}/${encodeURIComponent(NAME)}`)
    expect(await response.text()).toBe('named')
    expect(response.headers.get('content-disposition')).toBe(
      'attachment; filename="_bung \\"_1\\" _ 100%.txt"; ' +
        "filename*=UTF-8''%C3%9Cbung%20%22%E2%84%961%22%20%F0%9F%A7%AA%20100%25.txt"
    )
  })

  it('are never run by a browser', async () => {
    const response = await fetch(`${base}/page.html`)
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('content-security-policy')).toContain('sandbox')
  })

  it('keep their length when the client takes compressed answers', async () => {
    const response = await fetch(`${base}/d/big`, { headers: { 'accept-encoding': 'gzip' } })
    expect(response.headers.get('content-encoding')).toBeNull()
    expect(response.headers.get('content-length')).toBe(String(BIG))
    expect((await response.arrayBuffer()).byteLength).toBe(BIG)
    const head = await fetch(`${base}/d/big`, { method: 'HEAD' })
    expect(head.headers.get('content-length')).toBe(String(BIG))
    await eventually(async () => (await openFilesBelow(folder)).length === 0)
  })

  it('that cannot be decompressed are a clean error', async () => {
    const response = await fetch(`${base}/no.gz?decompress=true`)
    expect(response.status).toBe(400)
    expect(await response.json()).toEqual({
      detail: 'The file cannot be decompressed: it is no valid .gz file.'
    })
  })

  for (const path of ['', '/d?compress=true', '/d/big', '/d/big?decompress=true&offset=3']) {
    it(`are closed within a second when the client of raw${path} goes away`, async () => {
      const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
      socket.on('error', () => {})
      socket.write(`GET ${new URL(base).pathname}${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
      await new Promise(resolve => socket.once('data', resolve))
      socket.pause()
      await eventually(async () => (await openFilesBelow(folder)).length === 1)
      socket.destroy()
      await eventually(async () => (await openFilesBelow(folder)).length === 0)
    })
  }

  it('break the connection when a file turns out to be damaged', async () => {
    const [manifest] = (await readFile(join(folder, 'ab', UPLOAD, 'manifest.jsonl'), 'utf8')).split('\n')
    const { generation } = JSON.parse(manifest as string) as { generation: string }
    await truncate(join(folder, 'ab', UPLOAD, generation, 'd/bigger'), 1000)
    const response = await fetch(base)
    expect(response.status).toBe(200)
    await expect(response.arrayBuffer()).rejects.toThrow()
    const file = await fetch(`${base}/d/bigger`)
    expect(file.status).toBe(500)
    expect(await file.text()).not.toContain(folder)
  })
})
