/** A client whose connection is cut again and again, and that goes on each time where it was. */
import { randomInt } from 'node:crypto'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'

/** What is asked for. */
export interface Asked {
  readonly url: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** An answer whose body may be read or not. */
export interface Answered {
  readonly request: ClientRequest
  readonly response: IncomingMessage
}

/** Sends a request on a connection of its own, its path as it is written. */
export function send({ url, method = 'GET', headers = {}, body }: Asked): Promise<Answered> {
  const { hostname, port, origin } = new URL(url)
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        hostname,
        port,
        path: url.slice(origin.length),
        method,
        agent: false,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers }
      },
      response => resolve({ request: asked, response })
    )
    asked.on('error', reject).end(body)
  })
}

/** The whole body. */
export async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** An answer with its whole body. */
export async function whole(asked: Asked) {
  const { response } = await send(asked)
  return { status: response.statusCode, headers: response.headers, body: await bodyOf(response) }
}

/**
 * Downloads with this many cuts at random places; each time the rest is asked for under the condition that it is
 * the same, as download managers do.
 * @param onCut called between cut and next try
 * @throws Error when an answer is not the rest of what was begun
 */
export async function cutDownload(
  asked: Asked,
  cuts: number,
  onCut: (have: number) => Promise<void> = async () => {}
): Promise<{ bytes: Buffer; tries: number; restarts: number }> {
  let have = Buffer.alloc(0)
  let etag: string | undefined
  let [tries, restarts] = [0, 0]
  for (;;) {
    tries++
    const going = etag !== undefined
    const range = going ? { range: `bytes=${have.length}-`, 'if-range': etag as string } : {}
    const { request, response } = await send({ ...asked, headers: { ...asked.headers, ...range } })
    const length = Number(response.headers['content-length'])
    if (going && response.statusCode === 206) {
      const total = have.length + length
      const told = `bytes ${have.length}-${total - 1}/${total}`
      if (response.headers['content-range'] !== told) {
        throw new Error(`${response.headers['content-range']} instead of ${told}`)
      }
    } else if (response.statusCode === 200) {
      if (going) restarts++
      have = Buffer.alloc(0)
    } else throw new Error(`answered ${response.statusCode}`)
    etag = response.headers.etag as string

    const left = cuts - tries + 1
    // Cuts are spread over what is left, so that none of them is beyond the end.
    const limit = left > 0 ? randomInt(0, Math.max(1, Math.floor((2 * length) / (left + 1)))) : length
    const chunks: Buffer[] = [have]
    let taken = 0
    if (limit > 0) {
      for await (const chunk of response) {
        const part = (chunk as Buffer).subarray(0, limit - taken)
        chunks.push(part)
        taken += part.length
        if (taken >= limit) break
      }
    }
    request.destroy()
    have = Buffer.concat(chunks)
    if (left <= 0) return { bytes: have, tries, restarts }
    await onCut(have.length)
  }
}
