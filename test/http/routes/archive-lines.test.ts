import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bearer, openCorpusServices, profiles, type TestServer, testServer } from '../../app.ts'

const MEILIN = 'a45e7d90-61c2-4b8f-9f3e-c1b2d3e4f504'
const LINES = { accept: 'application/x-ndjson', 'content-type': 'application/json' }

// biome-ignore lint/suspicious/noExplicitAny: lines are looked into as a script would
type Json = any

describe.each(profiles())('archives line by line on %s', profile => {
  let server: TestServer
  let open = 0

  beforeAll(async () => {
    const services = await openCorpusServices(profile)
    const { archives } = services
    const counted = {
      ...services,
      archives: {
        put: archives.put.bind(archives),
        entryIds: archives.entryIds.bind(archives),
        remove: archives.remove.bind(archives),
        close: archives.close.bind(archives),
        contents: async (ids: readonly string[]) => {
          open += ids.length
          return archives.contents(ids)
        },
        ping: archives.ping.bind(archives),
        blocks: archives.blocks.bind(archives)
      }
    }
    server = await testServer(counted)
  })
  afterAll(() => server.close())

  const ask = (body: object, headers: Record<string, string> = {}, signal?: AbortSignal) =>
    fetch(`${server.base}/entries/archive/query`, {
      method: 'POST',
      headers: { ...LINES, ...headers },
      body: JSON.stringify(body),
      ...(signal ? { signal } : {})
    })

  async function lines(body: object, headers: Record<string, string> = {}): Promise<Json[]> {
    const response = await ask(body, headers)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(/^application\/x-ndjson/)
    const text = await response.text()
    expect(text.endsWith('\n')).toBe(true)
    return text
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
  }

  test('without page_size the whole result comes, and the pagination last', async () => {
    const required = { metadata: { entry_id: '*' } }
    const found = await lines({ required })
    const last = found.pop()
    expect(last).toEqual({ pagination: { order_by: 'entry_id', order: 'asc', total: found.length } })
    expect(found).toHaveLength(64)
    for (const { archive, ...head } of found) {
      expect(Object.keys(head)).toEqual(['entry_id', 'upload_id', 'parser_name'])
      expect(archive).toEqual({ metadata: { entry_id: head.entry_id }, m_ref_archives: {} })
    }
    const ids = found.map(line => line.entry_id)
    expect(ids).toEqual(ids.toSorted())
  })

  test('archives are those of pages, references followed', async () => {
    const body = {
      query: { upload_id: 'BIi3kjIn3gVRQOIb7K5cx3' },
      pagination: { order_by: 'mainfile', order: 'desc' },
      required: { 'resolve-inplace': true, data: 'include-resolved' }
    }
    const page = await fetch(`${server.base}/entries/archive/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...body, pagination: { ...body.pagination, page_size: 100 } })
    })
    const { data } = (await page.json()) as Json
    expect((await lines(body)).slice(0, -1)).toEqual(data)
  })

  test('page_size ends it, and the last line tells where to go on', async () => {
    const required = { metadata: { entry_id: '*' } }
    const first = await lines({ required, pagination: { page_size: 40 } })
    const { pagination } = first.pop()
    expect(pagination).toMatchObject({ page_size: 40, total: 64 })
    const { next_page_after_value: page_after_value } = pagination
    const rest = await lines({ required, pagination: { page_after_value } })
    rest.pop()
    expect(new Set([...first, ...rest].map(line => line.entry_id)).size).toBe(64)
    expect(first).toHaveLength(40)
  })

  test('entries without archive have no line and count', async () => {
    const query = { 'entry_id:any': ['5OyzEDJE3CVjl78IKXt2rT3zSQlm', 'SRwvy0mUNof24TV0xxnNETqHTaIi'] }
    const headers = { authorization: await bearer(server.services, MEILIN) }
    const found = await lines({ owner: 'user', query, required: { definitions: '*' } }, headers)
    expect(found).toMatchObject([{ entry_id: 'SRwvy0mUNof24TV0xxnNETqHTaIi' }, { pagination: { total: 2 } }])
  })

  test('an archive that cannot be read as it was asked for has an error in its line', async () => {
    const query = { upload_id: { any: ['3U40NEXwovmPkBa8gO1AsX', 'BIi3kjIn3gVRQOIb7K5cx3'] } }
    const found = await lines({
      query,
      required: { run: { 'program[0]': '*' }, metadata: { entry_id: '*' } }
    })
    expect(found.pop()).toMatchObject({ pagination: { total: 25 } })
    expect(found).toHaveLength(25)
    for (const line of found) {
      if (line.upload_id === 'BIi3kjIn3gVRQOIb7K5cx3')
        expect(line.archive.metadata.entry_id).toBe(line.entry_id)
      else {
        expect(line).toEqual({
          entry_id: line.entry_id,
          upload_id: line.upload_id,
          parser_name: line.parser_name,
          error: { status: 400, detail: 'cannot use list key on none list program' }
        })
      }
    }
  })

  test.each([
    [{ owner: 'all' }, 403],
    [{ owner: 'staging' }, 401],
    [{ required: { 'a.b': '*' } }, 422],
    [{ required: 'some' }, 400],
    [{ query: { nope: 1 } }, 422],
    [{ pagination: { order_by: 'results.material.symmetry' } }, 422]
  ])('%j is an ordinary error', async (body, status) => {
    const response = await ask(body)
    expect(response.status).toBe(status)
    expect(((await response.json()) as Json).detail).toBeTruthy()
  })

  test('a client that goes away ends the reading', async () => {
    open = 0
    const leave = new AbortController()
    const response = await ask({ required: '*' }, {}, leave.signal)
    const reader = response.body!.getReader()
    await reader.read()
    leave.abort()
    await reader.closed.catch(() => {})
    await delay(300)
    const after = open
    await delay(300)
    expect(open).toBe(after)
  })
})
