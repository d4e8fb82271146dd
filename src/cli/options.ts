/** Flags that several commands share. */

import { Command, Option } from 'commander'
import { applyQuirks, changesRun, hypothesisTable } from '../diagnose/index.ts'
import {
  type ArrayNames,
  type ConventionOptions,
  GruvError,
  type LimitOptions,
  type LoadOptions,
  load,
  parseWiring,
} from '../index.ts'
import {
  activationTable,
  conventionTable,
  type GateOrder,
  type LstmGateOrder,
  type Model,
  parseGateOrder,
  parseLstmGateOrder,
} from '../model/index.ts'
import { readText } from './files.ts'

export interface ConventionFlags extends Omit<ConventionOptions, 'gateOrder' | 'lstmGateOrder'> {
  /** Of three gates or of four. */
  readonly gateOrder?: string
  readonly names?: string
  readonly module?: string
  readonly wiring?: string
  readonly layer?: string
  readonly until?: string
  readonly set?: readonly string[]
  readonly quirk?: readonly string[]
  readonly limit?: readonly string[]
}

/** Adds the flags that say how a model is read; its help has one line for them. */
export function addConventionFlags(command: Command): Command {
  for (const option of conventionOptions()) command.addOption(option.hideHelp())
  return command.addHelpText(
    'after',
    `
How a file is read (conventions, parts of a model, limits) is said by options that all commands share: gruv help conventions`,
  )
}

/** `gruv help conventions`: the options that commands share. */
export function conventionsCommand(): Command {
  const command = new Command('conventions')
    .description('The options of every command that reads a model: how its file is read.')
    .usage('')
    .helpOption(false)
    .addHelpText(
      'after',
      `
Examples:
  gruv inspect layer.npz --gate-order rzn --reset before
  gruv run model.keras --until gru_2 --input x.npy
  gruv verify graph.onnx --set rate=44100 --input x.npy --expected y.npy`,
    )
  for (const option of conventionOptions()) command.addOption(option)
  return command.action(() => command.outputHelp())
}

function conventionOptions(): readonly Option[] {
  const { gateOrder, reset, update, bias } = conventionTable
  const group = 'For files that do not state their conventions (default: as Keras has them):'
  const explain = (values: Readonly<Record<string, string>>): string =>
    Object.entries(values)
      .map(([value, meaning]) => `${value}: ${meaning}`)
      .join('; ')
  const options = [
    new Option(
      '--gate-order <order>',
      `how the packed arrays hold the gates, such as ${Object.keys(gateOrder.values).slice(0, 2).join(' or ')}`,
    ),
    new Option('--reset <position>', explain(reset.values)).choices(Object.keys(reset.values)),
    new Option('--update <sense>', explain(update.values)).choices(Object.keys(update.values)),
    new Option(
      '--bias <placement>',
      `the candidate's recurrent bias: ${explain({ separate: bias.values.separate, merged: bias.values.merged })}`,
    ).choices(['separate', 'merged']),
    new Option('--activation <name>', 'of the candidate; default tanh'),
    new Option(
      '--recurrent-activation <name>',
      `of the gates; default sigmoid. One of ${Object.keys(activationTable).join(', ')}`,
    ),
    new Option(
      '--output-activation <name>',
      "of an LSTM's cell on its way out; default: as --activation",
    ),
    new Option('--transposed', 'the kernels are [3·units, …] as PyTorch and ONNX write them'),
    new Option(
      '--names <parts>',
      'which array is which: w=INPUT_KERNEL,u=RECURRENT_KERNEL,b=BIAS (and br=RECURRENT_BIAS)',
    ),
    new Option('--module <name>', 'which recurrent module of a PyTorch file'),
    new Option(
      '--wiring <file>',
      'a JSON file that says how the modules of a PyTorch file follow each other',
    ),
    new Option(
      '--quirk <name>',
      `a mistake to make on purpose, as diagnose names it: ${Object.keys(hypothesisTable).join(', ')}`,
    ).argParser(collect),
  ]
  const part = 'For a part of a model:'
  const parts = [
    new Option('--layer <name>', 'the layer to take from a file that holds weights alone'),
    new Option(
      '--until <layers>',
      'end the model after these layers (A,B), such as the last one before something unsupported',
    ),
    new Option(
      '--set <input=number>',
      'fix an input of an ONNX graph, such as a sample rate',
    ).argParser(collect),
  ]
  const limit = new Option(
    '--limit <name=number>',
    'what a file and a run may cost, where the default is not enough: bytes, nodes, elements or operations; several times',
  ).argParser(collect)
  return [
    ...options.map((option) => option.helpGroup(group)),
    ...parts.map((option) => option.helpGroup(part)),
    limit.helpGroup('For very large models:'),
  ]
}

/**
 * Loads the model under the conventions and quirks of the flags. `withRunQuirks` handles quirks
 * that change a run.
 */
