/** What an operator does with accounts. Other processes know of it within seconds (`authenticator.ts`). */
import type { Account, AccountStore } from '../storage/accounts.ts'
import { hashPassword } from './passwords.ts'

/** Sets a password; access tokens issued before are not accepted any more. */
export async function setPassword(userId: string, password: string, accounts: AccountStore): Promise<void> {
  const { demo: _, ...account } = await present(userId, accounts)
  await accounts.putAccount({ ...account, password: await hashPassword(password), signed_out_at: now() })
}

/** Keeps a person out: passwords and tokens of all kinds are refused. */
export async function disableAccount(userId: string, accounts: AccountStore): Promise<void> {
  await accounts.putAccount({ ...(await present(userId, accounts)), disabled: true, signed_out_at: now() })
}

/** Lets a person in again; access tokens of before stay refused. */
export async function enableAccount(userId: string, accounts: AccountStore): Promise<void> {
  const { disabled: _, ...account } = await present(userId, accounts)
  await accounts.putAccount(account)
}

async function present(userId: string, accounts: AccountStore): Promise<Account> {
  return (await accounts.account(userId)) ?? { user_id: userId }
}

function now(): string {
  return new Date().toISOString()
}
