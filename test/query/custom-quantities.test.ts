import { describe, expect, test } from 'vitest'
import { builtInDefinitions } from '../../src/archive/definition-registry.ts'
import type { SeraiError } from '../../src/errors.ts'
import { compile } from '../../src/query/compile.ts'
import { readCriteria } from '../../src/query/criteria-reader.ts'
import { findQuantity } from '../../src/query/custom-names.ts'
import data from '../../src/query/data/quantities.json' with { type: 'json' }
import { echo } from '../../src/query/echo.ts'
import { bodyPagination } from '../../src/query/pagination.ts'
import { entryQuantities, type Quantity } from '../../src/query/quantities.ts'
import { requiredFields } from '../../src/query/required-fields.ts'
import type { Query } from '../../src/query/tree.ts'
import { urlQuery } from '../../src/query/url.ts'

const definitions = builtInDefinitions()
const quantities = entryQuantities(definitions)
const COUNT = 'data.count#entry_id:a1.Sec#int'
const TASK = 'data.tasks.name#simulationworkflowschema.general.SimulationWorkflow'

function refusal(name: string): SeraiError {
  try {
    findQuantity(name, quantities, ['here'])
  } catch (error) {
    return error as SeraiError
  }
  throw new Error(`${name} was found`)
}

/** A query with the names of its quantities, to be compared. */
function readable(query: Query): unknown {
  switch (query.kind) {
    case 'and':
    case 'or':
      return { [query.kind]: query.of.map(readable) }
    case 'not':
      return { not: readable(query.of) }
    case 'nested':
      return { nested: query.path, query: readable(query.query) }
    case 'terms':
      return { [query.quantity.field]: query.values }
    case 'range':
      return { [query.quantity.field]: query.bounds }
    default:
      return query.kind
  }
}

const within = {
  or: [
    { 'search_quantities.id': ['data.count#entry_id:a1.Sec'] },
    {
      and: [
        { 'search_quantities.segments.1.definitions': ['entry_id:a1.Sec'] },
        { 'search_quantities.segments.2.path': ['count'] }
      ]
    }
  ]
}

const query = (json: unknown) => readable(compile(readCriteria(json, quantities)))

describe('names of custom quantities', () => {
  test.each([
    ['str', 'string', 'keyword', 'search_quantities.str_value.keyword', true],
    ['int', 'int', 'long', 'search_quantities.int_value', false],
    ['float', 'float', 'double', 'search_quantities.float_value', false],
    ['bool', 'bool', 'boolean', 'search_quantities.bool_value', true],
    ['datetime', 'date', 'date', 'search_quantities.datetime_value', false]
  ])('of uploaded schemas end with their type: %s', (word, type, kind, field, aggregatable) => {
    expect(quantities.custom(`data.a.b#entry_id:x.Sec#${word}`)).toMatchObject({
      name: 'data.a.b#entry_id:x.Sec',
      type,
      kind,
      field,
      aggregatable,
      nestedPath: 'search_quantities',
      many: false
    })
    expect(quantities.custom(`data.a.b#pynxtools.nomad.schema.Root#${word}`)?.field).toBe(field)
  })

  test('of packages are those that the reference lists for its own', () => {
    const listed = data.quantities.filter(row => (row as { dynamic?: boolean }).dynamic)
    expect(listed.length).toBeGreaterThan(20)
    for (const { name, type, es_field, repeats, aggregatable, definition } of listed) {
      expect([name, quantities.custom(name)]).toEqual([
        name,
        expect.objectContaining({ name, type, field: es_field, repeats, aggregatable, definition })
      ])
    }
  })

  test.each([
    ['data.x', 'no schema'],
    ['results.x#entry_id:a.Sec#str', 'not below data'],
    ['data.foo#my.pkg.Sec', 'unknown package'],
    ['data.foo#simulationworkflowschema.general.SimulationWorkflow', 'no such quantity'],
    ['data.tasks#simulationworkflowschema.general.SimulationWorkflow', 'a section'],
    ['data.tasks.inputs.section#simulationworkflowschema.general.SimulationWorkflow', 'a reference'],
    ['data.name.x#simulationworkflowschema.general.SimulationWorkflow', 'a quantity is no section'],
    [`${TASK}#str`, 'names of packages have no type'],
    ['data.name#nomad.datamodel.metainfo.basesections.v1.Collection', 'neither data nor the definer of it'],
    ['data.label#nomad.datamodel.results.Material', 'stands elsewhere'],
    ['data.__proto__#simulationworkflowschema.general.SimulationWorkflow', 'no property'],
    ['constructor', 'no property']
  ])('%s is none: %s', name => {
    expect(quantities.custom(name)).toBeUndefined()
    const msg = `${name} is not a doc quantity`
    expect(refusal(name)).toMatchObject({ status: 422, detail: [{ msg, loc: ['here'] }] })
  })

  test.each(['data.x#entry_id:a.Sec', 'data.x#entry_id:a.Sec#text', 'data.x#pynxtools.nomad.schema.Root'])(
    '%s lacks its type',
    name => {
      const msg = `Could not resolve the data type for quantity ${name}. Please include the data type in the quantity name using the "#<type>" postfix.`
      expect(refusal(name)).toMatchObject({ status: 422, detail: [{ msg, loc: ['here'] }] })
    }
  )

  test('of packages that are added later are known from then on', () => {
    const name = 'data.power#late.package.Laser'
    expect(quantities.custom(name)).toBeUndefined()
    definitions.add([
      {
        name: 'late.package',
        section_definitions: [
          {
            name: 'Laser',
            base_sections: ['nomad.datamodel.data.EntryData'],
            quantities: [{ name: 'power', type: { type_kind: 'python', type_data: 'float' } }]
          }
        ]
      }
    ])
    expect(quantities.custom(name)).toMatchObject({ type: 'float', definition: 'late.package.Laser.power' })
  })
})

