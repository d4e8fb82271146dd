/** `gruv convert`: writes a model as a file of another format, once it is proved to be the same. */

import { stat } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { type Conversion, convert, type StorageType, targetEndings } from '../convert/index.ts'
import { GruvError, type Model, type Named, type Tensor } from '../index.ts'
import type { ReferenceData } from '../model/index.ts'
import { EXIT_DIFFERS } from './exit-codes.ts'
import { readNamed } from './files.ts'
import { readInputs } from './inputs.ts'
import { addConventionFlags, type ConventionFlags, collect, loadModel } from './options.ts'
import { writeWhole } from './output-files.ts'
import { withProgress } from './progress.ts'
import { columns, complain, heading, paint, print, showError } from './render.ts'

interface ConvertFlags extends ConventionFlags {
  readonly storage?: StorageType
  readonly reference?: string
  readonly input?: readonly string[]
  readonly json?: boolean
}

export function convertCommand(): Command {
  const command = new Command('convert')
    .description('Writes the same model as a file of another kind, and proves that it is the same.')
    .argument('<in>', 'a model file')
    .argument('<out>', `where it goes; the ending says the format: ${targetEndings.join(' ')}`)
    .addOption(
      new Option(
        '--storage <type>',
        'round the trained numbers, in a .safetensors: float16, bfloat16, or int8 with a scale for each column',
      ).choices(['f16', 'bf16', 'int8']),
    )
    .option(
      '--reference <input,expected>',
      'data files to put into a .safetensors, for verification wherever it is loaded',
    )
    .option(
      '--input <[name=]file>',
      'data to compare the two models on; default: the reference data, else random numbers',
      collect,
    )
    .option('--json', 'print the proof as JSON')
    .addHelpText(
      'after',
      `
Both models run in float64 on the same input; nothing is written when they differ.
Exit code 0 when they agree, 1 when they differ.

Examples:
  gruv convert layer.npz model.onnx
  gruv convert model.h5 model.safetensors --storage int8 --reference x.npy,y.npy
  gruv convert model.keras plugin.json`,
    )
  return addConventionFlags(command).action(
    async (from: string, to: string, flags: ConvertFlags) => {
      await refuseSame(from, to)
      const model = await loadModel(from, flags)
      const { storage } = flags
      const options = {
        ...(storage && { storage }),
        ...(flags.input && { input: await readInput(model, flags.input) }),
        ...(flags.reference && { reference: await readReference(model, flags.reference) }),
      }
      const conversion = await withProgress('gruv convert', (onProgress) =>
        convert(model, to, { ...options, onProgress }),
      )
      if (flags.json) print(JSON.stringify(asJson(conversion), null, 2))
      else printProof(conversion)
      if (conversion.pass) {
        await writeWhole(new Map([[to, async () => conversion.bytes]]))
        if (!flags.json)
          print(`${heading(to)}: ${conversion.bytes.length.toLocaleString('en')} bytes`)
      } else {
        complain('the file would be another model: nothing was written')
        process.exitCode = EXIT_DIFFERS
      }
    },
  )
}

/** Overwriting the source would lose both files if the disk is full. */
async function refuseSame(from: string, to: string): Promise<void> {
  const [a, b] = await Promise.all([from, to].map((path) => stat(path).catch(() => null)))
  if (a === null || b === null || a.ino !== b.ino || a.dev !== b.dev) return
  throw new GruvError('bad-argument', 'a file cannot be converted onto itself', { where: to })
}

async function readInput(model: Model, files: readonly string[]): Promise<Named<Tensor>> {
  const names = model.inputs.map(({ name }) => name)
  const { input } = await readInputs(files, names)
  const missing = names.find((name) => !Object.hasOwn(input, name))
  if (missing === undefined) return input
  throw new GruvError('not-found', `nothing was given for the input '${missing}'`, {
    where: '--input',
  })
}

async function readReference(model: Model, text: string): Promise<ReferenceData> {
  const files = text.split(',')
  if (files.length !== 2 || files.includes('')) {
    throw new GruvError('bad-argument', 'two files are needed', {
      where: '--reference',
      expected: 'INPUT,EXPECTED',
      got: text,
      fix: 'Several inputs or outputs fit into one .npz, by name.',
    })
  }
  const outputs = model.outputs.map(({ name }) => name)
  const inputs = model.inputs.map(({ name }) => name)
  return {
    inputs: await readNamed([files[0]], inputs, '--reference'),
    outputs: await readNamed([files[1]], outputs, '--reference'),
  }
}

function printProof(conversion: Conversion): void {
  const { title, notes, outputs, ranOn, sameNumbers, reference, pass } = conversion
  const rounded = Object.values(outputs).some((proof) => proof.fromRounded !== proof.maxAbsolute)
  print(heading(title))
  for (const note of notes) print(`  note: ${note}`)
  const rows = Object.entries(outputs).flatMap(([name, proof]) => {
    const { fromRounded, maxAbsolute, tolerance, compared, scale } = proof
    const agrees = fromRounded <= tolerance
    const word = agrees ? paint('green', 'agrees') : paint('red', 'differs')
    const of = `of ${compared} numbers up to ${scale.toPrecision(3)}, on ${ranOn}`
    const largest = (error: number): string => `largest difference ${showError(error)}`
    if (!rounded) return [[`  ${name}`, word, largest(fromRounded), of]]
    return [
      [`  ${name}`, `${word} with the rounded model`, largest(fromRounded), of],
      ['', 'rounding cost', `at most ${showError(maxAbsolute)}`, 'beside the model as it was'],
    ]
  })
  print(columns(rows))
  for (const [name, off] of Object.entries(reference ?? {}))
    print(`  ${name}: ${showError(off)} from the reference data`)
  if (pass && sameNumbers) print('  the trained numbers are the same, bit for bit')
}

function asJson({ bytes, ...rest }: Conversion): object {
  return { ...rest, bytes: bytes.length }
}
