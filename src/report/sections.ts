/** Parts of a report that are about the numbers as a whole: against expected ones, against another model's. */

import { type ModelComparison, titleOf } from '../trace/index.ts'
import type { Verdict } from '../verify/index.ts'
import { figure, list, type Markup, paragraph, type Section, table } from './page.ts'
import { errorPlot } from './plots.ts'
import { short } from './scene.ts'

export async function errorSection(verdict: Verdict): Promise<Section> {
  const parts: Markup[] = []
  for (const [i, [name, output]] of Object.entries(verdict.outputs).entries()) {
    const { pass, compared, outside, maxAbsolute, tolerance, first } = output
    parts.push(
      paragraph(
        `${name} ${pass ? 'agrees with' : 'differs from'} the expected numbers: ${compared.toLocaleString('en')} compared in ${verdict.program.engine.precision === 'f32' ? 'float32' : 'float64'}, the largest error is ${short(maxAbsolute)}.`,
        `The tolerance is ${short(tolerance.largest)}: ${tolerance.why}.`,
        ...(first === null
          ? []
          : [
              `${outside.toLocaleString('en')} numbers are outside, the first at ${first.at.timestep === undefined ? '' : `t = ${first.at.timestep}, `}unit ${first.at.unit}: ${first.actual} instead of ${first.expected}.`,
            ]),
      ),
      // A single step has no line to draw.
      output.overTime.length === 1
        ? ''
        : await figure(
            errorPlot(name, output),
            `error-${i}`,
            'The scale is logarithmic; gaps are timesteps without any error.',
          ),
    )
  }
  return { id: 'error', title: 'Error against the expected outputs', content: parts.join('\n') }
}

export function comparisonSection({
  layers,
  words,
  first,
  second,
  tolerance,
}: ModelComparison): Section {
  const tables = layers.flatMap(({ layer, values, conventions }) => [
    table(
      `${layer}: when each value differs first`,
      ['value', 'first differs at', 'largest difference'],
      values.map(({ value, largest, first: place }) => [
        titleOf(value),
        place === null ? 'never' : `t = ${place.timestep}, unit ${place.unit}`,
        short(largest),
      ]),
    ),
    ...(conventions.length === 0
      ? []
      : [
          table(
            `${layer}: conventions that differ`,
            ['convention', 'first', 'second', 'acts on'],
            conventions.map((each) => [each.title, each.first, each.second, each.moves.join(', ')]),
          ),
        ]),
  ])
  const names =
    first === second ? 'two readings of one model' : `${first} (first) and ${second} (second)`
  const content = [
    paragraph(`Gate by gate, ${names}; numbers within ${tolerance} count as the same.`),
    list(words),
    ...tables,
  ].join('\n')
  return { id: 'comparison', title: 'What differs', content }
}