describe('criteria of custom quantities', () => {
  test.each<[string, unknown, unknown]>([
    ['a value', { [COUNT]: 3 }, { 'search_quantities.int_value': [3] }],
    ['a range', { [`${COUNT}:gte`]: 3 }, { 'search_quantities.int_value': { gte: 3 } }],
    ['any', { [`${COUNT}:any`]: [1, 2] }, { 'search_quantities.int_value': [1, 2] }]
  ])('%s is looked for in one nested object', (_, json, value) => {
    expect(query(json)).toEqual({ nested: 'search_quantities', query: { and: [within, value] } })
  })

  test('all values may stand in objects of their own, none stands in no object', () => {
    const one = (value: number) => ({
      nested: 'search_quantities',
      query: { and: [within, { 'search_quantities.int_value': [value] }] }
    })
    expect(query({ [COUNT]: [1, 2] })).toEqual({ and: [one(1), one(2)] })
    expect(query({ [`${COUNT}:none`]: [1] })).toEqual({ not: one(1) })
  })

  test('are echoed as they were given, outside of nested objects', () => {
    const json = { [`${COUNT}:gt`]: 1, [`${COUNT}:lt`]: 3 }
    expect(echo(readCriteria(json, quantities))).toEqual({ name: COUNT, value: { lt: 3, gt: 1 } })
    expect(echo(readCriteria({ data: { [COUNT.slice(5)]: 1 } }, quantities))).toEqual({
      and: [{ name: COUNT, value: 1 }]
    })
    expect(echo(readCriteria({ name: COUNT, value: 1 }, quantities))).toEqual({ name: COUNT, value: 1 })
  })

  test('of two types are two criteria', () => {
    const json = { [COUNT]: 1, [COUNT.replace('#int', '#float')]: 1.5 }
    expect(query(json)).toMatchObject({ and: [{}, {}] })
  })

  test('of a path that is very long go by the name alone', () => {
    const name = `data.${'a.'.repeat(40)}x#entry_id:a1.Sec`
    expect(readable(quantities.custom(`${name}#int`)?.within as Query)).toEqual({
      'search_quantities.id': [name]
    })
  })
})

describe('custom quantities elsewhere', () => {
  test('in URLs those of packages are parameters, those of uploads are not looked at', () => {
    expect(urlQuery({ [TASK]: ['a'], [`${COUNT}__gte`]: '3' }, quantities)).toEqual({
      [TASK]: { any: ['a'] }
    })
    expect(urlQuery({ q: `${COUNT}__gte__3` }, quantities)).toEqual({ [COUNT]: { gte: 3 } })
  })

  test('order pages; the type is left out in what is answered', () => {
    const { echo, orderName, orderBy } = bodyPagination({ order_by: COUNT }, quantities)
    expect(echo.order_by).toBe('data.count#entry_id:a1.Sec')
    expect(orderName).toBe(COUNT)
    expect((orderBy as Quantity).within).toBeDefined()
    expect(() => bodyPagination({ order_by: 'data.count#entry_id:a1.Sec' }, quantities)).toThrow(/data type/)
  })

  test('can be required', () => {
    expect(requiredFields({ include: [COUNT, TASK] }, [], quantities).echo.include).toEqual([
      COUNT,
      TASK,
      'entry_id'
    ])
    expect(() => requiredFields({ include: ['data.x#my.pkg.Sec'] }, [], quantities)).toThrow(
      /not a doc quantity/
    )
  })
})
