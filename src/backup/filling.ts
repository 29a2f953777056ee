/**
 * Filling an installation with everything of another one. While that is under way, or when it was killed, nothing else
 * opens the installation; the same again goes on where it ended.
 */
import { indexAlone, type ReindexProgress } from '../processing/reindex.ts'
import { ALL } from '../query/tree.ts'
import type { Services } from '../services.ts'
import { FILLED_FROM } from '../storage/documents.ts'
import { isEmptySite, type Site, storeSite } from './site.ts'
import type { CopyProblem } from './upload-copy.ts'

/**
 * Takes an installation for filling.
 * @param origin names what it is filled from
 * @throws Error when it is not empty, unless the same was begun before
 */
export async function beginFilling({ documents, accounts, archives, index }: Services, origin: string) {
  const begun = await documents.setting(FILLED_FROM)
  if (begun === origin) return
  if (begun)
    throw new Error(`it was filled from ${begun} in part; go on with that, or begin with an empty one`)
  const first = await archives.entryIds()[Symbol.asyncIterator]().next()
  const empty = first.done && (await index.count(ALL)) === 0 && (await isEmptySite({ documents, accounts }))
  if (!empty) throw new Error('it is not empty; only an empty one can be filled')
  await documents.putSetting(FILLED_FROM, origin)
}

/**
 * Completes it when the uploads are there: what is beside them, and the search index.
 * @returns what is wrong
 */
export async function endFilling(
  services: Services,
  site: Site,
  onProgress: (event: ReindexProgress) => void
): Promise<readonly CopyProblem[]> {
  const { documents, definitions, index } = services
  await storeSite(site, services)
  definitions.add(site.packages.map(({ definition }) => definition))
  const { entries, problems } = await indexAlone(services, onProgress)
  const found = await index.count(ALL)
  if (found !== entries) throw new Error(`the search index has ${found} entries instead of ${entries}`)
  await documents.putSetting(FILLED_FROM, '')
  return problems.map(({ entryId, message }) => ({
    part: `entry ${entryId}`,
    message: `cannot be found by searches: ${message}`
  }))
}
