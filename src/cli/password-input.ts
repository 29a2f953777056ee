/** Where a command gets a password from: never from its arguments, which other users of the machine can read. */
import { password as ask, isCancel } from '@clack/prompts'
import { newPassword, passwordProblem } from '../access/passwords.ts'

/** A password, and whether it was made up and must be shown. */
export interface ChosenPassword {
  readonly password: string
  readonly generated: boolean
}

/**
 * Asks for a password twice, reads it from standard input where nobody can be asked, or makes one up.
 * @throws Error when it is too short or too long, or none was given
 */
export async function choosePassword(generate: boolean, username: string): Promise<ChosenPassword> {
  if (generate) return { password: newPassword(), generated: true }
  const password = process.stdin.isTTY ? await asked(username) : await piped()
  const problem = passwordProblem(password)
  if (problem) throw new Error(problem)
  return { password, generated: false }
}

async function asked(username: string): Promise<string> {
  const validate = (value: string | undefined) => passwordProblem(value ?? '')
  const first = await ask({ message: `Password for ${username}`, validate })
  if (isCancel(first)) throw new Error('nothing was changed')
  const second = await ask({ message: 'The same again' })
  if (isCancel(second)) throw new Error('nothing was changed')
  if (first !== second) throw new Error('the two passwords differ; nothing was changed')
  return first
}

async function piped(): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of process.stdin) parts.push(part as Buffer)
  const [line = ''] = Buffer.concat(parts).toString().split(/\r?\n/)
  if (line === '') {
    throw new Error('no password: write it to standard input, or let one be made with --generate')
  }
  return line
}
