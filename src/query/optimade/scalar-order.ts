/** Values in the order in which engines compare them. */
import type { Bounds, Scalar } from '../tree.ts'

/** Numbers by size, texts by code points; negative when `a` comes first. Both are of one type. */
export function compareScalars(a: Scalar, b: Scalar): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)))
}

/** The ranges that hold everything but these values (one or more): `HAS ONLY` in terms of what must not be there. */
export function outside(values: readonly Scalar[]): Bounds[] {
  const sorted = [...new Set(values)].sort(compareScalars)
  const [first, ...others] = sorted as [Scalar, ...Scalar[]]
  return [
    { lt: first },
    ...others.map((value, i) => ({ gt: sorted[i] as Scalar, lt: value })),
    { gt: sorted.at(-1) as Scalar }
  ]
}
