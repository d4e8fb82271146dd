/**
 * Builds the tree that a PyTorch pickle describes: dictionaries, lists, tensors, scalars.
 *
 * Only the few names that such files need have a meaning here (`calls.ts`); an object of any other
 * class stays an inert record of its name and its parts.
 */

import { GruvError } from '../../errors.ts'
import {
  type PickleCall,
  type PickleScalar,
  type PickleValue,
  showGlobal,
} from '../pickle/values.ts'
import { quote } from '../show.ts'
import { meanings } from './calls.ts'
import { type Interpreter, isGlobal } from './interpreter.ts'
import type { TorchDict, TorchObject, TorchValue } from './values.ts'

/** No network nests its modules this deep. */
const MOST_LEVELS = 400

/**
 * The tree of a pickle. Values that the pickle shares are shared in the tree, cycles included, so
 * its size follows that of the pickle.
 * @throws GruvError `bad-file` for a tensor that contradicts itself, `too-large` for more than 400
 *   levels.
 */
export function torchTree(value: PickleValue): TorchValue {
  return new TreeBuilder().tree(value)
}

class TreeBuilder implements Interpreter {
  private readonly done = new Map<object, TorchValue>()
  private readonly encoded = new Map<string, Uint8Array>()
  private level = 0

  tree(value: PickleValue): TorchValue {
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
    const known = this.done.get(value)
    if (known !== undefined) return known
    if (this.level === MOST_LEVELS) {
      throw new GruvError('too-large', 'the values of the pickle are nested too deep', {
        expected: `at most ${MOST_LEVELS} levels`,
        fix: 'Save the parameters alone: torch.save(model.state_dict(), …).',
      })
    }
    this.level++
    const made = this.make(value)
    this.level--
    this.done.set(value, made)
    return made
  }

  private make(value: Exclude<PickleValue, PickleScalar>): TorchValue {
    switch (value.kind) {
      case 'list':
      case 'tuple':
      case 'set': {
        const list: TorchValue[] = []
        this.done.set(value, list)
        for (const item of value.items) list.push(this.tree(item))
        return list
      }
      case 'dict': {
        const dict = new Map<string, TorchValue>()
        this.done.set(value, dict)
        this.fill(dict, value.entries)
        return dict
      }
      case 'global':
        return { kind: 'object', className: showGlobal(value), state: null, parts: [] }
      case 'persistent':
        return meanings.persistent(value, this)
      case 'call':
        return this.call(value)
    }
  }

  private call(value: PickleCall): TorchValue {
    const { callable } = value
    const name = isGlobal(callable) ? showGlobal(callable) : null
    const meaning = name === null ? undefined : meanings.calls.get(name)
    if (meaning !== undefined) {
      // A call that has a meaning cannot contain itself: a cycle back to it ends in null.
      this.done.set(value, null)
      return meaning(value, this)
    }
    const object: TorchObject = {
      kind: 'object',
      className: name ?? meanings.className(callable, value.args, this),
      state: null,
      parts: [],
    }
    this.done.set(value, object)
    object.parts.push(this.tree(value.args))
    for (const item of value.items) object.parts.push(this.tree(item))
    if (value.entries.length > 0) object.parts.push(this.dict(value.entries))
    object.state = this.tree(value.state)
    return object
  }

  dict(entries: PickleCall['entries']): TorchDict {
    const dict = new Map<string, TorchValue>()
    this.fill(dict, entries)
    return dict
  }

  latin1(text: string): Uint8Array {
    const known = this.encoded.get(text)
    if (known !== undefined) return known
    const bytes = new Uint8Array(text.length)
    for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i)
    this.encoded.set(text, bytes)
    return bytes
  }

  private fill(dict: Map<string, TorchValue>, entries: PickleCall['entries']): void {
    for (const [key, each] of entries) {
      const name = showKey(this.tree(key), 0)
      dict.set(name, this.tree(each))
    }
  }
}

/** `weight`, `7`, `(1, 2)`. */
function showKey(key: TorchValue, level: number): string {
  if (typeof key === 'string') return level === 0 ? key : quote(key)
  if (typeof key === 'bigint') return 'a large number'
  if (key === null || typeof key !== 'object') return String(key)
  if (Array.isArray(key) && level === 0)
    return `(${key
      .slice(0, MOST_PARTS)
      .map((each) => showKey(each, level + 1))
      .join(', ')})`
  return 'kind' in key && key.kind === 'object' ? key.className : '…'
}

/** Shown of a tuple that is a key. */
const MOST_PARTS = 4
