/** `gruv verify`: compares outputs with reference data and shows where they first differ. */

import { Command } from 'commander'
import { changesRun, withRunQuirks } from '../diagnose/index.ts'
import type { Model } from '../index.ts'
import { type OutputVerdict, type Verdict, verify } from '../verify/index.ts'
import { type ComparisonFlags, readComparisonData } from './comparison-data.ts'
import { QUICK_BUDGET, quickDiagnosis } from './diagnose.ts'
import { EXIT_DIFFERS } from './exit-codes.ts'
import { addMaskFlags, type MaskFlags, readMaskFlags } from './masks.ts'
import {
  addConventionFlags,
  budgetOption,
  type ConventionFlags,
  collect,
  limitsOf,
  loadModel,
  MODEL_ARGUMENT,
  numberFlag,
  precisionOption,
} from './options.ts'
import {
  columns,
  errorPicture,
  heading,
  paint,
  print,
  showDifference,
  showError,
} from './render.ts'

interface VerifyFlags extends ConventionFlags, MaskFlags, ComparisonFlags {
  readonly precision: 'f32' | 'f64'
  readonly atol?: number
  readonly rtol?: number
  readonly budget?: number
  readonly json?: boolean
}

export function verifyCommand(): Command {
  const command = new Command('verify')
    .description(
      'Compares the outputs with reference data: how far apart, where, and from when on.',
    )
    .argument('<model>', MODEL_ARGUMENT)
    .option(
      '--input <[name=]file>',
      'input data (.npy .npz .csv .tsv .txt .json .jsonl); default: what the model came with',
      collect,
    )
    .option('--expected <[name=]file>', 'the outputs as they should be', collect)
    .option('--initial-state <file>', 'the state that the sequence starts from', collect)
    .addOption(precisionOption())
    .option(
      '--atol <number>',
      'absolute tolerance; default: derived from the data, and printed',
      numberFlag('--atol'),
    )
    .option('--rtol <number>', 'tolerance relative to the expected number', numberFlag('--rtol'))
    .addOption(budgetOption(QUICK_BUDGET))
    .option('--json', 'print the verdict as JSON')
    .addHelpText(
      'after',
      `
Exit code 0 when all numbers are within tolerance, 1 when they differ or nothing could be compared.

Examples:
  gruv verify model.safetensors              (with reference data in the file)
  gruv verify layer.npz --input x.npy --expected y.npy
  gruv verify layer.npz --input x.npy --expected y.csv --precision f64 --atol 1e-9`,
    )
  addMaskFlags(command)
  return addConventionFlags(command).action(async (path: string, flags: VerifyFlags) => {
    const model = await loadModel(path, flags)
    const verdict = await verifyFiles(model, flags)
    if (flags.json) print(JSON.stringify(asJson(verdict), null, 2))
    else printVerdict(verdict)
    process.exitCode = verdict.pass ? 0 : EXIT_DIFFERS
    if (verdict.verdict === 'differs' && !flags.json) await pointToDiagnosis(model, flags)
  })
}

/** Prints a line where a quick diagnosis explains the difference. */
async function pointToDiagnosis(model: Model, flags: VerifyFlags): Promise<void> {
  // Diagnose does not examine runs that quirks change.
  if (flags.quirk?.some((quirk) => changesRun(quirk))) return
  // Whatever happens in there, the verdict stands: this is a hint.
  const found = await quickDiagnosis(model, flags).catch((error: unknown) => {
    if (process.env.GRUV_DEBUG !== undefined) process.stderr.write(`${(error as Error).stack}\n`)
    return null
  })
  if (found !== null)
    print(`gruv diagnose identifies: ${found === '' ? 'the model as it is read' : found}`)
}

export async function verifyFiles(
  model: Model,
  flags: Omit<VerifyFlags, 'json'>,
): Promise<Verdict> {
  return verify(model, {
    ...(await readComparisonData(model, flags)),
    precision: flags.precision,
    ...limitsOf(flags),
    ...(await readMaskFlags(flags)),
    wrap: (program) => withRunQuirks(program, flags.quirk ?? []),
    ...(flags.atol !== undefined && { atol: flags.atol }),
    ...(flags.rtol !== undefined && { rtol: flags.rtol }),
  })
}

export function printVerdict(verdict: Verdict): void {
  for (const [name, output] of Object.entries(verdict.outputs)) printOutput(name, output, verdict)
  if (verdict.notFinite !== null) print(`  ${verdict.notFinite}`)
}

function printOutput(name: string, output: OutputVerdict, { program }: Verdict): void {
  const { engine } = program
  const word =
    output.finite === 0
      ? paint('yellow', 'nothing to compare')
      : output.pass
        ? paint('green', 'agrees')
        : paint('red', 'differs')
  print(
    `${heading(name)} ${word}: ${output.compared.toLocaleString('en')} numbers compared, ${engine.precision}, ${engine.kind} engine`,
  )
  if (output.lastStepOnly) print('  only the last timestep was there to compare')
  const rows = [
    [
      '  largest absolute error',
      showError(output.maxAbsolute),
      output.worst ? showDifference(output.worst) : '',
    ],
    ['  largest relative error', showError(output.maxRelative), ''],
    [
      '  in units of the last place',
      showError(output.maxUlps),
      engine.precision === 'f32' ? 'of float32' : 'of float64',
    ],
    ['  tolerance', showError(output.tolerance.largest), output.tolerance.why],
    ...(output.first === null
      ? []
      : [
          [
            '  first out of tolerance',
            showError(Math.abs(output.first.actual - output.first.expected)),
            showDifference(output.first),
          ],
          ['  out of tolerance', `${output.outside}`, `of ${output.compared}`],
        ]),
  ]
  print(columns(rows))
  if (output.finite < output.compared)
    print(
      `  ${output.finite === 0 ? 'none' : `${output.finite.toLocaleString('en')}`} of these numbers ${output.finite === 1 ? 'is' : 'are'} finite`,
    )
  if (output.overTime.length > 1 && output.finite > 0) {
    print(`  error over ${output.overTime.length} timesteps (log scale)`)
    print(errorPicture(output.overTime, output.tolerance.largest).replaceAll(/^/gm, '  '))
  }
}

function asJson({ pass, verdict, notFinite, outputs, program }: Verdict): object {
  return {
    pass,
    verdict,
    ...(notFinite !== null && { notFinite }),
    engine: program.engine,
    outputs: Object.fromEntries(
      Object.entries(outputs).map(([name, { tolerance, overTime, ...rest }]) => [
        name,
        {
          ...rest,
          tolerance: { largest: tolerance.largest, why: tolerance.why },
          errorOverTime: Array.from(overTime),
        },
      ]),
    ),
  }
}
