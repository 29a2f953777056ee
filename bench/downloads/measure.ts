/**
 * Measures downloads over loopback: `fill` makes a data folder, `measure` starts the server and nginx on it and downloads
 * from both with curl. See README.md.
 */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { loadavg } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { readConfig } from '../../src/config.ts'
import { openServices } from '../../src/services.ts'
import { startServer } from '../server.ts'
import { ENTRY_UPLOADS, fill, folderOf, LARGE, LARGE_BYTES, MANY, made, SMALL, ZEROS_BYTES } from './data.ts'

const { positionals, values: options } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string' },
    runs: { type: 'string', default: '7' },
    parallel: { type: 'string', default: '200' },
    only: { type: 'string', default: '' }
  }
})
if (!options.data) throw new Error('--data FOLDER is missing')
const data = resolve(options.data)
const runs = Number(options.runs)

const PORT = 8961
const NGINX_PORT = 8962
const API = `http://127.0.0.1:${PORT}/api/v1`
const NGINX = `http://127.0.0.1:${NGINX_PORT}`

/** Clock ticks of `/proc/<pid>/stat` in a second. */
const TICKS = 100

interface Process {
  readonly pid: number
  readonly stop: () => void
}

if (positionals[0] === 'fill') {
  const services = await openServices(readConfig({ SERAI_DATA_DIR: made(data), SERAI_LOG_LEVEL: 'silent' }))
  await fill(services)
  await services.close()
} else if (positionals[0] === 'measure') await measure()
else throw new Error('fill or measure?')

async function measure(): Promise<void> {
  console.log(`load ${loadavg()[0]?.toFixed(1)} when it began`)
  const serai = await startSerai()
  const nginx = await startNginx()
  try {
    const wanted = (name: string) => options.only === '' || name.includes(options.only)
    if (wanted('file')) {
      await compare(
        'large file',
        LARGE_BYTES,
        [serai, `${API}/uploads/${LARGE}/raw/large.bin`],
        [nginx, `${NGINX}/large/large.bin`]
      )
    }
    if (wanted('zip')) {
      await compare(
        'zip of 1 MB files, nginx: tar',
        readFileSync(join(data, 'many.size'), 'utf8'),
        [serai, `${API}/uploads/${MANY}/raw`],
        [nginx, `${NGINX}/many.tar`]
      )
    }
    if (wanted('first')) {
      await firstByte('20,000 files of one upload', `${API}/uploads/${SMALL}/raw`)
      await firstByte(
        `20,000 files of 2,000 entries in ${ENTRY_UPLOADS} uploads`,
        `${API}/entries/raw?comment=bench`
      )
      await firstByte('20,000 files of 20,000 entries', `${API}/entries/raw?comment=single`)
    }
    if (wanted('memory')) await memory(serai)
  } finally {
    serai.stop()
    nginx.stop()
  }
  console.log(`load ${loadavg()[0]?.toFixed(1)} when it ended`)
}

async function startSerai(): Promise<Process> {
  const server = startServer(['serve'], {
    env: {
      ...process.env,
      SERAI_DATA_DIR: data,
      SERAI_PORT: String(PORT),
      SERAI_DEMO_DATA: 'false',
      SERAI_RATE_LIMIT: 'off',
      SERAI_CONCURRENCY_LIMIT: 'off',
      SERAI_MAX_EVENT_LOOP_DELAY: 'off',
      SERAI_LOG_LEVEL: 'error'
    },
    stdio: ['ignore', 'ignore', 'inherit']
  })
  await listening(PORT)
  return { pid: server.pid as number, stop: () => server.kill() }
}

