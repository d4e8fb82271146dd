/** Encodes PNG pictures: W3C, Portable Network Graphics, 3rd edition. */

import { joinBytes } from '../bytes/byte-arrays.ts'
import { crc32 } from '../bytes/crc32.ts'
import type { Raster } from './scene.ts'

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

/** Section 11.2.1. */
const INDEXED = 3
const TRUE_COLOUR = 2

/** One pixel for each cell, entry 0 transparent. */
export function rasterPng({ columns, rows, cells, palette }: Raster): Promise<Uint8Array> {
  const colours = Uint8Array.from(palette.flat())
  return encodePng(columns, rows, INDEXED, cells, 1, [
    chunk('PLTE', colours),
    chunk('tRNS', Uint8Array.of(0)),
  ])
}

/** @param pixels r, g, b for each, row by row. */
export function pixelPng(width: number, height: number, pixels: Uint8Array): Promise<Uint8Array> {
  return encodePng(width, height, TRUE_COLOUR, pixels, 3, [])
}

async function encodePng(
  width: number,
  height: number,
  colourType: number,
  samples: Uint8Array,
  perPixel: number,
  before: readonly Uint8Array[],
): Promise<Uint8Array> {
  const { zlibSync } = await import('fflate')
  const stride = width * perPixel
  // Every line begins with its filter; 0 is none.
  const lines = new Uint8Array(height * (stride + 1))
  for (let y = 0; y < height; y++)
    lines.set(samples.subarray(y * stride, (y + 1) * stride), y * (stride + 1) + 1)
  const header = new Uint8Array(13)
  const view = new DataView(header.buffer)
  view.setUint32(0, width)
  view.setUint32(4, height)
  header.set([8, colourType, 0, 0, 0], 8)
  return joinBytes([
    Uint8Array.from(signature),
    chunk('IHDR', header),
    ...before,
    chunk('IDAT', zlibSync(lines, { level: 9 })),
    chunk('IEND', new Uint8Array(0)),
  ])
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, data.length)
  bytes.set(
    Array.from(type, (letter) => letter.charCodeAt(0)),
    4,
  )
  bytes.set(data, 8)
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)))
  return bytes
}

export function base64(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 0x8000)
    text += String.fromCharCode(...bytes.subarray(i, i + 0x8000))
  return btoa(text)
}
