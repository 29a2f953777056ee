/** Memory that only the start of a server needs. */
import { garbageCollector } from '../http/eager-collection.ts'

/** Milliseconds after the start, when the first requests of those who waited for it are answered. */
const DELAY = 2000

/**
 * Gives memory back once, soon after the start: loading the program and importing example data let the heap grow to three
 * times of what is in use afterwards, and an idle process would keep it (some 70 MB). It takes about a tenth of a second.
 */
export function returnStartMemory(): void {
  setTimeout(() => {
    // The only flavour that makes the room for new objects smaller too.
    garbageCollector()({ type: 'major', flavor: 'last-resort', execution: 'sync' })
  }, DELAY).unref()
}
