/**
 * Layers on whole tensors run on the same code in programs and in the reference, so the two prove
 * nothing about each other. Numbers of other frameworks do: every kind of layer that programs can run
 * on whole tensors occurs in a fixture of PyTorch or NumPy.
 *
 * docs/architecture.md, "The oracle", lists which fixtures prove which kinds.
 */

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { compileSync, type LoadOptions, load, type Model } from '../../../src/index.ts'
import { layerKinds } from '../../../src/model/layers.ts'
import { recurrentShapes } from '../../../src/model/shapes/recurrent.ts'
import type { LayerKind } from '../../../src/model/types.ts'
import { runNode } from '../../../src/runtime/tensor/op.ts'
import {
  fixture,
  fixtureJson,
  type ModelCase,
  type OperatorCase,
} from '../../formats/onnx/cases.ts'
import { expectClose, fixtureTensors, nodeOf, tensorFixtures, vectorFixtures } from './support.ts'

const vectors = vectorFixtures()

describe('layers of vectors, as programs run them on whole tensors, give the numbers of PyTorch', () => {
  it.each(vectors)('$name', (each) => {
    const got = runNode(nodeOf(each), fixtureTensors(each.inputs), { extent: Number })
    expectClose(got, fixtureTensors(each.expected))
  })
})

/** Recurrent layers have kernels for whatever they run over. */
const kinds = layerKinds.filter((kind) => !Object.hasOwn(recurrentShapes, kind))

describe('every kind of layer that can run on whole tensors has a fixture of another framework', () => {
  // `fixtures.test.ts` compares those of tensor/ with NumPy and PyTorch.
  const single = [...vectors, ...tensorFixtures().flatMap(({ cases }) => cases)]
  const proven = new Set<LayerKind>(single.map(({ node }) => node.kind))

  beforeAll(async () => {
    for (const model of await models()) {
      for (const kernel of compileSync(model, { engine: 'js' }).plan.stages.flatMap(
        (stage) => stage.kernels,
      ))
        if (kernel.kind === 'whole') proven.add(kernel.layer)
    }
  })

  it.each(kinds)('%s', (kind) => {
    expect(proven).toContain(kind)
  })
})

/**
 * The models whose outputs, of PyTorch or NumPy, are compared in `formats/onnx/operators.test.ts`,
 * `formats/onnx/models.test.ts` and `formats/keras.test.ts`.
 */
async function models(): Promise<readonly Model[]> {
  const operators = fixtureJson<readonly OperatorCase[]>('operators.json')
  const exported = Object.keys(fixtureJson<Readonly<Record<string, ModelCase>>>('models.json'))
  const keras = fileURLToPath(new URL('../../fixtures/keras/', import.meta.url))
  const cases: readonly { readonly file: string; readonly options: LoadOptions }[] = JSON.parse(
    readFileSync(`${keras}cases.json`, 'utf8'),
  )
  return Promise.all([
    ...operators.map(({ model }) => load(Buffer.from(model, 'base64'))),
    ...exported.map((name) =>
      load({ [`${name}.onnx`]: fixture(`${name}.onnx`), 'external.bin': fixture('external.bin') }),
    ),
    ...cases.map(({ file, options }) => load(keras + file, options)),
  ])
}