export async function loadModel(path: string, flags: ConventionFlags): Promise<Model> {
  return applyQuirks(await load(path, await loadOptions(flags)), flags.quirk ?? [])
}

/**
 * For commands that run nothing, or that search runs themselves.
 * @throws GruvError `bad-argument` for a quirk that changes a run: it would be ignored silently.
 */
export function refuseRunQuirks({ quirk = [] }: ConventionFlags, command: string): void {
  const ofRun = quirk.find((text) => changesRun(text))
  if (ofRun === undefined) return
  throw new GruvError('bad-argument', `${ofRun} changes a run, and not the model`, {
    where: '--quirk',
    fix: `Leave it out of ${command}; run and verify take it.`,
  })
}

async function loadOptions(flags: ConventionFlags): Promise<LoadOptions> {
  const { gateOrder, transposed, reset, update, bias, activation, recurrentActivation, names } =
    flags
  const { layer, until, set } = flags
  const conventions = {
    ...(gateOrder !== undefined && parseOrder(gateOrder)),
    ...(transposed !== undefined && { transposed }),
    ...(reset !== undefined && { reset }),
    ...(update !== undefined && { update }),
    ...(bias !== undefined && { bias }),
    ...(activation !== undefined && { activation }),
    ...(recurrentActivation !== undefined && { recurrentActivation }),
    ...(flags.outputActivation !== undefined && { outputActivation: flags.outputActivation }),
  }
  return {
    ...(Object.keys(conventions).length > 0 && { conventions }),
    ...(names !== undefined && { names: parseNames(names) }),
    ...(flags.module !== undefined && { module: flags.module }),
    ...(flags.wiring !== undefined && {
      wiring: parseWiring(await readText(flags.wiring), flags.wiring),
    }),
    ...limitsOf(flags),
    ...(layer !== undefined && { layer }),
    ...(until !== undefined && { until: until.split(',') }),
    ...(set !== undefined && { set: Object.fromEntries(set.map(parseSet)) }),
  }
}

/** `--limit nodes=1e6`, as `load`, `compile`, `verify` and `trace` take it; nothing where none is given. */
export function limitsOf({ limit = [] }: Pick<ConventionFlags, 'limit'>): {
  readonly limits?: LimitOptions
} {
  if (limit.length === 0) return {}
  const entries = limit.map((text) => {
    const [name, number, ...rest] = text.split('=')
    const value = Number(number)
    if (number?.trim() && rest.length === 0 && value >= 0) return [name, value] as const
    throw new GruvError('bad-argument', `'${text}' is no limit`, {
      where: '--limit',
      expected: 'a name and a number, such as nodes=1e6',
    })
  })
  return { limits: Object.fromEntries(entries) }
}

function parseSet(text: string): readonly [string, number] {
  const at = text.lastIndexOf('=')
  const value = Number(text.slice(at + 1))
  if (at > 0 && text.slice(at + 1).trim() !== '' && Number.isFinite(value))
    return [text.slice(0, at), value]
  throw new GruvError('bad-argument', `'${text}' does not fix an input`, {
    where: '--set',
    expected: 'NAME=NUMBER',
  })
}

/** Three letters are the gate order of a GRU, four that of an LSTM. */
function parseOrder(text: string): { gateOrder: GateOrder } | { lstmGateOrder: LstmGateOrder } {
  const letters = text.replace(/[^a-z]/gi, '').length
  return letters === 4
    ? { lstmGateOrder: parseLstmGateOrder(text) }
    : { gateOrder: parseGateOrder(text) }
}

const parts = ['w', 'u', 'b', 'br'] as const satisfies readonly (keyof ArrayNames)[]

function parseNames(text: string): ArrayNames {
  const names: Record<string, string> = {}
  for (const piece of text.split(',')) {
    const [part, ...rest] = piece.split('=')
    const name = rest.join('=')
    if (!parts.some((known) => known === part) || name === '') {
      throw new GruvError('bad-argument', `'${piece}' does not name an array`, {
        where: '--names',
        expected: parts.map((known) => `${known}=…`).join(','),
      })
    }
    names[part] = name
  }
  return names
}

/** A flag that takes a number from 0. */
export function numberFlag(flag: string): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value
    throw new GruvError('bad-argument', `'${text}' is not a number from 0`, {
      where: flag,
      expected: 'a number from 0, such as 1e-6',
    })
  }
}

/** A flag that may be given several times. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

export const precisionOption = (): Option =>
  new Option('--precision <which>', 'compute in float32 or float64')
    .choices(['f32', 'f64'])
    .default('f32')

/** The CPU time that a search may take. */
export const budgetOption = (seconds: number): Option =>
  new Option('--budget <seconds>', `CPU time for the search; default ${seconds}`).argParser(
    numberFlag('--budget'),
  )

export const MODEL_ARGUMENT =
  'a model file or folder: Keras, TF.js, SavedModel, PyTorch, ONNX, RTNeural, safetensors, .npz …'
