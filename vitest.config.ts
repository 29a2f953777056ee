import { configDefaults, defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [
      ...configDefaults.exclude,
      // Needs a Docker engine: `npm run test:container`.
      'test/container/**',
      ...(process.env.SERAI_TEST_KEYCLOAK_URL ? [] : ['test/access/keycloak.test.ts'])
    ],
    globalSetup: ['test/services.ts'],
    reporters: ['default', './test/summary-reporter.ts'],
    // On a machine that is shared a test may meet a moment without any time for it; twice is a fault.
    retry: process.env.CI ? 1 : 0,
    testTimeout: 30_000,
    hookTimeout: 180_000,
    pool: 'forks',
    maxWorkers: 2
  }
})
