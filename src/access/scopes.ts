/** Scopes: what a token may be used for (`auth.md` §4.1). */

/** Every scope, as `resource:action`. */
export const SCOPES = [
  'actions:read',
  'actions:run',
  'apps:read',
  'tokens:create',
  'tokens:read',
  'tokens:delete',
  'datasets:read',
  'datasets:write',
  'datasets:delete',
  'datasets:assign_doi',
  'entries:read',
  'entries:write',
  'graph:read',
  'groups:read',
  'groups:write',
  'groups:delete',
  'info:read',
  'materials:read',
  'metainfo:read',
  'north:read',
  'north:run',
  'schemas:read',
  'suggestions:read',
  'systems:read',
  'uploads:read',
  'uploads:write',
  'uploads:publish',
  'uploads:process',
  'uploads:assign_doi',
  'uploads:export',
  'uploads:import',
  'users:read',
  'users:invite',
  'external_optimade:read',
  'external_dcat:read',
  'external_h5grove:read'
] as const

/** A value of {@link SCOPES}. */
export type Scope = (typeof SCOPES)[number]

/** What a caller may use the server for. */
export type Scopes = ReadonlySet<Scope>

/** Names that scopes had before. */
const OLD_NAMES: Readonly<Record<string, Scope>> = {
  'uploads_bundle:read': 'uploads:export',
  'uploads_bundle:write': 'uploads:import'
}

/** Everything: access tokens. */
export const ALL_SCOPES: Scopes = new Set(SCOPES)

/** Everything but tokens: app and signature tokens. */
export const APP_TOKEN_SCOPES: Scopes = new Set(SCOPES.filter(scope => !scope.startsWith('tokens:')))

/** Upload tokens. */
export const UPLOAD_TOKEN_SCOPES: Scopes = new Set(SCOPES.filter(scope => scope.startsWith('uploads:')))

/** The scope of a name, also of one it had before; undefined when there is none. */
export function scopeNamed(name: string): Scope | undefined {
  return (
    SCOPES.find(scope => scope === name) ?? (Object.hasOwn(OLD_NAMES, name) ? OLD_NAMES[name] : undefined)
  )
}

/** What a pattern begins with that takes scopes away. */
const WITHOUT = '!'

/** A problem with the pattern of a scope, in words; undefined when there is none. */
export function scopePatternProblem(text: string): string | undefined {
  const pattern = text.startsWith(WITHOUT) ? text.slice(WITHOUT.length) : text
  if (scopeNamed(pattern)) return undefined
  if (!/^(?:\*|\w+):(?:\*|\w+)$/.test(pattern)) return `${pattern} is not of the form resource:action`
  return scopesMatching([pattern]).size > 0 ? undefined : `${pattern} matches no scope`
}

/** The scopes that both have. */
export function commonScopes(one: Scopes, other: Scopes): Scopes {
  return new Set([...one].filter(scope => other.has(scope)))
}

/**
 * The scopes of these names and patterns; `*` stands for a whole resource or a whole action. Those of a pattern that
 * begins with `!` are taken away, wherever it stands.
 */
export function scopesMatching(patterns: readonly string[]): Scopes {
  const matching = allMatching(patterns.filter(pattern => !pattern.startsWith(WITHOUT)))
  const without = patterns.filter(pattern => pattern.startsWith(WITHOUT))
  for (const scope of allMatching(without.map(pattern => pattern.slice(WITHOUT.length)))) {
    matching.delete(scope)
  }
  return matching
}

function allMatching(patterns: readonly string[]): Set<Scope> {
  const matching = new Set<Scope>()
  for (const pattern of patterns) {
    const [resource, action] = (scopeNamed(pattern) ?? pattern).split(':')
    for (const scope of SCOPES) {
      const [ofResource, toDo] = scope.split(':')
      if ((resource === '*' || resource === ofResource) && (action === '*' || action === toDo)) {
        matching.add(scope)
      }
    }
  }
  return matching
}
