import { describe, expect, test } from 'vitest'
import { entryIdOf } from '../../src/archive/entry-id.ts'
import { parseReference, pathSteps } from '../../src/archive/reference.ts'

const from = { entryId: 'E1', uploadId: 'U1' }
const foreign = (uploadId: string, entryId: string, name = entryId) => ({
  kind: 'foreign',
  entryId,
  path: '/run/0',
  archiveUrl: `../uploads/${uploadId}/archive/${name}`
})

describe('a reference is recognised by its form', () => {
  test.each([
    ['/run/0', '/run/0'],
    ['#/run/0', '/run/0'],
    ['/upload/archive/E2#/run/0', '/upload/archive/E2#/run/0'],
    ['../upload/archive/E1#run/0', '/run/0'],
    ['../entries/E1/archive#/run/0', '/run/0']
  ])('%s leads to the same archive', (text, path) => {
    expect(parseReference(text, from)).toEqual({ kind: 'local', path })
  })

  test.each([
    ['../upload/archive/E2#/run/0', foreign('U1', 'E2')],
    ['../uploads/archive/E2#run/0', foreign('U1', 'E2')],
    ['../uploads/U2/archive/E2#/run/0', foreign('U2', 'E2')],
    ['/uploads/U2/archive/E2#/run/0', foreign('U2', 'E2')],
    ['../entries/E2/archive#/run/0', foreign('U1', 'E2')],
    ['/entries/E2/archive#/run/0', foreign('U1', 'E2')],
    ['../upload/archive/mainfile/a/b.yaml#/run/0', foreign('U1', entryIdOf('U1', 'a/b.yaml'))],
    ['../uploads/U2/archive/mainfile/b.yaml#/run/0', foreign('U2', entryIdOf('U2', 'b.yaml'))],
    ['../uploads/U2/raw/a/b.yaml#/run/0', foreign('U2', entryIdOf('U2', 'a/b.yaml'), 'a/b.yaml')],
    ['../upload/raw/b.yaml#/run/0', foreign('U1', entryIdOf('U1', 'b.yaml'), 'b.yaml')]
  ])('%s leads to another archive', (text, expected) => {
    expect(parseReference(text, from)).toEqual(expected)
  })

  test('another installation is never this one', () => {
    expect(parseReference('https://example.org/api/v1/uploads/U2/archive/E2#/run/0', from)).toEqual({
      kind: 'remote'
    })
  })

  test.each([
    'run/0/x',
    'E2#/x',
    'uploads/U2/archive/E2#/run/0',
    'https://example.org/entries/E2/archive#/run/0',
    '../uploads/U2/archive/E2',
    '../uploads/U2/archive/a/b#/run/0',
    '../uploads/U2/archive/E2#/run/0?x',
    '',
    '#'
  ])('%j is a text', text => {
    expect(parseReference(text, from)).toEqual({ kind: 'none' })
  })
})

test('a path has keys and indices; slashes at its ends do not count', () => {
  expect(pathSteps('/run/0/system/-1/')).toEqual(['run', 0, 'system', '-1'])
  expect(pathSteps('/')).toBeUndefined()
})
