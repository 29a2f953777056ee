/**
 * The audit log as a file of its own: JSON lines that are only added, by as many processes as like to. It is opened for
 * each line, so that it can be moved away at any time.
 */
import { appendFileSync } from 'node:fs'
import { failure } from '../../errors.ts'
import type { AuditEvent, AuditLog } from '../audit.ts'

/** The one who runs the server reads it. */
const MODE = 0o600

/**
 * Opens the file, and makes it when there is none.
 * @throws SeraiError STORE_UNUSABLE when it cannot be written
 */
export function openAuditFile(file: string): AuditLog {
  append(file, '')
  return {
    record(event: AuditEvent): void {
      append(file, `${JSON.stringify({ time: new Date().toISOString(), audit: true, ...event })}\n`)
    }
  }
}

function append(file: string, text: string): void {
  try {
    appendFileSync(file, text, { mode: MODE })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw failure('STORE_UNUSABLE', {
      file: `The audit log ${file}`,
      reason: `it cannot be written (${code ?? message})`
    })
  }
}
