/** Schemas of the route of definitions (`graph.md` §10). */
import Type from 'typebox'

/** Answer with a package. */
export const DefinitionAnswer = Type.Object(
  {
    entry_id: Type.Optional(Type.String({ description: 'The entry in whose archive the package stands.' })),
    upload_id: Type.Optional(Type.String()),
    snapshot_package_id: Type.Optional(Type.String({ description: 'Id of the package.' })),
    snapshot_section_id: Type.String({ description: 'The id that was asked for.' }),
    snapshot_section_ids: Type.Array(Type.String(), { description: 'Ids of the sections of the package.' }),
    data: Type.Object({}, { additionalProperties: true, description: 'The package.' })
  },
  {
    examples: [
      {
        entry_id: 'kchUNnKHrGV2_L-nShUOY8eJKmhx',
        upload_id: 'O4dBi2KDbQU_Q61n_3XKwl',
        snapshot_package_id: '0aa826708dd6afa11cb70552a77bfd5b541068d6',
        snapshot_section_id: '2e436cdbb60692a0d521c0c9343fd0da89dced90',
        snapshot_section_ids: ['2e436cdbb60692a0d521c0c9343fd0da89dced90'],
        data: {
          name: 'Periodic Table',
          section_definitions: [
            {
              name: 'Element',
              base_sections: ['nomad.datamodel.metainfo.eln.ElnBaseSection'],
              quantities: [{ name: 'symbol', type: { type_kind: 'python', type_data: 'str' } }],
              definition_id: '2e436cdbb60692a0d521c0c9343fd0da89dced90'
            }
          ],
          definition_id: '0aa826708dd6afa11cb70552a77bfd5b541068d6'
        }
      }
    ]
  }
)
