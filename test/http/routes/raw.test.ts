import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openCorpusServices, profiles, testApp } from '../../app.ts'
import { type CorpusApp, openCorpusApp } from '../../corpus-app.ts'
import {
  ADMIN,
  ELK,
  EMBARGOED,
  EMBARGOED_ENTRY,
  EXCITING,
  OPEN,
  OWNER,
  STRANGER,
  zipOf
} from './corpus-raw.ts'

const API = '/api/v1'

describe.each(profiles())('raw files of entries (%s)', profile => {
  let corpus: CorpusApp

  beforeAll(async () => {
    corpus = await openCorpusApp(profile)
  })
  afterAll(() => corpus?.close())

  const get = (path: string, as?: string) => corpus.ask({ url: API + path }, as)
  const post = (payload: unknown, as?: string) =>
    corpus.ask({ method: 'POST', url: `${API}/entries/raw/query`, payload: payload as object }, as)

  it('are one zip for what the guide asks for', async () => {
    const response = await get('/entries/raw?results.material.elements=Ti&results.material.elements=O')
    expect(response.headers['content-disposition']).toBe('attachment; filename="raw_files.zip"')
    const { manifest, names } = await zipOf(response)
    const found = await get('/entries?elements=Ti&elements=O&page_size=100')
    const ids = (found.json() as { data: { entry_id: string }[] }).data.map(d => d.entry_id)
    expect(ids.length).toBeGreaterThan(0)
    expect(manifest?.map(m => m.entry_id).sort()).toEqual(ids.sort())
    for (const { mainfile } of manifest ?? []) expect(names).toContain(mainfile)
  })

  it('have the bytes and times of what was uploaded', async () => {
    const { members } = await zipOf(await post({ query: { entry_id: EXCITING } }))
    expect(members.map(m => m.name)).toEqual([
      `${OPEN}/exciting/Ag/INFO.OUT`,
      `${OPEN}/exciting/Ag/Ag.xml`,
      'manifest.json'
    ])
    const original = join(
      import.meta.dirname,
      `../../../fixtures/corpus/uploads/${OPEN}/raw/exciting/Ag/Ag.xml`
    )
    expect(members[1]?.content.equals(await readFile(original))).toBe(true)
    expect(members.every(m => m.stored)).toBe(true)
  })

  it('come ordered by upload and entry, shared files once', async () => {
    const { manifest, names } = await zipOf(await post({}))
    expect(new Set(names).size).toBe(names.length)
    const keys = (manifest ?? []).map(m => [m.upload_id, m.entry_id])
    expect(keys.length).toBe(await total())
    expect(keys).toEqual([...keys].sort((a, b) => (a.join() < b.join() ? -1 : 1)))
  })

  async function total(): Promise<number> {
    const response = await get('/entries?page_size=0')
    return (response.json() as { pagination: { total: number } }).pagination.total
  }

  it('are chosen by names, expressions and patterns', async () => {
    const files = async (wanted: object) =>
      (await zipOf(await post({ query: { upload_id: OPEN }, files: wanted }))).names.map(n =>
        n.split('/').pop()
      )
    expect(await files({ glob_pattern: 'elk/*/E*.OUT' })).toContain('EFERMI.OUT')
    expect(await files({ re_pattern: 'Fe\\.out', glob_pattern: '*.xml' })).toEqual([
      'Fe.out',
      'manifest.json'
    ])
    expect(await files({ include_files: ['GEOMETRY.OUT'], re_pattern: 'x' })).toEqual([
      'GEOMETRY.OUT',
      'manifest.json'
    ])
    expect(await files({ glob_pattern: '*.nope' })).toEqual(['manifest.json'])
    const url = await get(
      `/entries/raw?upload_id=${OPEN}&include_files=KPOINTS.OUT&include_files=elk.in&compress=1`
    )
    const { names, members } = await zipOf(url)
    expect(names.filter(n => n.endsWith('elk.in') || n.endsWith('KPOINTS.OUT')).length).toBe(names.length - 1)
    expect(members[0]?.stored).toBe(false)
  })

  it('of nothing are a zip with an empty manifest', async () => {
    const { names, manifest } = await zipOf(await post({ query: { upload_id: 'nope' } }))
    expect(names).toEqual(['manifest.json'])
    expect(manifest).toEqual([])
  })

  it('of one entry are found by its id', async () => {
    const { names, manifest } = await zipOf(await get(`/entries/${ELK}/raw?re_pattern=SYM`))
    expect(names).toEqual([
      `${OPEN}/elk/Al/SYMCRYS.OUT`,
      `${OPEN}/elk/Al/SYMLAT.OUT`,
      `${OPEN}/elk/Al/SYMSITE.OUT`,
      'manifest.json'
    ])
    expect(manifest).toEqual([{ entry_id: ELK, upload_id: OPEN, mainfile: `${OPEN}/elk/Al/INFO.OUT` }])
  })

  it('are given to those who may see them', async () => {
    for (const as of [undefined, STRANGER, ADMIN]) {
      const response = await get(`/entries/${EMBARGOED_ENTRY}/raw`, as)
      expect(response.statusCode).toBe(404)
      expect(response.json()).toEqual({
        detail: 'The entry with the given id does not exist or is not visible to you.'
      })
      const { names } = await zipOf(await post({ owner: 'visible', query: { upload_id: EMBARGOED } }, as))
      expect(names).toEqual(['manifest.json'])
    }
    expect((await zipOf(await get(`/entries/${EMBARGOED_ENTRY}/raw`, OWNER))).names.length).toBeGreaterThan(1)
    const { names } = await zipOf(await post({ owner: 'visible', query: { upload_id: EMBARGOED } }, OWNER))
    expect(names.length).toBeGreaterThan(6)
    expect(
      (await zipOf(await post({ owner: 'admin', query: { upload_id: EMBARGOED } }, ADMIN))).names
    ).toEqual(names)
  })

  const refused: [string, unknown, number, unknown][] = [
    ['owner all', { owner: 'all' }, 403, expect.stringContaining('The owner=all is not allowed')],
    ['a known owner without a caller', { owner: 'user' }, 401, "Authentication required for owner='user'."],
    ['the administrator’s owner', { owner: 'admin' }, 401, "Authentication required for owner='admin'."],
    [
      'an unknown quantity',
      { query: { nope: 1 } },
      422,
      [expect.objectContaining({ msg: 'nope is not a doc quantity' })]
    ],
    [
      'an expression that is none',
      { files: { re_pattern: '**' } },
      422,
      [
        expect.objectContaining({
          type: 'invalid_pattern',
          loc: ['body', 'files', 're_pattern'],
          msg: expect.stringContaining('could not parse the re pattern: ')
        })
      ]
    ],
    ['files that are a list', { files: [] }, 422, expect.anything()],
    ['names that are no list', { files: { include_files: 'x' } }, 422, expect.anything()],
    ['compress that is text', { files: { compress: 'maybe' } }, 422, expect.anything()],
    ['a body that is a list', [], 422, expect.anything()]
  ]
  for (const [what, body, status, detail] of refused) {
    it(`refuse ${what}`, async () => {
      const response = await post(body)
      expect(response.statusCode).toBe(status)
      expect(response.json()).toEqual({ detail })
    })
  }

  it('refuse in the URL what they refuse in a body', async () => {
    const bad = {
      '?re_pattern=[': 422,
      '?owner=all': 403,
      '?owner=user': 401,
      '?compress=maybe': 422,
      '?owner=x': 422
    }
    for (const [query, status] of Object.entries(bad)) {
      expect([query, (await get(`/entries/raw${query}`)).statusCode]).toEqual([query, status])
    }
    for (const id of ['nope', '%00', '..%2f..', 'a'.repeat(1000)]) {
      expect((await get(`/entries/${id}/raw`)).statusCode).toBe(404)
    }
    expect((await get(`/entries/${ELK}/raw?re_pattern=[`)).statusCode).toBe(422)
  })

  it('refuse more entries than one download may hold', async () => {
    const small = await openCorpusServices(profile, { SERAI_MAX_ENTRY_DOWNLOAD: '3' })
    const smallApp = await testApp(small)
    try {
      const count = await total()
      const response = await smallApp.inject({ url: `${API}/entries/raw` })
      expect(response.statusCode).toBe(400)
      expect(response.json()).toEqual({
        detail: `The limit of maximum number of entries in a single download (3) has been exceeded (${count}).`
      })
    } finally {
      await smallApp.close()
      await small.close()
    }
  })

  it('answer HEAD without making the zip', async () => {
    const response = await corpus.app.inject({ method: 'HEAD', url: `${API}/entries/raw` })
    expect(response.statusCode).toBe(200)
    expect(response.headers['content-type']).toBe('application/zip')
    expect(response.rawPayload.length).toBe(0)
  })
})
