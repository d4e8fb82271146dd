/**
 * Activations: their types, their parameters, and lookup by name. Formulas and float64 values are
 * in `table.ts`, which pages do not need.
 */

import { GruvError } from '../../errors.ts'

/** Every elementwise activation: its parameters and their defaults, in the order of `Activation.parameters`. */
export const activationParameters = {
  linear: {},
  sigmoid: {},
  tanh: {},
  relu: {},
  /** The slope defaults to ONNX's; Keras's LeakyReLU layer states its own. */
  leaky_relu: { alpha: 0.01 },
  thresholded_relu: { alpha: 1 },
  /** Keras's `relu(max_value=…)`; 6 makes `relu6`. */
  clipped_relu: { max: 6 },
  /** Keras 1/2, TF.js and ONNX: alpha = 0.2; Keras 3: alpha = 1/6. */
  hard_sigmoid: { alpha: 0.2, beta: 0.5 },
  hard_tanh: {},
  affine: { alpha: 1, beta: 0 },
  scaled_tanh: { alpha: 1, beta: 1 },
  elu: { alpha: 1 },
  selu: {},
  softplus: {},
  softsign: {},
  exponential: {},
  silu: {},
  gelu: {},
  gelu_tanh: {},
  mish: {},
  log_sigmoid: {},
  hard_swish: {},
  celu: { alpha: 1 },
  tanh_shrink: {},
  hard_shrink: { threshold: 0.5 },
  soft_shrink: { threshold: 0.5 },
} as const satisfies Readonly<Record<string, Readonly<Record<string, number>>>>

/** Activations that map one number to one number, and so may stand inside a cell. */
export type ElementwiseKind = keyof typeof activationParameters

export interface Activation {
  /** `softmax` mixes the units of a vector: only Dense and activation layers may have it. */
  readonly kind: ElementwiseKind | 'softmax'
  /** In the order of `activationParameters`. */
  readonly parameters: readonly number[]
}

export type ElementwiseActivation = Activation & { readonly kind: ElementwiseKind }

export function isElementwise(act: Activation): act is ElementwiseActivation {
  return act.kind !== 'softmax'
}

/** Names that only some frameworks use, simplified as by `simplify`. */
const aliases: Readonly<Record<string, ElementwiseKind>> = {
  identity: 'linear',
  none: 'linear',
  logistic: 'sigmoid',
  swish: 'silu',
  exp: 'exponential',
  relu6: 'clipped_relu',
  hardsilu: 'hard_swish',
}

const bySimplifiedName: ReadonlyMap<string, ElementwiseKind> = new Map([
  ...(Object.keys(activationParameters) as ElementwiseKind[]).map(
    (kind) => [simplify(kind), kind] as const,
  ),
  ...Object.entries(aliases),
])

/**
 * The activation of that name, with the table's default parameters where none are given.
 * Names are matched without regard to case and underscores: `hard_sigmoid`, `HardSigmoid`. What
 * `showActivation` prints is read back: `hard_sigmoid(alpha=0.2, beta=0.5)`.
 * @throws GruvError `unsupported`, naming what exists.
 */
export function activation(
  name: string,
  parameters: Readonly<Record<string, number>> = {},
): Activation {
  const call = /^\s*([^()]+)\((.*)\)\s*$/.exec(name)
  if (call !== null)
    return activation(call[1], { ...parseParameters(call[2], name), ...parameters })
  const simple = simplify(name)
  if (simple === 'softmax') return Object.freeze({ kind: 'softmax', parameters: Object.freeze([]) })
  const kind = bySimplifiedName.get(simple)
  if (kind === undefined) {
    throw new GruvError('unsupported', `no activation is called '${name}'`, {
      expected: `one of ${Object.keys(activationParameters).join(', ')}, softmax`,
    })
  }
  const known: Readonly<Record<string, number>> = activationParameters[kind]
  for (const key of Object.keys(parameters)) {
    if (Object.hasOwn(known, key)) continue
    throw new GruvError('bad-argument', `${kind} has no parameter '${key}'`, {
      expected: Object.keys(known).join(', ') || 'none',
    })
  }
  const values = Object.entries(known).map(([key, fallback]) => parameters[key] ?? fallback)
  return Object.freeze({ kind, parameters: Object.freeze(values) })
}

/** `hard_sigmoid(alpha=0.2, beta=0.5)`, as inspect prints it. */
export function showActivation(act: Activation): string {
  if (!isElementwise(act) || act.parameters.length === 0) return act.kind
  const names = Object.keys(activationParameters[act.kind])
  return `${act.kind}(${act.parameters.map((value, i) => `${names[i]}=${value}`).join(', ')})`
}

/** `alpha=0.2, beta=0.5` */
function parseParameters(text: string, name: string): Readonly<Record<string, number>> {
  const entries = text.split(',').map((part) => {
    const [key, value] = part.split('=').map((side) => side.trim())
    if (key !== '' && value !== undefined && value !== '' && Number.isFinite(Number(value)))
      return [key, Number(value)]
    throw new GruvError('bad-argument', `'${part}' is no parameter of an activation`, {
      where: name,
      expected: 'a name and a number, as in hard_sigmoid(alpha=0.2, beta=0.5)',
    })
  })
  return Object.fromEntries(entries)
}

/** `hardSigmoid` and `Hard_Sigmoid` are both `hardsigmoid`. */
function simplify(name: string): string {
  return name.trim().toLowerCase().replaceAll('_', '')
}
