/** Tests `load` with every kind of source, and every kind of wrong one. */

import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSafetensors, writeSafetensors } from '../../src/bytes/safetensors.ts'
import { readSibling } from '../../src/formats/siblings.ts'
import { isGruvError, type LoadOptions, load, type ModelSource } from '../../src/index.ts'
import { summarize } from '../../src/model/index.ts'
import { example, temporaryFolder } from '../support/cli.ts'
import { flipBytes, put, truncateEverywhere } from '../support/fuzz.ts'

const path = join(example, 'model.safetensors')
const bytes = new Uint8Array(readFileSync(path))
const folder = temporaryFolder()
const lonely = join(folder, 'lonely')
mkdirSync(lonely)
writeFileSync(join(lonely, 'model.safetensors'), bytes)
writeFileSync(join(folder, 'notes.txt'), 'not a model')
const server = createServer((request, response) => {
  if (request.url === '/model') response.end(bytes)
  else response.writeHead(404).end()
})

beforeAll(() => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve)))
afterAll(() => new Promise((resolve) => server.close(resolve)))

function url(name: string): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}`
}

describe('sources', () => {
  it.each<[string, () => ModelSource | Promise<ModelSource>]>([
    ['a path', () => path],
    ['a file URL', () => pathToFileURL(path)],
    ['a URL', () => url('model')],
    ['bytes', () => bytes],
    ['an ArrayBuffer', () => bytes.slice().buffer],
    ['a Blob', () => new Blob([bytes])],
    ['a Response', () => new Response(bytes)],
    ['a file by name', () => ({ 'model.safetensors': bytes })],
    ['the first of several files', () => ({ 'model.safetensors': bytes, 'notes.txt': bytes })],
    ['URLs by name', () => ({ 'model.safetensors': new URL(url('model')), 'x.npy': bytes })],
    ['file URLs by name', () => ({ 'model.safetensors': pathToFileURL(path) })],
    ['a folder with one file', () => lonely],
  ])('%s', async (_, source) => {
    const { parameters, layers } = summarize(await load(await source()))
    expect([parameters, layers.map(({ kind }) => kind)]).toEqual([
      6 * 48 + 16 * 48 + 96 + 17,
      ['gru', 'dense'],
    ])
  })

  it('of the URLs in a set only what the model needs is fetched', async () => {
    const files = { 'model.safetensors': new URL(url('model')), 'x.npy': new URL(url('nothing')) }
    expect((await load(files)).name).toBe('seattle-weather')
  })

  it('a set of files is called by the one that leads', async () => {
    const noise = Uint8Array.of(1, 2, 3)
    const error = await load({ 'group1.bin': bytes, 'model.json': noise }).catch((each) => each)
    expect(error.where).toMatch(/^model\.json/)
  })

  const bare = new Uint8Array(readFileSync(join(example, 'layer.npz')))
  it.each<[string, () => ModelSource, LoadOptions | undefined, string]>([
    ['bytes', () => bare, undefined, 'model'],
    ['a File', () => new File([bare], 'a.b/c.d.npz'), undefined, 'c.d'],
    ['a file by name', () => ({ 'a/b.c': bare }), undefined, 'b'],
    ['a name', () => bare, { name: 'a\\b.c' }, 'b'],
    ['a name without an ending', () => bare, { name: 'a.b/c' }, 'c'],
    ['no name', () => bare, { name: '' }, 'model'],
    ['an ending alone', () => bare, { name: '.npz' }, 'model'],
    ['options that say nothing', () => bare, { name: undefined } as never, 'model'],
  ])('%s: what a model without a name of its own is called', async (_, source, options, name) => {
    expect((await load(source(), options)).name).toBe(name)
  })

  it('a model is frozen', async () => {
    const model = await load(path)
    expect(Object.isFrozen(model.nodes[0].conventions[0])).toBe(true)
  })
})

describe('what cannot be read', () => {
  it.each<[string, () => ModelSource, string]>([
    ['a path that leads nowhere', () => join(folder, 'nothing.npz'), 'no such file'],
    ['a folder', () => folder, 'a folder'],
    ['a server that says no', () => url('nothing'), 'status 404'],
    ['an empty file', () => new Uint8Array(0), 'empty'],
    ['noise', () => Uint8Array.from({ length: 64 }, (_, i) => (i * 73 + 5) & 255), 'no model'],
    [
      'an HDF5 file',
      () => Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0),
      'HDF5',
    ],
    [
      'a single array',
      () => new TextEncoder().encode('\x93NUMPY').slice(1),
      'a single NumPy array',
    ],
    ['no files at all', () => ({}), 'nothing can be loaded'],
  ])('%s', async (_, source, message) => {
    const error = await load(source()).catch((caught: unknown) => caught)
    expect(isGruvError(error)).toBe(true)
    expect((error as Error).message).toContain(message)
  })

  it('names the file and never shows a stack', async () => {
    mkdirSync(join(folder, 'deep'), { recursive: true })
    writeFileSync(join(folder, 'deep', 'broken.npz'), bytes.subarray(0, 100))
    const error = await load(join(folder, 'deep', 'broken.npz')).catch((caught: unknown) => caught)
    expect((error as Error).message).toMatch(/broken\.npz: /)
    expect((error as Error).message).not.toContain('\n')
  })
})

describe('files beside a model', () => {
  const file = { name: 'model.json', bytes }
  const siblings = {
    list: async () => null,
    read: async (path: string) => new TextEncoder().encode(path),
  }

  it.each(['a/b.bin', './a//b.bin', 'a\\b.bin'])('%s is a/b.bin', async (path) => {
    const read = await readSibling({ ...file, siblings }, path)
    expect(new TextDecoder().decode(read)).toBe('a/b.bin')
  })

  it.each([
    ...['../a', 'a/../../b', 'a\\..\\..\\b', '/etc/passwd', '\\a', '\\\\host\\a', 'C:\\a', 'C:a'],
    ...['https://a/b', 'file:a', 'a\0', '', '.. /a', '...../a', '%2e%2e/a', 'a/.%2E%2fb', '%2fa'],
    ...['%252e%252e%252fa', '%5ca', 'a%00'],
  ])('%j is refused', async (path) => {
    await expect(readSibling({ ...file, siblings }, path)).rejects.toThrow('outside its own folder')
  })

  it.each(['a..b.bin', '..a', '100%.bin', '50%25.bin', 'größe.bin'])(
    '%s lies in the folder',
    async (path) => {
      expect(await readSibling({ ...file, siblings }, path)).toEqual(new TextEncoder().encode(path))
    },
  )

  it('a model that came alone says what it needs', async () => {
    await expect(readSibling(file, 'a.bin')).rejects.toThrow("needs the file 'a.bin' beside it")
  })
})

describe.skipIf(process.platform === 'win32')('links beside a model', () => {
  /** A TF.js model of one shard; its manifest is enough to ask for it. */
  const manifest = {
    modelTopology: { model_config: { class_name: 'Sequential', config: [] } },
    weightsManifest: [{ paths: ['a.bin'], weights: [] }],
  }
  const place = join(folder, 'links')
  const put = (path: string, content: string): string => {
    mkdirSync(dirname(join(place, path)), { recursive: true })
    writeFileSync(join(place, path), content)
    return join(place, path)
  }
  const link = (path: string, target: string): string => {
    mkdirSync(dirname(join(place, path)), { recursive: true })
    symlinkSync(target, join(place, path))
    return join(place, path)
  }
  const messageOf = async (path: string): Promise<string> =>
    load(path).then(
      () => '',
      (error: Error) => error.message,
    )
  const text = JSON.stringify(manifest)
  put('secret/a.bin', 'secret')

  it('a link out of the folder is not followed', async () => {
    const model = put('plain/model.json', text)
    link('plain/a.bin', '../secret/a.bin')
    expect(await messageOf(model)).toMatch(/a\.bin: the link leads out of the folder/)
  })

  it('nor is a linked folder', async () => {
    const paths = [{ paths: ['inner/a.bin'], weights: [] }]
    const model = put('deep/model.json', JSON.stringify({ ...manifest, weightsManifest: paths }))
    link('deep/inner', '../secret')
    expect(await messageOf(model)).toMatch(/inner\/a\.bin: the link leads out of the folder/)
  })

  it('links within the folder, and those of a cache that the model lies in too, are', async () => {
    const within = put('within/model.json', text)
    put('within/real.bin', '12')
    link('within/a.bin', 'real.bin')
    put('blobs/1', text)
    put('blobs/2', '12')
    const cached = link('snapshots/x/model.json', '../../blobs/1')
    link('snapshots/x/a.bin', '../../blobs/2')
    for (const model of [within, cached])
      expect(await messageOf(model)).toMatch(/the shards hold more than the manifest names/)
  })

  it('of a cache, only what lies beside the target', async () => {
    put('blobs/1', text)
    const model = link('snapshots/y/model.json', '../../blobs/1')
    link('snapshots/y/a.bin', '../../secret/a.bin')
    expect(await messageOf(model)).toMatch(/the link leads out of the folder/)
  })

  it('a shard that is listed twice is refused, however it is written', async () => {
    const weightsManifest = [
      { paths: ['a.bin'], weights: [{ name: 'w', shape: [2], dtype: 'uint8' }] },
      { paths: ['./a.bin'], weights: [{ name: 'v', shape: [2], dtype: 'uint8' }] },
    ]
    const model = put('twice/model.json', JSON.stringify({ ...manifest, weightsManifest }))
    put('twice/a.bin', '12')
    expect(await messageOf(model)).toMatch(/weightsManifest\[1\].*a shard twice; got "a\.bin"/)
  })
})

describe('a gruv model whose description is wrong', () => {
  const { metadata, tensors } = readSafetensors(bytes)

  it.each<[string, string, unknown, RegExp]>([
    ['another version', 'gruv', 2, /graph\.gruv.*expected 1, got 2/],
    ['an unknown layer', 'nodes.0.kind', 'transformer', /nodes\[0\]\.kind.*"transformer"/],
    [
      'a missing convention',
      'nodes.0.reset',
      undefined,
      /nodes\[0\]\.reset.*after, before, got nothing/,
    ],
    [
      'a tensor that is not there',
      'nodes.0.tensors.kernel',
      'nowhere',
      /'nowhere' is not in the file/,
    ],
    [
      'a value that no node makes',
      'nodes.1.inputs.x',
      'elsewhere',
      /'elsewhere', which no earlier layer makes/,
    ],
    ['a port that does not exist', 'nodes.1.outputs', { z: 'head.y' }, /no port 'z'/],
    ['two layers of one name', 'nodes.1.name', 'gru', /two layers are called 'gru'/],
    ['an unknown activation', 'nodes.1.activation', 'maxout', /no activation is called 'maxout'/],
    [
      'an input of the wrong width',
      'inputs.0.shape.2',
      7,
      /expected \[batch, time, 6\], got \[batch, time, 7\]/,
    ],
    ['nodes that are no list', 'nodes', 'all', /graph\.nodes.*an array, got "all"/],
  ])('%s', async (_, place, value, message) => {
    const graph = JSON.parse(metadata.gruv) as object
    put(graph, place.split('.'), value)
    const broken = writeSafetensors({ metadata: { gruv: JSON.stringify(graph) }, tensors })
    await expect(load(broken)).rejects.toThrow(message)
  })

  it('a description that nests deeper than the stack is', async () => {
    const deep = `{"gruv":${'['.repeat(200_000)}${']'.repeat(200_000)}}`
    const broken = writeSafetensors({ metadata: { gruv: deep }, tensors })
    await expect(load(broken)).rejects.toThrow(/graph: .*at most 64 levels/)
  })

  it('conventions cannot be overridden where the file states them', async () => {
    await expect(load(bytes, { conventions: { reset: 'before' } })).rejects.toThrow(
      'reset cannot be set',
    )
  })
})

describe('hostile files', () => {
  it.each(['model.safetensors', 'layer.npz'])(
    'only GruvErrors come out of a broken %s',
    async (name) => {
      const whole = new Uint8Array(readFileSync(join(example, name)))
      const read = (each: Uint8Array): Promise<unknown> => load({ [name]: each })
      // Cut off at every length of the header, which holds all structure.
      const { accepted } = await truncateEverywhere(whole.slice(0, 2048), read)
      expect(accepted).toBe(0)
      await flipBytes(whole, read, { runs: 1000, seed: 20261124 })
    },
  )
})
