/** The HTML of a report: its parts and its style. */

import type { Scene } from './scene.ts'
import { escapeText, inkStyle, pictureStyle, svgElement } from './svg.ts'

/** Markup that is known to be well formed; everything else goes through `escapeText`. */
export type Markup = string

export function paragraph(...sentences: readonly string[]): Markup {
  return sentences.length === 0 ? '' : `<p>${sentences.map(escapeText).join(' ')}</p>`
}

export function list(items: readonly string[]): Markup {
  return items.length === 0
    ? ''
    : `<ul>${items.map((item) => `<li>${escapeText(item)}</li>`).join('')}</ul>`
}

/** Pictures can be wider than a phone, so each scrolls by itself, also by keyboard. */
export async function figure(scene: Scene, id: string, caption: string): Promise<Markup> {
  const picture = await svgElement(scene, id)
  return `<figure><div class="wide" tabindex="0" role="group" aria-label="${escapeText(scene.title)}">${picture}</div><figcaption>${escapeText(caption)}</figcaption></figure>`
}

/** Longer tables scroll by themselves on screen; in print all rows appear. */
const MOST_ROWS = 24

/** The first cell of a row is its heading. */
export function table(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): Markup {
  const header = head
    .map((title) => (title === '' ? '<td></td>' : `<th scope="col">${escapeText(title)}</th>`))
    .join('')
  const body = rows
    .map(([first, ...rest]) => {
      const cells = rest.map((cell) => `<td>${escapeText(cell)}</td>`).join('')
      return `<tr><th scope="row">${escapeText(first)}</th>${cells}</tr>`
    })
    .join('')
  const tall = rows.length > MOST_ROWS ? ' tall' : ''
  return `<div class="wide${tall}" tabindex="0" role="group" aria-label="${escapeText(caption)}"><table><caption>${escapeText(caption)}</caption><thead><tr>${header}</tr></thead><tbody>${body}</tbody></table></div>`
}

export interface Section {
  readonly id: string
  readonly title: string
  readonly content: Markup
}

export function page(title: string, intro: Markup, sections: readonly Section[]): string {
  const links = sections.map(
    (section) => `<li><a href="#${section.id}">${escapeText(section.title)}</a></li>`,
  )
  const body = sections.map(
    ({ id, title, content }) =>
      `<section aria-labelledby="${id}"><h2 id="${id}">${escapeText(title)}</h2>${content}</section>`,
  )
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width,initial-scale=1">',
    '<meta name="generator" content="gruv">',
    `<title>${escapeText(title)}</title><style>${inkStyle}${style}${pictureStyle('figure')}</style></head><body>`,
    `<header><h1>${escapeText(title)}</h1>${intro}</header>`,
    `<nav aria-label="Contents"><ul>${links.join('')}</ul></nav>`,
    `<main>${body.join('\n')}</main>`,
    '</body></html>\n',
  ].join('\n')
}

const style = `
*{box-sizing:border-box}
body{margin:0 auto;max-width:52rem;padding:1.5rem 1rem 4rem;background:var(--paper);color:var(--text);font:1rem/1.55 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 .5rem;overflow-wrap:anywhere}
h2{font-size:1.35rem;margin:3rem 0 .5rem;padding-top:.75rem;border-top:1px solid var(--grid);overflow-wrap:anywhere}
h3{font-size:1.1rem;margin:2rem 0 .25rem}
p,li{max-width:42rem}
p{margin:.5rem 0}
ul{margin:.5rem 0;padding-left:1.25rem}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;padding:0;margin:1rem 0 0;list-style:none}
a{color:var(--line)}
figure{margin:1rem 0 1.5rem}
figcaption{color:var(--muted);font-size:.875rem;max-width:42rem;margin-top:.25rem}
.wide{overflow-x:auto;max-width:100%}
.wide:focus-visible,a:focus-visible{outline:2px solid var(--line);outline-offset:2px}
.tall{max-height:26rem;overflow-y:auto;width:fit-content;border-bottom:1px solid var(--muted)}
.tall thead th{position:sticky;top:0;background:var(--paper)}
figure svg{display:block;max-width:100%;height:auto}
table{border-collapse:collapse;min-width:min(100%,24rem);font-size:.875rem;margin:.75rem 0;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--muted);padding-bottom:.25rem}
th,td{text-align:left;padding:.3rem .9rem .3rem 0;border-bottom:1px solid var(--grid);vertical-align:top}
thead th{color:var(--muted);font-weight:600}
tbody th{font-weight:600}
.equations td,.equations tbody th{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;font-weight:400;white-space:nowrap}
@media print{body{max-width:none;padding:0}nav{display:none}figure,table{break-inside:avoid}h2,h3{break-after:avoid}.wide{overflow:visible}.tall{max-height:none}.tall thead th{position:static}table{font-size:.75rem}th,td{padding:.2rem .6rem .2rem 0}figure svg{min-width:0!important}}
`
