/** `Ops` in float64. The order of operations is that of `ops32.ts`; the roundings are float64's own. */

import type { ElementwiseActivation, ElementwiseKind } from '../../model/activation/activations.ts'
import type { Memory } from '../plan/types.ts'
import { erf64, exp64, expm1_64, sigmoid64, softplus64, tanh64 } from './math64.ts'
import type { Ops } from './ops.ts'

function accumulate(
  m: Memory,
  out: number,
  w: number,
  stride: number,
  x: number,
  count: number,
): void {
  let a0 = m[out]
  let a1 = m[out + 1]
  let a2 = m[out + 2]
  let a3 = m[out + 3]
  for (let i = 0; i < count; i++) {
    const xi = m[x + i]
    a0 = a0 + m[w] * xi
    a1 = a1 + m[w + 1] * xi
    a2 = a2 + m[w + 2] * xi
    a3 = a3 + m[w + 3] * xi
    w += stride
  }
  m[out] = a0
  m[out + 1] = a1
  m[out + 2] = a2
  m[out + 3] = a3
}

function multiply(m: Memory, out: number, a: number, b: number, count: number): void {
  for (let i = 0; i < count; i++) m[out + i] = m[a + i] * m[b + i]
}

function add(m: Memory, out: number, a: number, count: number): void {
  for (let i = 0; i < count; i++) m[out + i] = m[out + i] + m[a + i]
}

function divide(m: Memory, out: number, by: number, count: number): void {
  for (let i = 0; i < count; i++) m[out + i] = m[out + i] / by
}

function clip(m: Memory, at: number, limit: number, count: number): void {
  for (let i = at; i < at + count; i++) m[i] = m[i] > limit ? limit : m[i] < -limit ? -limit : m[i]
}

function multiplyAdd(m: Memory, out: number, a: number, b: number, count: number): void {
  for (let i = 0; i < count; i++) m[out + i] = m[out + i] + m[a + i] * m[b + i]
}

function blend(m: Memory, out: number, z: number, a: number, b: number, count: number): void {
  for (let i = 0; i < count; i++) {
    const zi = m[z + i]
    m[out + i] = zi * m[a + i] + (1 - zi) * m[b + i]
  }
}

function softmax(m: Memory, at: number, width: number): void {
  let max = m[at]
  for (let i = 1; i < width; i++) if (m[at + i] > max) max = m[at + i]
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  for (let i = 0; i < width; i++) {
    const e = exp64(m[at + i] - max)
    m[at + i] = e
    if (i % 4 === 0) s0 = s0 + e
    else if (i % 4 === 1) s1 = s1 + e
    else if (i % 4 === 2) s2 = s2 + e
    else s3 = s3 + e
  }
  const sum = s0 + s1 + (s2 + s3)
  for (let i = 0; i < width; i++) m[at + i] = m[at + i] / sum
}

const SELU_ALPHA = 1.6732632423543772
const SELU_SCALE = 1.0507009873554805
const SQRT1_2 = Math.SQRT1_2
const SQRT_8_PI = Math.sqrt(8 / Math.PI)
const GELU_CUBE = 0.044715
const SIXTH = 1 / 6

type Loop = (m: Memory, at: number, end: number, parameters: readonly number[]) => void

/**
 * One loop of its own for each activation: V8 folds the elementary function into the loop, and no
 * number leaves it, so that nothing is allocated.
 */
