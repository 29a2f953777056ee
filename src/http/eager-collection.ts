/** How soon Node collects garbage while long answers are made. */
import { setFlagsFromString } from 'node:v8'

/** Percent by which the objects that last may grow in number before Node looks which are still needed; 0: Node decides. */
const EAGER = 30
const AS_NODE_DECIDES = 0

/**
 * Lets Node collect garbage sooner while streams of archives are under way: what they throw away would fill three times the memory that is
 * in use. All other requests are quicker without it, so it ends with the last of them. One for each process.
 */
export class EagerCollection {
  #streams = 0

  /** Begins with a stream; gives what ends it. */
  begin(): () => void {
    if (this.#streams++ === 0) setFlagsFromString(`--heap-growing-percent=${EAGER}`)
    let isOpen = true
    return () => {
      if (!isOpen) return
      isOpen = false
      if (--this.#streams === 0) setFlagsFromString(`--heap-growing-percent=${AS_NODE_DECIDES}`)
    }
  }
}
