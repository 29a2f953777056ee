/** The log of a server: JSON lines on standard output, or for people where that is a terminal. */
import pino, { type Logger } from 'pino'

/** Bytes of the log that are written together, and milliseconds that they wait at most. */
const LOG_PART = 8 * 1024
const LOG_DELAY = 200

/** Members of lines about requests, about the server and about stores, which the text has too. */
const IN_TEXT = [
  ...['reqId', 'trace_id', 'method', 'route', 'url', 'status', 'ms', 'bytes', 'user', 'ip', 'failure'],
  ...['profile', 'version', 'node', 'address', 'answers', 'store', 'seconds', 'calls']
]

/** @param level from which on lines are written, as `SERAI_LOG_LEVEL` says it */
export async function serverLog(level: string): Promise<Logger> {
  if (!process.stdout.isTTY) {
    return pino(
      { level },
      pino.destination({ dest: 1, sync: false, minLength: LOG_PART, periodicFlush: LOG_DELAY })
    )
  }
  const { default: pretty } = await import('pino-pretty')
  const lines = pretty({
    ignore: ['pid', 'hostname', ...IN_TEXT].join(','),
    translateTime: 'SYS:HH:MM:ss',
    messageFormat:
      '{if msg}{msg}{end}{if method} {method} {url} {status} in {ms} ms, {bytes} bytes for {ip}{end}' +
      '{if user} ({user}){end}{if failure}: {failure}{end}{if trace_id}, trace {trace_id}{end}'
  })
  return pino({ level }, lines)
}
