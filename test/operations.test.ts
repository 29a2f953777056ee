/** What docs/operations.md shows works: its commands, its units of systemd, its proxies. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { type RequestOptions, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCorpusServices, openTestServices, profiles, type TestServer, testServer } from './app.ts'
import { run } from './cli/serai.ts'
import { freePort } from './free-port.ts'

const ROOT = join(import.meta.dirname, '..')
const DOCUMENT = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8')
const HOST = 'nomad.example.org'

function blocks(language: string): string[] {
  const found = DOCUMENT.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))
  return [...found].map(([, block]) => block as string)
}

/** Where a program is; Debian keeps servers out of the path of ordinary people. */
function program(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.map(folder => join(folder, name)).find(path => existsSync(path))
}

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serai-operations-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('the commands', () => {
  /** Those of a chapter, with its folders inside ours. */
  const commandsOf = (heading: string) => {
    const chapter = DOCUMENT.split(/^## /m).find(part => part.startsWith(heading)) ?? ''
    const shell = [...chapter.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block]) => block).join('')
    return shell.split('\n').flatMap(line => {
      if (!line.startsWith('serai ')) return []
      return [line.split(' ').slice(1)].map(words =>
        words.map(word =>
          word.replace(/^(?=\/(?:backups|var|srv)\/)/, folder).replace(/^cluster\.env$/, `${folder}/$&`)
        )
      )
    })
  }
  const installation = () => join(folder, 'var/lib/serai')
  const ok = async (args: readonly string[], settings = {}) => {
    const { code, stderr } = await run(args, settings)
    expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: expect.any(String) })
  }

  beforeAll(() => ok(['import', join(ROOT, 'fixtures/guide'), '--data', installation()]))

  test('of backup and restore', async () => {
    const commands = [...commandsOf('Backup'), ...commandsOf('Restore')]
    expect(commands.map(([name]) => name)).toEqual(['backup', 'restore', 'restore', 'check'])
    for (const command of commands) await ok(command, { SERAI_DATA_DIR: installation() })
  }, 60_000)

  test.runIf(profiles().includes('cluster'))(
    'of the way from embedded to cluster',
    async () => {
      const target = await openTestServices('cluster')
      try {
        const { storage, dataDir } = target.config
        if (storage.kind !== 'cluster') throw new Error('no cluster')
        const [, settings = ''] = DOCUMENT.match(/cat > cluster\.env <<'END'\n(.*?)^END$/ms) ?? []
        const changed = settings
          .replace('/srv/serai-files', dataDir)
          .replace('http://127.0.0.1:9200', storage.elasticsearchUrl)
          .replace('mongodb://127.0.0.1:27017', storage.mongodbUrl)
        // A database and an index of this test.
        const own = `SERAI_MONGODB_DATABASE=${storage.mongodbDatabase}\nSERAI_ELASTICSEARCH_INDEX=${storage.elasticsearchIndex}\n`
        await writeFile(join(folder, 'cluster.env'), changed + own)
        const commands = commandsOf('From embedded')
        expect(commands.map(([name]) => name)).toEqual(['migrate'])
        for (const command of commands) await ok(command)
      } finally {
        await target.close()
      }
    },
    60_000
  )
})

const analyze = program('systemd-analyze')

describe.runIf(analyze)('the units of systemd', () => {
  const verify = async (name: string, unit: string) => {
    const path = join(folder, name)
    // The programs of this machine: what is not there is told as an error.
    await writeFile(path, unit.replaceAll('/usr/bin/node', process.execPath))
    const { stdout, stderr } = spawnSync(analyze as string, ['verify', '--man=no', path])
    return `${stdout}${stderr}`
  }
  const units = blocks('ini')

  test('are what systemd knows', async () => {
    expect(units).toHaveLength(3)
    expect(await verify('serai.service', units[0] as string)).toBe('')
    expect(await verify('serai-backup.service', units[1] as string)).toBe('')
    expect(await verify('serai-backup.timer', units[2] as string)).toBe('')
  })

  test('would be told otherwise', async () => {
    const wrong = (units[0] as string).replace('ProtectHome=', 'ProtectHomes=')
    expect(await verify('wrong.service', wrong)).toContain('ProtectHomes')
  })
})

