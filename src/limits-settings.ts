/** The settings of how much one client and all clients together may ask: a part of the schema in `settings.ts`. */
import { isIP } from 'node:net'
import Type, { type Static } from 'typebox'
import { listedItems } from './setting-value.ts'

/** A number that can be switched off. */
const Limit = (preset: number, description: string, maximum?: number) =>
  Type.Union(
    [Type.Integer({ minimum: 1, ...(maximum !== undefined ? { maximum } : {}) }), Type.Literal('off')],
    { default: preset, description }
  )

/** Members of the settings' schema. */
export const LIMITS_SETTINGS = {
  rate_limit: Limit(
    30,
    'Requests a second that one address may send in the long run; more are answered 503. IPv6 addresses count by their /64 network.'
  ),
  rate_burst: Type.Integer({
    default: 30,
    minimum: 1,
    description: 'Requests that one address may send at once, before it has to keep to `SERAI_RATE_LIMIT`.'
  }),
  concurrency_limit: Limit(
    10,
    'Requests of one address that may be under way at the same time; more are answered 503. A download counts until its last byte.'
  ),
  trusted_proxies: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'Reverse proxies whose `X-Forwarded-For` is believed, separated by commas: addresses, networks such as `10.0.0.0/8`, or `loopback`, `linklocal`, `uniquelocal`. Without it all who come through a proxy count as one address.'
    })
  ),
  redis_url: Type.Optional(
    Type.String({
      pattern: '^rediss?://\\S+$',
      description: 'Redis through which several servers count the requests of an address together.'
    })
  ),
  max_event_loop_delay: Limit(
    500,
    'Milliseconds that the work of the process may be late, on average over five seconds; while it is later requests are answered 503.'
  ),
  max_heap_use: Limit(
    95,
    'Percent of the memory that Node allows the process for its objects; while more is used requests are answered 503.',
    100
  )
}

type Settings = {
  readonly [Name in keyof typeof LIMITS_SETTINGS]?: Static<(typeof LIMITS_SETTINGS)[Name]>
}

/** How much may be asked. An absent limit is switched off. */
export interface LimitsConfig {
  /** Of one address: at most `requests` in every `seconds`. */
  readonly rate?: { readonly requests: number; readonly seconds: number }
  /** Requests of one address that are under way together. */
  readonly concurrency?: number
  /** Addresses, networks and names of networks; empty: the address of the connection counts. */
  readonly trustedProxies: readonly string[]
  readonly redisUrl?: string
  /** Milliseconds. */
  readonly eventLoopDelay?: number
  /** A share of the largest heap, from 0 to 1. */
  readonly heapUse?: number
}

/**
 * What the settings mean.
 * @param problems gets what the schema does not see, one line each
 */
export function limitsConfig(settings: Settings, problems: string[]): LimitsConfig {
  const { rate_limit, rate_burst = 1, concurrency_limit, redis_url } = settings
  const trustedProxies = listedItems(settings.trusted_proxies ?? '')
  for (const item of trustedProxies) {
    if (!isProxy(item)) problems.push(`SERAI_TRUSTED_PROXIES: "${item}" is no address and no network`)
  }
  const delay = numberOf(settings.max_event_loop_delay)
  const heap = numberOf(settings.max_heap_use)
  const rate = numberOf(rate_limit)
  const concurrency = numberOf(concurrency_limit)
  return {
    ...(rate !== undefined ? { rate: { requests: rate_burst, seconds: rate_burst / rate } } : {}),
    ...(concurrency !== undefined ? { concurrency } : {}),
    trustedProxies,
    ...(redis_url !== undefined ? { redisUrl: redis_url } : {}),
    ...(delay !== undefined ? { eventLoopDelay: delay } : {}),
    ...(heap !== undefined ? { heapUse: heap / 100 } : {})
  }
}

function numberOf(limit: number | 'off' | undefined): number | undefined {
  return typeof limit === 'number' ? limit : undefined
}

function isProxy(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true
  const [address = '', length, ...rest] = text.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return false
  return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (version === 4 ? 32 : 128))
}
