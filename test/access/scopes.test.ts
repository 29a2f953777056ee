import { describe, expect, test } from 'vitest'
import { SCOPES, scopeNamed, scopePatternProblem, scopesMatching } from '../../src/access/scopes.ts'

describe('scopes', () => {
  test('have patterns for whole resources and whole actions', () => {
    expect([...scopesMatching(['*:*'])].sort()).toEqual([...SCOPES].sort())
    expect([...scopesMatching(['datasets:*'])]).toEqual(SCOPES.filter(s => s.startsWith('datasets:')))
    const reading = scopesMatching(['*:read'])
    expect(reading.has('entries:read')).toBe(true)
    expect(reading.has('external_h5grove:read')).toBe(true)
    expect([...reading].every(scope => scope.endsWith(':read'))).toBe(true)
    expect([...scopesMatching(['entries:read', 'users:invite'])]).toEqual(['entries:read', 'users:invite'])
    expect(scopesMatching([]).size).toBe(0)
  })

  test('are taken away by patterns that begin with !, wherever they stand', () => {
    const scopes = scopesMatching(['!users:*', '*:read', '!uploads_bundle:read', 'uploads:*'])
    expect(scopes.has('users:read')).toBe(false)
    expect(scopes.has('uploads:export')).toBe(false)
    expect(scopes.has('uploads:write')).toBe(true)
    expect(scopes.has('entries:read')).toBe(true)
    expect(scopePatternProblem('!entries:read')).toBeUndefined()
    expect(scopePatternProblem('!planes:fly')).toBe('planes:fly matches no scope')
  })

  test('are known by the names that they had', () => {
    expect(scopeNamed('uploads_bundle:read')).toBe('uploads:export')
    expect([...scopesMatching(['uploads_bundle:write'])]).toEqual(['uploads:import'])
    expect(scopeNamed('toString')).toBeUndefined()
    expect(scopeNamed('entries:fly')).toBeUndefined()
  })

  test.each(['*:*', '*:read', 'entries:*', 'entries:read', 'uploads_bundle:read'])(
    '%s is a pattern',
    pattern => {
      expect(scopePatternProblem(pattern)).toBeUndefined()
    }
  )

  test.each(['entries', 'entr*:read', '*:rea*', 'entries:fly', 'planes:*', '', ':', '*'])(
    '%j is none',
    pattern => {
      expect(scopePatternProblem(pattern)).toBeDefined()
    }
  )
})
