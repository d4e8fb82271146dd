/** `gruv diagnose`: finds the mistake that explains why the numbers differ. */

import { Command } from 'commander'
import {
  type DiagnoseOptions,
  type Diagnosis,
  diagnose,
  type Progress,
  quoted,
  suggestedInput,
} from '../diagnose/index.ts'
import { GruvError, type Model, type Tensor } from '../index.ts'
import { conventionTable } from '../model/index.ts'
import { type ComparisonFlags, readComparisonData } from './comparison-data.ts'
import { EXIT_NOT_IDENTIFIED } from './exit-codes.ts'
import { writeFiles } from './files.ts'
import { addMaskFlags, type MaskFlags, readMaskFlags } from './masks.ts'
import {
  addConventionFlags,
  budgetOption,
  type ConventionFlags,
  collect,
  loadModel,
  MODEL_ARGUMENT,
  refuseRunQuirks,
} from './options.ts'
import { columns, heading, paint, print, showDifference } from './render.ts'

interface DiagnoseFlags extends ConventionFlags, ComparisonFlags, MaskFlags {
  readonly budget?: number
  readonly suggestInput?: string
  readonly json?: boolean
}

const MOST_CANDIDATES = 10
const MOST_COMPENSATING = 3

export function diagnoseCommand(): Command {
  const command = new Command('diagnose')
    .description(
      'Finds the mistake that explains the numbers: gate order, reset position, biases …',
    )
    .argument('<model>', MODEL_ARGUMENT)
    .option('--input <[name=]file>', 'input data; default: what the model came with', collect)
    .option('--expected <[name=]file>', 'the outputs to explain', collect)
    .option('--initial-state <file>', 'the state that the sequence starts from', collect)
    .option(
      '--suggest-input <file>',
      'where the data leaves questions open: write an input that tells',
    )
    .addOption(budgetOption(DIAGNOSE_BUDGET))
    .option('--json', 'print the diagnosis as JSON')
    .addHelpText(
      'after',
      `
Exit code 0 when one reading explains the numbers, 1 when several do, none, or the time was up.

Examples:
  gruv diagnose layer.npz --input x.npy --expected y.npy
  gruv diagnose layer.npz --input x.npy --expected y.csv --suggest-input ask.npy`,
    )
  addMaskFlags(command)
  return addConventionFlags(command).action(async (path: string, flags: DiagnoseFlags) => {
    refuseRunQuirks(flags, 'diagnose')
    const model = await loadModel(path, flags)
    const diagnosis = diagnoseWithFlags(model, flags, {
      ...(await readComparisonData(model, flags)),
      ...(await readMaskFlags(flags)),
      budget: 1000 * (flags.budget ?? DIAGNOSE_BUDGET),
      onProgress: showProgress,
    })
    clearProgress()
    if (flags.suggestInput !== undefined) await writeSuggestion(diagnosis, flags.suggestInput)
    if (flags.json) print(JSON.stringify(asJson(diagnosis), null, 2))
    else printDiagnosis(diagnosis, path, flags.suggestInput)
    process.exitCode = diagnosis.verdict === 'identified' ? 0 : EXIT_NOT_IDENTIFIED
  })
}

/**
 * The flags that were needed to read the model; running it needs them too, and candidates lack
 * them.
 */
function givenFlags(flags: ConventionFlags): readonly string[] {
  const { transposed, quirk } = flags
  const parts = ['names', 'module', 'wiring', 'layer', 'until'] as const
  return [
    ...parts.flatMap((flag) => {
      const value = flags[flag]
      return value === undefined ? [] : [`--${flag} ${quoted(value)}`]
    }),
    ...(flags.set ?? []).map((each) => `--set ${quoted(each)}`),
    ...(transposed ? ['--transposed'] : []),
    ...(quirk === undefined ? [] : conventionsGiven(flags)),
    ...(quirk ?? []).map((each) => `--quirk ${quoted(each)}`),
  ]
}

/**
 * The convention flags as they were given; candidates repeat them only where they are flags too.
 */
function conventionsGiven(flags: ConventionFlags): readonly string[] {
  const names = new Set(Object.values(conventionTable).flatMap(({ flag }) => flag ?? []))
  return [...names].flatMap((flag) => {
    const value = flags[camelCase(flag) as keyof ConventionFlags]
    return typeof value === 'string' ? [`${flag} ${quoted(value)}`] : []
  })
}

/** `--gate-order` as commander names it: `gateOrder`. */
function camelCase(flag: string): string {
  return flag.slice(2).replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}

function withGivenFlags(diagnosis: Diagnosis, given: readonly string[]): Diagnosis {
  if (given.length === 0) return diagnosis
  const add = <C extends { readonly flags: string }>(candidate: C): C => ({
    ...candidate,
    flags: [...given, candidate.flags].filter((part) => part !== '').join(' '),
  })
  const { candidates, toTellApart } = diagnosis
  return {
    ...diagnosis,
    candidates: candidates.map(add),
    toTellApart: toTellApart && {
      ...toTellApart,
      compensating: toTellApart.compensating.map(add),
    },
  }
}

/** The diagnosis, whose candidates include the given flags. */
export function diagnoseWithFlags(
  model: Model,
  flags: ConventionFlags,
  options: DiagnoseOptions,
): Diagnosis {
  const diagnosis = diagnose(model, {
    ...options,
    // Given quirks are applied before the candidate's changes, which only quirks can express.
    ...(flags.quirk !== undefined && { conventionFlags: false }),
  })
  return withGivenFlags(diagnosis, givenFlags(flags))
}

