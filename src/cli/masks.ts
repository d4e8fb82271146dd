/** The flags that mask steps of a sequence. */

import type { Command } from 'commander'
import { GruvError, type Tensor } from '../index.ts'
import { readArrays } from './files.ts'
import { bothMasks } from './inputs.ts'

export interface MaskFlags {
  readonly mask?: string
  readonly lengths?: string
}

/** Adds `--mask` and `--lengths`. */
export function addMaskFlags(command: Command): Command {
  return command
    .option('--mask <file>', 'which steps count: [timesteps] or [batch, timesteps] of 0 and 1')
    .option('--lengths <list>', 'how many steps each sequence has: 12 or 12,7,30 or a file')
}

/**
 * The flags as options of a run.
 * @param whole which steps lack no value, where `--missing mask` passes over the others.
 */
export async function readMaskFlags(
  { mask, lengths }: MaskFlags,
  whole?: Tensor,
): Promise<{
  readonly mask?: Tensor
  readonly lengths?: readonly number[]
}> {
  const given = mask === undefined ? undefined : await readOne(mask, '--mask')
  const both = given && whole ? bothMasks(given, whole) : (given ?? whole)
  return {
    ...(both && { mask: both }),
    ...(lengths !== undefined && { lengths: await readLengths(lengths) }),
  }
}

async function readLengths(text: string): Promise<readonly number[]> {
  if (/^\d+(,\d+)*$/.test(text)) return text.split(',').map(Number)
  return Array.from((await readOne(text, '--lengths')).data)
}

/** The only array of a file. */
async function readOne(path: string, flag: string): Promise<Tensor> {
  const arrays = Object.values(await readArrays(path))
  if (arrays.length === 1) return arrays[0]
  throw new GruvError('bad-file', 'the file should hold one array', {
    where: `${flag} ${path}`,
    got: `${arrays.length}`,
  })
}
