/**
 * What an installation has beside its uploads: people, groups, datasets, definitions, settings, and what lets people in.
 * Uploads name them, so they are read after the uploads: what a copied upload names is there.
 */
import type { Services } from '../services.ts'
import type { Account, PersonalToken, SigningKey } from '../storage/accounts.ts'
import {
  type Dataset,
  type DocumentStore,
  FILLED_FROM,
  type Group,
  type MetainfoPackage,
  type User
} from '../storage/documents.ts'

/** Everything of it, some thousand small documents at most. */
export interface Site {
  readonly users: readonly User[]
  readonly groups: readonly Group[]
  readonly datasets: readonly Dataset[]
  readonly packages: readonly MetainfoPackage[]
  /** The secret of app tokens is one of them. */
  readonly settings: Readonly<Record<string, string>>
  readonly accounts: readonly Account[]
  readonly signing_keys: readonly SigningKey[]
  readonly personal_tokens: readonly PersonalToken[]
}

/** The stores that have it. */
export type SiteStores = Pick<Services, 'documents' | 'accounts'>

const PAGE = 500

/** Reads all of it. Failed sign-ins are left out: they are counted anew. */
export async function readSite({ documents, accounts }: SiteStores): Promise<Site> {
  const { [FILLED_FROM]: _, ...settings } = Object.fromEntries(await documents.settings())
  return {
    groups: await everyGroup(documents),
    datasets: await everyDataset(documents),
    packages: await documents.packages(),
    accounts: await accounts.accounts(),
    signing_keys: await accounts.signingKeys(),
    personal_tokens: await accounts.everyPersonalToken(),
    users: await documents.everyUser(),
    settings
  }
}

/** Stores all of it; what is there already under the same ids is replaced. */
export async function storeSite(site: Site, { documents, accounts }: SiteStores): Promise<void> {
  await documents.putUsers(site.users)
  await documents.putGroups(site.groups)
  await documents.putDatasets(site.datasets)
  await documents.putPackages(site.packages)
  for (const account of site.accounts) await accounts.putAccount(account)
  for (const key of site.signing_keys) await accounts.putSigningKey(key)
  await accounts.removePersonalTokens(site.personal_tokens.map(token => token.id))
  for (const token of site.personal_tokens) await accounts.addPersonalToken(token)
  for (const [name, value] of Object.entries(site.settings)) await documents.putSetting(name, value)
}

/** Whether there is nothing but what opening the stores makes. */
export async function isEmptySite({ documents, accounts }: SiteStores): Promise<boolean> {
  const first = { order: 'asc', offset: 0, limit: 1 } as const
  const totals = [
    (await documents.everyUser()).length,
    (await documents.listGroups({}, { ...first, orderBy: 'group_id' })).total,
    (await documents.listDatasets({}, { ...first, orderBy: 'dataset_create_time' })).total,
    (await documents.listUploads({}, { ...first, orderBy: 'upload_create_time' })).total,
    (await documents.packages()).length,
    (await accounts.accounts()).length,
    (await accounts.everyPersonalToken()).length
  ]
  return totals.every(total => total === 0)
}

async function everyGroup(documents: DocumentStore): Promise<Group[]> {
  const found = new Map<string, Group>()
  for (let offset = 0; ; offset += PAGE) {
    const page = { orderBy: 'group_id', order: 'asc', offset, limit: PAGE } as const
    const { groups } = await documents.listGroups({}, page)
    for (const group of groups) found.set(group.group_id, group)
    if (groups.length < PAGE) return [...found.values()]
  }
}

async function everyDataset(documents: DocumentStore): Promise<Dataset[]> {
  const found = new Map<string, Dataset>()
  for (let offset = 0; ; offset += PAGE) {
    const page = { orderBy: 'dataset_create_time', order: 'asc', offset, limit: PAGE } as const
    const { datasets } = await documents.listDatasets({}, page)
    for (const dataset of datasets) found.set(dataset.dataset_id, dataset)
    if (datasets.length < PAGE) return [...found.values()]
  }
}
