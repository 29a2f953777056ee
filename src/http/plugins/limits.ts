/**
 * How much one address may ask (`auth.md` §8): requests a second, and requests at the same time. Decided before anything else
 * is done for a request: who is asking does not matter, and the body is not read.
 */
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'
import { networkOf } from '../../access/network.ts'
import { failure } from '../../errors.ts'
import { type ConcurrencyCounter, LocalConcurrency, type Slot } from '../../limits/concurrency.ts'
import { LocalRate } from '../../limits/local-rate.ts'
import { Pace, type Turn } from '../../limits/pace.ts'
import { RedisConcurrency } from '../../limits/redis-concurrency.ts'
import { type SharedCounts, sharedRate } from '../../limits/shared-counts.ts'
import type { LimitsConfig } from '../../limits-settings.ts'
import type { RequestMetrics } from '../../metrics/request-metrics.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Requests do not count: health, files of the documentation page. */
    unlimited?: boolean
    /** Programs send many such requests, each when an answer has come: rather than being refused they are answered later. */
    paced?: boolean
  }
  interface FastifyRequest {
    /** Absent where the rate is not limited. */
    turn: Turn | undefined
  }
}

/** What keys in Redis begin with. */
const PREFIX = 'serai-'

/** Bytes of a refused body that are read so that the connection can be kept. */
const SMALL_BODY = 65_536

/** What the plugin takes. */
export interface LimitsOptions {
  readonly limits: LimitsConfig
  /** `{base}/api/v1`. */
  readonly root: string
  readonly redis?: Redis
  /** Where processes of one machine count together, and what counts while Redis does not answer. */
  readonly counts?: SharedCounts
  /** To be told how many slots are taken. */
  readonly metrics?: Pick<RequestMetrics, 'countSlots'>
}

type Limiter = ReturnType<FastifyInstance['createRateLimit']>

/** Whether a request is free: see `unlimited`, and preflights of browsers. */
export function isUnlimited(request: FastifyRequest): boolean {
  return request.routeOptions.config?.unlimited === true || request.method === 'OPTIONS'
}

/** Refuses who asks too much; must come before the routes. */
export const limits = fp<LimitsOptions>(
  async (
    app: FastifyInstance,
    { limits: { rate, concurrency, trustedProxies }, root, redis, counts, metrics }
  ) => {
    app.addHook('onRoute', route => {
      if (route.url.startsWith(`${root}/extensions/`)) route.config = { ...route.config, unlimited: true }
    })
    if (!rate && concurrency === undefined) return

    const pace = new Pace()
    app.decorateRequest('turn', undefined)
    const policies = [
      ...(rate ? [`"rate";q=${rate.requests};w=${Math.ceil(rate.seconds)}`] : []),
      ...(concurrency !== undefined ? [`"concurrency";q=${concurrency};qu="concurrent-requests"`] : [])
    ].join(', ')
    const passing = rate ? await passingLimiter(app, rate, redis, counts) : undefined
    const slots =
      concurrency === undefined ? undefined : counted(slotsOf(app, concurrency, redis, counts), metrics)
    let warned = trustedProxies.length > 0

    app.addHook('onRequest', async (request, reply) => {
      if (isUnlimited(request)) return
      if (!warned && request.headers['x-forwarded-for'] !== undefined) {
        warned = true
        request.log.warn(
          `Requests come through a proxy (${request.ip}), and all who use it count as one address: SERAI_TRUSTED_PROXIES is not set.`
        )
      }
      reply.header('ratelimit-policy', policies)
      const states: string[] = []
      let counted: { remaining: number; ttl: number } | undefined
      if (rate && passing) {
        const { remaining, ttl, exceeded } = await passing(request)
        const wait = Math.max(1, Math.ceil(ttl / 1000))
        states.push(`"rate";r=${remaining};t=${wait}`)
        reply.header('ratelimit', states.join(', '))
        if (exceeded) {
          endAfter(request, reply)
          const { requests, seconds } = rate
          throw failure('RATE_LIMITED', { requests, seconds, wait }, { 'retry-after': String(wait) })
        }
        counted = { remaining, ttl }
      }
      let underWay = 0
      if (concurrency !== undefined && slots) {
        const slot = await slots(networkOf(request.ip))
        states.push(`"concurrency";r=${slot?.left ?? 0}`)
        reply.header('ratelimit', states.join(', '))
        if (!slot) {
          endAfter(request, reply)
          throw failure('CONCURRENCY_LIMITED', { limit: concurrency })
        }
        // Until the whole answer went to the client, or the client is gone.
        afterAnswer(reply, slot.release)
        underWay = concurrency - slot.left
      }
      if (counted) {
        request.turn = pace.enter(networkOf(request.ip), counted.remaining, counted.ttl, underWay)
        afterAnswer(reply, request.turn.end)
      }
    })
    app.addHook('preHandler', async request => {
      if (request.turn && isOneOfMany(request)) await request.turn.wait(request.signal)
    })
  },
  { name: 'limits' }
)

