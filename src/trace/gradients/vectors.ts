/** The chain rule vector by vector: activations, and other layers along the last axes. */

import { type Activation, isElementwise } from '../../model/activation/activations.ts'
import { apply, type Vector, vectorsOf } from '../../runtime/reference/vectors.ts'
import { sizeOf, type Tensor } from '../../tensor.ts'
import { slopeOf } from '../slopes.ts'

/** From φ(a) back to a; softmax: y ⊙ (b − Σ b·y). */
export function pullActivation(activation: Activation, a: Vector, bar: Vector): Vector {
  if (isElementwise(activation)) {
    const slope = slopeOf(activation)
    return a.map((each, u) => slope(each) * bar[u])
  }
  const y = apply(activation, a)
  const mean = y.reduce((sum, each, u) => sum + each * bar[u], 0)
  return y.map((each, u) => each * (bar[u] - mean))
}

/** The same over the last axis of whole tensors. */
export function pullActivated(activation: Activation, a: Tensor, bar: Tensor): Tensor {
  return pullVectors(a, bar, (v, b) => pullActivation(activation, v, b))
}

/** Vector by vector along the last axis (or last axes) of x and of its derivatives. */
export function pullVectors(
  x: Tensor,
  bar: Tensor,
  pull: (vector: Vector, bar: Vector) => Vector,
  axes = 1,
): Tensor {
  const width = sizeOf(x.shape.slice(x.shape.length - axes))
  const barWidth = sizeOf(bar.shape.slice(bar.shape.length - axes))
  const vectors = vectorsOf(x, width)
  const data = new Float64Array(x.data.length)
  vectorsOf(bar, barWidth).forEach((b, i) => {
    // Where the derivatives are 0, so are all before them.
    if (b.some((each) => each !== 0)) data.set(pull(vectors[i], b), i * width)
  })
  return { shape: x.shape, data }
}
