/** Finds the width of the terminal and wraps text to it. */

const USUAL = 80
const [NARROWEST, WIDEST] = [24, 240]

/** The columns of the terminal; for a pipe the value of COLUMNS, or 80. */
export function terminalWidth(): number {
  const said = Number(process.env.COLUMNS)
  const width = process.stdout.columns ?? (Number.isInteger(said) && said > 0 ? said : USUAL)
  return Math.min(WIDEST, Math.max(NARROWEST, width))
}

/** A sentence wrapped and indented by two spaces; in a pipe it stays on one line. */
export function fitted(sentence: string): string {
  if (!process.stdout.isTTY) return `  ${sentence}`
  const width = terminalWidth() - 2
  const lines = ['']
  for (const word of sentence.split(' ')) {
    const line = lines[lines.length - 1]
    if (line === '') lines[lines.length - 1] = word
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(word)
  }
  return lines.map((line) => `  ${line}`).join('\n')
}
