/** `gruv example`: runs and verifies the model that ships with the package. */

import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { compile, load, type Tensor } from '../index.ts'
import { type TraceChunk, trace } from '../trace/index.ts'
import { EXIT_DIFFERS } from './exit-codes.ts'
import { readArrays } from './files.ts'
import { printModel } from './inspect.ts'
import { columns, heading, print, sequenceTable, shortNumber } from './render.ts'
import { printVerdict, verifyFiles } from './verify.ts'

/** Steps and units that are shown gate by gate. */
const SHOWN_STEPS = 3
const SHOWN_UNITS = 6

export function exampleCommand(): Command {
  return new Command('example')
    .description(
      'Runs the trained model that ships with gruv, shows its gates, and proves its outputs.',
    )
    .action(async () => {
      const folder = fileURLToPath(new URL('../../examples/seattle-weather/', import.meta.url))
      const file = (name: string): string => `${folder}${name}`
      const model = await load(file('model.safetensors'))
      const { data: x } = await readArrays(file('input.npy'))

      print(heading('1  The model: a GRU trained with PyTorch on Seattle’s weather'))
      printModel(model, { equations: true })

      print(
        '',
        heading(
          `2  The first ${SHOWN_STEPS} of ${x.shape[0]} days, gate by gate (first ${SHOWN_UNITS} units)`,
        ),
      )
      const width = x.shape[1]
      const head: Tensor = {
        shape: [SHOWN_STEPS, width],
        data: x.data.slice(0, SHOWN_STEPS * width),
      }
      for (const chunk of trace(model, head)) printGates(chunk)

      print('', heading('3  Its outputs'))
      const program = await compile(model)
      print(sequenceTable(program.predict(x).y, true))

      print('', heading('4  The proof: against what PyTorch computed'))
      const verdict = await verifyFiles(model, {
        input: [file('input.npy')],
        expected: [file('expected.npy')],
        precision: 'f32',
      })
      printVerdict(verdict)
      process.exitCode = verdict.pass ? 0 : EXIT_DIFFERS

      const here = relative(process.cwd(), folder) || '.'
      print('', heading('Try next'))
      print(`  npx gruv inspect ${here}/layer.npz --equations --weights`)
      print(
        `  npx gruv run ${here}/model.safetensors --input ${here}/input.csv --output forecast.csv`,
      )
      print(
        `  npx gruv verify ${here}/layer.npz --input ${here}/input.npy --expected ${here}/layer_expected.npy --update updates`,
      )
    })
}

const gateTitles = { z: 'update', r: 'reset', n: 'candidate', h: 'new state' } as const

function printGates({ first, steps, values }: TraceChunk): void {
  const units = values.h.length / steps
  for (let step = 0; step < steps; step++) {
    const rows = Object.entries(gateTitles).map(([name, title]) => [
      `  ${name}`,
      title,
      ...Array.from(values[name].subarray(step * units, step * units + SHOWN_UNITS), shortNumber),
    ])
    print(
      columns(
        rows,
        [`  t ${first + step}`],
        Array.from({ length: SHOWN_UNITS }, (_, i) => i + 2),
      ),
    )
  }
}
