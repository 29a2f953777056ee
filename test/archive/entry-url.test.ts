import { expect, test } from 'vitest'
import { entryIdOf } from '../../src/archive/entry-id.ts'
import { parseEntryUrl } from '../../src/archive/entry-url.ts'
import { corpusArchives } from './corpus.ts'

const byMainfile = entryIdOf('U1', 'a/b.out')

test.each([
  ['../upload/archive/E2#/run/0', { entryId: 'E2', path: '/run/0', remote: false }],
  ['../upload/archive/E2#run/0', { entryId: 'E2', path: '/run/0', remote: false }],
  ['/uploads/U2/archive/E2#/run/0', { entryId: 'E2', uploadId: 'U2', path: '/run/0', remote: false }],
  ['../entries/E2/archive#/run/0', { entryId: 'E2', path: '/run/0', remote: false }],
  ['../upload/raw/a/b.out#/data', { entryId: byMainfile, mainfile: 'a/b.out', path: '/data', remote: false }],
  [
    '../upload/archive/mainfile/a/b.out#/data',
    { entryId: byMainfile, mainfile: 'a/b.out', path: '/data', remote: false }
  ],
  [
    '../uploads/U1/raw/a/b.out#/data',
    { entryId: byMainfile, uploadId: 'U1', mainfile: 'a/b.out', path: '/data', remote: false }
  ],
  [
    'https://example.org/api/v1/uploads/U1/archive/E2#/data',
    { entryId: 'E2', uploadId: 'U1', path: '/data', remote: true }
  ],
  ['/run/0/system/0', undefined],
  ['#/run/0/system/0', undefined],
  ['run/0/x', undefined],
  ['E2#/x', undefined],
  ['uploads/U1/archive/E2#/x', undefined],
  ['../upload/archive/E2', undefined],
  ['../upload/archive/E2/x#/data', undefined],
  ['../upload/archive/E2?a=b#/data', undefined],
  ['https://example.org/entries/E2/archive#/data', undefined],
  ['#', undefined],
  ['', undefined]
])('%j', (text, expected) => {
  expect(parseEntryUrl(text, 'U1')).toEqual(expected)
})

test('entry ids of the example data are those of their mainfiles', () => {
  let entries = 0
  for (const { entryId, uploadId, mainfile, archive } of corpusArchives()) {
    const { mainfile_key: key } = archive.metadata as { mainfile_key?: string }
    expect(entryIdOf(uploadId, mainfile, key)).toBe(entryId)
    entries += 1
  }
  expect(entries).toBe(116)
})
