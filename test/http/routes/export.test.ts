import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCorpusServices, openTestServices, profiles, testApp } from '../../app.ts'
import { type CorpusApp, openCorpusApp } from '../../corpus-app.ts'

/** A published upload of several entries. */
const OPEN = '3U40NEXwovmPkBa8gO1AsX'
const OWNER = 'a45e7d90-61c2-4b8f-9f3e-c1b2d3e4f504'
/** OWNER's, not published. */
const UNPUBLISHED = 's25f5ZFXDCbEilpzGabTKb'

type Entry = Record<string, unknown> & { entry_id: string }

describe.each(profiles())('export of metadata, %s', profile => {
  let corpus: CorpusApp

  beforeAll(async () => {
    corpus = await openCorpusApp(profile)
  })
  afterAll(() => corpus?.close())

  const get = (query: string, headers: Record<string, string> = {}, as?: string) =>
    corpus.ask({ url: `/api/v1/entries/export?${query}`, headers }, as)
  const search = (payload: object, accept?: string, as?: string) => {
    const headers = accept ? { accept } : {}
    return corpus.ask({ method: 'POST', url: '/api/v1/entries/query', payload, headers }, as)
  }
  const linesOf = (text: string) => {
    expect(text.endsWith('\n')).toBe(true)
    return text
      .slice(0, -1)
      .split('\n')
      .map(line => JSON.parse(line) as Entry)
  }

  test('is a JSON array of what a search shows, as a file', async () => {
    const response = await get(`upload_id=${OPEN}`)
    expect(response.statusCode).toBe(200)
    expect(response.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': 'attachment; filename="metadata_export.json"',
      'x-content-type-options': 'nosniff'
    })
    const { data } = (await search({ query: { upload_id: OPEN }, pagination: { page_size: 100 } })).json()
    expect(data.length).toBeGreaterThan(5)
    expect(response.json()).toEqual(data)
  })

  test('batches, orders and chosen members', async () => {
    const parameters = `upload_id=${OPEN}&include=mainfile&order_by=mainfile&order=desc`
    const all = (await get(parameters)).json<Entry[]>()
    expect(all.map(e => e.mainfile)).toEqual(
      all
        .map(e => e.mainfile)
        .sort()
        .reverse()
    )
    expect(Object.keys(all[0] as Entry).sort()).toEqual(['entry_id', 'mainfile', 'upload_id'])
    expect((await get(`${parameters}&page_size=2`)).json()).toEqual(all)
    const without = (await get(`${parameters}&exclude=upload_id`)).json<Entry[]>()
    expect(Object.keys(without[0] as Entry).sort()).toEqual(['entry_id', 'mainfile'])
  })

  test('is a table for who asks for one, by Accept or by the content type of the request', async () => {
    const parameters = `upload_id=${OPEN}&include=mainfile&include=results.material.elements&include=comment`
    const byAccept = await get(parameters, { accept: 'text/csv' })
    expect(byAccept.headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8; header=present',
      'content-disposition': 'attachment; filename="metadata_export.csv"'
    })
    const byContent = await get(parameters, { 'content-type': 'text/csv; charset=utf-8' })
    expect(byContent.headers['content-type']).toBe('application/octet-stream')
    expect(byContent.body).toBe(byAccept.body)
    expect(byAccept.body.split('\r\n')[0]).toBe(
      'entry_id,mainfile,results.material.elements,comment,upload_id'
    )
    const entries = (await get(parameters)).json<
      (Entry & { results?: { material?: { elements?: string[] } } })[]
    >()
    const rows = parse(byAccept.body, { columns: true }) as Record<string, string>[]
    expect(rows).toEqual(
      entries.map(e => ({
        entry_id: e.entry_id,
        mainfile: e.mainfile,
        'results.material.elements': JSON.stringify(e.results?.material?.elements),
        comment: e.comment ?? '',
        upload_id: e.upload_id
      }))
    )
  })

  test('a table of everything has a column for what any of the entries has', async () => {
    const entries = (await get('owner=visible')).json<Entry[]>()
    const rows = parse((await get('owner=visible', { accept: 'text/csv' })).body, {
      columns: true
    }) as Record<string, string>[]
    expect(rows).toHaveLength(entries.length)
    const cell = (value: unknown) =>
      value === undefined || value === null
        ? ''
        : typeof value === 'object'
          ? JSON.stringify(value)
          : String(value)
    for (const [i, entry] of entries.entries())
      for (const [name, value] of Object.entries(entry)) expect(rows[i]?.[name]).toBe(cell(value))
  })

  test('is one object a line for who asks for that', async () => {
    const response = await get(`upload_id=${OPEN}&include=mainfile`, { accept: 'application/x-ndjson' })
    expect(response.headers['content-type']).toBe('application/x-ndjson; charset=utf-8')
    expect(response.headers['content-disposition']).toBe('attachment; filename="metadata_export.ndjson"')
    const lines = linesOf(response.body)
    const entries = (await get(`upload_id=${OPEN}&include=mainfile`)).json<Entry[]>()
    expect(lines.slice(0, -1)).toEqual(entries)
    expect(lines.at(-1)).toEqual({
      pagination: { order_by: 'entry_id', order: 'asc', total: entries.length }
    })
  })

  test('of nothing', async () => {
    expect((await get('upload_id=nope')).body).toBe('[]')
    expect((await get('upload_id=nope', { accept: 'text/csv' })).body).toBe('')
    expect(linesOf((await get('upload_id=nope', { accept: 'application/x-ndjson' })).body)).toEqual([
      { pagination: { order_by: 'entry_id', order: 'asc', total: 0 } }
    ])
  })

  test('shows nothing that the caller may not see', async () => {
    for (const accept of ['*/*', 'text/csv', 'application/x-ndjson']) {
      const stranger = await get(`owner=visible&upload_id=${UNPUBLISHED}`, { accept })
      expect(stranger.body).not.toContain(UNPUBLISHED)
      const owner = await get(`owner=visible&upload_id=${UNPUBLISHED}`, { accept }, OWNER)
      expect(owner.body).toContain(UNPUBLISHED)
    }
  })

  test.each([
    ['owner=all', {}, 403],
    ['owner=user', {}, 401],
    ['owner=admin', { as: OWNER }, 403],
    ['include=nope', {}, 422],
    ['exclude=nope', {}, 422],
    ['page_size=0', {}, 422],
    ['order_by=files', {}, 422],
    ['results.material.n_elements=x', {}, 422],
    ['', { 'content-type': 'text/xml' }, 415]
  ])('%s with %j is an error of JSON', async (query, given: Record<string, string>, status) => {
    const { as, ...headers } = given
    for (const accept of ['*/*', 'text/csv', 'application/x-ndjson']) {
      const response = await get(query, { ...headers, accept }, as)
      expect([accept, response.statusCode]).toEqual([accept, status])
      expect(response.headers['content-type']).toContain('application/json')
      expect(response.headers['content-disposition']).toBeUndefined()
      expect(response.json().detail).toBeTruthy()
    }
  })

  test('of more entries than allowed is refused', async () => {
    const small = await openCorpusServices(profile, { SERAI_MAX_ENTRY_METADATA_DOWNLOAD: '3' })
    const other = await testApp(small)
    try {
      for (const accept of ['*/*', 'text/csv', 'application/x-ndjson']) {
        const response = await other.inject({ url: '/api/v1/entries/export', headers: { accept } })
        expect(response.statusCode).toBe(400)
        expect(response.json().detail).toMatch(
          /^The limit of maximum number of metadata in a single download \(3\) has been exceeded \(\d+\)\.$/
        )
      }
    } finally {
      await other.close()
      await small.close()
    }
  })

  test('HEAD tells the head alone', async () => {
    const response = await corpus.app.inject({ method: 'HEAD', url: '/api/v1/entries/export' })
    expect(response.statusCode).toBe(200)
    expect(response.headers['content-disposition']).toContain('metadata_export.json')
    expect(response.body).toBe('')
  })

  describe('a search in lines', () => {
    const NDJSON = 'application/x-ndjson'

    test('gives everything, or as much as page_size says, and where to go on', async () => {
      const body = { owner: 'visible', required: { include: ['mainfile'] } }
      const all = linesOf((await search(body, NDJSON)).body)
      const { total } = (all.at(-1) as { pagination?: { total: number } }).pagination as { total: number }
      expect(all).toHaveLength(total + 1)
      expect(total).toBeGreaterThan(30)
      const rest: Entry[] = []
      let after: string | undefined
      do {
        const pagination = {
          page_size: 13,
          order_by: 'mainfile',
          ...(after ? { page_after_value: after } : {})
        }
        const lines = linesOf((await search({ ...body, pagination }, NDJSON)).body)
        const last = (lines.pop() as { pagination?: unknown }).pagination as Record<string, unknown>
        expect(last).toMatchObject({ page_size: 13, order_by: 'mainfile', order: 'asc', total })
        expect(lines.length).toBeLessThanOrEqual(13)
        rest.push(...lines)
        after = last.next_page_after_value as string | undefined
      } while (after !== undefined && rest.length < total)
      expect(rest.map(e => e.entry_id).sort()).toEqual(all.slice(0, -1).map(e => e.entry_id))
      const numbers = await search({ ...body, pagination: { page_size: 0 } }, NDJSON)
      expect(linesOf(numbers.body)).toEqual([
        { pagination: { page_size: 0, order_by: 'entry_id', order: 'asc', total } }
      ])
      expect(
        linesOf((await search({ ...body, pagination: { page_size: 1_000_000 } }, NDJSON)).body)
      ).toHaveLength(total + 1)
    })

    test('or in rows', async () => {
      const body = {
        query: { upload_id: OPEN },
        required: { include: ['mainfile'] },
        pagination: { page_size: 3 }
      }
      const response = await search(body, 'text/csv')
      const { data } = (await search(body)).json<{ data: Entry[] }>()
      expect(parse(response.body, { columns: true })).toEqual(data)
    })

    test('is JSON for everybody else', async () => {
      for (const accept of [
        'application/json',
        '*/*',
        'application/json, text/plain, */*',
        'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
        'application/x-ndjson;q=0.5, application/json',
        'image/png',
        'no media type at all'
      ]) {
        const response = await search({ pagination: { page_size: 1 } }, accept)
        expect([accept, response.headers['content-type']]).toEqual([accept, expect.stringContaining('json')])
        expect(response.json().data).toHaveLength(1)
      }
    })

    test('has the errors of a search', async () => {
      for (const [body, status] of [
        [{ query: { nope: 1 } }, 422],
        [{ owner: 'user' }, 401],
        [{ pagination: { page_size: -1 } }, 422],
        [{ pagination: { page_after_value: 'x', order_by: 'upload_create_time' } }, 400],
        [{ aggregations: { a: { terms: { quantity: 'mainfile' } } } }, 422]
      ] as const) {
        const response = await search(body, NDJSON)
        expect([body, response.statusCode]).toEqual([body, status])
        expect(response.headers['content-type']).toContain('application/json')
      }
    })
  })
})

test('odd text comes through a table unchanged', async () => {
  const services = await openTestServices('embedded')
  const app = await testApp(services)
  const odd = [
    '=1+1',
    '+1',
    '-1',
    '@x',
    '"',
    ',',
    'a\r\nb',
    '\n',
    ' ',
    '',
    '\t',
    'é\u{1f600}',
    "'",
    '0x1',
    '[1]'
  ]
  await services.index.put(
    odd.map((comment, i) => ({
      entry_id: String(i).padStart(2, '0'),
      published: true,
      with_embargo: false,
      comment
    }))
  )
  try {
    const { body } = await app.inject({
      url: '/api/v1/entries/export?include=comment&exclude=upload_id',
      headers: { accept: 'text/csv' }
    })
    expect((parse(body) as string[][]).slice(1).map(row => row[1])).toEqual(odd)
    expect(body.startsWith('entry_id,comment\r\n00,=1+1\r\n')).toBe(true)
  } finally {
    await app.close()
    await services.close()
  }
})