/** Whether a program asks that asks again when it has the answer: for archives, or for the page after another one. */
function isOneOfMany({ routeOptions, query, body }: FastifyRequest): boolean {
  if (routeOptions.config?.paced) return true
  const { pagination } = (body ?? {}) as { pagination?: unknown }
  return [query, pagination].some(
    part => typeof part === 'object' && part !== null && 'page_after_value' in part && part.page_after_value
  )
}

/** Calls back, perhaps twice, when the whole answer went to the client, or the client is gone. */
function afterAnswer({ raw }: FastifyReply, done: () => void): void {
  if (raw.destroyed || raw.writableFinished) done()
  else raw.once('finish', done).once('close', done)
}

/** Without this the rest of a body would be read although nobody wants it. */
function endAfter({ headers }: FastifyRequest, reply: FastifyReply): void {
  const small =
    headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) <= SMALL_BODY
  if (!small) reply.header('connection', 'close')
}

interface Passing {
  readonly remaining: number
  /** Milliseconds until the count begins anew. */
  readonly ttl: number
  readonly exceeded: boolean
}

/** Counts requests: in Redis, and on this machine while Redis does not answer. */
async function passingLimiter(
  app: FastifyInstance,
  { requests, seconds }: NonNullable<LimitsConfig['rate']>,
  redis?: Redis,
  counts?: SharedCounts
): Promise<(request: FastifyRequest) => Promise<Passing>> {
  const options = {
    global: false,
    max: requests,
    timeWindow: Math.ceil(seconds * 1000),
    keyGenerator: (request: FastifyRequest) => networkOf(request.ip)
  }
  const made = async (extra: { redis: Redis } | { store: typeof LocalRate }): Promise<Limiter> => {
    let limiter: Limiter | undefined
    // Each in a room of its own: an instance has one store.
    await app.register(async room => {
      await room.register(rateLimit, { ...options, ...extra, nameSpace: `${PREFIX}rate-` })
      limiter = room.createRateLimit()
    })
    return limiter as unknown as Limiter
  }
  const local = await made({ store: counts ? sharedRate(counts) : LocalRate })
  const shared = redis ? await made({ redis }) : undefined
  return async request => {
    const count = shared
      ? await withRedis(
          app,
          () => shared(request),
          () => local(request)
        )
      : await local(request)
    if (count.isAllowed) return { remaining: requests, ttl: 0, exceeded: false }
    return { remaining: count.remaining, ttl: count.ttl, exceeded: count.isExceeded }
  }
}

/** Takes a slot of an address; undefined: all are taken. */
type TakeSlot = (key: string) => Promise<Slot | undefined> | Slot | undefined

/** Counts what is under way: in Redis, and on this machine while Redis does not answer. */
function slotsOf(app: FastifyInstance, limit: number, redis?: Redis, counts?: SharedCounts): TakeSlot {
  const local: ConcurrencyCounter = counts ?? new LocalConcurrency()
  if (!redis) return key => local.enter(key, limit)
  const shared = new RedisConcurrency(redis, `${PREFIX}concurrency-`)
  app.addHook('onClose', async () => shared.close())
  return key =>
    withRedis(
      app,
      () => shared.enter(key, limit),
      () => local.enter(key, limit)
    )
}

/** Tells the metrics how many slots this process holds. */
function counted(take: TakeSlot, metrics?: Pick<RequestMetrics, 'countSlots'>): TakeSlot {
  if (!metrics) return take
  let held = 0
  metrics.countSlots(() => held)
  return async key => {
    const slot = await take(key)
    if (!slot) return undefined
    held++
    let isHeld = true
    return {
      left: slot.left,
      release: () => {
        if (isHeld) held--
        isHeld = false
        slot.release()
      }
    }
  }
}

async function withRedis<T>(
  app: FastifyInstance,
  shared: () => Promise<T>,
  local: () => Promise<T> | T
): Promise<T> {
  try {
    return await shared()
  } catch (error) {
    // That it is lost is told once by who watches it (`services.ts`), not by every request.
    app.log.debug({ reason: (error as Error).message }, 'Redis does not answer: this process counts alone')
    return local()
  }
}
