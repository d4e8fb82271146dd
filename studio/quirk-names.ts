/** The quirk that sets each convention of a GRU. */
export const quirkNames = {
  gateOrder: 'gate-order',
  reset: 'reset',
  update: 'update',
  bias: 'bias',
  activation: 'activation',
  recurrentActivation: 'recurrent-activation',
} as const
