/** Tells the state dict of a PyTorch model from other arrays. */

import type { Named } from '../../tensor.ts'
import type { ReadOptions } from '../format.ts'

/** Whether a name is one that PyTorch gives to a recurrent kernel. */
export function isTorchName(name: string): boolean {
  return /(^|\.)weight_hh(_l\d+)?(_reverse)?$/.test(name)
}

/** Whether arrays are parameters of modules, by their names or because the caller says so. */
export function isStateDict(
  arrays: Named<unknown>,
  { module, wiring, names }: ReadOptions,
): boolean {
  const torch = names === undefined && Object.keys(arrays).some(isTorchName)
  return torch || module !== undefined || wiring !== undefined
}
