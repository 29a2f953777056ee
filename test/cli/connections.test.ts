import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { endConnectionsAfterAnswers } from '../../src/cli/connections.ts'

/** A server whose answers have this many bytes, and a client that has asked it and reads nothing yet. */
async function asked(bytes: number) {
  const answered = Promise.withResolvers<void>()
  const server = createServer((_request, response) => {
    response.once('close', answered.resolve).end(Buffer.alloc(bytes))
  })
  endConnectionsAfterAnswers(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').pause()
  client.write('GET / HTTP/1.1\r\nhost: serai\r\n\r\n')
  return { server, client, answered: answered.promise }
}

test('a closing server ends an idle connection at once', async () => {
  const { server, client, answered } = await asked(100)
  await answered
  client.resume()
  const ended = once(client, 'end')
  server.close()
  await Promise.all([ended, once(server, 'close')])
})

test.runIf(process.platform === 'linux')(
  'a closing server waits for what the system has not sent yet',
  async () => {
    const size = 1_500_000
    const { server, client, answered } = await asked(size)
    // For the server the answer is done, but most of it is in a buffer of its system.
    await answered
    let closed = false
    server.close(() => {
      closed = true
    })
    await delay(300)
    expect(closed).toBe(false)

    let received = 0
    client.on('data', part => {
      received += part.length
    })
    client.resume()
    await once(client, 'end')
    expect(received).toBeGreaterThan(size)
    await expect.poll(() => closed).toBe(true)
  }
)
