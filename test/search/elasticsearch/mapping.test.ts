import { describe, expect, test } from 'vitest'
import reference from '../../../fixtures/elasticsearch-mapping.json' with { type: 'json' }
import { entryQuantities } from '../../../src/query/quantities.ts'
import { entryMapping, INDEX_SETTINGS } from '../../../src/search/elasticsearch/mapping.ts'

interface Node {
  readonly properties?: Record<string, Node>
  readonly [setting: string]: unknown
}

const mapping = entryMapping(entryQuantities())

/** Fields, objects and nested objects by path, without what is below them. */
function byPath(node: Node, path = ''): Record<string, unknown> {
  const { properties, ...settings } = node
  const own = path === '' ? {} : { [path]: settings }
  const below = Object.entries(properties ?? {}).map(([name, member]) =>
    byPath(member, path === '' ? name : `${path}.${name}`)
  )
  return Object.assign(own, ...below)
}

const generated = byPath({ properties: mapping.properties as Record<string, Node> })
const expected = byPath(reference.mappings as Node)

describe('the generated mapping', () => {
  test("has the reference's fields with the same settings, and no others", () => {
    expect(generated).toEqual({
      ...expected,
      // The reference makes new fields for each level; one field holds them all here.
      'search_quantities.segments': { type: 'flattened', ignore_above: 8000 },
      // One long value would cost the whole entry.
      'optimade.elements_ratios.elements': { type: 'keyword', ignore_above: 8191 }
    })
    expect(Object.keys(expected).length).toBeGreaterThan(400)
  })

  test("has the reference's analyzer of paths", () => {
    expect(INDEX_SETTINGS.analysis).toEqual(reference.settings.analysis)
  })

  test('does not grow with what documents hold beside the quantities', () => {
    expect(mapping.dynamic).toBe(false)
  })
})
