/**
 * A parsed OPTIMADE filter (spec `optimade.md` §2.5): what stands in the text, before any name is looked up. Offsets (`at`)
 * count UTF-16 units from the beginning of the text, so that later errors can say where.
 */

/** How a property, or a member of a list, is compared; the text operators without their optional `WITH`. */
export type Operator = '<' | '<=' | '>' | '>=' | '=' | '!=' | 'CONTAINS' | 'STARTS' | 'ENDS'

/** A property as it is written: the parts between dots. */
export interface Name {
  readonly path: readonly string[]
  readonly at: number
}

/** A constant. Numbers keep their text: whether they can be represented is decided where they are used. */
export type Constant =
  | { readonly type: 'string'; readonly value: string; readonly at: number }
  | { readonly type: 'number'; readonly text: string; readonly at: number }
  | { readonly type: 'boolean'; readonly value: boolean; readonly at: number }

/** What can stand on the right of an operator. */
export type Value = Constant | { readonly type: 'property'; readonly name: Name; readonly at: number }

/** One condition on one member of a list. */
export interface Member {
  readonly operator: Operator
  readonly value: Value
}

/** A condition that is true, false or, where the entry does not know the property, neither. */
export type Test =
  | { readonly kind: 'compare'; readonly property: Name; readonly operator: Operator; readonly value: Value }
  | { readonly kind: 'known'; readonly property: Name; readonly known: boolean }
  | {
      readonly kind: 'length'
      readonly property: Name
      readonly operator: Operator
      readonly count: Extract<Constant, { type: 'number' }>
    }
  /**
   * Members of one list, or of several lists that belong together position by position: as many conditions in each
   * tuple as there are properties.
   */
  | {
      readonly kind: 'has'
      readonly properties: readonly Name[]
      readonly quantifier: 'ALL' | 'ANY' | 'ONLY'
      readonly tuples: readonly (readonly Member[])[]
    }
  /** A name by itself: `= TRUE`. */
  | { readonly kind: 'bare'; readonly property: Name }
  /** Two constants compared; grammatical, but of no use. */
  | { readonly kind: 'constants'; readonly at: number }

/** Tests and how they are combined. */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly of: readonly Filter[] }
  | { readonly kind: 'not'; readonly of: Filter }
  | Test
