/** Limits that several servers share, over a real Redis; there are no such tests where `redis-server` is not installed. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { RedisConcurrency } from '../../../src/limits/redis-concurrency.ts'
import { connectRedis } from '../../../src/limits/redis-connection.ts'
import { openTestServices, type TestServer, testServer } from '../../app.ts'
import { eventually } from '../../files/open-files.ts'
import { freePort } from '../../free-port.ts'

const installed = spawnSync('redis-server', ['--version']).status === 0

describe.runIf(installed)('limits shared through Redis', () => {
  let redisServer: ChildProcess
  let url: string

  beforeAll(async () => {
    const port = await freePort()
    url = `redis://127.0.0.1:${port}`
    redisServer = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], {
      stdio: 'ignore'
    })
    const probe = new Redis(url, { retryStrategy: () => 100, maxRetriesPerRequest: null })
    probe.on('error', () => {})
    await probe.ping()
    probe.disconnect()
  })
  afterAll(() => {
    redisServer.kill('SIGKILL')
  })

  async function servers(settings: Record<string, string>): Promise<[TestServer, TestServer]> {
    const made = []
    for (let i = 0; i < 2; i++) {
      const services = await openTestServices('embedded', { ...settings, SERAI_REDIS_URL: url })
      made.push(await testServer(services))
      await eventually(async () => services.redis?.status === 'ready', 5000)
    }
    return made as [TestServer, TestServer]
  }

  const groups = (server: TestServer) => fetch(`${server.base}/groups`)

  test('two servers count the requests of an address together', async () => {
    const [one, other] = await servers({ SERAI_RATE_LIMIT: '1', SERAI_RATE_BURST: '10' })
    try {
      const statuses = []
      for (let i = 0; i < 6; i++) {
        statuses.push((await groups(one)).status, (await groups(other)).status)
      }
      expect(statuses).toEqual([...Array(10).fill(200), 503, 503])
      const refused = await groups(other)
      expect(refused.headers.get('ratelimit-policy')).toBe('"rate";q=10;w=10')
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    } finally {
      await one.close()
      await other.close()
    }
  })

  test('two processes count what is under way together, and give back what they took', async () => {
    const [mine, theirs] = [connectRedis(url), connectRedis(url)]
    await Promise.all([mine, theirs].map(redis => eventually(async () => redis.status === 'ready', 5000)))
    const one = new RedisConcurrency(mine, 'test-')
    const other = new RedisConcurrency(theirs, 'test-')
    try {
      const first = await one.enter('a', 2)
      const second = await other.enter('a', 2)
      expect([first?.left, second?.left]).toEqual([1, 0])
      expect(await one.enter('a', 2)).toBeUndefined()
      expect((await other.enter('b', 2))?.left).toBe(1)
      first?.release()
      first?.release()
      await eventually(async () => (await mine.zcard('test-a')) === 1)
      expect((await other.enter('a', 2))?.left).toBe(0)
      expect(await one.enter('a', 2)).toBeUndefined()
      // A server that ends leaves nothing behind.
      other.close()
      await eventually(async () => (await mine.zcard('test-a')) === 0)
      expect(await mine.zcard('test-b')).toBe(0)
    } finally {
      one.close()
      other.close()
      mine.disconnect()
      theirs.disconnect()
    }
  })

  test('a slot outlives its lease while its server lives, and ends with it', async () => {
    const redis = connectRedis(url)
    await eventually(async () => redis.status === 'ready', 5000)
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const counter = new RedisConcurrency(redis, 'lease-')
    try {
      await counter.enter('a', 1)
      const end = async () => Number((await redis.zrange('lease-a', '0', '0', 'WITHSCORES'))[1])
      const before = await end()
      await new Promise(resolve => setTimeout(resolve, 20))
      vi.advanceTimersByTime(10_000)
      await eventually(async () => (await end()) > before)
      // What a server that died has left ends at its time.
      expect(await redis.pttl('lease-a')).toBeLessThanOrEqual(30_000)
      await redis.zadd('lease-a', 'XX', 1, (await redis.zrange('lease-a', '0', '0'))[0] as string)
      expect((await counter.enter('a', 1))?.left).toBe(0)
    } finally {
      vi.useRealTimers()
      counter.close()
      redis.disconnect()
    }
  })

  test('the 11th request at the same time is refused whichever server it comes to', async () => {
    const [one, other] = await servers({ SERAI_CONCURRENCY_LIMIT: '10' })
    const redis = connectRedis(url)
    await eventually(async () => redis.status === 'ready', 5000)
    const counter = new RedisConcurrency(redis, 'serai-concurrency-')
    try {
      const slots = await Promise.all(Array.from({ length: 10 }, () => counter.enter('127.0.0.1', 10)))
      expect([(await groups(one)).status, (await groups(other)).status]).toEqual([503, 503])
      slots[0]?.release()
      await eventually(async () => (await groups(one)).status === 200)
      await eventually(async () => (await groups(other)).status === 200)
    } finally {
      counter.close()
      redis.disconnect()
      await one.close()
      await other.close()
    }
  })

  test('while Redis does not answer every server counts alone', async () => {
    const [one, other] = await servers({
      SERAI_RATE_LIMIT: '1',
      SERAI_RATE_BURST: '60',
      SERAI_CONCURRENCY_LIMIT: '10'
    })
    try {
      redisServer.kill('SIGKILL')
      await eventually(async () => one.services.redis?.status !== 'ready', 5000)
      const answers = await Promise.all([groups(one), groups(other)])
      expect(answers.map(answer => answer.status)).toEqual([200, 200])
      expect(answers.map(answer => answer.headers.get('ratelimit'))).toEqual(
        Array(2).fill('"rate";r=59;t=60, "concurrency";r=9')
      )
    } finally {
      await one.close()
      await other.close()
    }
  })
})
