/** Which quantities can be combined in one aggregation. */
import { invalid } from '../../errors.ts'
import type { Quantity } from '../quantities.ts'

/**
 * Demands that two quantities are values of the same objects.
 * @throws SeraiError INVALID (422)
 */
export function requireTogether(other: Quantity, quantity: Quantity, loc: readonly string[]): void {
  const isSame = other.name === quantity.name
  if (isSame || (other.nestedPath === quantity.nestedPath && !other.within && !quantity.within)) return
  throw invalid(loc, `${other.name} is no quantity of the objects that ${quantity.name} belongs to`, {
    input: other.name
  })
}
