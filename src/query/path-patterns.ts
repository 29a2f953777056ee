/**
 * Patterns of dot paths as in Elasticsearch's source filter: `*` stands for any characters, dots included; a pattern
 * that matches a path matches all that is below it; items of a list have the path of their list.
 */

/** Whether one of the patterns matches a path or something above it. */
export function pathMatcher(patterns: readonly string[]): (path: string) => boolean {
  const expressions = patterns.map(pattern => {
    const parts = pattern.split(/\*+/).map(part => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
    return new RegExp(`^${parts.join('.*')}(?:\\..*)?$`, 's')
  })
  return path => expressions.some(expression => expression.test(path))
}
