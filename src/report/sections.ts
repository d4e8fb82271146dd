/** The sections that compare with expected outputs and with another model. */

import { type LayerComparison, type ModelComparison, titleOf } from '../trace/index.ts'
import type { Verdict } from '../verify/index.ts'
import { differencePlot, errorPlot } from './errors.ts'
import { figure, list, type Markup, paragraph, type Section, table } from './page.ts'
import { short } from './scene.ts'

export async function errorSection(verdict: Verdict): Promise<Section> {
  const parts: Markup[] = []
  for (const [i, [name, output]] of Object.entries(verdict.outputs).entries()) {
    const { pass, compared, finite, outside, maxAbsolute, tolerance, first } = output
    if (finite === 0) {
      parts.push(
        paragraph(
          `${name} has nothing to compare: none of its ${compared.toLocaleString('en')} numbers is finite. ${verdict.notFinite ?? ''}`,
        ),
      )
      continue
    }
    parts.push(
      paragraph(
        `${name} ${pass ? 'agrees with' : 'differs from'} the expected numbers: ${compared.toLocaleString('en')} compared in ${verdict.program.engine.precision === 'f32' ? 'float32' : 'float64'}, the largest error is ${short(maxAbsolute)}.`,
        `The tolerance is ${short(tolerance.largest)}: ${tolerance.why.replaceAll(/(\d)e-(\d)/g, '$1e−$2')}.`,
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

export async function comparisonSection({
  layers,
  words,
  first,
  second,
  tolerance,
}: ModelComparison): Promise<Section> {
  const parts: Markup[] = []
  for (const [i, layer] of layers.entries()) {
    parts.push(valuesTable(layer))
    if (layer.values.some((value) => value.first !== null)) {
      parts.push(
        await figure(
          differencePlot(layer, tolerance),
          `difference-${i}`,
          `The largest difference at each timestep; blank where the two agree to ${short(tolerance)}.`,
        ),
      )
    }
    parts.push(conventionsTable(layer))
  }
  const names =
    first === second ? 'two readings of one model' : `${first} (first) and ${second} (second)`
  const content = [
    paragraph(`Gate by gate, ${names}; numbers within ${short(tolerance)} count as the same.`),
    list(words),
    ...parts,
  ].join('\n')
  return { id: 'comparison', title: 'What differs', content }
}

function valuesTable({ layer, values }: LayerComparison): Markup {
  return table(
    `${layer}: when each value differs first`,
    ['value', 'first differs at', 'in the first', 'in the second', 'largest difference'],
    values.map(({ value, largest, first }) => [
      titleOf(value),
      first === null ? 'never' : `t = ${first.timestep}, unit ${first.unit}`,
      ...(first === null ? ['', ''] : [short(first.first), short(first.second)]),
      short(largest),
    ]),
  )
}

function conventionsTable({ layer, conventions }: LayerComparison): Markup {
  if (conventions.length === 0) return ''
  return table(
    `${layer}: conventions that differ`,
    ['convention', 'first', 'second', 'acts on'],
    conventions.map(({ title, first, second, moves }) => [
      title,
      first,
      second,
      moves.length === 0 ? 'nothing here' : moves.join(', '),
    ]),
  )
}
