/** Writes the licences of the packages in a bundle beside it. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'rolldown'

const LICENCES = 'licences.txt'

/** The packages of a bundle, and of the bundles inside it (workers), which have plugins of their own. */
export class Licences {
  private readonly packages = new Set<string>()

  /** For bundles inside: notes what is in them. */
  collect(): Plugin {
    return {
      name: 'collect-licences',
      generateBundle: (_, bundle) => {
        for (const output of Object.values(bundle)) {
          if (output.type !== 'chunk') continue
          for (const id of output.moduleIds) {
            const name = packageOf(id)
            if (name !== null) this.packages.add(name)
          }
        }
      },
    }
  }

  /** For the bundle itself, whose file tells of all. */
  write(): Plugin {
    const { packages } = this
    const { generateBundle } = this.collect()
    return {
      name: 'licences',
      generateBundle(...args) {
        if (typeof generateBundle === 'function') generateBundle.apply(this, args)
        const source = [...packages].sort().map(licenceOf).join('\n')
        this.emitFile({ type: 'asset', fileName: LICENCES, source })
      },
    }
  }
}

/** The package that a module comes from; null for this project's own. Bundlers put pieces of themselves in. */
function packageOf(id: string): string | null {
  const own = /^\0?(vite|rolldown)\//.exec(id)
  if (own !== null) return own[1]
  const path = id.replaceAll('\\', '/').split('/node_modules/').at(-1)!
  return path === id.replaceAll('\\', '/') ? null : /^(@[^/]+\/)?[^/]+/.exec(path)![0]
}

function licenceOf(name: string): string {
  const folder = join('node_modules', name)
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find((each) => /^licen[cs]e(\.(md|txt))?$/i.test(each))
  if (file === undefined || !existsSync(join(folder, file))) {
    throw new Error(`${name} comes without the text of its licence`)
  }
  const text = readFileSync(join(folder, file), 'utf8')
  // Vite's goes on with those of what it is made of, none of which is in a bundle.
  return `# ${name} ${version}\n\n${text.split('# Licenses of bundled dependencies')[0].trim()}\n`
}