/** The flags of the candidate that a quick search identifies; null where it identifies none. */
export async function quickDiagnosis(
  model: Model,
  flags: ConventionFlags & ComparisonFlags & MaskFlags & { readonly budget?: number },
): Promise<string | null> {
  const { verdict, candidates } = diagnoseWithFlags(model, flags, {
    ...(await readComparisonData(model, flags)),
    ...(await readMaskFlags(flags)),
    quick: true,
    budget: 1000 * (flags.budget ?? QUICK_BUDGET),
  })
  return verdict === 'identified' ? candidates[0].flags : null
}

/** Seconds of CPU time for a search, and for one that is only a hint. */
const DIAGNOSE_BUDGET = 10
export const QUICK_BUDGET = 2

/** How far the search is, on a terminal: one line, written over and over. */
function showProgress({ stage, tried, spent }: Progress): void {
  if (!process.stderr.isTTY) return
  const share = `${Math.round(100 * spent)} % of the time`
  process.stderr.write(`\r\u001b[K${stage}: ${tried.toLocaleString('en')} readings, ${share}`)
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
}

const words = {
  identified: 'identified: one reading explains these numbers',
  ambiguous: 'ambiguous: several readings explain these numbers equally well',
  none: 'none: no reading that gruv knows explains these numbers',
  'not finished': 'not finished: the time was up before any reading explained these numbers',
  'nothing to compare': 'nothing to compare: none of the expected numbers is finite',
} as const

function printDiagnosis(diagnosis: Diagnosis, path: string, suggested?: string): void {
  const { verdict, candidates, tolerance, tried, complete, finished, left } = diagnosis
  const { toTellApart, explanation } = diagnosis
  print(heading(words[verdict]))
  if (verdict === 'nothing to compare') return
  if (verdict === 'identified' && candidates[0].flags === '' && candidates[0].title === '')
    print('  no mistake to find: the model as it is read gives them')
  print(
    `  ${tried.toLocaleString('en')} readings tried; what fits is within ${tolerance.toExponential(1)}`,
  )
  if (!complete) {
    print(`  tried to the end: ${finished.join(', ') || 'nothing'}`)
    print(`  not finished: ${left.join(', ')}; --budget SECONDS allows more time`)
  }
  print()
  const rows = candidates
    .slice(0, MOST_CANDIDATES)
    .map(({ maxError, flags, title }) => [
      `  ${maxError.toExponential(2)}`,
      flags === '' ? 'as it is read' : flags,
      title,
    ])
  print(columns(rows, ['  max error', explanation === null ? 'flags' : 'the nearest', '']))
  if (candidates.length > MOST_CANDIDATES)
    print(`  and ${candidates.length - MOST_CANDIDATES} more`)
  if (verdict === 'identified') {
    print(
      '',
      `  gruv run ${path} ${candidates[0].flags} --input …`
        .replaceAll(/ +(?=\S)/g, ' ')
        .replace(/^/, ' '),
    )
  }
  if (explanation !== null) {
    print()
    if (explanation.leavesAt !== null) {
      const { actual, expected, ...at } = explanation.leavesAt
      print(`  it leaves the data ${showDifference({ at, actual, expected })}`)
    }
    for (const hint of explanation.hints) print(`  ${hint}`)
  }
  if (toTellApart !== null) printOpen(toTellApart, suggested)
}

function printOpen(
  { open, unseen, shown, compensating, suggestion }: NonNullable<Diagnosis['toTellApart']>,
  suggested: string | undefined,
): void {
  print('', heading('What this data cannot tell'))
  for (const { title, values } of open) print(`  ${title}: ${values.join(' or ')}`)
  for (const { quirk, title } of unseen) print(`  whether ${title} (${quirk})`)
  if (shown.length > 0) {
    print(heading('What it does show'))
    for (const { convention, value } of shown) {
      const entry = Object.entries(conventionTable).find(([key]) => key === convention)
      print(`  ${entry?.[1].title ?? convention}: ${value}`)
    }
  }
  if (compensating.length > 0) {
    print(heading('Fits too, but only because several departures make up for each other'))
    for (const { flags, title } of compensating.slice(0, MOST_COMPENSATING))
      print(`  ${[flags, title].filter((part) => part !== '').join('  ')}`)
    if (compensating.length > MOST_COMPENSATING)
      print(`  and ${compensating.length - MOST_COMPENSATING} more`)
  }
  print()
  if (suggestion === null) print(paint('dim', '  No input was found that would tell them apart.'))
  else if (suggested === undefined)
    print('  --suggest-input FILE writes an input that would tell them apart.')
  else
    print(
      `  ${suggested} holds an input that tells them apart: run it where the expected data came from,\n  and diagnose again with both.`,
    )
}

async function writeSuggestion(diagnosis: Diagnosis, path: string): Promise<void> {
  const inputs = suggestedInput(diagnosis)
  if (inputs === null) {
    throw new GruvError('bad-argument', 'there is nothing to tell apart', {
      where: '--suggest-input',
      got: `the verdict ${diagnosis.verdict}`,
    })
  }
  await writeFiles(new Map([[path, inputs as Readonly<Record<string, Tensor>>]]))
}

/** Everything except the numbers of the suggested input. */
function asJson({ verdict, candidates, toTellApart, ...rest }: Diagnosis): object {
  return {
    verdict,
    candidates,
    toTellApart: toTellApart && { ...toTellApart, suggestion: toTellApart.suggestion !== null },
    ...rest,
  }
}
