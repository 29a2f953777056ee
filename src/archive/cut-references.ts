/**
 * References that were not followed since they led back to what they came from (`archive.md` §3.5, placed targets only). A target is read once, on the
 * first way to it, so what is cut there would be missing where another way leads to the same target without passing the cut one:
 * then it is followed after all.
 */

/** A reference that was not followed. */
export interface CutReference {
  /** The target in which it stands; `''` for the archive itself. */
  readonly from: string
  /** The target that it leads to. */
  readonly to: string
  /** Whether that has its place in the answer anyway. */
  isPlaced(): boolean
  /** Follows it. */
  follow(): void
}

/** The ways of one answer: which targets lead to which, and where they were cut. */
export class CutReferences {
  /** For each target those in which references to it stand. */
  readonly #before = new Map<string, Set<string>>()
  #cuts: CutReference[] = []

  /** Notes a reference that is followed. */
  followed(from: string, to: string): void {
    const before = this.#before.get(to)
    if (before) before.add(from)
    else this.#before.set(to, new Set([from]))
  }

  /** Notes one that is not. */
  cut(reference: CutReference): void {
    this.#cuts.push(reference)
  }

  /** Takes those out that are to be followed, as far as the ways are known. */
  take(): CutReference[] {
    const due: CutReference[] = []
    this.#cuts = this.#cuts.filter(cut => {
      if (cut.isPlaced()) return false
      const isDue = this.#isReachedWithout(cut.from, cut.to)
      if (isDue) due.push(cut)
      return !isDue
    })
    return due
  }

  /** Backwards: the way is short where nothing but the cut target leads there. */
  #isReachedWithout(target: string, without: string): boolean {
    if (target === without) return false
    const met = new Set([target, without])
    const stack = [target]
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (at === '') return true
      for (const before of this.#before.get(at) ?? []) {
        if (met.has(before)) continue
        met.add(before)
        stack.push(before)
      }
    }
    return false
  }
}
