import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { profiles } from '../../app.ts'
import { type CorpusApp, openCorpusApp } from '../../corpus-app.ts'

const API = '/api/v1'
const OPEN = '3U40NEXwovmPkBa8gO1AsX'
const UNPUBLISHED = '2HZqVdGs6r1uy-FArYAZDT'
const EMBARGOED = 'ROK7NzvVoeKocZLPaWt-Q1'
const EMBARGOED_ENTRY = 'Zb48a2-5vUXKCNt3k8Dng07J5nrS'
const ELK = 'h1iMMJejwBL4CXBcORlyyjKm_Ehq'
/** Shares its mainfile with another entry. */
const CHILD = 'wDgwyYZ8s7pHUEls9a2LKHpZ0I04'
const XZ_ENTRY = 'vIDUWwjknm2rERsyX8WKtm_CrJxB'

const ADMIN = '0d3c6f52-9b8e-4c7a-9a55-2f6f1d0a7b01'
const OWNER = '3f1a2b7c-5d64-4e0f-8c21-7a9e6b3d1c02'
const STRANGER = 'a45e7d90-61c2-4b8f-9f3e-c1b2d3e4f504'

describe.each(profiles())('lists of raw files (%s)', profile => {
  let corpus: CorpusApp

  beforeAll(async () => {
    corpus = await openCorpusApp(profile)
  })
  afterAll(() => corpus?.close())

  const get = (path: string, as?: string) => corpus.ask({ url: API + path }, as)
  const json = async (path: string, as?: string) => {
    const response = await get(path, as)
    expect([path, response.statusCode]).toEqual([path, 200])
    return response.json()
  }

  it('of one entry begin with its mainfile', async () => {
    const { data } = await json(`/entries/${ELK}/rawdir`)
    const paths = data.files.map((f: { path: string }) => f.path)
    expect(paths[0]).toBe('elk/Al/INFO.OUT')
    expect(paths.slice(1)).toEqual(paths.slice(1).toSorted())
    expect(data.files).toContainEqual({ path: 'elk/Al/elk.in', size: 701 })
    expect((await json(`/entries/${CHILD}/rawdir`)).data.mainfile_key).toBe('workflow')
  })

  it('of a search come with its echo and pagination', async () => {
    const payload = { query: { upload_id: OPEN }, pagination: { page_size: 2, order_by: 'mainfile' } }
    const response = await corpus.app.inject({ method: 'POST', url: `${API}/entries/rawdir/query`, payload })
    expect(response.json()).toMatchObject({
      owner: 'public',
      query: { name: 'upload_id', value: OPEN },
      pagination: { page_size: 2, order_by: 'mainfile', total: 11 },
      data: [{ mainfile: 'abinit/Fe.out', files: [{ path: 'abinit/Fe.out', size: 48362 }] }, {}]
    })
    const url = await json(`/entries/rawdir?upload_id=${OPEN}&page_size=1`)
    expect(url.pagination.next_page_url).toContain('page_after_value=')
    expect(url.data.length).toBe(1)
  })

  it('of entries refuse what others may not see', async () => {
    expect((await get(`/entries/${EMBARGOED_ENTRY}/rawdir`)).statusCode).toBe(404)
    expect((await get(`/entries/${EMBARGOED_ENTRY}/rawdir`, ADMIN)).statusCode).toBe(404)
    expect((await get(`/entries/${EMBARGOED_ENTRY}/rawdir`, OWNER)).statusCode).toBe(200)
    expect((await get('/entries/rawdir?owner=all')).statusCode).toBe(403)
    expect((await json(`/entries/rawdir?owner=visible&upload_id=${EMBARGOED}`)).pagination.total).toBe(0)
  })

  it('of a directory tell names, sizes and entries', async () => {
    expect(await json(`/uploads/${OPEN}/rawdir/exciting/GW?include_entry_info=true`)).toEqual({
      path: 'exciting/GW',
      access: 'public',
      directory_metadata: {
        name: 'GW',
        size: 29026,
        content: [
          {
            name: 'INFO.OUT',
            size: 27381,
            entry_id: 'Ngu4FiaQMK-62PCVT5Eg1sBLEl1n',
            parser_name: 'electronicparsers:exciting_parser_entry_point',
            is_file: true
          },
          { name: 'Si.xml', size: 1645, is_file: true }
        ]
      },
      pagination: expect.objectContaining({ page_size: 10, order: 'asc', page: 1, total: 2 })
    })
    const paged = await json(`/uploads/${OPEN}/rawdir/elk/Al?page_size=4&page=2`)
    expect(paged.directory_metadata.content.map((f: { name: string }) => f.name)).toEqual([
      'EVALCORE.OUT',
      'EVALFV.OUT',
      'EVALSV.OUT',
      'EVECSV.OUT'
    ])
    expect((await json(`/uploads/${OPEN}/rawdir/`)).directory_metadata).toMatchObject({
      name: '',
      size: 1160848
    })
    expect(await json(`/uploads/${OPEN}/rawdir/nomad.json`)).toEqual({
      path: 'nomad.json',
      access: 'public',
      file_metadata: { name: 'nomad.json', size: 537 }
    })
  })

  it('of an upload have their address with a slash', async () => {
    const response = await get(`/uploads/${OPEN}/rawdir?page_size=1`)
    expect(response.statusCode).toBe(307)
    expect(response.headers.location).toBe(`${API}/uploads/${OPEN}/rawdir/?page_size=1`)
  })

  const refused: [string, string | undefined, number][] = [
    [`/uploads/nope/rawdir/`, undefined, 404],
    [`/uploads/${OPEN}/rawdir/nope`, undefined, 404],
    [`/uploads/${OPEN}/rawdir/..%2f..%2f`, undefined, 404],
    [`/uploads/${OPEN}/rawdir/elk?page=9`, undefined, 400],
    [`/uploads/${OPEN}/rawdir/elk?page=0`, undefined, 422],
    [`/uploads/${UNPUBLISHED}/rawdir/`, undefined, 401],
    [`/uploads/${UNPUBLISHED}/rawdir/`, STRANGER, 403],
    [`/uploads/${UNPUBLISHED}/rawdir/`, ADMIN, 200],
    [`/uploads/${EMBARGOED}/rawdir/`, undefined, 403],
    [`/uploads/${EMBARGOED}/rawdir/`, OWNER, 200]
  ]
  for (const [path, as, status] of refused) {
    it(`answer ${path} ${as ? `of ${as.slice(0, 4)} ` : ''}with ${status}`, async () => {
      expect((await get(path, as)).statusCode).toBe(status)
    })
  }

  describe('one raw file of an entry', () => {
    it('comes whole or in part', async () => {
      const file = await get(`/entries/${ELK}/raw/elk.in`)
      expect(file.headers).toMatchObject({
        'content-type': 'text/plain; charset=utf-8',
        'content-length': '701'
      })
      expect(file.headers['content-disposition']).toBeUndefined()
      const part = await get(`/entries/${ELK}/raw/elk.in?offset=5&length=20`)
      expect([part.payload, part.headers['content-type']]).toEqual([
        'ound state of alumin',
        'application/octet-stream'
      ])
      for (const [query, body] of [
        ['length=0', ''],
        ['offset=1000000', ''],
        ['length=1000000', '  0.2674453034    \n'],
        ['offset=3', '.2674453034    \n']
      ]) {
        const response = await get(`/entries/${ELK}/raw/EFERMI.OUT?${query}`)
        expect([query, response.statusCode, response.payload]).toEqual([query, 200, body])
      }
      const opened = await get(`/entries/${XZ_ENTRY}/raw/vasprun.xml.xz?decompress=true`)
      expect([opened.rawPayload.length, opened.headers['content-type']]).toEqual([116573, 'application/x-xz'])
    })

    const refused: [string, string | undefined, number, string | undefined][] = [
      [`${ELK}/raw/nope`, undefined, 404, 'The requested file does not exist.'],
      [`${ELK}/raw/..%2fx`, undefined, 404, 'Not Found'],
      [`${ELK}/raw/elk%2Felk.in`, undefined, 404, 'Not Found'],
      [`${ELK}/raw/a/b`, undefined, 404, 'Not Found'],
      [`${EMBARGOED_ENTRY}/raw/RhCu`, OWNER, 404, 'The requested file does not exist.'],
      [
        `${EMBARGOED_ENTRY}/raw/OUTCAR`,
        undefined,
        404,
        'The entry with the given id does not exist or is not visible to you.'
      ],
      [`${ELK}/raw/elk.in?offset=-1`, undefined, 422, undefined],
      [`${ELK}/raw/elk.in?length=-2`, undefined, 422, undefined],
      [`${ELK}/raw/elk.in?offset=x`, undefined, 422, undefined]
    ]
    for (const [path, as, status, detail] of refused) {
      it(`is refused: ${path}`, async () => {
        const response = await get(`/entries/${path}`, as)
        expect(response.statusCode).toBe(status)
        if (detail !== undefined) expect(response.json()).toEqual({ detail })
      })
    }
  })
})
