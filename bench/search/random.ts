/** Numbers and choices that look random, and are the same in every run. */
import { createHash } from 'node:crypto'

/** Numbers of 0 to 1 from a seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A number below `n`; small ones are common, large ones rare. */
export const skewed = (random: () => number, n: number): number => Math.floor(n * random() ** 3)

/** One of a list, each as likely. */
export const pick = <T>(random: () => number, list: readonly T[]): T =>
  list[Math.floor(random() * list.length)] as T

/** One of a list whose members say up to which share of 0 to 1 they are taken. */
export function share<T extends readonly [number, ...unknown[]]>(
  random: () => number,
  list: readonly T[]
): T {
  const at = random()
  return (list.find(([upTo]) => at < upTo) ?? list.at(-1)) as T
}

/** An id of this length, always the same for the same thing. */
export const id = (kind: string, n: number, length: number): string =>
  createHash('sha512').update(`${kind} ${n}`).digest('base64url').slice(0, length)
