/** `gruv studio`: serves the web app that ships with the package, on loopback. */

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Command, Option } from 'commander'
import { GruvError } from '../index.ts'
import { collect } from './options.ts'
import { print } from './render.ts'
import { serveSite } from './site.ts'

interface StudioFlags {
  readonly input?: readonly string[]
  readonly expected?: readonly string[]
  readonly port: string
  readonly open: boolean
}

export function studioCommand(): Command {
  return new Command('studio')
    .description(
      'Opens the studio in the browser: every gate at every step, and why numbers differ.',
    )
    .argument(
      '[model]',
      'a model file, or the folder of a model of several; without one the page offers the example',
    )
    .option(
      '--input <file>',
      'input data (.npy .npz .csv .tsv .txt .json .jsonl); several times for several inputs',
      collect,
    )
    .option('--expected <file>', 'the outputs as they should be; several times too', collect)
    .addOption(new Option('--port <number>', 'the port to serve on').default('0', 'any free one'))
    .option('--no-open', 'print the address and open no browser')
    .addHelpText(
      'after',
      `
Files are served to this machine alone, and nothing is uploaded. Ctrl+C ends it.

Examples:
  gruv studio
  gruv studio layer.npz --input x.npy --expected y.npy
  gruv studio saved_model/ --no-open --port 8080`,
    )
    .action(async (model: string | undefined, flags: StudioFlags) => {
      const { input = [], expected = [] } = flags
      if (model === undefined && input.length + expected.length > 0) {
        throw new GruvError('bad-argument', 'data without a model', {
          where: input.length === 0 ? '--expected' : '--input',
          fix: 'Name the model first: gruv studio MODEL --input FILE',
        })
      }
      const { url } = await serveSite(
        siteFolder(),
        { ...(model !== undefined && { model }), input, expected },
        portOf(flags.port),
      )
      print(`gruv studio: ${url}`)
      if (flags.open) openBrowser(url)
    })
}

function portOf(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port < 65536) return port
  throw new GruvError('bad-argument', `'${text}' is no port`, {
    where: '--port',
    expected: 'a number from 0 to 65535',
  })
}

/** The built site, in the package or in a clone of the repository. */
function siteFolder(): string {
  const places = ['../studio/', '../../dist/studio/'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  )
  const found = places.find((path) => existsSync(`${path}index.html`))
  if (found !== undefined) return found
  throw new GruvError('unreadable', 'the studio is not built', { fix: 'Run npm run build.' })
}

/** Failures are ignored, since the address is printed as well. */
function openBrowser(url: string): void {
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['rundll32', 'url.dll,FileProtocolHandler', url]
        : ['xdg-open', url]
  spawn(command, args, { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref()
}
