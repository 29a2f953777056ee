/** Schemas of persons and groups (`datasets-users-groups.md` §2, §3). */
import Type from 'typebox'
import { Nullable, OneOf } from './common.ts'
import { NullablePagination } from './lists.ts'

/** Persons and a group of the demo data, as examples for the docs page. */
const INES = '3f1a2b7c-5d64-4e0f-8c21-7a9e6b3d1c02'
const TOMAS = '7c9d4e18-2a3b-4f56-b1d7-0e8c5a6f2d03'
const GROUP_ID = 'gSemiconductors0000001'

/** `user_id` in the path. */
export const UserParameters = Type.Object({
  user_id: Type.String({ description: 'Id of the person.', examples: [INES] })
})

/** `group_id` in the path. */
export const GroupParameters = Type.Object({
  group_id: Type.String({ description: 'Id of the group.', examples: [GROUP_ID] })
})

const PERSON = {
  name: Type.String({ description: 'First and last name.' }),
  first_name: Type.String(),
  last_name: Type.String(),
  affiliation: Type.Optional(Type.String()),
  affiliation_address: Type.Optional(Type.String()),
  user_id: Type.String(),
  username: Type.String()
}

const EXAMPLE = {
  name: 'Ines Albrecht',
  first_name: 'Ines',
  last_name: 'Albrecht',
  affiliation: 'Institute of Bulk Semiconductors',
  affiliation_address: '',
  user_id: INES,
  username: 'ines.albrecht'
}

/** Answer of `GET /users/{user_id}`. */
export const PersonAnswer = Type.Object(PERSON, { examples: [EXAMPLE] })

/** Answer of `GET /users`. */
export const PeopleAnswer = Type.Object(
  {
    data: Type.Array(
      Type.Object({ ...PERSON, is_admin: Type.Boolean(), is_oasis_admin: Type.Optional(Type.Boolean()) })
    )
  },
  { examples: [{ data: [{ ...EXAMPLE, is_admin: false, is_oasis_admin: false }] }] }
)

/** Answer of `GET /users/me`. */
export const MeAnswer = Type.Object(
  {
    ...PERSON,
    email: Nullable(Type.String()),
    affiliation: Nullable(Type.String()),
    affiliation_address: Nullable(Type.String()),
    created: Nullable(Type.String()),
    repo_user_id: Nullable(Type.String()),
    is_admin: Type.Boolean(),
    is_oasis_admin: Type.Boolean()
  },
  {
    examples: [
      {
        ...EXAMPLE,
        email: 'ines.albrecht@example.org',
        created: null,
        repo_user_id: null,
        is_admin: false,
        is_oasis_admin: false
      }
    ]
  }
)

/** Answer of `GET /groups/{group_id}`. */
export const GroupAnswer = Type.Object(
  {
    group_id: Type.String(),
    group_name: Type.String(),
    description: Nullable(Type.String()),
    owner: Type.String({ description: 'Id of a person.' }),
    members: Type.Array(Type.String(), { description: 'Ids of persons, the owner among them.' }),
    members_info: Type.Array(
      Type.Object({ user_id: Type.String(), role: OneOf(['owner', 'maintainer', 'member']) })
    )
  },
  {
    examples: [
      {
        group_id: GROUP_ID,
        group_name: 'Semiconductor theory',
        description: 'Band structures and densities of states of bulk semiconductors.',
        owner: INES,
        members: [INES, TOMAS],
        members_info: [
          { user_id: INES, role: 'owner' },
          { user_id: TOMAS, role: 'member' }
        ]
      }
    ]
  }
)

/** Answer of `GET /groups`. */
export const GroupsAnswer = Type.Object({ pagination: NullablePagination, data: Type.Array(GroupAnswer) })
