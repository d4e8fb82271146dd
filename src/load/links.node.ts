/** Follows links, and says which of them lead out of a folder. */

import { realpath } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative, sep } from 'node:path'

/**
 * Where a file of a folder really lies; null where a link leads out of the folder, for it may have
 * come with the model.
 * @param own the path of the model's own file. Caches of hubs are folders of links whose targets lie
 *   side by side: what lies beside the target of this one belongs to the model too.
 */
export async function withoutLinks(
  folder: string,
  name: string,
  own?: string,
): Promise<string | null> {
  const [target, real] = await Promise.all(
    [join(folder, name), folder].map((path) => realpath(path)),
  )
  const path = relative(real, target)
  if (path.split(sep)[0] !== '..' && !isAbsolute(path)) return target
  return own !== undefined && dirname(target) === dirname(await realpath(own)) ? target : null
}
