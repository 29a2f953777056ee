/** Closing an HTTP server without cutting off answers. */
import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Makes a server, once it closes, end each connection as soon as its answers have been sent. By itself it would wait
 * for clients that keep a connection for later requests, and cut off an answer whose last bytes still wait for a slow
 * client.
 * To be called before the server listens.
 * @returns gives the number of answers under way
 */
export function endConnectionsAfterAnswers(server: Server): () => number {
  /** Answers under way, by connection. */
  const open = new Map<Socket, number>()
  let closing = false
  server.on('connection', socket => {
    open.set(socket, 0)
    socket.once('close', () => open.delete(socket))
  })
  server.on('request', ({ socket }, response) => {
    open.set(socket, (open.get(socket) ?? 0) + 1)
    response.once('close', () => {
      const left = (open.get(socket) ?? 1) - 1
      if (open.has(socket)) open.set(socket, left)
      if (closing && left === 0) socket.destroySoon()
    })
  })
  // The server calls this when it begins to close.
  server.closeIdleConnections = () => {
    closing = true
    for (const [socket, answers] of open) if (answers === 0) socket.destroySoon()
  }
  return () => open.values().reduce((sum, answers) => sum + answers, 0)
}
