/** The settings of who may come in: a part of the schema in `settings.ts`, and what is made of it. */
import { BlockList } from 'node:net'
import Type, { type Static } from 'typebox'
import { type Scopes, scopePatternProblem, scopesMatching } from './access/scopes.ts'
import { listedItems } from './setting-value.ts'

const Url = (description: string, examples: string[] = []) =>
  Type.Optional(Type.String({ pattern: '^https?://\\S+$', description, examples }))

const Text = (description: string) => Type.Optional(Type.String({ minLength: 1, description }))

/** Names of settings whose values are never repeated. */
export const SECRET_SETTINGS: ReadonlySet<string> = new Set([
  'api_secret',
  'oidc_client_secret',
  'oidc_directory_password',
  'metrics_token'
])

/** Members of the settings' schema. */
export const ACCESS_SETTINGS = {
  require_authentication: Type.Boolean({
    default: false,
    description: 'Whether every request needs a token; without one it is answered 401.'
  }),
  authorized_users: Text(
    'User names and e-mail addresses, separated by commas, of those who may use the server; others are answered 403, or have `SERAI_UNAUTHORIZED_SCOPES`. Anonymous callers are not meant: see `SERAI_REQUIRE_AUTHENTICATION`.'
  ),
  unauthorized_scopes: Text(
    'Scopes, as in `SERAI_ANONYMOUS_SCOPES`, that known persons have who are not on the list of `SERAI_AUTHORIZED_USERS`; without it they are answered 403.'
  ),
  anonymous_scopes: Type.String({
    default: '*:read',
    minLength: 1,
    description:
      'Scopes, separated by commas, that callers without a token have; `*` stands for every resource or every action, and `!` before one takes it away (`*:read,!users:read`). `none`: no scope.'
  }),
  access_token_expires_in: Type.Integer({
    default: 1800,
    minimum: 10,
    maximum: 86_400,
    description: 'Seconds that an access token of a built-in account is valid.'
  }),
  app_token_max_expires_in: Type.Integer({
    default: 2_592_000,
    minimum: 1,
    description: 'Most seconds that an app token may be asked to be valid.'
  }),
  pat_max_lifetime: Type.Integer({
    default: 365,
    minimum: 0,
    maximum: 36_500,
    description: 'Most days that a personal access token may be asked to be valid; 0: also for ever.'
  }),
  pat_max_active_per_user: Type.Integer({
    default: 100,
    minimum: 0,
    description: 'Most personal access tokens that one person may have at a time.'
  }),
  token_issuer: Type.String({
    default: 'serai',
    minLength: 1,
    description:
      '`iss` of the access tokens of built-in accounts. Set it to the address of the server when other services verify them.'
  }),
  allow_demo_users: Type.Boolean({
    default: false,
    description:
      'Whether the persons of the example data may sign in with their well-known password also from other machines.'
  }),
  oidc_issuer: Url(
    'OpenID Connect provider that issues the access tokens instead of the built-in accounts, for example `https://auth.example.org/realms/nomad`.'
  ),
  oidc_public_issuer: Url(
    'A further `iss` that tokens of the provider may have: the address by which people know it.'
  ),
  oidc_client_id: Text('Client of the provider that `/auth/token` signs people in with.'),
  oidc_client_secret: Text('Secret of that client, if it is a confidential one.'),
  oidc_audience: Text('`aud` that tokens of the provider must have; not looked at when not set.'),
  oidc_directory: Type.Union(
    ['token', 'keycloak', 'central'].map(kind => Type.Literal(kind)),
    {
      default: 'token',
      description:
        'Who persons are: what their tokens say, what the admin API of Keycloak says, or what a central NOMAD installation says.'
    }
  ),
  oidc_directory_url: Url(
    'API of the central installation, for example `https://nomad-lab.eu/prod/v1/api/v1`.'
  ),
  oidc_directory_realm: Text(
    'Realm of the account that asks the admin API of Keycloak, if it is not that of the issuer.'
  ),
  oidc_directory_username: Text(
    'User name of that account; without it the client signs in itself with its secret (service account).'
  ),
  oidc_directory_password: Text('Password of that account.')
}

type Settings = {
  [Name in keyof typeof ACCESS_SETTINGS]?: Static<(typeof ACCESS_SETTINGS)[Name]>
}

/** Where OpenID Connect directories are, by their kind. */
export type DirectoryConfig =
  | { readonly kind: 'token' }
  | {
      readonly kind: 'keycloak'
      readonly realm?: string
      readonly username?: string
      readonly password?: string
    }
  | { readonly kind: 'central'; readonly url: string }

/** An OpenID Connect provider. */
export interface OidcConfig {
  readonly issuer: string
  readonly publicIssuer?: string
  readonly clientId: string
  readonly clientSecret?: string
  readonly audience?: string
  readonly directory: DirectoryConfig
}

