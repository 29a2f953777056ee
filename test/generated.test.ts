import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { GENERATED } from '../scripts/generate.ts'

describe('generated files are what `npm run generate` makes', () => {
  test.each(GENERATED.map(([file, make]) => [relative('.', file), make] as const))(
    '%s',
    async (file, make) => {
      expect(await readFile(file, 'utf8')).toBe(await make())
    }
  )
})
