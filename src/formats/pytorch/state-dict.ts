/**
 * Groups the parameters of a PyTorch file by module, wherever they lie: in a state dict, in a
 * dictionary around it, or in a whole pickled module.
 */

import {
  isDict,
  isObject,
  isTensor,
  type TorchDict,
  type TorchObject,
  type TorchTensor,
  type TorchValue,
} from '../../bytes/torch/values.ts'
import { GruvError } from '../../errors.ts'

/** A module as far as a state dict knows it: a name, and parameters. */
export interface StateModule {
  /** Unique in the file: `gru`; with what lies around it where that is needed, `best.gru`. */
  readonly name: string
  /** The full path to it: `checkpoint.model_state_dict.module.gru`. */
  readonly path: string
  /** By the last part of their names: `weight_ih_l0`. */
  readonly parameters: ReadonlyMap<string, TorchTensor | TorchObject>
  /** The attributes of a whole pickled module, beside its parameters. */
  readonly attributes: TorchDict | null
  /** `torch.nn.modules.rnn.GRU`, where the file says so. */
  readonly className: string | null
}

interface FoundModule {
  readonly path: string
  /** Its name within its own state dict. */
  readonly inner: string
  readonly parameters: Map<string, TorchTensor | TorchObject>
  attributes: TorchDict | null
  className: string | null
}

/** Attributes of a pickled module that do not appear in names. */
const transparent = new Set(['_parameters', '_buffers', '_modules'])

/** The prefix that DataParallel and torch.compile put before every name. */
const wrappers = /^((module|_orig_mod)(\.|$))+/

/** Common names of the entry of a checkpoint that holds the parameters. */
const containers = /^(.*_)?state_dict$|^model$/

/** No module has a longer name. */
const LONGEST_NAME = 512

const MOST_LEVELS = 200

/** The largest networks have some thousands. */
const MOST_MODULES = 2 ** 16

export function stateModules(value: TorchValue): readonly StateModule[] {
  const found = new Map<string, FoundModule>()
  walk(value, [], null, new Set(), found)
  return named([...found.values()])
}

/**
 * @param root how many names lie around the outermost pickled module; null outside of one.
 */
function walk(
  value: TorchValue,
  path: readonly string[],
  root: number | null,
  seen: Set<TorchValue>,
  found: Map<string, FoundModule>,
): void {
  if (typeof value !== 'object' || value === null || path.length > MOST_LEVELS || seen.has(value))
    return
  seen.add(value)
  if (isObject(value)) {
    const start = root ?? path.length
    if (isDict(value.state)) {
      describe(value, value.state, path, start, found)
      walk(value.state, path, start, seen, found)
    }
    for (const part of value.parts) walk(part, path, root, seen, found)
  } else if (isDict(value)) {
    // The state of an optimizer, which keeps averages of every parameter, by number.
    if (value.has('param_groups') && value.has('state')) return
    for (const [key, each] of value) {
      const next = root !== null && transparent.has(key) ? path : [...path, key]
      if (isTensor(each) || (isObject(each) && looksLikeTensor(key))) {
        add(key, each, path, root, found)
      } else walk(each, next, root, seen, found)
    }
  } else if (Array.isArray(value)) {
    value.forEach((each, i) => {
      walk(each, [...path, `${i}`], root, seen, found)
    })
  }
}

/** Quantised and other special tensors: their names stay, so that they can be refused by name. */
function looksLikeTensor(key: string): boolean {
  return /(^|\.)(weight|bias)(_[ih]h(_l\d+)?(_reverse)?)?$/.test(key)
}

function add(
  key: string,
  tensor: TorchTensor | TorchObject,
  path: readonly string[],
  root: number | null,
  found: Map<string, FoundModule>,
): void {
  const at = key.lastIndexOf('.')
  const own = at < 0 ? [] : [key.slice(0, at)]
  const whole = [...path, ...own]
  const length = whole.reduce((sum, part) => sum + part.length + 1, 0)
  if (length > LONGEST_NAME || key.length - at > LONGEST_NAME) return
  // Outside of pickled modules, names of parameters are whole paths, and the keys around them do
  // not count.
  const inner = root === null ? own : whole.slice(root)
  moduleAt(whole, inner, found).parameters.set(key.slice(at + 1), tensor)
}

function describe(
  { className }: TorchObject,
  attributes: TorchDict,
  path: readonly string[],
  root: number,
  found: Map<string, FoundModule>,
): void {
  if (path.reduce((sum, part) => sum + part.length + 1, 0) > LONGEST_NAME) return
  const module = moduleAt(path, path.slice(root), found)
  module.attributes = attributes
  module.className = className
}

function moduleAt(
  whole: readonly string[],
  inner: readonly string[],
  found: Map<string, FoundModule>,
): FoundModule {
  const path = whole.join('.')
  const known = found.get(path)
  if (known !== undefined) return known
  if (found.size === MOST_MODULES) {
    throw new GruvError('too-large', 'the file holds parameters of too many modules', {
      expected: `at most ${MOST_MODULES}`,
    })
  }
  const made: FoundModule = {
    path,
    inner: inner.join('.').replace(wrappers, ''),
    parameters: new Map(),
    attributes: null,
    className: null,
  }
  found.set(path, made)
  return made
}

/** The short names where they are enough to tell modules apart, the long ones elsewhere. */
function named(found: readonly FoundModule[]): readonly StateModule[] {
  const filled = found.filter(({ parameters }) => parameters.size > 0)
  const counts = new Map<string, number>()
  const short = ({ inner, path }: FoundModule): string =>
    inner || path.split('.').at(-1)!.replace(wrappers, '').replace(containers, '')
  for (const module of filled) counts.set(short(module), (counts.get(short(module)) ?? 0) + 1)
  return filled.map((module) => ({
    ...module,
    name: counts.get(short(module)) === 1 ? short(module) : module.path,
  }))
}
