/** `serai user …`: persons and their accounts. */
import { randomUUID } from 'node:crypto'
import { disableAccount, enableAccount, setPassword } from '../access/account-changes.ts'
import { type Config, loadConfig, type Overrides } from '../config.ts'
import { openServices, type Services } from '../services.ts'
import type { Account } from '../storage/accounts.ts'
import type { User } from '../storage/documents.ts'
import { recordCommand } from './audit.ts'
import { choosePassword } from './password-input.ts'
import { personNamed } from './person.ts'

/** What is known of a new person. */
export interface NewPerson {
  readonly email?: string
  readonly firstName?: string
  readonly lastName?: string
  readonly affiliation?: string
  readonly admin?: boolean
}

const USERNAME = /^[\p{L}\p{N}._@+-]{1,100}$/u
const EMAIL = /^\S+@\S+$/

/**
 * Adds a person with a password.
 * @throws Error with one clear message
 */
export function addUser(
  username: string,
  person: NewPerson,
  generate: boolean,
  overrides: Overrides
): Promise<void> {
  return withServices(overrides, async (services, config) => {
    const { documents, accounts } = services
    requireBuiltIn(config)
    if (!USERNAME.test(username)) {
      throw new Error('a user name has at most 100 letters, digits and . _ @ + -')
    }
    if (person.email !== undefined && !EMAIL.test(person.email)) {
      throw new Error(`${person.email} is no e-mail address`)
    }
    if ((await documents.usersByName([username])).length > 0)
      throw new Error(`there is a user ${username} already`)
    const names = [username, person.email].filter(name => name !== undefined)
    if ((await documents.usersByEmail(names)).length > 0) {
      throw new Error(`somebody has the e-mail address ${person.email ?? username} already`)
    }
    const { password, generated } = await choosePassword(generate, username)
    const user: User = {
      user_id: randomUUID(),
      username,
      first_name: person.firstName ?? '',
      last_name: person.lastName ?? '',
      ...(person.email !== undefined ? { email: person.email } : {}),
      ...(person.affiliation !== undefined ? { affiliation: person.affiliation } : {}),
      is_admin: person.admin === true
    }
    await setPassword(user.user_id, password, accounts)
    await documents.putUsers([user])
    recordCommand(services, 'account.added', { about: user.user_id, admin: person.admin === true })
    say(`user ${username} with id ${user.user_id} added${person.admin ? ', an administrator' : ''}`)
    if (generated) say(`password: ${password}`)
  })
}

/** Prints everybody: user name, id, what may be said of the account, name, e-mail address. */
export function listUsers(overrides: Overrides): Promise<void> {
  return withServices(overrides, async ({ documents, accounts }, config) => {
    const states = new Map((await accounts.accounts()).map(account => [account.user_id, account]))
    const rows = (await documents.everyUser()).map(user => [
      user.username,
      user.user_id,
      stateOf(user, states.get(user.user_id), config),
      `${user.first_name} ${user.last_name}`.trim(),
      user.email ?? ''
    ])
    const all = [['USER', 'ID', 'STATE', 'NAME', 'E-MAIL'], ...rows]
    const widths = all[0]?.map((_, i) => Math.max(...all.map(row => (row[i] as string).length))) ?? []
    for (const row of all) {
      say(
        row
          .map((cell, i) => cell.padEnd(widths[i] as number))
          .join('  ')
          .trimEnd()
      )
    }
  })
}

/** Sets the password of a person, also the first one. @throws Error with one clear message */
export function changePassword(name: string, generate: boolean, overrides: Overrides): Promise<void> {
  return withServices(overrides, async (services, config) => {
    const { documents, accounts } = services
    requireBuiltIn(config)
    const user = await personNamed(name, documents)
    const { password, generated } = await choosePassword(generate, user.username)
    await setPassword(user.user_id, password, accounts)
    recordCommand(services, 'account.password', { about: user.user_id })
    say(`the password of ${user.username} is changed; access tokens of before are no longer valid`)
    if (generated) say(`password: ${password}`)
  })
}

/** Keeps a person out, or lets one in again. @throws Error with one clear message */
export function setDisabled(name: string, disabled: boolean, overrides: Overrides): Promise<void> {
  return withServices(overrides, async services => {
    const { user_id, username } = await personNamed(name, services.documents)
    await (disabled ? disableAccount : enableAccount)(user_id, services.accounts)
    recordCommand(services, disabled ? 'account.disabled' : 'account.enabled', { about: user_id })
    say(
      disabled
        ? `${username} is disabled: within seconds neither passwords nor tokens are accepted`
        : `${username} is enabled`
    )
  })
}

/** Makes a person an administrator, or no longer. @throws Error with one clear message */
export function setAdmin(name: string, admin: boolean, overrides: Overrides): Promise<void> {
  return withServices(overrides, async services => {
    const user = await personNamed(name, services.documents)
    await services.documents.putUsers([{ ...user, is_admin: admin }])
    recordCommand(services, 'account.admin', { about: user.user_id, admin })
    say(`${user.username} is ${admin ? 'an administrator' : 'no administrator'} now`)
  })
}

function stateOf(user: User, account: Account | undefined, { access }: Config): string {
  const states = []
  if (account?.disabled) states.push('disabled')
  else if (account?.demo) states.push('demo password')
  else if (!account?.password && !access.oidc) states.push('no password')
  else states.push('active')
  if (user.is_admin) states.push('admin')
  return states.join(', ')
}

/** @throws Error where a provider has the accounts */
function requireBuiltIn({ access }: Config): void {
  if (access.oidc)
    throw new Error(`accounts and passwords are with the identity provider, ${access.oidc.issuer}`)
}

async function withServices(
  overrides: Overrides,
  work: (services: Services, config: Config) => Promise<void>
): Promise<void> {
  const config = loadConfig(overrides)
  const services = await openServices(config)
  try {
    await work(services, config)
  } finally {
    await services.close()
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
