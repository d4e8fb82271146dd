/** `Ops` in float32: every operation is rounded, as a float32 vector unit rounds it. */

import type { ElementwiseActivation, ElementwiseKind } from '../../model/activation/activations.ts'
import type { Memory } from '../plan/types.ts'
import { erf32, exp32, expm1_32, sigmoid32, softplus32, tanh32 } from './math32.ts'
import type { Ops } from './ops.ts'

const f = Math.fround

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
    a0 = f(a0 + f(m[w] * xi))
    a1 = f(a1 + f(m[w + 1] * xi))
    a2 = f(a2 + f(m[w + 2] * xi))
    a3 = f(a3 + f(m[w + 3] * xi))
    w += stride
  }
  m[out] = a0
  m[out + 1] = a1
  m[out + 2] = a2
  m[out + 3] = a3
}

function multiply(m: Memory, out: number, a: number, b: number, count: number): void {
  for (let i = 0; i < count; i++) m[out + i] = f(m[a + i] * m[b + i])
}

function add(m: Memory, out: number, a: number, count: number): void {
  for (let i = 0; i < count; i++) m[out + i] = f(m[out + i] + m[a + i])
}

function divide(m: Memory, out: number, by: number, count: number): void {
  for (let i = 0; i < count; i++) m[out + i] = f(m[out + i] / by)
}

function clip(m: Memory, at: number, limit: number, count: number): void {
  const bound = f(limit)
  for (let i = at; i < at + count; i++) m[i] = m[i] > bound ? bound : m[i] < -bound ? -bound : m[i]
}

function multiplyAdd(m: Memory, out: number, a: number, b: number, count: number): void {
  for (let i = 0; i < count; i++) m[out + i] = f(m[out + i] + f(m[a + i] * m[b + i]))
}

function blend(m: Memory, out: number, z: number, a: number, b: number, count: number): void {
  for (let i = 0; i < count; i++) {
    const zi = m[z + i]
    m[out + i] = f(f(zi * m[a + i]) + f(f(1 - zi) * m[b + i]))
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
    const e = exp32(f(m[at + i] - max))
    m[at + i] = e
    if (i % 4 === 0) s0 = f(s0 + e)
    else if (i % 4 === 1) s1 = f(s1 + e)
    else if (i % 4 === 2) s2 = f(s2 + e)
    else s3 = f(s3 + e)
  }
  const sum = f(f(s0 + s1) + f(s2 + s3))
  for (let i = 0; i < width; i++) m[at + i] = f(m[at + i] / sum)
}

const SELU_ALPHA = f(1.6732632423543772)
const SELU_SCALE = f(1.0507009873554805)
const SQRT1_2 = f(Math.SQRT1_2)
const SQRT_8_PI = f(Math.sqrt(8 / Math.PI))
const GELU_CUBE = f(0.044715)
const SIXTH = f(1 / 6)

type Loop = (m: Memory, at: number, end: number, parameters: readonly number[]) => void

/**
 * One loop of its own for each activation: V8 folds the elementary function into the loop, and no
 * number leaves it, so that nothing is allocated.
 */
