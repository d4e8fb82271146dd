/** Long inputs: the memory of `gruv trace` does not grow with its output. */

import { spawnSync } from 'node:child_process'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { writeNpy } from '../../src/bytes/numpy/npy.ts'
import { writeNpz } from '../../src/bytes/numpy/npz.ts'
import { temporaryFolder } from '../support/cli.ts'
import { random, randomTensor, tensor } from '../support/random.ts'
import { sample } from '../support/sample.ts'

const folder = temporaryFolder()
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const [features, units] = [3, 32]
const [short, long] = [1_000, 50_000]
/** All of xz xr xn hz hr hn z r n h, in float64. */
const bytesOf = (steps: number): number => 10 * 8 * units * steps
const path = (name: string): string => join(folder, name)

/** @returns the largest resident set of a process that runs gruv with these arguments, in bytes. */
function peakOf(args: readonly string[]): number {
  const script = `process.argv = [process.execPath, 'gruv', ...${JSON.stringify(args)}]
    process.on('exit', () => process.stderr.write(String(process.resourceUsage().maxRSS)))
    await import(${JSON.stringify(pathToFileURL(main).href)})`
  const { stderr } = spawnSync(
    process.execPath,
    ['--max-semi-space-size=2', '--input-type=module', '-e', script],
    {
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    },
  )
  expect(stderr).toMatch(/^\d+$/)
  return 1024 * Number(stderr)
}

describe('memory', { timeout: 240_000 }, () => {
  beforeAll(async () => {
    const next = random(3)
    const layer = {
      kernel: tensor(next, [features, 3 * units]),
      recurrent_kernel: tensor(next, [units, 3 * units], 0.3),
      bias: tensor(next, [2, 3 * units]),
    }
    writeFileSync(path('layer.npz'), await writeNpz(layer))
    for (const steps of [short, long])
      writeFileSync(path(`${steps}.npy`), writeNpy(randomTensor(4, [steps, features])))
  })

  // 50,000 steps of 32 units are 128 MB of values. Held at once, they would show; half of them is
  // what garbage that is not yet collected may take.
  it.each(sample(['npz', 'json', 'html', null], 2))('--output .%s', (ending) => {
    const run = (steps: number): number => {
      const output = ending === null ? [] : ['--output', path(`${steps}.${ending}`)]
      return peakOf(['trace', path('layer.npz'), '--input', path(`${steps}.npy`), ...output])
    }
    const grown = run(long) - run(short)
    expect(grown).toBeLessThan(bytesOf(long) / 2)
    if (ending === 'npz') expect(statSync(path(`${long}.npz`)).size).toBeGreaterThan(bytesOf(long))
    if (ending === 'html') expect(statSync(path(`${long}.html`)).size).toBeLessThan(5e6)
  })
})