const loops: Readonly<Record<ElementwiseKind, Loop>> = {
  linear: () => {},
  sigmoid(m, at, end) {
    for (let i = at; i < end; i++) m[i] = sigmoid64(m[i])
  },
  tanh(m, at, end) {
    for (let i = at; i < end; i++) m[i] = tanh64(m[i])
  },
  relu(m, at, end) {
    for (let i = at; i < end; i++) m[i] = m[i] < 0 ? 0 : m[i]
  },
  leaky_relu(m, at, end, parameters) {
    const alpha = parameters[0]
    for (let i = at; i < end; i++) m[i] = m[i] < 0 ? alpha * m[i] : m[i]
  },
  thresholded_relu(m, at, end, parameters) {
    const alpha = parameters[0]
    for (let i = at; i < end; i++) m[i] = m[i] <= alpha ? 0 : m[i]
  },
  clipped_relu(m, at, end, parameters) {
    const max = parameters[0]
    for (let i = at; i < end; i++) m[i] = m[i] < 0 ? 0 : m[i] > max ? max : m[i]
  },
  hard_sigmoid(m, at, end, parameters) {
    const alpha = parameters[0]
    const beta = parameters[1]
    for (let i = at; i < end; i++) {
      const a = alpha * m[i] + beta
      m[i] = a < 0 ? 0 : a > 1 ? 1 : a
    }
  },
  hard_tanh(m, at, end) {
    for (let i = at; i < end; i++) m[i] = m[i] < -1 ? -1 : m[i] > 1 ? 1 : m[i]
  },
  affine(m, at, end, parameters) {
    const alpha = parameters[0]
    const beta = parameters[1]
    for (let i = at; i < end; i++) m[i] = alpha * m[i] + beta
  },
  scaled_tanh(m, at, end, parameters) {
    const alpha = parameters[0]
    const beta = parameters[1]
    for (let i = at; i < end; i++) m[i] = alpha * tanh64(beta * m[i])
  },
  elu(m, at, end, parameters) {
    const alpha = parameters[0]
    for (let i = at; i < end; i++) m[i] = m[i] < 0 ? alpha * expm1_64(m[i]) : m[i]
  },
  selu(m, at, end) {
    for (let i = at; i < end; i++) {
      m[i] = SELU_SCALE * (m[i] < 0 ? SELU_ALPHA * expm1_64(m[i]) : m[i])
    }
  },
  softplus(m, at, end) {
    for (let i = at; i < end; i++) m[i] = softplus64(m[i])
  },
  softsign(m, at, end) {
    for (let i = at; i < end; i++) m[i] = m[i] / (1 + Math.abs(m[i]))
  },
  exponential(m, at, end) {
    for (let i = at; i < end; i++) m[i] = exp64(m[i])
  },
  silu(m, at, end) {
    for (let i = at; i < end; i++) m[i] = m[i] * sigmoid64(m[i])
  },
  gelu(m, at, end) {
    for (let i = at; i < end; i++) m[i] = 0.5 * m[i] * (1 + erf64(m[i] * SQRT1_2))
  },
  // ½·(1 + tanh(b)) = σ(2b), which keeps its accuracy where tanh comes close to −1.
  gelu_tanh(m, at, end) {
    for (let i = at; i < end; i++) {
      const a = m[i]
      const cube = a * a * a
      m[i] = a * sigmoid64(SQRT_8_PI * (a + GELU_CUBE * cube))
    }
  },
  mish(m, at, end) {
    for (let i = at; i < end; i++) m[i] = m[i] * tanh64(softplus64(m[i]))
  },
  log_sigmoid(m, at, end) {
    for (let i = at; i < end; i++) m[i] = -softplus64(-m[i])
  },
  hard_swish(m, at, end) {
    for (let i = at; i < end; i++) {
      const a = SIXTH * m[i] + 0.5
      m[i] = m[i] * (a < 0 ? 0 : a > 1 ? 1 : a)
    }
  },
  celu(m, at, end, parameters) {
    const alpha = parameters[0]
    for (let i = at; i < end; i++) m[i] = m[i] < 0 ? alpha * expm1_64(m[i] / alpha) : m[i]
  },
  tanh_shrink(m, at, end) {
    for (let i = at; i < end; i++) m[i] = m[i] - tanh64(m[i])
  },
  hard_shrink(m, at, end, parameters) {
    const threshold = parameters[0]
    for (let i = at; i < end; i++) m[i] = Math.abs(m[i]) <= threshold ? 0 : m[i]
  },
  soft_shrink(m, at, end, parameters) {
    const threshold = parameters[0]
    for (let i = at; i < end; i++) {
      const a = m[i]
      m[i] = Math.abs(a) <= threshold ? 0 : a < 0 ? a + threshold : a - threshold
    }
  },
}

function activate(
  m: Memory,
  at: number,
  count: number,
  { kind, parameters }: ElementwiseActivation,
): void {
  loops[kind](m, at, at + count, parameters)
}

export const ops64: Ops = {
  round: (a) => a,
  accumulate,
  activate,
  multiply,
  add,
  divide,
  clip,
  multiplyAdd,
  blend,
  softmax,
}
