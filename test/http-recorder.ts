/** Stands between a client and an HTTP server: tells what is asked, and can answer in place of the server. */
import { once } from 'node:events'
import { request as ask, createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** A request that came through. */
export interface RecordedRequest {
  /** Method and path, without what follows the question mark. */
  readonly what: string
  /** The whole path. */
  readonly path: string
  readonly body: string
}

/** An answer in place of the server's. */
export interface StandIn {
  readonly status: number
  readonly body: unknown
}

/** A recorder in front of one server. */
export interface HttpRecorder {
  readonly url: string
  readonly requests: RecordedRequest[]
  /** Asked for every request; undefined: the server answers. */
  standIn: (request: RecordedRequest) => StandIn | undefined
  close(): Promise<void>
}

/** Starts a recorder in front of the server of a URL. */
export async function httpRecorder(target: string): Promise<HttpRecorder> {
  const requests: RecordedRequest[] = []
  const server = createServer(async (incoming, answer) => {
    const { method, url: path = '/', headers } = incoming
    const body = await text(incoming)
    const recorded = { what: `${method} ${path.split('?')[0]}`, path, body }
    requests.push(recorded)
    const instead = recorder.standIn(recorded)
    if (instead) {
      answer.writeHead(instead.status, {
        'content-type': 'application/json',
        'x-elastic-product': 'Elasticsearch'
      })
      answer.end(typeof instead.body === 'string' ? instead.body : JSON.stringify(instead.body))
      return
    }
    const outgoing = ask(new URL(path, target), { method, headers })
    outgoing.on('error', () => answer.destroy())
    outgoing.end(body)
    const [from] = (await once(outgoing, 'response')) as [IncomingMessage]
    answer.writeHead(from.statusCode ?? 500, from.headers)
    from.pipe(answer)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const recorder: HttpRecorder = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    standIn: () => undefined,
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    }
  }
  return recorder
}
