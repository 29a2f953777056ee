/** Ends a test run with one plain line, `N passed, N failed`, for programs that read it. */
import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node'

/** The reporter; `vitest.config.ts` names this file. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(
    modules: readonly TestModule[],
    unhandled: readonly unknown[],
    reason: TestRunEndReason
  ): void {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    for (const module of modules) {
      const before = counts.failed
      for (const test of module.children.allTests()) counts[test.result().state]++
      // A file or a hook that breaks has no failed tests of its own.
      if (module.state() === 'failed' && counts.failed === before) counts.failed++
    }
    const { passed, skipped } = counts
    const failed = counts.failed + counts.pending + unhandled.length
    const interrupted = reason === 'interrupted' ? ', interrupted' : ''
    process.stdout.write(
      `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}${interrupted}\n`
    )
  }
}