async function startNginx(): Promise<Process> {
  const folder = made(join(data, 'nginx'))
  const tar = join(folder, 'many.tar')
  const many = await folderOf(data, MANY)
  if (!existsSync(tar)) execFileSync('tar', ['cf', tar, '-C', many, '.'])
  const size = execFileSync('stat', ['-c', '%s', tar]).toString().trim()
  writeFileSync(join(data, 'many.size'), size)
  const configuration = join(folder, 'nginx.conf')
  writeFileSync(
    configuration,
    `worker_processes 1; daemon off; master_process off; user root;
     pid ${folder}/nginx.pid; error_log ${folder}/error.log;
     events { worker_connections 1024; }
     http {
       access_log off; sendfile on; tcp_nopush on;
       server {
         listen 127.0.0.1:${NGINX_PORT};
         root ${folder};
         location /large/ { alias ${await folderOf(data, LARGE)}/; }
       }
     }`
  )
  const server = spawn('nginx', ['-c', configuration], { stdio: 'ignore' })
  await listening(NGINX_PORT)
  return { pid: server.pid as number, stop: () => server.kill() }
}

async function listening(port: number): Promise<void> {
  for (const end = Date.now() + 60_000; ; await delay(50)) {
    if (Date.now() > end) throw new Error(`nothing listens on port ${port}`)
    const answered = await new Promise<boolean>(done => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => done(true)).once('error', () => done(false))
      socket.unref()
      setTimeout(() => socket.destroy(), 100).unref()
    })
    if (answered) return
  }
}

/** Seconds that a process has computed so far. */
function cpu(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** MiB of memory of a process. */
function rss(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

function curl(url: string, told: string): Promise<number[]> {
  return new Promise((done, failed) => {
    const client = spawn('curl', ['-sSf', '-o', '/dev/null', '-w', told, url])
    let text = ''
    client.stdout.on('data', chunk => {
      text += chunk
    })
    client.once('error', failed).once('exit', code => {
      if (code === 0) done(text.split(' ').map(Number))
      else failed(new Error(`curl ${url} ended with ${code}`))
    })
  })
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number
}

/** Downloads from both in turn, so that what else the machine does meets both. */
async function compare(
  name: string,
  bytes: number | string,
  ...sides: [readonly [Process, string], readonly [Process, string]]
): Promise<void> {
  const speeds: number[][] = [[], []]
  const seconds: number[][] = [[], []]
  for (let run = 0; run <= runs; run++) {
    for (const [side, [{ pid }, url]] of sides.entries()) {
      const before = cpu(pid)
      const [speed] = await curl(url, '%{speed_download}')
      // The first ones bring the files into memory.
      if (run === 0) continue
      speeds[side]?.push((speed as number) / 1e6)
      seconds[side]?.push((cpu(pid) - before) / (Number(bytes) / 1e9))
    }
  }
  const [own, other] = speeds.map(median) as [number, number]
  const [ownCpu, otherCpu] = seconds.map(median) as [number, number]
  console.log(
    `${name}: ${Math.round(own)} MB/s, nginx ${Math.round(other)} MB/s (${(own / other).toFixed(2)} of it); ` +
      `CPU ${ownCpu.toFixed(2)} s/GB, nginx ${otherCpu.toFixed(2)} s/GB`
  )
}

async function firstByte(name: string, url: string): Promise<void> {
  const times: number[] = []
  for (let run = 0; run <= runs; run++) {
    const [time] = await curl(url, '%{time_starttransfer}')
    times.push((time as number) * 1000)
  }
  const [first, ...others] = times
  console.log(
    `first byte of ${name}: ${Math.round(first as number)} ms, then ${Math.round(median(others))} ms`
  )
}

/** Many downloads at a time, each read a little and then slowly, and all read to the end. */
async function memory(serai: Process): Promise<void> {
  const parallel = Number(options.parallel)
  const url = `${API}/uploads/${LARGE}/raw/zeros.bin`
  await curl(url, '%{speed_download}')
  const idle = rss(serai.pid)
  let most = 0
  let over = false
  const watching = (async () => {
    while (!over) {
      most = Math.max(most, rss(serai.pid))
      await delay(50)
    }
  })()
  const begin = performance.now()
  await Promise.all(Array.from({ length: parallel }, () => curl(url, '%{size_download}')))
  over = true
  await watching
  const gigabytes = (parallel * ZEROS_BYTES) / 1e9
  console.log(
    `${parallel} downloads of 1 GB at a time: ${Math.round(most - idle)} MiB over the ${Math.round(idle)} MiB before, ` +
      `${Math.round((gigabytes * 1e3) / ((performance.now() - begin) / 1000))} MB/s together`
  )
}
