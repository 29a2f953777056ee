/** Raw files of the example data, and zips of them. */
import { expect } from 'vitest'
import { unzip } from '../../files/unzip.ts'

/** Published, without embargo. */
export const OPEN = '3U40NEXwovmPkBa8gO1AsX'
/** Published with embargo. */
export const EMBARGOED = 'ROK7NzvVoeKocZLPaWt-Q1'
/** An entry of it. */
export const EMBARGOED_ENTRY = 'Zb48a2-5vUXKCNt3k8Dng07J5nrS'
/** Not published; OWNER's own. */
export const UNPUBLISHED = '2HZqVdGs6r1uy-FArYAZDT'
/** Not published, shared with everybody. */
export const SHARED = 'm2gDew34dxLckF73LPPJqg'
/** An entry of {@link OPEN}. */
export const EXCITING = 'EvFT7EJpDeAFxlWAe5o5TfyOJje9'
/** Another one. */
export const ELK = 'h1iMMJejwBL4CXBcORlyyjKm_Ehq'

/** The administrator. */
export const ADMIN = '0d3c6f52-9b8e-4c7a-9a55-2f6f1d0a7b01'
/** Main author of what is not public. */
export const OWNER = '3f1a2b7c-5d64-4e0f-8c21-7a9e6b3d1c02'
/** Somebody else. */
export const STRANGER = 'a45e7d90-61c2-4b8f-9f3e-c1b2d3e4f504'

interface Manifest {
  readonly entry_id: string
  readonly upload_id: string
  readonly mainfile: string
}

/** The members of an answer that is a zip. */
export async function zipOf(response: {
  statusCode: number
  rawPayload: Buffer
  headers: Record<string, unknown>
}) {
  expect(response.statusCode).toBe(200)
  expect(response.headers['content-type']).toBe('application/zip')
  const members = await unzip(response.rawPayload)
  const names = members.map(m => m.name)
  const last = members.at(-1)
  const manifest =
    last?.name === 'manifest.json' ? (JSON.parse(String(last.content)) as Manifest[]) : undefined
  return { members, names, manifest }
}