const loops: Readonly<Record<ElementwiseKind, Loop>> = {
  linear: () => {},
  sigmoid(m, at, end) {
    for (let i = at; i < end; i++) m[i] = sigmoid32(m[i])
  },
  tanh(m, at, end) {
    for (let i = at; i < end; i++) m[i] = tanh32(m[i])
  },
  relu(m, at, end) {
    for (let i = at; i < end; i++) m[i] = m[i] < 0 ? 0 : m[i]
  },
  leaky_relu(m, at, end, parameters) {
    const alpha = f(parameters[0])
    for (let i = at; i < end; i++) m[i] = m[i] < 0 ? f(alpha * m[i]) : m[i]
  },
  thresholded_relu(m, at, end, parameters) {
    const alpha = f(parameters[0])
    for (let i = at; i < end; i++) m[i] = m[i] <= alpha ? 0 : m[i]
  },
  clipped_relu(m, at, end, parameters) {
    const max = f(parameters[0])
    for (let i = at; i < end; i++) m[i] = m[i] < 0 ? 0 : m[i] > max ? max : m[i]
  },
  hard_sigmoid(m, at, end, parameters) {
    const alpha = f(parameters[0])
    const beta = f(parameters[1])
    for (let i = at; i < end; i++) {
      const a = f(f(alpha * m[i]) + beta)
      m[i] = a < 0 ? 0 : a > 1 ? 1 : a
    }
  },
  hard_tanh(m, at, end) {
    for (let i = at; i < end; i++) m[i] = m[i] < -1 ? -1 : m[i] > 1 ? 1 : m[i]
  },
  affine(m, at, end, parameters) {
    const alpha = f(parameters[0])
    const beta = f(parameters[1])
    for (let i = at; i < end; i++) m[i] = f(f(alpha * m[i]) + beta)
  },
  scaled_tanh(m, at, end, parameters) {
    const alpha = f(parameters[0])
    const beta = f(parameters[1])
    for (let i = at; i < end; i++) m[i] = f(alpha * tanh32(f(beta * m[i])))
  },
  elu(m, at, end, parameters) {
    const alpha = f(parameters[0])
    for (let i = at; i < end; i++) m[i] = m[i] < 0 ? f(alpha * expm1_32(m[i])) : m[i]
  },
  selu(m, at, end) {
    for (let i = at; i < end; i++) {
      m[i] = f(SELU_SCALE * (m[i] < 0 ? f(SELU_ALPHA * expm1_32(m[i])) : m[i]))
    }
  },
  softplus(m, at, end) {
    for (let i = at; i < end; i++) m[i] = softplus32(m[i])
  },
  softsign(m, at, end) {
    for (let i = at; i < end; i++) m[i] = f(m[i] / f(1 + Math.abs(m[i])))
  },
  exponential(m, at, end) {
    for (let i = at; i < end; i++) m[i] = exp32(m[i])
  },
  silu(m, at, end) {
    for (let i = at; i < end; i++) m[i] = f(m[i] * sigmoid32(m[i]))
  },
  gelu(m, at, end) {
    for (let i = at; i < end; i++) m[i] = f(f(0.5 * m[i]) * f(1 + erf32(f(m[i] * SQRT1_2))))
  },
  // ½·(1 + tanh(b)) = σ(2b), which keeps its accuracy where tanh comes close to −1.
  gelu_tanh(m, at, end) {
    for (let i = at; i < end; i++) {
      const a = m[i]
      const cube = f(f(a * a) * a)
      m[i] = f(a * sigmoid32(f(SQRT_8_PI * f(a + f(GELU_CUBE * cube)))))
    }
  },
  mish(m, at, end) {
    for (let i = at; i < end; i++) m[i] = f(m[i] * tanh32(softplus32(m[i])))
  },
  log_sigmoid(m, at, end) {
    for (let i = at; i < end; i++) m[i] = -softplus32(-m[i])
  },
  hard_swish(m, at, end) {
    for (let i = at; i < end; i++) {
      const a = f(f(SIXTH * m[i]) + 0.5)
      m[i] = f(m[i] * (a < 0 ? 0 : a > 1 ? 1 : a))
    }
  },
  celu(m, at, end, parameters) {
    const alpha = f(parameters[0])
    for (let i = at; i < end; i++) m[i] = m[i] < 0 ? f(alpha * expm1_32(f(m[i] / alpha))) : m[i]
  },
  tanh_shrink(m, at, end) {
    for (let i = at; i < end; i++) m[i] = f(m[i] - tanh32(m[i]))
  },
  hard_shrink(m, at, end, parameters) {
    const threshold = f(parameters[0])
    for (let i = at; i < end; i++) m[i] = Math.abs(m[i]) <= threshold ? 0 : m[i]
  },
  soft_shrink(m, at, end, parameters) {
    const threshold = f(parameters[0])
    for (let i = at; i < end; i++) {
      const a = m[i]
      m[i] = Math.abs(a) <= threshold ? 0 : f(a < 0 ? a + threshold : a - threshold)
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

export const ops32: Ops = {
  round: Math.fround,
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
