/**
 * Persons of the example data who can sign in, with a password that everybody knows. It lets nobody in where the server
 * listens beyond this machine, unless a setting says so.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hashPassword } from '../access/passwords.ts'
import type { Services } from '../services.ts'

/** The password of all of them. */
export const DEMO_PASSWORD = 'serai-demo'

/**
 * Gives the persons of example folders the password, those who have no account yet.
 * @param folders in the layout that `serai import` reads
 */
export async function addDemoUsers(folders: readonly string[], { accounts }: Services): Promise<void> {
  const password = await hashPassword(DEMO_PASSWORD)
  for (const folder of folders) {
    const users = JSON.parse(await readFile(join(folder, 'users.json'), 'utf8')) as { user_id: string }[]
    for (const { user_id } of users) {
      if (!(await accounts.account(user_id))) await accounts.putAccount({ user_id, password, demo: true })
    }
  }
}

/** Whether there are persons with the password, and how they are called: administrators last. */
export async function demoUsers({ accounts, documents }: Services): Promise<string[]> {
  const demo = (await accounts.accounts()).filter(account => account.demo && !account.disabled)
  const users = await documents.users(demo.map(account => account.user_id))
  return users
    .sort(
      (a, b) =>
        Number(a.is_admin === true) - Number(b.is_admin === true) || (a.username < b.username ? -1 : 1)
    )
    .map(user => (user.is_admin ? `${user.username} (administrator)` : user.username))
}
