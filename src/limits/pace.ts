/**
 * Keeps programs from being refused that wait for their answers: who asks for one page after the other, or for many archives a
 * few at a time, sends the next request when an answer has come. So an answer that comes when the second is over keeps the
 * next request out of it. Of the requests of one address that can wait, those go on that leave it enough for all that it
 * does at the same time; the others wait until the count begins anew.
 */
import { LRUCache } from 'lru-cache'

/** Addresses that are remembered. */
const ADDRESSES = 50_000

/** Requests that are left for what cannot wait, such as the first page of the next search. */
const RESERVE = 2

/** Longest wait in milliseconds: a rate with a very long window refuses rather than letting people sit. */
const LONGEST_WAIT = 10_000

/** Milliseconds beyond the end of a window, for clocks of several servers. */
const MARGIN = 5

/** What is known of an address. */
interface Client {
  /** Requests under way. */
  open: number
  /** Those of them that wait. */
  waiting: number
  /** Most requests that were under way at the same time since the count began anew, and in the time before that. */
  most: number
  mostBefore: number
  /** Requests that it may still send before `end`. */
  left: number
  /** When the count begins anew, in milliseconds since 1970. */
  end: number
}

/** A request that was counted. */
export interface Turn {
  /**
   * Waits if need be.
   * @param gone tells that nobody waits for the answer any more
   */
  wait(gone: AbortSignal): Promise<void>
  /** Its answer is sent, or its client gone; the second time does nothing. */
  end(): void
}

/** Knows the requests that are under way. */
export class Pace {
  readonly #clients = new LRUCache<string, Client>({ max: ADDRESSES })

  /**
   * Takes note of a request that was let in.
   * @param left requests that its address may still send
   * @param ttl milliseconds until the count begins anew
   * @param everywhere requests of the address that are under way now, also at other servers
   */
  enter(key: string, left: number, ttl: number, everywhere = 0): Turn {
    const client = this.#client(key, ttl)
    client.open++
    client.most = Math.max(client.most, client.open, everywhere)
    client.left = left
    let ended = false
    return {
      wait: async gone => {
        const time = client.end - Date.now()
        // Each that does not wait may be followed by another one at any time, also one whose answer is just sent.
        const following = Math.max(client.most, client.mostBefore) - client.waiting
        if (following <= client.left - RESERVE || time <= 0 || time > LONGEST_WAIT) return
        client.waiting++
        await timeOr(gone, time + MARGIN)
        client.waiting--
      },
      end: () => {
        if (ended) return
        ended = true
        client.open--
      }
    }
  }

  #client(key: string, ttl: number): Client {
    const now = Date.now()
    const client = this.#clients.get(key) ?? { open: 0, waiting: 0, most: 0, mostBefore: 0, left: 0, end: 0 }
    if (client.end <= now) {
      client.mostBefore = client.most
      client.most = 0
      this.#clients.set(key, client)
    }
    client.end = now + ttl
    return client
  }
}

function timeOr(gone: AbortSignal, milliseconds: number): Promise<void> {
  return new Promise(resolve => {
    const end = () => {
      clearTimeout(timer)
      gone.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    gone.addEventListener('abort', end)
    if (gone.aborted) end()
  })
}
