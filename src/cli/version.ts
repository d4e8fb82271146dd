import { readFileSync } from 'node:fs'

/** The package's own version: the same file, seen from the sources and from the build. */
export function version(): string {
  const { version: text } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as {
    version: string
  }
  return text
}
