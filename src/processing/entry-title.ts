/**
 * What an entry is called when its processing gave it no name (`entry_name`, `entry_type`, `domain`).
 */
import type { JsonObject, SectionDefinition } from '../archive/definitions.ts'

/** Names of an entry. */
export interface EntryTitle {
  readonly entry_name: string
  readonly entry_type?: string
  readonly domain?: string
}

function at(node: unknown, ...names: string[]): unknown {
  return names.reduce((value, name) => (value as JsonObject | undefined | null)?.[name], node)
}

function words(...parts: unknown[]): string {
  return parts.filter(part => typeof part === 'string' && part !== '').join(' ')
}

/**
 * Names made from the archive: formula, program and workflow of a simulation; else the name that its data has, else
 * the file's name.
 * @param data definition of the section `data`, if there is one
 */
export function entryTitle(archive: JsonObject, mainfile: string, data?: SectionDefinition): EntryTitle {
  const method = at(archive, 'results', 'method')
  const program = at(method, 'simulation', 'program_name')
  const workflow = at(method, 'workflow_name')
  const domain = Array.isArray(archive.run) && archive.run.length > 0 ? { domain: 'dft' } : {}
  if (program || workflow) {
    // A single point says nothing about its method, another workflow is what matters.
    const task = workflow === 'SinglePoint' ? words(at(method, 'method_name'), workflow) : workflow
    const type = words(program ?? 'not processed', task)
    const formula = at(archive, 'results', 'material', 'chemical_formula_descriptive')
    return { entry_name: words(formula, type, 'simulation'), entry_type: type, ...domain }
  }
  const type = at(archive, 'definitions') ? 'Schema' : data?.name.slice(data.name.lastIndexOf('.') + 1)
  return {
    entry_name: words(at(archive, 'data', 'name')) || mainfile.slice(mainfile.lastIndexOf('/') + 1),
    ...(type ? { entry_type: type } : {}),
    ...domain
  }
}
