/** The command line: `gruv COMMAND …`. */

import { Command, CommanderError } from 'commander'
import { isGruvError } from '../index.ts'
import { convertCommand } from './convert.ts'
import { diagnoseCommand } from './diagnose.ts'
import { exampleCommand } from './example.ts'
import { EXIT_BAD } from './exit-codes.ts'
import { inspectCommand } from './inspect.ts'
import { conventionsCommand } from './options.ts'
import { complain, print } from './render.ts'
import { runCommand } from './run.ts'
import { studioCommand } from './studio.ts'
import { traceCommand } from './trace.ts'
import { verifyCommand } from './verify.ts'
import { version } from './version.ts'

function cli(): Command {
  const program = new Command('gruv')
    .description('Runs trained GRU networks with the numbers of the framework that trained them.')
    .version(version())
    .showHelpAfterError('(--help explains)')
    .showSuggestionAfterError()
    .exitOverride()
    .addCommand(inspectCommand())
    .addCommand(runCommand())
    .addCommand(verifyCommand())
    .addCommand(diagnoseCommand())
    .addCommand(convertCommand())
    .addCommand(traceCommand())
    .addCommand(exampleCommand())
    .addCommand(studioCommand())
    .addCommand(conventionsCommand(), { hidden: true })
    .addHelpText(
      'after',
      `
Start here:
  gruv example                                        a trained model of our own, run and proved
  gruv inspect layer.npz                              what is in a file, and what is assumed about it
  gruv run layer.npz --input x.csv --output y.npy     its outputs for your data
  gruv verify layer.npz --input x.npy --expected y.npy    do they agree?
  gruv diagnose layer.npz --input x.npy --expected y.npy  if not, why not?
  gruv studio                                         the same in the browser, gate by gate
  gruv convert layer.npz model.onnx                   the same model as another file, and the proof
  gruv trace layer.npz --input x.npy --output look.html   what every gate does, as a page to look at

Options that say how a file is read: gruv help conventions

Exit codes: 0 all well, 1 the numbers differ, 2 bad usage, input or output.`,
    )
  for (const command of program.commands) {
    command.exitOverride().showHelpAfterError('(--help explains)').showSuggestionAfterError()
  }
  return program
}

/**
 * Runs one command.
 * @param argv the words after `gruv`.
 * @returns the exit code; errors are told on standard error.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const program = cli()
  if (argv.length === 0) {
    program.outputHelp()
    return 0
  }
  const json = argv.includes('--json')
  try {
    await program.parseAsync(argv, { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    if (json) print(JSON.stringify({ error: asJson(error) }))
    // Commander has told its own.
    if (isGruvError(error)) complain(error.message)
    else if (!(error instanceof CommanderError)) tellBug(error as Error)
    return EXIT_BAD
  }
}

/** The parts of an error under `--json`; null where there is none. */
function asJson(error: unknown): object {
  if (isGruvError(error)) {
    const { code, problem, where, expected, got, fix } = error
    return {
      code,
      problem,
      where: where ?? null,
      expected: expected ?? null,
      got: got ?? null,
      fix: fix ?? null,
    }
  }
  const usage = error instanceof CommanderError
  const problem = (error as Error).message.replace(/^error: /, '')
  return {
    code: usage ? 'bad-argument' : 'internal',
    problem,
    where: usage ? 'the command line' : null,
    expected: null,
    got: null,
    fix: usage ? '--help explains.' : 'Please report it.',
  }
}

function tellBug({ message, stack }: Error): void {
  complain(`this should not have happened: ${message}. Please report it.`)
  if (process.env.GRUV_DEBUG !== undefined) process.stderr.write(`${stack}\n`)
}
