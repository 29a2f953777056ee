import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readContents } from '../../src/archive/contents.ts'
import type { ArchiveParts } from '../../src/archive/parts.ts'
import { storedParts } from '../../src/archive/stored-parts.ts'
import { arbitraryArchive } from './arbitrary-archives.ts'
import { damaged, large, packed, stored, streamed } from './packed-archives.ts'

/** Puts parts together, as a reader of them would. */
async function together(parts: ArchiveParts): Promise<unknown> {
  let whole: unknown
  const open: (unknown[] | Record<string, unknown>)[] = []
  let key: string | undefined
  const set = (name: string, value: unknown) =>
    Object.defineProperty(open.at(-1), name, { value, enumerable: true, configurable: true, writable: true })
  const add = (value: unknown) => {
    const at = open.at(-1)
    if (!at) whole = value
    else if (Array.isArray(at)) at.push(value)
    else set(key!, value)
  }
  for await (const part of parts) {
    switch (part.kind) {
      case 'map':
      case 'list': {
        const container = part.kind === 'map' ? {} : []
        add(container)
        open.push(container)
        break
      }
      case 'end':
        open.pop()
        break
      case 'key':
        key = part.name
        break
      case 'value':
        add(part.value)
        break
      case 'items':
        for (const item of part.items) add(item)
        break
      case 'members':
        for (const [name, value] of Object.entries(part.members)) set(name, value)
    }
  }
  expect(open).toEqual([])
  return whole
}

describe('a stored archive in parts', () => {
  test('is the archive, however it was packed, in the order of its keys', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryArchive(), async archive => {
        const text = JSON.stringify(archive)
        for (const { blocks, contents } of [packed(archive), await streamed(JSON.parse(text))]) {
          const store = stored(contents, blocks)
          expect(JSON.stringify(await together(storedParts(store.archive, store.read))) === text).toBe(true)
        }
      }),
      { numRuns: 25 }
    )
  })

  test('is read some blocks at a time', async () => {
    for (const { blocks, contents } of [packed(large), await streamed(large)]) {
      const total = [...blocks.values()].reduce((sum, b) => sum + b.byteLength, 0)
      const store = stored(contents, blocks)
      expect(await together(storedParts(store.archive, store.read))).toEqual(large)
      expect(total).toBeGreaterThan(2_000_000)
      expect(store.most()).toBeLessThan(400_000)
    }
  })

  test.each(['changed', 'gone'] as const)('a block that is %s is named', async what => {
    const { blocks, contents } = packed(large)
    const count = readContents(contents, 'e').blocks.length
    expect(count).toBe(blocks.size)
    for (const number of [1, Math.ceil(count / 2), count]) {
      const store = stored(contents, damaged(blocks, number, what))
      const error = { code: 'ARCHIVE_DAMAGED', message: expect.stringContaining(`block ${number} `) }
      await expect(together(storedParts(store.archive, store.read))).rejects.toMatchObject(error)
    }
  })
})
