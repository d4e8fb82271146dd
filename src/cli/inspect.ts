/** `gruv inspect`: shows what is in a model, and where each convention comes from. */

import { Command } from 'commander'
import {
  type Convention,
  conventionTable,
  equations,
  isRecurrent,
  joinGates,
  type LayerNode,
  type LayerSummary,
  type Model,
  type ModelSummary,
  meaningOf,
  parseGateOrder,
  type RecurrentNode,
  summarize,
  weightsOf,
} from '../model/index.ts'
import {
  addConventionFlags,
  type ConventionFlags,
  loadModel,
  MODEL_ARGUMENT,
  precisionOption,
  refuseRunQuirks,
} from './options.ts'
import { printPlan, summarizePlan } from './plan.ts'
import { columns, heading, matrix, paint, print } from './render.ts'

interface InspectFlags extends ConventionFlags {
  readonly weights?: boolean
  readonly all?: boolean
  readonly equations?: boolean
  readonly plan?: boolean
  readonly precision: 'f32' | 'f64'
  readonly json?: boolean
}

export function inspectCommand(): Command {
  const command = new Command('inspect')
    .description('Shows layers, shapes, parameters, and every convention with where it comes from.')
    .argument('<model>', MODEL_ARGUMENT)
    .option('--weights', 'print W, U and the biases, whole and split by gate')
    .option('--all', 'with --weights, the middle of large matrices too')
    .option('--equations', "print the equations this layer uses beside the textbook's")
    .option('--plan', 'print what runs when, in which engine, and how much memory it takes')
    .addOption(precisionOption())
    .option('--json', 'print everything as JSON')
    .addHelpText(
      'after',
      `
Examples:
  gruv inspect layer.npz --equations
  gruv inspect layer.npz --weights --gate-order rzn
  gruv inspect model.safetensors --json`,
    )
  return addConventionFlags(command).action(async (path: string, flags: InspectFlags) => {
    refuseRunQuirks(flags, 'inspect')
    const model = await loadModel(path, flags)
    if (flags.json) print(JSON.stringify(asJson(model, flags), null, 2))
    else {
      printModel(model, flags)
      if (flags.plan) printPlan(summarizePlan(model, flags))
    }
  })
}

export function printModel(
  model: Model,
  flags: { readonly weights?: boolean; readonly all?: boolean; readonly equations?: boolean },
): void {
  const summary = summarize(model)
  printSummary(summary)
  model.nodes.forEach((node, i) => {
    printConventions(summary.layers[i])
    if (flags.equations && isRecurrent(node)) printEquations(node)
    if (flags.weights) printWeights(node, flags.all)
  })
  for (const warning of summary.warnings) print(`${paint('yellow', 'warning')} ${warning}`)
}

function printSummary({ name, source, inputs, outputs, parameters, layers }: ModelSummary): void {
  print(`${heading(name)}  ${source}, ${parameters.toLocaleString('en')} parameters`)
  const ports = (list: ModelSummary['inputs']): string =>
    list.map((port) => `${port.name} [${port.shape.join(', ')}]`).join(', ')
  print(`  in   ${ports(inputs)}`)
  print(`  out  ${ports(outputs)}`)
  print()
  const rows = layers.map((layer) => [
    `  ${layer.name}`,
    layer.kind,
    `${layer.inputs.map(({ shape }) => `[${shape.join(', ')}]`).join(', ')} → ${layer.outputs.map(({ shape }) => `[${shape.join(', ')}]`).join(', ')}`,
    layer.parameters.toLocaleString('en'),
    layer.storage.join(', '),
    layer.states.map((state) => `${state.name} [${state.size}]`).join(', '),
  ])
  print(columns(rows, ['  layer', 'kind', 'shape', 'parameters', 'stored as', 'state'], [3]))
}

function printConventions({ name, conventions }: LayerSummary): void {
  if (conventions.length === 0) return
  print('', heading(`${name}: conventions`))
  const rows = conventions.map(({ key, value, origin, why }) => {
    const meaning = meaningOf(key, value)
    return [
      `  ${conventionTable[key].title}`,
      value,
      paint(origin === 'assumed' ? 'yellow' : 'green', origin),
      meaning === value ? why : `${meaning} (${why})`,
    ]
  })
  print(columns(rows))
}

function printEquations(node: RecurrentNode): void {
  print('', heading(`${node.name}: equations`))
  const lines = equations(node)
  const rows = lines.map(({ ours, textbook, differs }) => [
    differs ? paint('yellow', '≠') : ' ',
    ours,
    textbook,
  ])
  print(columns(rows, [' ', 'this layer', 'textbook']))
  for (const { differs, note } of lines) if (differs) print(`  ≠ ${note}`)
}

function printWeights(node: LayerNode, all = false): void {
  if (node.kind !== 'gru') {
    for (const [name, tensor] of Object.entries(weightsOf(node))) {
      print('', `${heading(`${node.name}: ${name}`)} [${tensor.shape.join(', ')}]`)
      print(matrix(tensor, all))
    }
    return
  }
  const order = parseGateOrder(
    node.conventions.find(({ key }) => key === 'gateOrder')?.value ?? 'zrn',
  )
  const { weights } = node
  const arrays = [
    ['W', 'kernel', weights.kernel],
    ['U', 'recurrent kernel', weights.recurrentKernel],
    ['bi', 'input bias', weights.inputBias],
    ['br', 'recurrent bias', weights.recurrentBias],
  ] as const
  for (const [letter, title, gates] of arrays) {
    if (gates === null) continue
    const whole = joinGates(gates, order)
    print(
      '',
      `${heading(`${node.name}: ${letter}`)}, ${title} [${whole.shape.join(', ')}], gates in the order ${[...order].join(', ')}`,
    )
    print(matrix(whole, all))
    for (const gate of ['z', 'r', 'n'] as const) {
      print(`${heading(`${letter}${gate}`)} [${gates[gate].shape.join(', ')}]`)
      print(matrix(gates[gate], all))
    }
  }
}

function asJson(model: Model, flags: InspectFlags): object {
  const summary = summarize(model)
  return {
    ...summary,
    ...(flags.plan && { plan: summarizePlan(model, flags) }),
    layers: model.nodes.map((node, i) => ({
      ...summary.layers[i],
      conventions: summary.layers[i].conventions.map((convention: Convention) => ({
        ...convention,
        meaning: meaningOf(convention.key, convention.value),
      })),
      ...(flags.equations && isRecurrent(node) && { equations: equations(node) }),
      ...(flags.weights && {
        weights: Object.fromEntries(
          Object.entries(weightsOf(node)).map(([name, { shape, data }]) => [
            name,
            { shape, data: Array.from(data) },
          ]),
        ),
      }),
    })),
  }
}
