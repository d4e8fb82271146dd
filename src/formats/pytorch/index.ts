/**
 * Reads PyTorch files: one recurrent module of a state dict as a model, or several modules wired as
 * the caller says. A state dict is not a model: it holds parameters by name, and does not say what
 * is computed with them.
 */

import { readTorch, type TorchFile } from '../../bytes/torch/torch.ts'
import { isDict, isObject, type TorchTensor } from '../../bytes/torch/values.ts'
import { GruvError, within } from '../../errors.ts'
import { createModel } from '../../model/graph.ts'
import type { Model } from '../../model/types.ts'
import type { Tensor } from '../../tensor.ts'
import { baseName, type ReadOptions, type SourceFile } from '../format.ts'
import type { Wiring } from '../wiring/wiring.ts'
import { recurrentNodes } from './layers.ts'
import {
  isRecurrent,
  type RecurrentModule,
  recurrentModule,
  showModule,
  withNames,
} from './recurrent.ts'
import { type StateModule, stateModules } from './state-dict.ts'
import { assumedTanh, wire } from './wire.ts'

/**
 * @throws GruvError `not-found` when there is no recurrent module, `bad-argument` when there are
 *   several and none is chosen, listing them; the errors of containers and wirings.
 */
export async function readPytorch(file: SourceFile, options: ReadOptions): Promise<Model> {
  if (options.names !== undefined) {
    throw new GruvError('bad-argument', 'names cannot be set for this file', {
      got: 'a PyTorch file, whose parameters have names',
      fix: 'Choose a module: `--module NAME`.',
    })
  }
  return stateDictModel(file, await readTorch(file.bytes, options.limits), options)
}

/**
 * The same for parameters by name from anywhere, such as a safetensors file.
 * @throws GruvError as `readPytorch`.
 */
export async function stateDictModel(
  file: SourceFile,
  torch: TorchFile,
  options: ReadOptions,
): Promise<Model> {
  const modules = withNames(stateModules(torch.value))
  if (options.wiring === undefined) return oneModule(file, torch, modules, options)
  if (options.module !== undefined) {
    throw new GruvError('bad-argument', 'a wiring names its modules itself', {
      where: '--module',
      fix: 'Give a module or a wiring, not both.',
    })
  }
  return wiredModel(file, torch, modules, options, options.wiring)
}

async function oneModule(
  file: SourceFile,
  torch: TorchFile,
  modules: readonly StateModule[],
  { module, conventions = {} }: ReadOptions,
): Promise<Model> {
  const chosen = choose(modules, module, torch)
  const { nodes, sequence } = await recurrentNodes(
    chosen,
    'x',
    { sequence: true, finals: false },
    { conventions },
    reader(torch),
  )
  const others = modules.filter((each) => each !== chosen.module)
  const assumed =
    chosen.kind === 'rnn' && chosen.nonlinearity === null && conventions.activation === undefined
  return createModel({
    name: baseName(file.name),
    source: torch.container,
    inputs: [{ name: 'x', shape: ['batch', 'time', chosen.features] }],
    outputs: [{ name: 'y', value: sequence! }],
    nodes,
    warnings: [
      ...(assumed ? [assumedTanh(chosen.name, '`--activation`')] : []),
      ...(others.length === 0
        ? []
        : [
            `a state dict is not a model: this is its module ${chosen.name} alone, without ${listed(others.map(showModule))}; a wiring (\`--wiring\`) puts modules together`,
          ]),
    ],
  })
}

async function wiredModel(
  file: SourceFile,
  torch: TorchFile,
  modules: readonly StateModule[],
  { conventions = {} }: ReadOptions,
  wiring: Wiring,
): Promise<Model> {
  const { used, warnings, ...parts } = await wire(wiring, modules, conventions, reader(torch))
  const unused = modules.filter((module) => !used.has(module))
  return createModel({
    name: baseName(file.name),
    source: `${torch.container}, wired`,
    ...parts,
    warnings: [
      ...warnings,
      ...(unused.length === 0 ? [] : [`not in the wiring: ${listed(unused.map(showModule))}`]),
    ],
  })
}

function choose(
  modules: readonly StateModule[],
  name: string | undefined,
  torch: TorchFile,
): RecurrentModule {
  const recurrent = modules.filter(isRecurrent)
  if (recurrent.length === 0) throw nothingRecurrent(modules, torch)
  if (name === undefined) {
    if (recurrent.length === 1) return recurrentModule(recurrent[0])
    throw new GruvError('bad-argument', 'the file holds several recurrent modules', {
      got: listed(recurrent.map(showModule)),
      fix: 'Choose one, `--module NAME`, or wire them together, `--wiring FILE`.',
    })
  }
  const found = recurrent.filter((each) => each.name === name || each.path === name)
  if (found.length === 1) return recurrentModule(found[0])
  const other = modules.find((each) => each.name === name || each.path === name)
  throw new GruvError(
    'not-found',
    other === undefined
      ? `there is no module '${name}' in the file`
      : `the module '${name}' is not recurrent`,
    {
      where: '--module',
      expected: `one of ${listed(recurrent.map(showModule))}`,
      ...(other !== undefined && { got: showModule(other) }),
    },
  )
}

function nothingRecurrent(modules: readonly StateModule[], torch: TorchFile): GruvError {
  const { value } = torch
  const reason = hiddenRecurrent(modules, torch)
  return new GruvError(
    reason === null ? 'not-found' : 'unsupported',
    reason?.problem ?? 'no recurrent module can be made out among the parameters',
    {
      expected: 'parameters such as gru.weight_ih_l0 and gru.weight_hh_l0',
      got:
        modules.length > 0
          ? listed(modules.map(showModule))
          : isObject(value)
            ? `an object of class ${value.className.slice(0, 80)} without parameters`
            : 'no parameters',
      ...(reason !== null && { fix: reason.fix }),
    },
  )
}

/** Recurrent modules that PyTorch stored in another form, and how to get them back. */
function hiddenRecurrent(
  modules: readonly StateModule[],
  { container, value }: TorchFile,
): { readonly problem: string; readonly fix: string } | null {
  const names = modules.flatMap(({ path, parameters }) =>
    [...parameters.keys()].map((name) => `${path}.${name}`),
  )
  if (
    names.some((name) => /weight_[ih]h(_l\d+)?(_reverse)?(_g|_v|_orig|\.original\d*)$/.test(name))
  )
    return {
      problem: 'the recurrent kernels are stored in parts: a normalised or pruned module',
      fix: 'Put them together before saving: torch.nn.utils.remove_weight_norm, parametrize.remove_parametrizations, or prune.remove.',
    }
  if (isDict(value) && [...value.keys()].some((key) => key.includes('_all_weight_values')))
    return {
      problem: 'the recurrent modules are quantised, their weights packed',
      fix: 'Save the state dict of the model before quantize_dynamic.',
    }
  if (container === 'TorchScript archive' && names.length === 0)
    return {
      problem: 'the archive is frozen: its parameters are constants without names',
      fix: 'Save the scripted model before torch.jit.freeze, or export ONNX.',
    }
  return null
}

/** Shown in a message. */
const MOST_LISTED = 12

function listed(texts: readonly string[]): string {
  const shown = texts.slice(0, MOST_LISTED).join('; ')
  return texts.length > MOST_LISTED ? `${shown}; and ${texts.length - MOST_LISTED} more` : shown
}

export function reader({
  read,
}: TorchFile): (tensor: TorchTensor, where: string) => Promise<Tensor> {
  return async (tensor, where) => {
    try {
      return await read(tensor)
    } catch (error) {
      throw within(where, error)
    }
  }
}
