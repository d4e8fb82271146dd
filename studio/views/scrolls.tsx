/** What may be wider than a phone: it scrolls by itself, and by keyboard too. */

import type { ComponentChildren, JSX } from 'preact'

interface ScrollsProps {
  /** For those who do not see it. */
  readonly label: string
  /** Not higher than a part of the window either. */
  readonly bounded?: boolean
  readonly children: ComponentChildren
}

export function Scrolls({ label, bounded, children }: ScrollsProps): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section class={bounded ? 'scrolls bounded' : 'scrolls'} aria-label={label} tabIndex={0}>
      {children}
    </section>
  )
}
