/** Asking an identity provider or a directory over HTTP. */

/** Milliseconds until a server that does not answer counts as away. */
const TIMEOUT = 5000

/** Text without a slash at its end. */
export function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '')
}

/**
 * Status and JSON of an answer; the body is undefined when it is no JSON. Redirects are not followed: secrets stay where
 * they were sent to.
 * @throws Error when the server cannot be reached
 */
export async function fetchJson(
  url: string,
  options: Pick<RequestInit, 'method' | 'body' | 'headers'> = {}
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url, {
    ...options,
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT)
  })
  const text = await response.text()
  try {
    return { status: response.status, body: JSON.parse(text) }
  } catch {
    return { status: response.status, body: undefined }
  }
}