/** A proxy as it is configured by the document, on a port of its own and for the given server. */
interface Proxy {
  readonly port: number
  end(): Promise<void>
}

/** Where the certificate of the test is; it is made when it is not there. */
async function certificate(): Promise<{ certificate: string; key: string }> {
  const paths = { certificate: join(folder, 'fullchain.pem'), key: join(folder, 'key.pem') }
  if (!existsSync(paths.key)) {
    const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    const named = ['-subj', `/CN=${HOST}`, '-addext', `subjectAltName=DNS:${HOST}`]
    const out = ['-out', paths.certificate, '-keyout', paths.key]
    execFileSync('openssl', ['req', '-x509', ...made, ...named, ...out], { stdio: 'pipe' })
  }
  return paths
}

async function started(process: ChildProcess, port: number): Promise<Proxy> {
  let told = ''
  process.stderr?.setEncoding('utf8').on('data', part => {
    told += part
  })
  const ended = new Promise<void>(resolve => process.once('close', () => resolve()))
  for (let tries = 0; ; tries++) {
    const answers = await ask(port, '/-/').then(
      () => true,
      () => false
    )
    if (answers) break
    if (process.exitCode !== null || tries > 200) throw new Error(`the proxy does not start: ${told}`)
    await delay(50)
  }
  return {
    port,
    end: async () => {
      process.kill()
      await ended
    }
  }
}

const PROXIES: Record<string, (binary: string, upstream: number) => Promise<Proxy>> = {
  nginx: async (binary, upstream) => {
    const [port, plain] = [await freePort(), await freePort()]
    const place = await mkdtemp(join(folder, 'nginx-'))
    const paths = await certificate()
    const server = (blocks('nginx')[0] as string)
      .replace('server 127.0.0.1:8000;', `server 127.0.0.1:${upstream};`)
      .replace('listen 80;', `listen 127.0.0.1:${plain};`)
      .replace('listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`)
      .replace('/etc/ssl/serai/fullchain.pem', paths.certificate)
      .replace('/etc/ssl/serai/key.pem', paths.key)
      .replace('/var/log/nginx/serai.log', join(place, 'access.log'))
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map(kind => `${kind}_temp_path ${join(place, kind)};`)
      .join('\n')
    const main = `daemon off;\npid ${join(place, 'pid')};\nerror_log stderr;\nevents {}\n`
    await writeFile(join(place, 'nginx.conf'), `${main}http {\n${temporary}\n${server}\n}\n`)
    const args = ['-p', place, '-c', join(place, 'nginx.conf')]
    return started(spawn(binary, args, { stdio: ['ignore', 'ignore', 'pipe'] }), port)
  },
  caddy: async (binary, upstream) => {
    const port = await freePort()
    const place = await mkdtemp(join(folder, 'caddy-'))
    const paths = await certificate()
    const site = (blocks('caddyfile')[0] as string)
      .replace(`${HOST} {`, `${HOST}:${port} {\n\ttls ${paths.certificate} ${paths.key}`)
      .replace('127.0.0.1:8000', `127.0.0.1:${upstream}`)
    const options = '{\n\tadmin off\n\tauto_https disable_redirects\n\tdefault_bind 127.0.0.1\n}\n'
    const file = join(place, 'Caddyfile')
    await writeFile(file, options + site)
    const env = { ...process.env, HOME: place, XDG_DATA_HOME: place, XDG_CONFIG_HOME: place }
    const args = ['run', '--config', file, '--adapter', 'caddyfile']
    return started(spawn(binary, args, { stdio: ['ignore', 'ignore', 'pipe'], env }), port)
  }
}

/** Asks the proxy by the name of the document. */
function ask(
  port: number,
  path: string,
  { body, ...options }: RequestOptions & { body?: Readable } = {}
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        path,
        servername: HOST,
        // Of the test, signed by itself.
        rejectUnauthorized: false,
        ...options,
        headers: { host: `${HOST}:${port}`, ...options.headers }
      },
      resolve
    )
    asked.on('error', reject)
    if (body) body.pipe(asked)
    else asked.end()
  })
}

