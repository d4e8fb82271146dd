/**
 * THE table of activations: what each is called, its formula, and its value in float64.
 *
 * `value` is the oracle's version, written to be compared with the formula beside it; the engines
 * have their own, made of operations whose bits are the same on every machine.
 * Formulas: the Keras 3 `keras.activations` documentation and the ONNX operator specification.
 */

import { GruvError } from '../errors.ts'

interface ActivationEntry {
  /** In terms of the pre-activation `a` and the parameters named in `parameters`. */
  readonly formula: string
  /** Parameter names and their defaults, in the order in which `Activation.parameters` holds them. */
  readonly parameters: Readonly<Record<string, number>>
  readonly value: (a: number, p: readonly number[]) => number
}

const SELU_ALPHA = 1.6732632423543772
const SELU_SCALE = 1.0507009873554805

const clip = (a: number, low: number, high: number): number => (a < low ? low : a > high ? high : a)
const sigmoid = (a: number): number => 1 / (1 + Math.exp(-a))
/** log(1 + eᵃ) without overflow. */
const softplus = (a: number): number => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)))

export const activationTable = {
  linear: { formula: 'a', parameters: {}, value: (a) => a },
  sigmoid: { formula: '1 / (1 + e^(−a))', parameters: {}, value: sigmoid },
  tanh: { formula: 'tanh(a)', parameters: {}, value: (a) => Math.tanh(a) },
  relu: { formula: 'max(a, 0)', parameters: {}, value: (a) => (a < 0 ? 0 : a) },
  /** The slope defaults to ONNX's; Keras's LeakyReLU layer states its own. */
  leaky_relu: {
    formula: 'a ≥ 0: a; else alpha·a',
    parameters: { alpha: 0.01 },
    value: (a, [alpha]) => (a < 0 ? alpha! * a : a),
  },
  thresholded_relu: {
    formula: 'a > alpha: a; else 0',
    parameters: { alpha: 1 },
    value: (a, [alpha]) => (a <= alpha! ? 0 : a),
  },
  /** Keras's `relu(max_value=…)`; 6 makes `relu6`. */
  clipped_relu: {
    formula: 'min(max(a, 0), max)',
    parameters: { max: 6 },
    value: (a, [max]) => clip(a, 0, max!),
  },
  /** Keras 1/2, TF.js and ONNX: alpha = 0.2; Keras 3: alpha = 1/6. */
  hard_sigmoid: {
    formula: 'min(max(alpha·a + beta, 0), 1)',
    parameters: { alpha: 0.2, beta: 0.5 },
    value: (a, [alpha, beta]) => clip(alpha! * a + beta!, 0, 1),
  },
  hard_tanh: { formula: 'min(max(a, −1), 1)', parameters: {}, value: (a) => clip(a, -1, 1) },
  affine: {
    formula: 'alpha·a + beta',
    parameters: { alpha: 1, beta: 0 },
    value: (a, [alpha, beta]) => alpha! * a + beta!,
  },
  scaled_tanh: {
    formula: 'alpha·tanh(beta·a)',
    parameters: { alpha: 1, beta: 1 },
    value: (a, [alpha, beta]) => alpha! * Math.tanh(beta! * a),
  },
  elu: {
    formula: 'a ≥ 0: a; else alpha·(e^a − 1)',
    parameters: { alpha: 1 },
    value: (a, [alpha]) => (a < 0 ? alpha! * Math.expm1(a) : a),
  },
  selu: {
    formula: `${SELU_SCALE}·(a ≥ 0: a; else ${SELU_ALPHA}·(e^a − 1))`,
    parameters: {},
    value: (a) => SELU_SCALE * (a < 0 ? SELU_ALPHA * Math.expm1(a) : a),
  },
  softplus: { formula: 'log(1 + e^a)', parameters: {}, value: softplus },
  softsign: { formula: 'a / (1 + |a|)', parameters: {}, value: (a) => a / (1 + Math.abs(a)) },
  exponential: { formula: 'e^a', parameters: {}, value: (a) => Math.exp(a) },
  silu: { formula: 'a·σ(a)', parameters: {}, value: (a) => a * sigmoid(a) },
  gelu: {
    formula: 'a·½·(1 + erf(a/√2))',
    parameters: {},
    value: (a) => 0.5 * a * (1 + erf(a * Math.SQRT1_2)),
  },
  gelu_tanh: {
    formula: 'a·½·(1 + tanh(√(2/π)·(a + 0.044715·a³)))',
    parameters: {},
    value: (a) => 0.5 * a * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (a + 0.044715 * a * a * a))),
  },
  mish: {
    formula: 'a·tanh(log(1 + e^a))',
    parameters: {},
    value: (a) => a * Math.tanh(softplus(a)),
  },
  log_sigmoid: { formula: 'log(σ(a))', parameters: {}, value: (a) => -softplus(-a) },
  /** Keras 3's and PyTorch's hard_silu. */
  hard_swish: {
    formula: 'a·min(max(a/6 + ½, 0), 1)',
    parameters: {},
    value: (a) => a * clip(a / 6 + 0.5, 0, 1),
  },
  celu: {
    formula: 'a ≥ 0: a; else alpha·(e^(a/alpha) − 1)',
    parameters: { alpha: 1 },
    value: (a, [alpha]) => (a < 0 ? alpha! * Math.expm1(a / alpha!) : a),
  },
  tanh_shrink: { formula: 'a − tanh(a)', parameters: {}, value: (a) => a - Math.tanh(a) },
  hard_shrink: {
    formula: '|a| > threshold: a; else 0',
    parameters: { threshold: 0.5 },
    value: (a, [threshold]) => (Math.abs(a) <= threshold! ? 0 : a),
  },
  soft_shrink: {
    formula: '|a| > threshold: a − threshold·sign(a); else 0',
    parameters: { threshold: 0.5 },
    value: (a, [threshold]) =>
      Math.abs(a) <= threshold! ? 0 : a < 0 ? a + threshold! : a - threshold!,
  },
} as const satisfies Record<string, ActivationEntry>

