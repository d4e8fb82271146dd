/** Recognises files that gruv reads neither as models nor as data. */

import { hasBytes } from './byte-arrays.ts'

export interface ForeignFormat {
  /** Completes "this is …". */
  readonly is: string
  readonly holds?: 'model' | 'data'
  /** What to do with it where data or a model was wanted. */
  readonly asData?: string
  readonly asModel?: string
}

interface Signature extends ForeignFormat {
  readonly magic: readonly number[]
  readonly at?: number
}

interface TextSignature extends ForeignFormat {
  readonly text: RegExp
}

const ascii = (text: string): readonly number[] => Array.from(text, (c) => c.charCodeAt(0))

const unpack = (how: string): Pick<ForeignFormat, 'asData' | 'asModel'> => ({
  asData: `Unpack it first${how}.`,
  asModel: `Unpack it first${how}.`,
})

const signatures: readonly Signature[] = [
  {
    magic: ascii('TFL3'),
    at: 4,
    is: 'a TensorFlow Lite model (.tflite)',
    holds: 'model',
    asModel: 'Load the Keras model or the SavedModel that it was converted from.',
  },
  {
    magic: ascii('GGUF'),
    is: 'a GGUF model of llama.cpp',
    holds: 'model',
    asModel: 'Load the file that it was converted from.',
  },
  ...[ascii('ORTM'), ascii('ET12')].map((magic, i) => ({
    magic,
    at: 4,
    is: ['an ONNX Runtime model (.ort)', 'an ExecuTorch program (.pte)'][i],
    holds: 'model' as const,
    asModel: `Load the ${['ONNX', 'PyTorch'][i]} file that it was converted from.`,
  })),
  {
    magic: [0x89, ...ascii('HDF\r\n\x1a\n')],
    is: 'HDF5',
    asData: 'In Python: numpy.save("x.npy", h5py.File("x.h5")["x"][:]).',
  },
  {
    magic: [0x93, ...ascii('NUMPY')],
    is: 'a single NumPy array (.npy)',
    holds: 'data',
    asModel: 'Give it to --input. The arrays of a layer belong into one .npz.',
  },
  ...[2, 3, 4, 5].map((protocol) => ({
    magic: [0x80, protocol],
    is: 'a Python pickle, which could run code',
    asData: 'In Python, from where it came: numpy.save("x.npy", x).',
    asModel:
      'In Python, from where it came: torch.save(model.state_dict(), "model.pt"), or numpy.savez with the weights.',
  })),
  { magic: [0x1f, 0x8b], is: 'compressed with gzip', ...unpack(': gunzip FILE, or tar xzf FILE') },
  { magic: ascii('BZh'), is: 'compressed with bzip2', ...unpack(': bunzip2 FILE') },
  { magic: [0xfd, ...ascii('7zXZ\0')], is: 'compressed with xz', ...unpack(': unxz FILE') },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], is: 'compressed with Zstandard', ...unpack(': unzstd FILE') },
  { magic: ascii('7z\xbc\xaf\x27\x1c'), is: 'a 7z archive', ...unpack('') },
  { magic: ascii('Rar!'), is: 'a RAR archive', ...unpack('') },
  { magic: ascii('ustar'), at: 257, is: 'a tar archive', ...unpack(': tar xf FILE') },
  {
    magic: ascii('[Content_Types].xml'),
    at: 30,
    is: 'an Excel or Word file',
    holds: 'data',
    asData: 'Save it as CSV.',
  },
  {
    magic: ascii('PAR1'),
    is: 'Parquet',
    holds: 'data',
    asData: 'In Python: pandas.read_parquet("x.parquet").to_csv("x.csv", index=False).',
  },
  { magic: ascii('ARROW1'), is: 'an Arrow file', holds: 'data' },
  { magic: ascii('MATLAB 5.0 MAT-file'), is: 'a MATLAB file', holds: 'data' },
  { magic: ascii('SQLite format 3\0'), is: 'an SQLite database', holds: 'data' },
  {
    magic: [0xd0, 0xcf, 0x11, 0xe0],
    is: 'an old Excel or Word file',
    holds: 'data',
    asData: 'Save it as CSV.',
  },
  { magic: ascii('RIFF'), is: 'a RIFF file (WAV sound)', holds: 'data' },
  { magic: ascii('fLaC'), is: 'FLAC sound', holds: 'data' },
  { magic: ascii('OggS'), is: 'Ogg sound', holds: 'data' },
  { magic: ascii('ID3\x03'), is: 'MP3 sound', holds: 'data' },
  { magic: [0x89, ...ascii('PNG')], is: 'a PNG picture' },
  { magic: [0xff, 0xd8, 0xff], is: 'a JPEG picture' },
  { magic: ascii('GIF8'), is: 'a GIF picture' },
  { magic: ascii('%PDF'), is: 'a PDF document' },
  { magic: [0x7f, ...ascii('ELF')], is: 'a program or library (ELF)' },
  { magic: ascii('MZ\x90\0'), is: 'a program or library of Windows' },
  { magic: ascii('\0asm'), is: 'a WebAssembly module' },
]

const texts: readonly TextSignature[] = [
  {
    text: /^\s*(<!--.*?-->\s*)?<(!doctype\s+html|html|head|body|title|meta|link|script|style|div|p|pre|h1|form|input)\b/is,
    is: 'a web page (HTML)',
    asData: 'The server gave a page in place of the file: look at the address.',
    asModel: 'The server gave a page in place of the file: look at the address.',
  },
  { text: /^\s*<\?xml\b|^\s*<(svg|net|Error)\b/, is: 'XML' },
  {
    text: /^version https:\/\/git-lfs\.github\.com\//,
    is: 'a pointer of Git LFS in place of the file',
    asData: 'Fetch the file: git lfs pull.',
    asModel: 'Fetch the file: git lfs pull.',
  },
  { text: /^%YAML|^---\s/, is: 'YAML' },
  {
    text: /^(#.*\n|[ \t]*\r?\n)*(import \w|from \w[\w.]* import |""")/,
    is: 'a program in Python',
    asModel: 'Give the file that it saves, with the trained weights.',
  },
]

/** As much as a page or a program needs to be recognised. */
const BEGINNING = 1024

/** What a file is, by its first bytes; undefined where they say nothing. */
export function foreignFormat(bytes: Uint8Array): ForeignFormat | undefined {
  const binary = signatures.find(({ magic, at = 0 }) => hasBytes(bytes, magic, at))
  if (binary !== undefined) return binary
  const beginning = new TextDecoder().decode(bytes.subarray(0, BEGINNING))
  return texts.find(({ text }) => text.test(beginning))
}
