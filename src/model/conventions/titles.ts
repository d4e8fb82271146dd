/** Names the conventions in words. */

/** What each convention is called. */
export const titles = {
  gateOrder: 'gate order',
  transposed: 'kernels',
  reset: 'reset gate',
  update: 'update gate',
  bias: "candidate's recurrent bias",
  activation: 'activation',
  recurrentActivation: 'recurrent activation',
  outputActivation: 'output activation',
  lstmGateOrder: 'gate order',
  forgetGate: 'forget gate',
  peepholeOrder: 'peephole order',
} as const