/** Activations that map one number to one number, and so may stand inside a cell. */
export type ElementwiseKind = keyof typeof activationTable

export interface Activation {
  /** `softmax` mixes the units of a vector: only Dense and activation layers may have it. */
  readonly kind: ElementwiseKind | 'softmax'
  /** In the order of the table's `parameters`. */
  readonly parameters: readonly number[]
}

export type ElementwiseActivation = Activation & { readonly kind: ElementwiseKind }

/** Other names for the same thing, as frameworks write them; `hardSigmoid` and `Hard_Sigmoid` come to `hardsigmoid` first. */
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
  ...(Object.keys(activationTable) as ElementwiseKind[]).map(
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
      expected: `one of ${Object.keys(activationTable).join(', ')}, softmax`,
    })
  }
  const entry: ActivationEntry = activationTable[kind]
  for (const key of Object.keys(parameters)) {
    if (Object.hasOwn(entry.parameters, key)) continue
    throw new GruvError('bad-argument', `${kind} has no parameter '${key}'`, {
      expected: Object.keys(entry.parameters).join(', ') || 'none',
    })
  }
  const values = Object.entries(entry.parameters).map(
    ([key, fallback]) => parameters[key] ?? fallback,
  )
  return Object.freeze({ kind, parameters: Object.freeze(values) })
}

export function isElementwise(act: Activation): act is ElementwiseActivation {
  return act.kind !== 'softmax'
}

/** `hard_sigmoid(alpha=0.2, beta=0.5)`, as inspect prints it. */
export function showActivation(act: Activation): string {
  if (!isElementwise(act) || act.parameters.length === 0) return act.kind
  const names = Object.keys(activationTable[act.kind].parameters)
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

function simplify(name: string): string {
  return name.trim().toLowerCase().replaceAll('_', '')
}

/**
 * The error function to full float64 precision: its Taylor series where that converges fast, the
 * continued fraction of erfc beyond. Slow and plain, for the oracle only.
 * Source: DLMF 7.6.1 and 7.9.1.
 */
function erf(x: number): number {
  const t = Math.abs(x)
  if (!(t < 6)) return Number.isNaN(x) ? x : Math.sign(x)
  if (t < 2.5) {
    let term = t
    let sum = t
    for (let k = 1; k < 200 && Math.abs(term) > 1e-20 * sum; k++) {
      // 2/√π·e^(−x²)·Σ 2^k·x^(2k+1)/(2k+1)!! has only positive terms: nothing cancels (DLMF 7.6.2).
      term *= (2 * t * t) / (2 * k + 1)
      sum += term
    }
    return (Math.sign(x) * 2 * Math.exp(-t * t) * sum) / Math.sqrt(Math.PI)
  }
  let fraction = t
  for (let k = 60; k > 0; k--) fraction = t + k / 2 / fraction
  return Math.sign(x) * (1 - Math.exp(-t * t) / (Math.sqrt(Math.PI) * fraction))
}
