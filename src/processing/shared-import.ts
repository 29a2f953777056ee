/** What the uploads of an imported folder share: people, groups, datasets and section definitions. */
import { createHash } from 'node:crypto'
import type { JsonObject } from '../archive/definitions.ts'
import type { Services } from '../services.ts'
import type { Dataset, DocumentStore, Group, User } from '../storage/documents.ts'
import type { CorpusFolder } from './corpus-folder.ts'
import { datasetOf, groupOf, userOf } from './corpus-records.ts'
import { BadFile, type ImportProblem } from './import-problem.ts'

/** What is known when the uploads' turn comes. */
export interface SharedImport {
  /** Ids of the datasets that list an entry, by entry id. */
  readonly datasetsOf: ReadonlyMap<string, readonly string[]>
  /** Of the section definitions of the folder. */
  readonly checksum: string
  readonly problems: readonly ImportProblem[]
}

/**
 * Imports them. What names a person who is not known is left out and told.
 * @throws SeraiError when a store fails
 */
export async function importShared(folder: CorpusFolder, services: Services): Promise<SharedImport> {
  const { documents } = services
  const users = await folder.users()
  const groups = await folder.groups()
  const datasets = await folder.datasets()
  const problems = [...users.problems, ...groups.problems, ...datasets.problems]

  await putUsers(users.records.map(userOf), documents, problems)
  await putGroups(groups.records.map(groupOf), documents, problems)
  const known = await putDatasets(datasets.records.map(datasetOf), documents, problems)
  const datasetsOf = new Map<string, string[]>()
  for (const { dataset_id, entries = [] } of datasets.records) {
    if (!known.has(dataset_id)) continue
    for (const id of entries) datasetsOf.set(id, [...(datasetsOf.get(id) ?? []), dataset_id])
  }

  const packages = await packagesOf(folder, problems)
  await documents.putPackages(packages.map(definition => ({ name: String(definition.name), definition })))
  if (packages.length > 0) services.definitions.add(packages)
  const checksum = createHash('sha256').update(JSON.stringify(packages)).digest('hex')
  return { datasetsOf, checksum, problems }
}

/** Two persons of one name could sign in as each other. */
async function putUsers(
  users: readonly User[],
  documents: DocumentStore,
  problems: ImportProblem[]
): Promise<void> {
  const ids = new Map<string, string>()
  const good: User[] = []
  for (const user of users) {
    const { username, user_id } = user
    const owner = ids.get(username) ?? (await documents.userByName(username))?.user_id ?? user_id
    if (owner === user_id) good.push(user)
    else
      problems.push({
        file: 'users.json',
        message: `${user_id}: the user name ${username} is that of ${owner}`
      })
    ids.set(username, owner)
  }
  await documents.putUsers(good)
}

async function putGroups(
  groups: readonly Group[],
  documents: DocumentStore,
  problems: ImportProblem[]
): Promise<void> {
  const good: Group[] = []
  for (const group of groups) {
    const unknown = await unknownPerson(group.members, documents)
    if (unknown === undefined) good.push(group)
    else problems.push({ file: 'groups.json', message: `${group.group_id}: there is no person ${unknown}` })
  }
  await documents.putGroups(good)
}

/** @returns ids of those that were stored and keep their entries with the entries */
async function putDatasets(
  datasets: readonly Dataset[],
  documents: DocumentStore,
  problems: ImportProblem[]
): Promise<ReadonlySet<string>> {
  const good: Dataset[] = []
  for (const dataset of datasets) {
    const unknown = await unknownPerson([dataset.user_id], documents)
    if (unknown === undefined) good.push(dataset)
    else
      problems.push({
        file: 'datasets.json',
        message: `${dataset.dataset_id}: there is no person ${unknown}`
      })
  }
  await documents.putDatasets(good)
  return new Set(good.filter(d => d.dataset_type === 'owned').map(d => d.dataset_id))
}

async function unknownPerson(
  userIds: readonly string[],
  documents: DocumentStore
): Promise<string | undefined> {
  const known = new Set((await documents.users(userIds)).map(u => u.user_id))
  return userIds.find(id => !known.has(id))
}

async function packagesOf(folder: CorpusFolder, problems: ImportProblem[]): Promise<readonly JsonObject[]> {
  try {
    return await folder.packages()
  } catch (error) {
    if (!(error instanceof BadFile)) throw error
    problems.push({ file: error.file, message: error.message })
    return []
  }
}
