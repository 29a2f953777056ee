/** Closing an HTTP server without cutting off answers. */
import { readFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** Milliseconds between two looks at what is still to be sent. */
const LOOK_INTERVAL = 50

/**
 * Makes a server, once it closes, end each connection as soon as its answers have been sent. By itself it would wait
 * for clients that keep a connection for later requests, and cut off an answer whose last bytes still wait for a slow
 * client: until the client's system has them, since a container that ends takes what its own has not sent along.
 * To be called before the server listens.
 * @returns gives the number of answers under way
 */
export function endConnectionsAfterAnswers(server: Server): () => number {
  /** Answers under way, by connection. */
  const open = new Map<Socket, number>()
  /** Connections to be ended once everything is sent. */
  const ending = new Set<Socket>()
  let closing = false
  const end = (socket: Socket) => {
    ending.add(socket)
    if (ending.size === 1) void endWhenSent(ending)
  }
  server.on('connection', socket => {
    open.set(socket, 0)
    socket.once('close', () => open.delete(socket))
  })
  server.on('request', ({ socket }, response) => {
    open.set(socket, (open.get(socket) ?? 0) + 1)
    ending.delete(socket)
    response.once('close', () => {
      const left = (open.get(socket) ?? 1) - 1
      if (open.has(socket)) open.set(socket, left)
      if (closing && left === 0) end(socket)
    })
  })
  // The server calls this when it begins to close.
  server.closeIdleConnections = () => {
    closing = true
    for (const [socket, answers] of open) if (answers === 0) end(socket)
  }
  return () => open.values().reduce((sum, answers) => sum + answers, 0)
}

/** Ends each connection when the system has brought everything to its client, until there are none. */
async function endWhenSent(ending: Set<Socket>): Promise<void> {
  for (;;) {
    const unsent = await unsentConnections()
    for (const socket of ending) {
      if (!socket.destroyed && unsent.has(`${socket.localPort}-${socket.remotePort}`)) continue
      ending.delete(socket)
      socket.destroySoon()
    }
    if (ending.size === 0) return
    await delay(LOOK_INTERVAL)
  }
}

/** Connections of this machine with bytes that their other end has not confirmed, by both ports; only Linux tells. */
async function unsentConnections(): Promise<ReadonlySet<string>> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map(name => readFile(`/proc/self/net/${name}`, 'latin1').catch(() => ''))
  )
  const unsent = new Set<string>()
  // Its number, both addresses, the state, and the bytes to be sent and to be read; all hexadecimal.
  for (const [, local, remote, bytes] of tables
    .join('')
    .matchAll(/^ *\d+: [\dA-F]+:([\dA-F]{4}) [\dA-F]+:([\dA-F]{4}) [\dA-F]{2} ([\dA-F]{8}):/gm)) {
    if (Number.parseInt(bytes as string, 16) > 0)
      unsent.add(`${Number.parseInt(local as string, 16)}-${Number.parseInt(remote as string, 16)}`)
  }
  return unsent
}
