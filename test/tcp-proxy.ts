/** Stands between a client and a server, to see what happens when the connection stalls or breaks. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A proxy to one address. */
export interface TcpProxy {
  readonly port: number
  /** From now on nothing comes through; connections stay open. */
  stall(): void
  /** After {@link stall}: breaks what stalled, and lets through what connects from now on. */
  resume(): void
  /** The next request that has the text in it goes through; instead of its answer the connection breaks. */
  loseAnswerTo(text: string): void
  /** Breaks all connections; new ones are taken. */
  breakConnections(): void
  /** Breaks all connections and takes no new ones. */
  close(): Promise<void>
}

/**
 * Starts a proxy to the server of a URL.
 * @param listenOn default: a free port
 */
export async function tcpProxy(url: string, listenOn = 0): Promise<TcpProxy> {
  const { hostname, port } = new URL(url)
  const sockets = new Set<Socket>()
  let stalled = false
  let lost: string | undefined
  const server = createServer(client => {
    const target = connect(Number(port), hostname)
    for (const [from, to] of [
      [client, target],
      [target, client]
    ] as const) {
      sockets.add(from)
      from.on('data', data => {
        if (stalled) return
        to.write(data)
        if (from !== client || lost === undefined || !data.includes(lost)) return
        lost = undefined
        target.removeAllListeners('data').once('data', () => client.destroy())
      })
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  })
  server.listen(listenOn, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    stall: () => {
      stalled = true
    },
    resume: () => {
      stalled = false
      for (const socket of sockets) socket.destroy()
    },
    loseAnswerTo: text => {
      lost = text
    },
    breakConnections: () => {
      for (const socket of sockets) socket.destroy()
    },
    close: async () => {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    }
  }
}
