/**
 * Layers and stacks against independent implementations: PyTorch in float64, and a numpy one that
 * was checked against ONNX's reference and ONNX Runtime (`tools/make_layer_fixtures.py`).
 * A new case is a new entry in a file of `fixtures/layers`.
 */

import { buildLayers, describeFixtures, type LayerFixture, namedStates } from './support/layers.ts'

describeFixtures<LayerFixture>('layers', ({ layers, initialState, finalState }) => [
  buildLayers(layers),
  initialState === null ? {} : { initialState: namedStates(initialState) },
  namedStates(finalState),
])
