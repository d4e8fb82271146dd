/** A scrolling area for content that may be wider than a phone, also usable by keyboard. */

import type { ComponentChildren, JSX } from 'preact'

interface ScrollsProps {
  /** The accessible name. */
  readonly label: string
  /** Whether its height is limited as well. */
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
