/** The log, as those who are no part of the HTTP server write it. */
import type { BaseLogger } from 'pino'

/** Structured lines: what a program reads, then what a person reads. */
export type Log = Pick<BaseLogger, 'info' | 'warn' | 'error'>