/** Those that are installed. */
const installed = Object.entries(PROXIES).flatMap(([name, start]) => {
  const binary = program(name)
  return binary !== undefined && program('openssl') !== undefined ? [[name, binary, start] as const] : []
})

describe.each(installed)('%s before Serai', (_, binary, start) => {
  let server: TestServer
  let proxy: Proxy

  beforeAll(async () => {
    const settings = {
      SERAI_TRUSTED_PROXIES: 'loopback',
      SERAI_RATE_LIMIT: '1',
      SERAI_RATE_BURST: '20'
    }
    server = await testServer(await openCorpusServices('embedded', settings, ['guide']))
    proxy = await start(binary, Number(new URL(server.base).port))
  })
  afterAll(async () => {
    await proxy?.end()
    await server?.close()
  })

  test('answers, with links by which it was asked, and keeps what is not for everybody', async () => {
    const answer = await ask(proxy.port, '/api/v1/entries?elements=Ti&page_size=1')
    expect(answer.statusCode).toBe(200)
    const { pagination } = JSON.parse(await text(answer))
    expect(pagination.next_page_url).toMatch(`https://${HOST}:${proxy.port}/api/v1/entries?`)
    expect((await ask(proxy.port, '/-/health')).statusCode).toBe(404)
  })

  test('tells who asks, and not what that says of itself', async () => {
    const statuses = []
    for (let i = 0; i < 40; i++) {
      const headers = { 'x-forwarded-for': `198.51.100.${i}`, 'x-real-ip': `198.51.100.${i}` }
      const answer = await ask(proxy.port, '/api/v1/entries?page_size=0', { headers })
      statuses.push(answer.statusCode)
      answer.resume()
    }
    expect(statuses).toContain(200)
    expect(statuses).toContain(503)
  })
})

describe.each(installed)('%s before any server', (_, binary, start) => {
  let upstream: Server
  let proxy: Proxy
  let respond: RequestListener

  beforeAll(async () => {
    upstream = createServer((asked, answer) => respond(asked, answer))
    await new Promise<void>(resolve => upstream.listen(0, '127.0.0.1', resolve))
    proxy = await start(binary, (upstream.address() as AddressInfo).port)
  })
  afterAll(async () => {
    await proxy?.end()
    upstream?.closeAllConnections()
    upstream?.close()
  })

  test('sends an answer on as it comes', async () => {
    const seen = Promise.withResolvers<void>()
    respond = (_, answer) => {
      answer.write('first line\n')
      void seen.promise.then(() => answer.end('last line\n'))
    }
    const answer = await ask(proxy.port, '/api/v1/entries/archive/query')
    const chunks: string[] = []
    for await (const chunk of answer) {
      chunks.push(String(chunk))
      seen.resolve()
    }
    expect(chunks).toEqual(['first line\n', 'last line\n'])
  })

  test('sends a body on as it comes, however large', async () => {
    const begun = Promise.withResolvers<void>()
    respond = async (asked, answer) => {
      let bytes = 0
      for await (const chunk of asked) {
        bytes += (chunk as Buffer).length
        begun.resolve()
      }
      answer.end(String(bytes))
    }
    const part = Buffer.alloc(1024 * 1024)
    const body = Readable.from(
      (async function* () {
        yield part
        await begun.promise
        for (let i = 0; i < 63; i++) yield part
      })()
    )
    const answer = await ask(proxy.port, '/api/v1/uploads', { method: 'PUT', body })
    expect(await text(answer)).toBe(String(64 * part.length))
  })
})
