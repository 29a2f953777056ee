/** A log whose lines tests can read. */
import { Writable } from 'node:stream'
import pino, { type Logger } from 'pino'

/** A line. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly level: number; readonly msg?: string }

/** Levels of lines by their names. */
export const LEVELS = pino.levels.values

/** @returns the log, and its lines so far */
export function logLines(level = 'debug'): { readonly log: Logger; readonly lines: LogLine[] } {
  const lines: LogLine[] = []
  const stream = new Writable({
    write(text: Buffer, _encoding, done) {
      lines.push(JSON.parse(text.toString()))
      done()
    }
  })
  return { log: pino({ level }, stream), lines }
}
