/** Settings that may be kept in files, as Docker and Kubernetes hand out secrets: `SERAI_API_SECRET_FILE=/run/secrets/api`. */
import { readFileSync } from 'node:fs'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * An environment in which the variables that end in `_FILE` are replaced by what their files hold, without the line break
 * at the end.
 * @param names settings that may be kept in files, by their variables without `_FILE`
 * @param problems gets one line for each that cannot be read, or is given twice; values are not told
 */
export function withSecretFiles(
  environment: Environment,
  names: Iterable<string>,
  problems: string[]
): Record<string, string | undefined> {
  const result = { ...environment }
  for (const name of names) {
    const variable = `${name}_FILE`
    const file = environment[variable]
    delete result[variable]
    if (!file) continue
    if (environment[name]) problems.push(`${name} and ${variable} are both set: set one of them`)
    try {
      result[name] = readFileSync(file, 'utf8').replace(/\r?\n$/, '')
      if (result[name] === '') problems.push(`${variable}: ${file} is empty`)
    } catch (error) {
      problems.push(`${variable}: ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
    }
  }
  return result
}
