/**
 * Prints the measured errors of the elementary functions, as the table of docs/functions.md.
 *
 *     npx esbuild tools/measure_approximations.ts --bundle --platform=node --format=esm \
 *       --outfile=test/support/.measure.mjs
 *     node test/support/.measure.mjs 61; rm test/support/.measure.mjs
 *
 * The argument is the stride over the 2³² float32 bit patterns: 61 takes some minutes.
 */

import {
  functions32,
  functions64,
  measure32,
  measure64,
  type Name32,
  type Name64,
} from '../test/support/elementary.ts'

const stride = Number(process.argv[2] ?? 1021)

const at = (x: number): string => String(Number(x.toPrecision(6)))

console.log('| function | max ulp | at | max absolute | at |\n|---|---|---|---|---|')
for (const name of Object.keys(functions32) as Name32[]) {
  const w = measure32(name, stride)
  const absolute =
    w.absolute > 1 ? 'relative only |' : `${w.absolute.toExponential(2)} | ${at(w.absoluteAt)}`
  const relative = w.ulp > 100 ? 'absolute only |' : `${w.ulp.toFixed(2)} | ${at(w.ulpAt)}`
  console.log(`| \`${name}\` | ${relative} | ${absolute} |`)
}
for (const name of Object.keys(functions64) as Name64[]) {
  const w = measure64(name)
  console.log(`| \`${name}\` | ${w.ulp.toFixed(2)} | ${at(w.ulpAt)} | | |`)
}
