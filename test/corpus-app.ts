/** The application over the example data, for one block of tests. */
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import type { AppOptions } from '../src/app.ts'
import {
  bearer,
  type DataFolder,
  openCorpusServices,
  type Profile,
  type TestServices,
  testApp
} from './app.ts'

/** The application with its stores, which are only to be read. */
export interface CorpusApp {
  readonly services: TestServices
  readonly app: FastifyInstance
  /** Sends a request. @param as id of the person who asks; absent: nobody known */
  ask(request: InjectOptions, as?: string): Promise<LightMyRequestResponse>
  close(): Promise<void>
}

/** What is not as usual. */
export interface CorpusAppOptions extends AppOptions {
  /** By the names of their variables. */
  readonly settings?: Readonly<Record<string, string>>
  /** See {@link openCorpusServices}. */
  readonly folders?: readonly DataFolder[]
}

/** Opens both; to be closed after the tests. */
export async function openCorpusApp(
  profile: Profile,
  { settings, folders, ...options }: CorpusAppOptions = {}
): Promise<CorpusApp> {
  const services = await openCorpusServices(profile, settings, folders)
  const app = await testApp(services, options)
  return {
    services,
    app,
    ask: async (request, as) => {
      const authorization = as === undefined ? {} : { authorization: await bearer(services, as) }
      return app.inject({ ...request, headers: { ...authorization, ...request.headers } })
    },
    close: async () => {
      await app.close()
      await services.close()
    }
  }
}
