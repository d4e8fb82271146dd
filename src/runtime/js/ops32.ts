/** `Ops` in float32: every operation is rounded, as a float32 vector unit rounds it. */

import type { Activation } from '../../model/activations.ts'
import { erf32, exp32, expm1_32, sigmoid32, sigmoidGate32, softplus32, tanh32 } from './math32.ts'
import type { Memory, Ops } from './ops.ts'

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
const SQRT_2_PI = f(Math.sqrt(2 / Math.PI))
const GELU_CUBE = f(0.044715)

/** One loop per activation: a call through a function value would allocate its result. */
function activate(
  m: Memory,
  at: number,
  count: number,
  { kind, parameters }: Activation,
  gate: boolean,
): void {
  const end = at + count
  const p = f(parameters[0])
  const q = f(parameters[1])
  switch (kind) {
    case 'linear':
      return
    case 'sigmoid':
      if (gate) for (let i = at; i < end; i++) m[i] = sigmoidGate32(m[i])
      else for (let i = at; i < end; i++) m[i] = sigmoid32(m[i])
      return
    case 'tanh':
      for (let i = at; i < end; i++) m[i] = tanh32(m[i])
      return
    case 'relu':
      for (let i = at; i < end; i++) m[i] = m[i] < 0 ? 0 : m[i]
      return
    case 'leaky_relu':
      for (let i = at; i < end; i++) m[i] = m[i] < 0 ? f(p * m[i]) : m[i]
      return
    case 'thresholded_relu':
      for (let i = at; i < end; i++) m[i] = m[i] <= p ? 0 : m[i]
      return
    case 'clipped_relu':
      for (let i = at; i < end; i++) m[i] = m[i] < 0 ? 0 : m[i] > p ? p : m[i]
      return
    case 'hard_sigmoid':
      for (let i = at; i < end; i++) {
        const a = f(f(p * m[i]) + q)
        m[i] = a < 0 ? 0 : a > 1 ? 1 : a
      }
      return
    case 'hard_tanh':
      for (let i = at; i < end; i++) m[i] = m[i] < -1 ? -1 : m[i] > 1 ? 1 : m[i]
      return
    case 'affine':
      for (let i = at; i < end; i++) m[i] = f(f(p * m[i]) + q)
      return
    case 'scaled_tanh':
      for (let i = at; i < end; i++) m[i] = f(p * tanh32(f(q * m[i])))
      return
    case 'elu':
      for (let i = at; i < end; i++) m[i] = m[i] < 0 ? f(p * expm1_32(m[i])) : m[i]
      return
    case 'selu':
      for (let i = at; i < end; i++) {
        m[i] = f(SELU_SCALE * (m[i] < 0 ? f(SELU_ALPHA * expm1_32(m[i])) : m[i]))
      }
      return
    case 'softplus':
      for (let i = at; i < end; i++) m[i] = softplus32(m[i])
      return
    case 'softsign':
      for (let i = at; i < end; i++) m[i] = f(m[i] / f(1 + Math.abs(m[i])))
      return
    case 'exponential':
      for (let i = at; i < end; i++) m[i] = exp32(m[i])
      return
    case 'silu':
      for (let i = at; i < end; i++) m[i] = f(m[i] * sigmoid32(m[i]))
      return
    case 'gelu':
      for (let i = at; i < end; i++) {
        m[i] = f(f(0.5 * m[i]) * f(1 + erf32(f(m[i] * SQRT1_2))))
      }
      return
    case 'gelu_tanh':
      for (let i = at; i < end; i++) {
        const a = m[i]
        const cube = f(f(a * a) * a)
        m[i] = f(f(0.5 * a) * f(1 + tanh32(f(SQRT_2_PI * f(a + f(GELU_CUBE * cube))))))
      }
      return
    case 'mish':
      for (let i = at; i < end; i++) m[i] = f(m[i] * tanh32(softplus32(m[i])))
      return
    case 'log_sigmoid':
      for (let i = at; i < end; i++) m[i] = -softplus32(-m[i])
      return
    case 'softmax':
      // Layers that may have it call `softmax`; the model refuses it everywhere else.
      return
    default:
      kind satisfies never
  }
}

export const ops32: Ops = {
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
