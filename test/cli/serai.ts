/** The command `serai` as a real process, for tests. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'

const BIN = join(import.meta.dirname, '../../bin/serai.js')

/** Lets `bin/serai.js` believe that it runs in an older Node, so that it starts the project's own. */
const OLDER_NODE =
  'data:text/javascript,Object.defineProperty(process.versions, "node", { value: "20.19.0" })'

/** With it `bin/serai.js` starts no further process, so that signals meet the server itself. */
const ONE_PROCESS = { MALLOC_ARENA_MAX: '2' }

/** A running command. */
export interface Run {
  readonly process: ChildProcess
  /** What it has written so far. */
  readonly output: { stdout: string; stderr: string }
  /** How it ended. */
  readonly end: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** Waits until what it has written matches. @throws Error when it ends before */
  until(pattern: RegExp): Promise<RegExpMatchArray>
}

/**
 * Starts the command. It does not see the settings of the environment that the tests run in.
 * @param older start it through the older Node's way
 * @param input what it finds on its standard input; there is none without
 * @param folder where it is started; by default where there is no `.env`
 */
export function serai(
  args: readonly string[],
  settings: Record<string, string> = {},
  older = false,
  input?: string,
  folder: string = import.meta.dirname
): Run {
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:SERAI|OTEL)_/.test(name) && name !== 'NODE_OPTIONS')
  )
  const options = older ? ['--import', OLDER_NODE] : []
  const child = spawn(process.execPath, [...options, BIN, ...args], {
    env: { ...environment, ...(older ? {} : ONE_PROCESS), ...settings },
    cwd: folder,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe']
  })
  child.stdin?.end(input)
  const output = { stdout: '', stderr: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  const end = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  const until = async (pattern: RegExp) => {
    let ended = false
    void end.then(() => {
      ended = true
    })
    for (;;) {
      const match = (output.stdout + output.stderr).match(pattern)
      if (match) return match
      if (ended) throw new Error(`ended without ${pattern}:\n${output.stdout}\n${output.stderr}`)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
  return { process: child, output, end, until }
}

/** Runs the command to its end. */
export async function run(
  args: readonly string[],
  settings?: Record<string, string>,
  older?: boolean,
  input?: string
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const command = serai(args, settings, older, input)
  const { code } = await command.end
  return { code, ...command.output }
}
