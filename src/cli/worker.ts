/** What one of several serving processes has to do with the others; the other side is `primary.ts`. */
import type { Slot } from '../limits/concurrency.ts'
import type { RateCount, SharedCounts } from '../limits/shared-counts.ts'
import { Channel } from './channel.ts'

/** A slot as it goes over the channel. */
export interface SentSlot {
  readonly id: number
  readonly left: number
}

/** One of several processes that serve together. */
export class WorkerProcess {
  /** Whether this one does what is to be done once: it brings the example data and tells the user. */
  readonly leads: boolean
  readonly counts: SharedCounts
  readonly #channel: Channel

  private constructor(channel: Channel, leads: boolean) {
    this.#channel = channel
    this.leads = leads
    this.counts = {
      count: (key, timeWindow) => channel.ask<RateCount>('count', { key, timeWindow }),
      enter: async (key, limit): Promise<Slot | undefined> => {
        const slot = await channel.ask<SentSlot | null>('enter', { key, limit })
        return slot ? { left: slot.left, release: () => channel.tell('release', slot.id) } : undefined
      }
    }
  }

  /** Joins the others. */
  static async join(): Promise<WorkerProcess> {
    const channel = new Channel(process)
    // It keeps the process: nothing else does until it serves, and the port is asked for over it.
    process.channel?.ref()
    return new WorkerProcess(channel, await channel.ask<boolean>('leads'))
  }

  /** Tells that requests are answered from now on. */
  ready(): void {
    this.#channel.tell('ready')
  }

  /** Tells the others that there is new data. */
  imported(): void {
    this.#channel.tell('imported')
  }

  /** Calls back when another process has brought data. */
  onImported(then: () => Promise<void>): void {
    this.#channel.on('imported', then)
  }

  /** Gives what is counted here to who adds it up. */
  onMetrics(give: () => Promise<object>): void {
    this.#channel.on('metrics', give)
  }

  /** The metrics of all processes, as Prometheus reads them. */
  metricsOfAll(): Promise<string> {
    return this.#channel.ask<string>('metrics')
  }
}
