/** Writes pictures as SVG, alone or inside a page. */

import { inks } from './colours.ts'
import { base64, rasterPng } from './png.ts'
import type { Ink, Mark, Scene } from './scene.ts'

/** The custom properties for the colours of a picture, for light and dark pages and for print. */
export const inkStyle: string = [
  `:root{${properties('light')}}`,
  `@media (prefers-color-scheme:dark){:root{${properties('dark')}}}`,
  `@media print{:root{${properties('light')}}}`,
].join('')

function properties(scheme: 'light' | 'dark'): string {
  const entries = Object.entries(inks[scheme]).map(([ink, colour]) => `--${ink}:${colour}`)
  return `color-scheme:${scheme};${entries.join(';')}`
}

/** A self-contained file with its paper and colours. */
export async function svgFile(scene: Scene): Promise<string> {
  const { width, height } = scene
  const margin = 16
  const box = `${-margin} ${-margin} ${width + 2 * margin} ${height + 2 * margin}`
  const paper = `<rect x="${-margin}" y="${-margin}" width="100%" height="100%" fill="var(--paper)"/>`
  const size = `width="${width + 2 * margin}" height="${height + 2 * margin}"`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${box}" ${size} ${label('picture')}><style>${inkStyle}${pictureStyle('svg')}</style>${await inner(scene, 'picture')}</svg>\n`.replace(
    '</desc>',
    `</desc>${paper}`,
  )
}

/** Narrower pictures would be unreadable, so they scroll. */
const LEAST_WIDTH = 640

/** An element of a page, which defines the colours. @param id unique in the page. */
export async function svgElement(scene: Scene, id: string): Promise<string> {
  const { width, height } = scene
  const least = Math.min(width, LEAST_WIDTH)
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" style="min-width:${least}px" ${label(id)}>${await inner(scene, id)}</svg>`
}

/** Rules for the marks below an element. */
export function pictureStyle(within: string): string {
  return [
    `${within} text{font-family:system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}`,
    `${within} image{image-rendering:pixelated}`,
  ].join('')
}

function label(id: string): string {
  return `role="img" aria-labelledby="${id}-title ${id}-desc"`
}

async function inner({ title, description, marks }: Scene, id: string): Promise<string> {
  const drawn = await Promise.all(marks.map(draw))
  return `<title id="${id}-title">${escapeText(title)}</title><desc id="${id}-desc">${escapeText(description)}</desc>${drawn.join('')}`
}

async function draw(mark: Mark): Promise<string> {
  switch (mark.kind) {
    case 'rect':
      return `<rect ${box(mark)} fill="${colour(mark.ink)}"/>`
    case 'frame':
      return `<rect ${box(mark)} fill="none" stroke="${colour('grid')}"/>`
    case 'line':
      return strokes(mark.points)
        .map(
          (d) =>
            `<path d="${d}" fill="none" stroke="${colour(mark.ink)}" stroke-width="${mark.width}" stroke-linejoin="round"${mark.dashed ? ' stroke-dasharray="5 4"' : ''}/>`,
        )
        .join('')
    case 'area':
      return `<path d="${strokes(mark.points).join('')}Z" fill="${colour(mark.ink)}"/>`
    case 'dot':
      return `<circle cx="${fixed(mark.x)}" cy="${fixed(mark.y)}" r="${mark.radius}" fill="${colour(mark.ink)}" fill-opacity="0.65"/>`
    case 'text':
      return `<text x="${fixed(mark.x)}" y="${fixed(mark.y)}" font-size="${mark.size}" fill="${colour(mark.ink)}"${mark.anchor === 'start' ? '' : ` text-anchor="${mark.anchor}"`}${mark.bold ? ' font-weight="600"' : ''}>${escapeText(mark.text)}</text>`
    case 'image':
      return `<image ${box(mark)} preserveAspectRatio="none" href="data:image/png;base64,${base64(await rasterPng(mark.raster))}"/>`
  }
}

function box(mark: Extract<Mark, { readonly width: number; readonly height: number }>): string {
  return `x="${fixed(mark.x)}" y="${fixed(mark.y)}" width="${fixed(mark.width)}" height="${fixed(mark.height)}"`
}

/** A path for each part between gaps. */
function strokes(points: readonly number[]): readonly string[] {
  const paths: string[] = []
  let path = ''
  for (let i = 0; i < points.length; i += 2) {
    const [x, y] = [points[i], points[i + 1]]
    if (Number.isFinite(x) && Number.isFinite(y))
      path += `${path === '' ? 'M' : 'L'}${fixed(x)} ${fixed(y)}`
    else if (path !== '') {
      paths.push(path)
      path = ''
    }
  }
  if (path !== '') paths.push(path)
  return paths
}

function colour(ink: Ink): string {
  return `var(--${ink})`
}

function fixed(value: number): string {
  return String(Number(value.toFixed(1)))
}

/** Escapes text for HTML and SVG; names come from files, which cannot be trusted. */
export function escapeText(text: string): string {
  return (
    text
      // Characters that XML does not allow.
      .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '�')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
  )
}
