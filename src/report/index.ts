/**
 * `gruv/report`: shows what a model does on an input, as one page or as single pictures.
 *
 *     const html = await report(model, x)
 *     const svg = await plot(model, x, 'gates', { format: 'svg' })
 *
 * Pages and pictures are self-contained: no script, no font, no other file. Time is averaged into
 * some hundreds of columns, so their size does not depend on the length of the input.
 */

import { GruvError } from '../errors.ts'
import { isRecurrent } from '../model/layers.ts'
import { summarize } from '../model/summary.ts'
import type { Model, RecurrentNode } from '../model/types.ts'
import { named } from '../runtime/run/named.ts'
import type { Named, TensorLike } from '../tensor.ts'
import { type ModelComparison, stateInfluence } from '../trace/index.ts'
import { checkRange } from '../trace/range.ts'
import type { Verdict } from '../verify/index.ts'
import { text } from './axes.ts'
import { dependenceSection } from './dependence.ts'
import { errorPlot } from './errors.ts'
import { type GatheredLayer, type GatherOptions, gather } from './gather.ts'
import { layerContent } from './layer.ts'
import { list, page, paragraph, type Section, table } from './page.ts'
import { gatesPlot, memoryPlot, statesPlot, weightsPlot } from './plots.ts'
import { scenePng } from './raster.ts'
import { type Scene, stack } from './scene.ts'
import { comparisonSection, errorSection } from './sections.ts'
import { svgFile } from './svg.ts'

export interface ReportOptions extends Omit<GatherOptions, 'chunk'> {
  /** From `verify`: adds the error over time. */
  readonly verdict?: Verdict
  /** From `compareModels`: adds the differences. */
  readonly comparison?: ModelComparison
}

export const plotKinds = ['gates', 'states', 'weights', 'error', 'memory'] as const

export type PlotKind = (typeof plotKinds)[number]

export interface PlotOptions extends ReportOptions {
  readonly format: 'svg' | 'png'
}

/** The most steps back over which the dependence of the last state is followed … */
const MOST_BACK = 64
/** … at a cost of units³ for each step: fewer in wide layers, none in very wide ones. */
const MOST_PRODUCTS = 5e8
const MOST_UNITS = 512

/**
 * One HTML page: gates, states, statistics, Jacobians, weights and equations of every recurrent
 * layer, in words too.
 * @throws GruvError when the input does not fit the model, or `unsupported` where it has no
 *   recurrent layer.
 */
export async function report(
  model: Model,
  x: TensorLike | Named<TensorLike>,
  options: ReportOptions = {},
): Promise<string> {
  const layers = gatherAll(model, x, options)
  const summary = summarize(model)
  const intro = [
    paragraph(
      `${summary.source}, ${summary.parameters.toLocaleString('en')} parameters. What every gate does on this input, computed in float64 by the reference.`,
    ),
    table(
      'Layers, in the order of computing',
      ['layer', 'kind', 'shape out', 'parameters'],
      summary.layers.map(({ name, kind, outputs, parameters }) => [
        name,
        kind,
        outputs.map(({ shape }) => `[${shape.join(', ')}]`).join(', '),
        parameters.toLocaleString('en'),
      ]),
    ),
    list(summary.warnings),
  ].join('\n')
  const sections: Section[] = []
  if (options.comparison !== undefined) sections.push(await comparisonSection(options.comparison))
  if (options.verdict !== undefined) sections.push(await errorSection(options.verdict))
  for (const [i, gathered] of layers.entries()) {
    const { name } = gathered.layer
    const node = nodeOf(model, name)
    sections.push({
      id: `layer-${i}`,
      title: name === node.kind ? `Layer ${name}` : `Layer ${name} (${node.kind})`,
      content: await layerContent(
        node,
        gathered,
        influenceOf(model, x, gathered, options),
        `layer-${i}`,
      ),
    })
  }
  sections.push(
    await dependenceSection(
      model,
      x,
      layers.map(({ layer }) => layer),
      options,
    ),
  )
  sections.push({ id: 'definitions', title: 'Definitions and sources', content: list(definitions) })
  return page(`${model.name}: every gate in view`, intro, sections)
}

/**
 * One kind of picture, of all layers one below the other.
 * @throws GruvError as `report`; `bad-argument` for an error without a verdict.
 */
