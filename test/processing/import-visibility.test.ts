import { describe, expect, test } from 'vitest'
import { guarded, isLessVisible } from '../../src/processing/import-visibility.ts'
import type { Upload } from '../../src/storage/documents.ts'
import { testUpload } from '../upload.ts'

const upload = (extra: Partial<Upload> = {}): Upload => testUpload('u', { import_checksum: 'old', ...extra })

const TIME = '2024-02-01T00:00:00.000Z'
const open = upload({ publish_time: TIME })
const embargoed = upload({ publish_time: TIME, embargo_length: 3 })
const closed = upload()

describe('the document of an upload while it is replaced', () => {
  test('has no checksum', () => {
    expect(guarded(open, open)).not.toHaveProperty('import_checksum')
    expect(guarded(closed, closed)).not.toHaveProperty('import_checksum')
  })

  test.each([
    ['open over open', open, open, { publish_time: TIME, embargo_length: 0 }],
    ['embargo over open', open, embargoed, { publish_time: TIME, embargo_length: 3 }],
    ['open over embargo', embargoed, open, { publish_time: TIME, embargo_length: 3 }],
    ['open over unpublished', closed, open, { publish_time: undefined, embargo_length: 0 }],
    ['unpublished over open', open, closed, { publish_time: undefined, embargo_length: 0 }],
    ['embargo over unpublished', closed, embargoed, { publish_time: TIME, embargo_length: 3 }]
  ])('is no more open than both: %s', (_, old, next, expected) => {
    expect({ publish_time: undefined, ...guarded(old, next) }).toMatchObject(expected)
  })

  test('has only members who may see both versions', () => {
    const old = upload({ coauthors: ['ben'], reviewers: ['cat'], coauthor_groups: ['g'] })
    const next = upload({ coauthors: ['cat', 'dan'], reviewers: ['ben', 'eve'], reviewer_groups: ['g', 'h'] })
    expect(guarded(old, next)).toMatchObject({
      coauthors: ['cat'],
      reviewers: ['ben'],
      coauthor_groups: [],
      reviewer_groups: ['g']
    })
  })

  test('has all new members when everyone could see the old version', () => {
    const next = upload({ coauthors: ['ben'], reviewer_groups: ['g'] })
    expect(guarded(open, next)).toMatchObject({ coauthors: ['ben'], reviewer_groups: ['g'] })
    expect(guarded(upload({ reviewer_groups: ['all'] }), next)).toMatchObject({ coauthors: ['ben'] })
  })
})

describe('whether somebody may no longer see an upload', () => {
  test.each<[string, Upload, Upload, boolean]>([
    ['the same', open, open, false],
    ['an embargo', open, embargoed, true],
    ['an embargo lifted', embargoed, open, false],
    ['no longer published', embargoed, closed, true],
    ['published', closed, open, false],
    ['a coauthor less', upload({ coauthors: ['ben'] }), closed, true],
    ['a coauthor more', closed, upload({ coauthors: ['ben'] }), false],
    ['a coauthor as reviewer', upload({ coauthors: ['ben'] }), upload({ reviewers: ['ben'] }), false],
    ['a group less', upload({ reviewer_groups: ['g'] }), closed, true],
    ['another main author', closed, upload({ main_author: 'zoe' }), true],
    ['everyone less', upload({ reviewer_groups: ['all'] }), closed, true],
    ['everyone instead of one', upload({ coauthors: ['ben'] }), upload({ reviewer_groups: ['all'] }), false]
  ])('%s', (_, old, next, expected) => {
    expect(isLessVisible(old, next)).toBe(expected)
  })
})
