/**
 * What is counted of a running process, for Prometheus. One object for each process; where several processes serve together,
 * each has its own {@link Metrics.registry} and the library's `AggregatorRegistry` adds them up: every metric says how.
 */
import { collectDefaultMetrics, Gauge, Histogram, Registry } from '@platformatic/prom-client'
import type { StoreWatch } from '../health/store-watch.ts'
import type { CallObserver } from '../health/watched-store.ts'
import { RequestMetrics } from './request-metrics.ts'

/** Seconds; searches of some milliseconds and walks of minutes. */
const CALL_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30]

/** Milliseconds between two looks at the delay of the event loop. */
const LOOP_PRECISION = 20

/** What a process is. */
export interface ProcessKind {
  readonly version: string
  /** `embedded` or `cluster`. */
  readonly profile: string
}

/** The metrics of one process. */
export class Metrics {
  readonly registry = new Registry()
  readonly requests: RequestMetrics
  /** To be told of every call to a store. */
  readonly storeCall: CallObserver

  constructor({ version, profile }: ProcessKind) {
    const registers = [this.registry]
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: LOOP_PRECISION })
    this.requests = new RequestMetrics(this.registry)
    const calls = new Histogram({
      name: 'serai_store_call_duration_seconds',
      help: 'Time of calls to the stores.',
      labelNames: ['store', 'operation', 'outcome'],
      buckets: CALL_BUCKETS,
      registers
    })
    this.storeCall = (store, operation, outcome, seconds) =>
      calls.observe({ store, operation, outcome }, seconds)
    new Gauge({
      name: 'serai_info',
      help: 'Always 1; the labels say what runs.',
      labelNames: ['version', 'profile'],
      aggregator: 'first',
      registers
    }).set({ version, profile }, 1)
  }

  /** From now on tells whether the stores are there. */
  follow(watches: readonly StoreWatch[]): void {
    new Gauge({
      name: 'serai_store_up',
      help: 'Whether a store is there (1) or lost (0).',
      labelNames: ['store', 'engine'],
      aggregator: 'min',
      registers: [this.registry],
      collect() {
        for (const { store, isUp } of watches) {
          for (const name of store.holds) this.set({ store: name, engine: store.engine }, isUp ? 1 : 0)
        }
      }
    })
  }

  /** All metrics, as Prometheus reads them. */
  text(): Promise<string> {
    return this.registry.metrics()
  }
}
