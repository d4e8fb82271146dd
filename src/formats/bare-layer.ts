/**
 * Reads a bag of named arrays as a bare GRU layer, such as `np.savez` of a layer's weights leaves.
 *
 * Such a container states no conventions. Its array names hint at the framework, its shapes tell
 * some of the rest, and everything else is assumed to be as Keras has it, and said to be assumed.
 */

import { GruvError } from '../errors.ts'
import { assembleModel } from '../model/assemble.ts'
import { chain, link } from '../model/chain.ts'
import type { GateOrder } from '../model/conventions/choices.ts'
import type { Ground } from '../model/conventions/grounds.ts'
import { titles } from '../model/conventions/titles.ts'
import { type GruArrays, type GruGrounds, gruNode } from '../model/recurrent/gru.ts'
import { coreSignatures } from '../model/shapes/core.ts'
import type { Model } from '../model/types.ts'
import { type Named, showShape, type Tensor } from '../tensor.ts'
import type { ReadOptions } from './format.ts'

interface Family {
  /** As in "the array names are …'s". */
  readonly title: string
  readonly kernel: readonly string[]
  readonly recurrentKernel: readonly string[]
  readonly bias: readonly string[]
  readonly recurrentBias: readonly string[]
  /** What these names imply; null where the names are no framework's. */
  readonly implies: { readonly gateOrder: GateOrder; readonly reset?: 'after' | 'before' } | null
}

/** The names of a GRU's arrays by framework. The last component of a path counts, without TensorFlow's `:0`. */
const families: readonly Family[] = [
  {
    title: 'Keras',
    kernel: ['kernel'],
    recurrentKernel: ['recurrent_kernel'],
    bias: ['bias'],
    recurrentBias: [],
    implies: { gateOrder: 'zrn' },
  },
  {
    title: 'PyTorch',
    kernel: ['weight_ih_l0', 'weight_ih', '_w_ih'],
    recurrentKernel: ['weight_hh_l0', 'weight_hh', '_w_hh'],
    bias: ['bias_ih_l0', 'bias_ih', '_b_ih'],
    recurrentBias: ['bias_hh_l0', 'bias_hh', '_b_hh'],
    implies: { gateOrder: 'rzn', reset: 'after' },
  },
  {
    title: 'no framework',
    kernel: ['wMatrix', 'W', 'w', 'input_kernel', 'inputKernel'],
    recurrentKernel: ['uMatrix', 'U', 'u', 'R', 'recurrentKernel'],
    bias: ['biases', 'b', 'B', 'inputBias', 'input_bias'],
    recurrentBias: ['recurrentBias', 'recurrent_bias', 'br'],
    implies: null,
  },
]

/**
 * @param source the kind of file, in words.
 * @param find `byNames` (`given-names.ts`) where the caller has named the arrays.
 * @throws GruvError `not-found` when the arrays cannot be told apart, listing what is there.
 */
export function bareLayer(
  name: string,
  source: string,
  tensors: Named<Tensor>,
  { conventions = {} }: ReadOptions,
  find: FindArrays = byFamily,
): Model {
  const { arrays, grounds } = find(tensors)
  const node = gruNode('gru', arrays, grounds, conventions)
  const guessed = node.conventions.filter(({ origin }) => origin === 'assumed')
  return assembleModel(
    {
      name,
      source,
      ...chain([link(node, node.features, 'sequence')]),
      warnings: [
        ...unusedArrays(tensors, arrays),
        ...(guessed.length === 0
          ? []
          : [
              `nothing in the file states the ${guessed.map(({ key }) => titles[key]).join(', the ')}: Keras's conventions are assumed`,
            ]),
      ],
    },
    coreSignatures,
  )
}

/** Tells which of the tensors are the arrays of the layer, and what their names imply. */
export type FindArrays = (tensors: Named<Tensor>) => {
  readonly arrays: GruArrays
  readonly grounds: GruGrounds
}

const SAY_WHICH = 'Say which is which: `--names w=…,u=…,b=…`.'

function byFamily(tensors: Named<Tensor>): ReturnType<FindArrays> {
  for (const family of families) {
    const kernel = find(tensors, family.kernel)
    const recurrentKernel = find(tensors, family.recurrentKernel)
    if (kernel === undefined || recurrentKernel === undefined) continue
    const bias = find(tensors, family.bias)
    const recurrentBias = find(tensors, family.recurrentBias)
    return { arrays: { kernel, recurrentKernel, bias, recurrentBias }, grounds: groundsOf(family) }
  }
  throw new GruvError('not-found', 'no GRU layer can be made out among these arrays', {
    expected: `names such as ${families.map(({ kernel, recurrentKernel }) => `${kernel[0]} and ${recurrentKernel[0]}`).join(', or ')}`,
    got: listArrays(tensors),
    fix: SAY_WHICH,
  })
}

function groundsOf({ title, implies }: Family): GruGrounds {
  if (implies === null) return {}
  const implied = <T>(value: T): Ground<T> => ({
    value,
    origin: 'implied',
    why: `the array names are ${title}'s`,
  })
  return {
    gateOrder: implied(implies.gateOrder),
    update: implied('keeps'),
    ...(implies.reset && { reset: implied(implies.reset) }),
  }
}

function find(tensors: Named<Tensor>, wanted: readonly string[]): Tensor | undefined {
  for (const name of wanted) {
    const matches = Object.keys(tensors).filter((key) => isCalled(lastComponent(key), name))
    if (matches.length === 1) return tensors[matches[0]]
    if (matches.length > 1) {
      throw new GruvError('not-found', `${matches.length} arrays are called '${name}'`, {
        got: matches.join(', '),
        fix: SAY_WHICH,
      })
    }
  }
  return undefined
}

function unusedArrays(tensors: Named<Tensor>, arrays: GruArrays): readonly string[] {
  const used = new Set<Tensor | undefined>(Object.values(arrays))
  const unused = Object.keys(tensors).filter((key) => !used.has(tensors[key]))
  return unused.length === 0 ? [] : [`not used: ${unused.join(', ')}`]
}

export function listArrays(tensors: Named<Tensor>): string {
  const names = Object.entries(tensors).map(([name, { shape }]) => `${name} ${showShape(shape)}`)
  const shown = names.slice(0, MOST_NAMES).join(', ')
  return names.length > MOST_NAMES
    ? `${shown} and ${names.length - MOST_NAMES} more`
    : shown || 'no arrays'
}

/** Enough to see what kind of file it is, few enough to read. */
const MOST_NAMES = 12

/** A wanted name that begins with `_` may follow a name of the layer: `encoder_w_ih`. */
function isCalled(name: string, wanted: string): boolean {
  return wanted.startsWith('_') ? `_${name}`.endsWith(wanted) : name === wanted
}

function lastComponent(key: string): string {
  return key.replace(/:\d+$/, '').split(/[/.]/).at(-1)!
}
