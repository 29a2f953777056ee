/** What is counted of requests. */
import { Counter, Gauge, Histogram, type Registry } from '@platformatic/prom-client'

/** A request under way, as far as it is counted here. */
interface Counted {
  /** Bytes of its answer since the last call. */
  takeBytes(): number
  /** Code of the error that it is answered with. */
  readonly failure: string | undefined
}

/** Seconds; a search takes some milliseconds, a download may take minutes. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120]

/** What stands for requests that no route answers. */
const NO_ROUTE = 'none'

/** Errors by which limits refuse, and what the limits are called. */
const REFUSALS: Readonly<Record<string, string>> = {
  RATE_LIMITED: 'rate',
  CONCURRENCY_LIMITED: 'concurrency',
  OVERLOADED: 'overload'
}

/** Counts requests. */
export class RequestMetrics {
  readonly #durations: Histogram<'method' | 'route' | 'status'>
  readonly #bytes: Counter<'route'>
  readonly #refused: Counter<'limit'>
  /** Requests under way, and their routes: downloads are counted while they go on. */
  readonly #active = new Map<Counted, string>()
  #slots: () => number = () => 0

  constructor(registry: Registry) {
    const registers = [registry]
    this.#durations = new Histogram({
      name: 'serai_http_request_duration_seconds',
      help: 'Time from a request to the end of its answer; its status as 2xx, 4xx, 5xx, 499: the client went away.',
      labelNames: ['method', 'route', 'status'],
      buckets: BUCKETS,
      registers
    })
    const active = this.#active
    this.#bytes = new Counter({
      name: 'serai_http_response_bytes_total',
      help: 'Bytes of answers that were sent, those under way included.',
      labelNames: ['route'],
      registers,
      collect() {
        for (const [request, route] of active) this.inc({ route }, request.takeBytes())
      }
    })
    new Gauge({
      name: 'serai_http_requests_active',
      help: 'Requests under way.',
      registers,
      collect() {
        this.set(active.size)
      }
    })
    this.#refused = new Counter({
      name: 'serai_refused_requests_total',
      help: 'Requests that were refused by a limit.',
      labelNames: ['limit'],
      registers
    })
    // A limit that has refused nobody is 0, not absent.
    for (const limit of Object.values(REFUSALS)) this.#refused.inc({ limit }, 0)
    const slots = () => this.#slots()
    new Gauge({
      name: 'serai_limit_slots_used',
      help: 'Requests under way that take a slot of their address (SERAI_CONCURRENCY_LIMIT).',
      registers,
      collect() {
        this.set(slots())
      }
    })
  }

  /** @param used gives how many slots are taken */
  countSlots(used: () => number): void {
    this.#slots = used
  }

  /** A request has come. */
  begin(request: Counted, route = NO_ROUTE): void {
    this.#active.set(request, route)
  }

  /** A request has ended. */
  end(request: Counted, method: string, route = NO_ROUTE, status: number, seconds: number): void {
    if (!this.#active.delete(request)) return
    this.#bytes.inc({ route }, request.takeBytes())
    const shown = status === 499 ? '499' : `${Math.floor(status / 100)}xx`
    this.#durations.observe({ method, route, status: shown }, seconds)
    const limit = request.failure === undefined ? undefined : REFUSALS[request.failure]
    if (limit !== undefined) this.#refused.inc({ limit })
  }
}
