/**
 * Steps of reading archives: some can be done at once, others wait for what is being fetched. References are steps, so
 * that nothing recurses along them.
 */

/** Something to be done. */
type Step = () => void

/** The steps of one reading. */
export class Work {
  #next: Step[] = []
  #waiting: Step[] = []

  /** Adds a step that can be done. */
  add(step: Step): void {
    this.#next.push(step)
  }

  /** Adds a step that needs something which was wanted and is not there yet. */
  wait(step: Step): void {
    this.#waiting.push(step)
  }

  /**
   * Goes on until everything is done or waits, or `pause` says so.
   * @returns whether it paused
   */
  run(pause: () => boolean): boolean {
    while (this.#next.length > 0) {
      const steps = this.#next
      this.#next = []
      for (const [i, step] of steps.entries()) {
        step()
        if (!pause()) continue
        this.#next = [...steps.slice(i + 1), ...this.#next]
        return true
      }
    }
    return false
  }

  /** Lets what waited go on, when what was wanted has been given. Says whether anything waited. */
  resume(): boolean {
    this.#next.push(...this.#waiting.splice(0))
    return this.#next.length > 0
  }
}
