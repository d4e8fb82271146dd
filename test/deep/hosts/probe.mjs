/**
 * The program that every host runs: loads two files, compiles, predicts and streams. What it gives is
 * compared with what this Node gives.
 */

// @ts-nocheck: `files`, the bytes of `examples/seattle-weather` by name, is written above by the test.

const STEPS = 20

/**
 * @param gruv `load` and `compile`, or those of `gruv/core`, which do not wait.
 * @param {(name: string) => object} [optionsFor] more options of `compile`, by file.
 */
export async function probe({ load, compile }, optionsFor = () => ({})) {
  const seen = {}
  for (const [name, numbers] of Object.entries(files)) {
    const model = await load(Uint8Array.from(numbers), { name })
    const features = model.inputs[0].shape.at(-1)
    // Multiples of 1/32, which every host computes alike.
    const data = Float32Array.from({ length: STEPS * features }, (_, i) => ((i * 37) % 64) / 32 - 1)
    const x = { shape: [STEPS, features], data }
    const exact = await compile(model, { deterministic: true, ...optionsFor(name) })
    const usual = await compile(model, optionsFor(name))
    const { y } = exact.predict(x)
    seen[name] = {
      exact: exact.engine.kind,
      usual: usual.engine.kind,
      simd: usual.engine.simd,
      predicted: digest(y.data),
      streamed: digest(streamed(exact, x)),
      record: digest(record(exact)),
      // Products and sums in one rounding differ in the last bits.
      off: usual
        .predict(x)
        .y.data.reduce((most, v, i) => Math.max(most, Math.abs(v - y.data[i])), 0),
    }
    exact.close()
    usual.close()
  }
  return seen
}

function streamed(program, { shape: [steps, features], data }) {
  const stream = program.stream()
  const outputs = new Float32Array(steps * stream.output.length)
  for (let t = 0; t < steps; t++) {
    stream.input.set(data.subarray(t * features, (t + 1) * features))
    stream.step()
    outputs.set(stream.output, t * stream.output.length)
  }
  stream.close()
  return outputs
}

/** The state after some steps, as bytes. */
function record(program) {
  const stream = program.stream()
  for (let t = 0; t < STEPS; t++) stream.step()
  const bytes = new Uint8Array(program.stateBytes)
  stream.saveTo(bytes)
  stream.close()
  return bytes
}

/** FNV-1a, 32 bits, of the numbers' bits. */
function digest(numbers) {
  let hash = 0x811c9dc5
  for (const byte of new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength))
    hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0).toString(16)
}