export async function plot(
  model: Model,
  x: TensorLike | Named<TensorLike>,
  kind: PlotKind,
  options: PlotOptions,
): Promise<Uint8Array> {
  const scene = plotScene(model, x, kind, options)
  return options.format === 'png' ? scenePng(scene) : new TextEncoder().encode(await svgFile(scene))
}

function plotScene(
  model: Model,
  x: TensorLike | Named<TensorLike>,
  kind: PlotKind,
  options: ReportOptions,
): Scene {
  if (kind === 'error') {
    if (options.verdict === undefined) {
      throw new GruvError('bad-argument', 'there is nothing to compare with', {
        where: 'plot error',
        expected: 'the outputs as they should be',
      })
    }
    const scenes = Object.entries(options.verdict.outputs).map(([name, verdict]) =>
      errorPlot(name, verdict),
    )
    return together('Errors over time', scenes)
  }
  const layers = gatherAll(model, x, options)
  const draw: Readonly<Record<Exclude<PlotKind, 'error'>, (gathered: GatheredLayer) => Scene>> = {
    gates: gatesPlot,
    states: statesPlot,
    weights: ({ layer }) => weightsPlot(nodeOf(model, layer.name)),
    memory: (gathered) => memoryPlot(gathered, influenceOf(model, x, gathered, options)),
  }
  return together(`${model.name}: ${kind}`, layers.map(draw[kind]))
}

/** Each with its title above it, since a picture on its own must say what it shows. */
function together(title: string, scenes: readonly Scene[]): Scene {
  if (scenes.length === 1) return titled(scenes[0])
  return stack(
    title,
    scenes.map(({ description }) => description).join(' '),
    scenes.map(titled),
    36,
  )
}

function titled(scene: Scene): Scene {
  const label: Scene = {
    ...scene,
    height: 18,
    marks: [text(0, 14, scene.title, { ink: 'text', size: 16, bold: true })],
  }
  return stack(scene.title, scene.description, [label, scene], 8)
}

function gatherAll(
  model: Model,
  x: TensorLike | Named<TensorLike>,
  { verdict: _, comparison: __, ...options }: ReportOptions,
): readonly GatheredLayer[] {
  if (!model.nodes.some(isRecurrent)) {
    throw new GruvError('unsupported', 'nothing in this model carries a state', {
      where: model.name,
      expected: 'a GRU, an LSTM or a simple RNN',
      got: model.nodes.map(({ kind }) => kind).join(', '),
    })
  }
  const layers = gather(model, x, options)
  const { row = 0 } = options
  const least = Math.min(...layers.map(({ layer }) => layer.rows))
  checkRange('row', row, 0, least - 1)
  return layers
}

function nodeOf(model: Model, name: string): RecurrentNode {
  return named('recurrent layer', name, model.nodes.filter(isRecurrent))
}

/** The influence on the last traced step; null where it would take too long. */
function influenceOf(
  model: Model,
  x: TensorLike | Named<TensorLike>,
  { layer }: GatheredLayer,
  options: ReportOptions,
): Float64Array | null {
  if (layer.units > MOST_UNITS) return null
  const affordable = Math.max(8, Math.floor(MOST_PRODUCTS / layer.units ** 3))
  const at = layer.direction === 'forward' ? layer.first + layer.steps - 1 : layer.first
  return stateInfluence(model, x, {
    ...options,
    layer: layer.name,
    at,
    back: Math.min(layer.steps, MOST_BACK, affordable),
  })
}

const definitions: readonly string[] = [
  'Saturated: a gate below 0.1 or above 0.9. A. Karpathy, J. Johnson, L. Fei-Fei, “Visualizing and Understanding Recurrent Networks”, 2015, arXiv:1506.02078.',
  'Memory: −1 / mean(ln keep) timesteps, with keep the share of the old state that a step carries over. C. Tallec, Y. Ollivier, “Can recurrent neural networks warp time?”, 2018, arXiv:1804.11188.',
  'Dependence on earlier states: the root mean square of the singular values of ∂h(t)/∂h(t−k). R. Pascanu, T. Mikolov, Y. Bengio, “On the difficulty of training recurrent neural networks”, 2013, arXiv:1211.5063.',
  'Dead: a unit whose state moves less than a thousandth of what the liveliest unit of its layer does, on this input.',
  'Duplicate: two units whose states correlate by 0.999 or more in absolute value, at up to 1,024 timesteps spread over the input.',
  'Statistics are over the rows and timesteps that each list names first, without those that are masked; pictures show one row.',
]
