/** Asks a listening server what a recording asked the reference, and gives the answer in the recordings' form. */
import { createHash } from 'node:crypto'
import { SignJWT } from 'jose'
import { unzip } from '../files/unzip.ts'
import type { Answer, RecordedLine, RecordedRequest } from './judgement.ts'

/** The server under test. */
export interface Server {
  /** Address of the API, without slash at the end. */
  readonly base: string
  readonly secret: string
}

const ADDRESS = /https?:\/\/[^/\s"?#]+(?:\/[^\s"?#]*?)?\/api\/v1(?=[/?"#]|$)/g
const KEPT_HEADERS = ['content-type', 'content-disposition', 'location', 'www-authenticate']

async function token(line: RecordedLine, server: Server): Promise<string | undefined> {
  const wanted = line.request.token
  if (wanted?.raw !== undefined) return wanted.raw
  const user = wanted?.user ?? line.as
  if (!user) return undefined
  const exp = Math.floor(Date.now() / 1000) + (wanted?.expires_in ?? 3600)
  return new SignJWT({ user, exp, ...wanted?.claims })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(new TextEncoder().encode(wanted?.secret ?? server.secret))
}

function address(request: RecordedRequest, server: Server): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(request.query ?? {})) {
    for (const v of [value].flat()) query.append(name, String(v))
  }
  return server.base + request.path + (query.size > 0 ? `?${query}` : '')
}

async function send(line: RecordedLine, request: RecordedRequest, server: Server): Promise<Response> {
  const url = new URL(address(request, server))
  const headers: Record<string, string> = { ...request.headers }
  const bearer = await token(line, server)
  if (bearer !== undefined) {
    if (request.token?.in === 'cookie')
      headers.cookie = `Authorization=${encodeURIComponent(`Bearer ${bearer}`)}`
    else if (request.token?.in === 'query') url.searchParams.append(request.token.name as string, bearer)
    else headers.authorization = `Bearer ${bearer}`
  }
  let body: string | undefined
  if ('body' in request) body = JSON.stringify(request.body)
  else if (request.text !== undefined) body = request.text
  else if (request.form) body = new URLSearchParams(request.form).toString()
  if (body !== undefined && !Object.keys(headers).some(k => k.toLowerCase() === 'content-type')) {
    headers['content-type'] = request.form ? 'application/x-www-form-urlencoded' : 'application/json'
  }
  return fetch(url, {
    method: request.method,
    headers,
    redirect: 'manual',
    ...(body !== undefined ? { body } : {})
  })
}

/** URLs of the API as `{base}/…`, wherever they stand. */
function scrub(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(ADDRESS, '{base}')
  if (Array.isArray(value)) return value.map(scrub)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, scrub(v)]))
}

/** Members of a zip; those with archives carry their content, the server's own ones no size. */
async function zipBody(bytes: Buffer): Promise<unknown> {
  const unzipped = await unzip(bytes)
  const text = unzipped.find(m => m.name === 'manifest.json')?.content.toString()
  const manifest = text === undefined ? undefined : (JSON.parse(text) as unknown[])
  const archives = manifest?.[0] !== undefined && 'path' in (manifest[0] as object)
  const members = unzipped.map(({ name, content, crc32, stored }) => {
    if (name === 'manifest.json') return { name, stored }
    if (archives && name.endsWith('.json'))
      return { name, stored, json: JSON.parse(content.toString()) as unknown }
    return { name, size: content.length, crc: crc32, stored }
  })
  members.sort((x, y) => (x.name < y.name ? -1 : 1))
  return { zip: members, ...(manifest ? { manifest } : {}) }
}

function parsed(bytes: Buffer): unknown {
  try {
    return scrub(JSON.parse(bytes.toString()))
  } catch {
    return undefined
  }
}

async function bodyOf(bytes: Buffer, contentType: string): Promise<unknown> {
  if (bytes.length === 0) return ''
  if (bytes.subarray(0, 2).toString() === 'PK' && (bytes[2] === 3 || bytes[2] === 5)) return zipBody(bytes)
  const json = contentType.includes('json') ? parsed(bytes) : undefined
  if (json !== undefined) return json
  const octets =
    contentType.includes('octet') && /^[[{]/.test(bytes.toString('latin1', 0, 1)) ? parsed(bytes) : undefined
  if (octets !== undefined) return { json: octets }
  const text = bytes.toString()
  if (bytes.length <= 4000 && !text.includes('\0') && Buffer.from(text).equals(bytes)) return scrub(text)
  return { sha256: createHash('sha256').update(bytes).digest('hex'), length: bytes.length }
}

async function answerOf(response: Response): Promise<Answer> {
  const bytes = Buffer.from(await response.arrayBuffer())
  const headers: Record<string, string> = {}
  for (const name of KEPT_HEADERS) {
    const value = response.headers.get(name)
    if (value !== null) headers[name] = scrub(value) as string
  }
  return { status: response.status, headers, body: await bodyOf(bytes, headers['content-type'] ?? '') }
}

interface Page {
  data: Record<string, unknown>[]
  pagination: { next_page_after_value?: string | null }
  detail?: unknown
}

/** Follows `next_page_after_value` to the end and gives the ids seen. */
async function walk(line: RecordedLine, server: Server): Promise<Answer> {
  const request = structuredClone(line.request) as RecordedRequest & {
    walk: { id: string; max?: number }
    body?: { pagination: Record<string, unknown> }
    query?: Record<string, string>
  }
  const ids: unknown[] = []
  for (let pages = 1; ; pages++) {
    const answer = await answerOf(await send(line, request, server))
    const page = answer.body as Page
    if (answer.status !== 200) return { ...answer, body: { pages: pages - 1, ids, detail: page?.detail } }
    ids.push(...page.data.map(row => row[request.walk.id]))
    const next = page.pagination.next_page_after_value
    if (next === undefined || next === null || pages >= (request.walk.max ?? 50)) {
      return { status: 200, headers: {}, body: { pages, ids } }
    }
    if (request.body) request.body.pagination.page_after_value = next
    else (request.query as Record<string, string>).page_after_value = next
  }
}

/** The server's answer to a line. */
export async function ask(line: RecordedLine, server: Server): Promise<Answer> {
  return line.request.walk ? walk(line, server) : answerOf(await send(line, line.request, server))
}
