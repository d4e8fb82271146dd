/** Presents arrays with PyTorch's names, from a container of another kind, as a state dict. */

import type { TorchFile } from '../../bytes/torch/torch.ts'
import type { TorchStorage, TorchTensor } from '../../bytes/torch/values.ts'
import type { Named, Tensor } from '../../tensor.ts'

/** @param container in words, for `inspect`. */
export function stateArrays(container: string, arrays: Named<Tensor>): TorchFile {
  const numbers = new Map<TorchTensor, Tensor>()
  const value = new Map<string, TorchTensor>()
  for (const [name, tensor] of Object.entries(arrays)) {
    const described = describe(tensor)
    value.set(name, described)
    numbers.set(described, tensor)
  }
  return { container, value, read: async (tensor) => numbers.get(tensor)! }
}

/** Modules are recognised by their shapes; the numbers stay where they are. */
function describe({ shape }: Tensor): TorchTensor {
  return { kind: 'tensor', dtype: null, shape, strides: [], offset: 0, storage: elsewhere }
}

const elsewhere: TorchStorage = {
  kind: 'storage',
  key: null,
  bytes: null,
  className: 'none of PyTorch',
  dtype: null,
  littleEndian: null,
  from: 0,
}
