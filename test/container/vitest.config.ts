import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: join(import.meta.dirname, '../..'),
    include: ['test/container/**/*.test.ts'],
    reporters: ['verbose'],
    // Each test goes on where the one before it ended.
    bail: 1,
    testTimeout: 60_000,
    hookTimeout: 400_000
  }
})
