/**
 * `serai serve --workers`: the process that starts the serving processes, lets them count together, adds up their metrics and
 * ends them. It opens no store itself. The processes share one port: Node hands each connection to one of them.
 */
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { AggregatorRegistry } from '@platformatic/prom-client'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import type { Slot } from '../limits/concurrency.ts'
import { CountsOfAll } from '../limits/shared-counts.ts'
import { Channel } from './channel.ts'
import { serveMetrics } from './metrics-server.ts'
import { serverLog } from './server-log.ts'
import { onShutdown } from './shutdown.ts'
import type { SentSlot } from './worker.ts'

/** Milliseconds before a process that ended by itself gets a successor. */
const PAUSE = 1000

/** Processes that may end one after the other before one of them has answered anything. */
const FAILURES = 5

/** Milliseconds that a process has to tell its metrics; one that is busy is left out. */
const METRICS_PATIENCE = 3000

/** Milliseconds beyond the workers' own time to stop. */
const LAST_STEPS = 2000

/**
 * Serves with several processes until it is told to stop.
 * @throws Error when the port of the metrics is taken
 */
export async function serveWithWorkers(config: Config): Promise<void> {
  const log = await serverLog(config.logLevel)
  const primary = new Primary(log, config.workers)
  const readers = await serveMetrics(config, () => primary.metrics())
  onShutdown(config.shutdownTimeout + LAST_STEPS, async () => {
    await primary.stop()
    await readers?.close()
  })
  primary.start()
}

/** A serving process as it is seen from here. */
interface Member {
  readonly worker: Worker
  readonly channel: Channel
  /** Slots that its requests hold, by the number under which it knows them. */
  readonly slots: Map<number, Slot>
  isReady: boolean
}

class Primary {
  readonly #log: Logger
  readonly #counts = new CountsOfAll()
  readonly #members = new Set<Member>()
  /** Who does what is done once; nobody any more when it is done. */
  #leader: Member | 'done' | undefined
  #lastSlot = 0
  #failures = 0
  #stopping = false
  /** Processes to be started once the first one has made what a new installation needs. */
  #further: number

  /** @param count serving processes in all */
  constructor(log: Logger, count: number) {
    this.#log = log
    this.#further = count - 1
  }

  start(): void {
    if (this.#stopping) return
    const worker = cluster.fork()
    const member: Member = { worker, channel: new Channel(worker), slots: new Map(), isReady: false }
    this.#members.add(member)
    this.#answer(member)
    worker.once('exit', (code, signal) => this.#ended(member, signal ?? `code ${code}`))
  }

  /** Ends all of them as a single process is ended: with their requests answered. */
  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all(
      [...this.#members].map(({ worker }) => {
        const end = once(worker, 'exit')
        worker.process.kill('SIGTERM')
        return end
      })
    )
  }

  /** Metrics of all, added up. */
  async metrics(): Promise<string> {
    const told = await Promise.all(
      [...this.#members].map(({ channel }) =>
        Promise.race([
          channel.ask<object>('metrics').catch(() => undefined),
          delay(METRICS_PATIENCE, undefined, { ref: false })
        ])
      )
    )
    return AggregatorRegistry.aggregate(told.filter(each => each !== undefined)).metrics()
  }

  #answer(member: Member): void {
    const { channel, slots } = member
    channel.on('leads', () => {
      this.#leader ??= member
      return this.#leader === member
    })
    channel.on('ready', () => {
      member.isReady = true
      this.#failures = 0
      for (; this.#further > 0; this.#further--) this.start()
    })
    channel.on('imported', () => {
      this.#leader = 'done'
      for (const other of this.#members) if (other !== member) other.channel.tell('imported')
    })
    channel.on('count', ({ key, timeWindow }: { key: string; timeWindow: number }) =>
      this.#counts.count(key, timeWindow)
    )
    channel.on('enter', async ({ key, limit }: { key: string; limit: number }): Promise<SentSlot | null> => {
      const slot = await this.#counts.enter(key, limit)
      if (!slot) return null
      const id = ++this.#lastSlot
      slots.set(id, slot)
      return { id, left: slot.left }
    })
    channel.on('release', (id: number) => {
      slots.get(id)?.release()
      slots.delete(id)
    })
    channel.on('metrics', () => this.metrics())
  }

  #ended(member: Member, how: string): void {
    this.#members.delete(member)
    for (const slot of member.slots.values()) slot.release()
    if (this.#leader === member) this.#leader = undefined
    if (this.#stopping) return
    const { pid } = member.worker.process
    if (!member.isReady) {
      // What keeps one from starting while no other one runs keeps all; it has told what.
      const others = [...this.#members].some(each => each.isReady)
      if (!others || ++this.#failures >= FAILURES) {
        this.#giveUp()
        return
      }
    }
    this.#log.error({ worker: pid }, `the serving process ${pid} ended (${how}): another one is started`)
    setTimeout(() => this.start(), PAUSE)
  }

  #giveUp(): void {
    this.#log.fatal('stopping: serving processes cannot start')
    void this.stop().then(() => process.exit(1))
  }
}