/** Who may come in. */
export interface AccessConfig {
  readonly requireAuthentication: boolean
  /** In lower case; absent: everybody. */
  readonly authorizedUsers?: ReadonlySet<string>
  readonly anonymousScopes: Scopes
  /** Of known persons who are not among {@link authorizedUsers}; absent: they are refused. */
  readonly unauthorizedScopes?: Scopes
  /** Seconds. */
  readonly accessTokenExpiresIn: number
  /** Seconds. */
  readonly appTokenMaxExpiresIn: number
  /** Days; 0: no bound. */
  readonly patMaxLifetime: number
  readonly patMaxActive: number
  readonly tokenIssuer: string
  /** Whether the well-known password of the example data lets people in: `local` for programs of this machine. */
  readonly demoUsers: boolean | 'local'
  /** Absent: built-in accounts. */
  readonly oidc?: OidcConfig
}

/**
 * What the settings mean.
 * @param host address to listen on
 * @param problems gets what is wrong with several settings together, one line each
 */
export function accessConfig(
  settings: Required<Settings> | Settings,
  host: string,
  problems: string[]
): AccessConfig {
  const { oidc_issuer, authorized_users } = settings
  const oidc = oidc_issuer === undefined ? undefined : oidcConfig(oidc_issuer, settings, problems)
  if (oidc_issuer === undefined) {
    const lonely = Object.keys(settings).filter(
      name =>
        name.startsWith('oidc_') &&
        name !== 'oidc_directory' &&
        settings[name as keyof Settings] !== undefined
    )
    for (const name of lonely) problems.push(`SERAI_${name.toUpperCase()} needs SERAI_OIDC_ISSUER too`)
  }
  const scopes = (text: string, variable: string) => {
    const patterns = text === 'none' ? [] : listedItems(text)
    for (const pattern of patterns) {
      const problem = scopePatternProblem(pattern)
      if (problem) problems.push(`${variable}: ${problem}`)
    }
    return scopesMatching(patterns)
  }
  const { unauthorized_scopes } = settings
  if (unauthorized_scopes !== undefined && authorized_users === undefined) {
    problems.push('SERAI_UNAUTHORIZED_SCOPES needs SERAI_AUTHORIZED_USERS too')
  }
  return {
    requireAuthentication: settings.require_authentication ?? false,
    ...(authorized_users !== undefined
      ? { authorizedUsers: new Set(listedItems(authorized_users).map(name => name.toLowerCase())) }
      : {}),
    anonymousScopes: scopes(settings.anonymous_scopes ?? '', 'SERAI_ANONYMOUS_SCOPES'),
    ...(unauthorized_scopes !== undefined
      ? { unauthorizedScopes: scopes(unauthorized_scopes, 'SERAI_UNAUTHORIZED_SCOPES') }
      : {}),
    accessTokenExpiresIn: settings.access_token_expires_in as number,
    appTokenMaxExpiresIn: settings.app_token_max_expires_in as number,
    patMaxLifetime: settings.pat_max_lifetime as number,
    patMaxActive: settings.pat_max_active_per_user as number,
    tokenIssuer: settings.token_issuer as string,
    demoUsers: settings.allow_demo_users === true || (isLoopback(host) ? 'local' : false),
    ...(oidc ? { oidc } : {})
  }
}

function oidcConfig(issuer: string, settings: Settings, problems: string[]): OidcConfig {
  const { oidc_client_id, oidc_client_secret, oidc_directory_url, oidc_directory_username } = settings
  if (oidc_client_id === undefined) problems.push('SERAI_OIDC_CLIENT_ID is needed with SERAI_OIDC_ISSUER')
  let directory: DirectoryConfig = { kind: 'token' }
  if (settings.oidc_directory === 'central') {
    if (oidc_directory_url === undefined) {
      problems.push('SERAI_OIDC_DIRECTORY_URL is needed with SERAI_OIDC_DIRECTORY=central')
    }
    directory = { kind: 'central', url: oidc_directory_url ?? '' }
  }
  if (settings.oidc_directory === 'keycloak') {
    if (!/\/realms\/[^/]+\/*$/.test(issuer)) {
      problems.push('SERAI_OIDC_DIRECTORY=keycloak needs an issuer of the form https://…/realms/<realm>')
    }
    if (oidc_client_secret === undefined && oidc_directory_username === undefined) {
      problems.push(
        'SERAI_OIDC_DIRECTORY=keycloak needs SERAI_OIDC_CLIENT_SECRET, or SERAI_OIDC_DIRECTORY_USERNAME and SERAI_OIDC_DIRECTORY_PASSWORD'
      )
    }
    directory = {
      kind: 'keycloak',
      ...(settings.oidc_directory_realm !== undefined ? { realm: settings.oidc_directory_realm } : {}),
      ...(oidc_directory_username !== undefined ? { username: oidc_directory_username } : {}),
      ...(settings.oidc_directory_password !== undefined
        ? { password: settings.oidc_directory_password }
        : {})
    }
  }
  return {
    issuer,
    ...(settings.oidc_public_issuer !== undefined ? { publicIssuer: settings.oidc_public_issuer } : {}),
    clientId: oidc_client_id ?? '',
    ...(oidc_client_secret !== undefined ? { clientSecret: oidc_client_secret } : {}),
    ...(settings.oidc_audience !== undefined ? { audience: settings.oidc_audience } : {}),
    directory
  }
}

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/** Whether only programs of this machine reach a server that listens there. */
export function isLoopback(host: string): boolean {
  const plain = host.replace(/^\[|\]$/g, '')
  return plain === 'localhost' || LOOPBACK.check(plain, plain.includes(':') ? 'ipv6' : 'ipv4')
}
